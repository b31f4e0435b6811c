"""What the application's template promises, read from what CloudFormation would make of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase

import pytest

from lib.base import load
from tests.cicd.app import ARN, FOLDER, IMPORTS, PATH, TEMPLATE, attributes, config, container, deployed, environ
from tests.cicd.rendering import Refused
from tests.cicd.rendering import load as load_template
from tests.house.test_container import vendor_settings
from tests.house.tree import ROOT, python_files

ENVIRONMENTS = ["dev", "test", "production"]
FARGATE = {  # MiB of memory by CPU units, from the table of task sizes in the ECS developer guide
    256: {512, 1024, 2048},
    512: set(range(1024, 4097, 1024)),
    1024: set(range(2048, 8193, 1024)),
    2048: set(range(4096, 16385, 1024)),
    4096: set(range(8192, 30721, 1024)),
    8192: set(range(16384, 61441, 4096)),
    16384: set(range(32768, 122881, 8192)),
}


def secrets(rendered):
    """The last parts of the names of the secrets that are made."""
    return {one["Name"].rpartition("/")[2]: one for one in rendered.of_type("AWS::SecretsManager::Secret").values()}


def secret_settings():
    """The names of all secret settings, as the server tells them."""
    if any(path.stem == "secrets" for path in python_files("lib/cli")):
        command = [sys.executable, "-m", "lib.cli.secrets", "--names"]
        return set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())
    from lib.base import Settings

    schema = Settings.model_json_schema()["properties"]
    table = {name for name, one in schema.items() if name != "vendor_values" and '"password"' in json.dumps(one)}
    apart = {"database_password", "redis_password"}  # so that ECS can hand them in
    return table | apart | {name.lower() for name in vendor_settings() if name.endswith("_KEY")}


@pytest.mark.parametrize("data", ["true", "false"])
def test_every_secret_setting_is_a_secret_or_given_to_the_container(data):
    rendered = deployed("dev", UseDataStack=data)
    given = set(environ(rendered)) | {one["Name"] for one in container(rendered).get("Secrets", [])}
    made, wanted = set(secrets(rendered)), secret_settings()
    assert {"aiproxy_api_key", "openai_api_key", "groq_api_key", "key_secret"} <= wanted
    assert wanted - {name.lower() for name in given} == made, "a resource in template.yml for each, and no other"


def test_secrets_are_made_without_a_value_under_the_environments_own_prefix():
    for stack in ("aiproxy", "aiproxy-x"):
        rendered = deployed(stack=stack)
        for name, one in secrets(rendered).items():
            assert one["Name"] == f"production/{stack}.example.org/{name}"
            assert not one.keys() & {"SecretString", "GenerateSecretString"}


def test_without_a_data_stack_what_belongs_to_it_says_none():
    made = secrets(deployed("dev"))
    said = {name for name, one in made.items() if one.get("SecretString") == "none"}
    assert said <= {"database_password", "redis_url", "redis_password"}
    assert all("SecretString" not in one for name, one in made.items() if name not in said)


def test_the_server_starts_with_what_the_container_holds():
    read = load({**environ(deployed()), "AIPROXY_API_KEY": "x" * 32}, "no-such-file")
    assert read.environment_type == "production"
    assert read.database_url.get_secret_value() == (
        "postgresql+psycopg://aiproxy@database.internal:5432/aiproxy"
        "?sslmode=verify-full&sslrootcert=/app/certificates/rds.pem"
    )
    assert read.redis_url.get_secret_value() == "rediss://cache.internal:6379/0"
    assert read.web_concurrency == 2
    assert read.secrets_to_come == ()


def test_secrets_that_are_to_come_are_named_to_the_server():
    given = environ(deployed(SecretsToCome="xai_api_key,groq_api_key"))
    assert load({**given, "AIPROXY_API_KEY": "x" * 32}, "no-such-file").secrets_to_come == (
        "xai_api_key",
        "groq_api_key",
    )
    for wrong in ("xai_api_key,", "XAI", "a b", "a,,b"):
        with pytest.raises(Refused):
            deployed(SecretsToCome=wrong)


def test_each_stack_has_a_database_of_its_own():
    url = environ(deployed("test", "aiproxy-some-branch-test"))["DATABASE_URL"]
    assert url.partition("?")[0].rpartition("/")[2] == "aiproxy_some_branch_test"
    assert environ(deployed(), "migrate")["DATABASE_URL"] == environ(deployed())["DATABASE_URL"]


def test_passwords_come_from_the_data_stack_by_the_execution_role():
    assert container(deployed())["Secrets"] == [
        {"Name": "DATABASE_PASSWORD", "ValueFrom": f"{ARN}/database-x-AbCdEf:password::"},
        {"Name": "REDIS_PASSWORD", "ValueFrom": f"{ARN}/cache-x-AbCdEf"},
    ]
    assert container(deployed(), "migrate")["Secrets"] == container(deployed())["Secrets"][:1]


def test_development_does_without_a_data_stack():
    rendered = deployed("dev", "aiproxy-dev-x")
    assert environ(rendered)["DATABASE_URL"] == "sqlite:///var/aiproxy.db"
    assert "REDIS_URL" not in environ(rendered)
    assert "AiProxyData" not in json.dumps(rendered.resources)
    assert rendered.of_type("AWS::ApplicationAutoScaling::ScalableTarget") == {}


@pytest.mark.parametrize(
    ("environment", "parameters"),
    [
        ("production", {"UseDataStack": "false", "MinTasks": "1", "MaxTasks": "1"}),
        ("dev", {"MaxTasks": "2"}),
        ("production", {"MinTasks": "1"}),
        ("production", {"MaxCallSeconds": "301"}),
        ("production", {"TaskSize": "1vCPU-1GB"}),
        ("production", {"SubdomainName": "a_b"}),
        ("production", {"AppImageUri": "aiproxy"}),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(environment, parameters):
    with pytest.raises(Refused):
        deployed(environment, **parameters)


@pytest.mark.parametrize("name", ["migrate", "aiproxy"])
def test_containers_may_do_as_little_as_possible(name):
    one = container(deployed(), name)
    assert (one["User"], one["ReadonlyRootFilesystem"]) == ("10001", True)
    assert one["LinuxParameters"]["InitProcessEnabled"] is True
    assert one["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    written = {row["ContainerPath"] for row in (*one["MountPoints"], *one["LinuxParameters"]["Tmpfs"])}
    assert written == {"/tmp", "/app/var"}


def test_a_mounted_folder_belongs_to_the_containers_user():
    """ECS makes the mount from the image's folder, with its owner, only when the image declares it a volume."""
    image = (ROOT / "Dockerfile").read_text()
    assert "VOLUME /app/var" in image
    assert "--owner=aiproxy --group=aiproxy /app/var" in image
    assert f"--uid {container(deployed())['User']}" in image


def test_the_server_waits_for_its_tables():
    rendered = deployed()
    assert container(rendered)["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]
    migrate = container(rendered, "migrate")
    assert migrate["Command"] == ["python", "-m", "lib.cli.migrate", "--create-database"]
    assert migrate["Essential"] is False
    assert "ENVIRONMENT_TYPE" not in environ(rendered, "migrate")


@pytest.mark.parametrize("size", TEMPLATE["Parameters"]["TaskSize"]["AllowedValues"])
def test_sizes_are_pairs_that_fargate_has(size):
    (task,) = deployed(TaskSize=size).of_type("AWS::ECS::TaskDefinition").values()
    assert task["Memory"] in FARGATE[task["Cpu"]]
    assert size == f"{task['Cpu'] / 1024:g}vCPU-{task['Memory'] / 1024:g}GB"
    (tmpfs,) = container(deployed(TaskSize=size))["LinuxParameters"]["Tmpfs"]
    assert tmpfs["Size"] * 4 <= task["Memory"]


def test_every_size_is_offered():
    assert set(TEMPLATE["Parameters"]["TaskSize"]["AllowedValues"]) == set(TEMPLATE["Mappings"]["Size"])
    assert TEMPLATE["Parameters"]["TaskSize"]["Default"] == "1vCPU-2GB"


def test_only_the_balancer_reaches_a_task():
    rendered = deployed()
    groups = rendered.of_type("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in groups["TaskSecurityGroup"]
    (rule,) = rendered.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert (rule["FromPort"], rule["ToPort"]) == (5000, 5000)
    assert rule["SourceSecurityGroupId"] == "<LoadBalancerSecurityGroup.GroupId>"
    (service,) = rendered.of_type("AWS::ECS::Service").values()
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert network["Subnets"] == IMPORTS["AiProxyPrivateSubnetIds"].split(",")
    assert network["SecurityGroups"] == ["<TaskSecurityGroup.GroupId>", "sg-clients"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_only_production_is_protected_from_deletion(environment):
    (balancer,) = deployed(environment).of_type("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    protected = attributes(balancer["LoadBalancerAttributes"])["deletion_protection.enabled"]
    assert (protected == "true") == (environment == "production")


def test_plain_http_is_sent_to_https():
    http, https = sorted(
        deployed().of_type("AWS::ElasticLoadBalancingV2::Listener").values(), key=lambda one: one["Port"]
    )
    assert http["DefaultActions"][0]["Type"] == "redirect"
    assert http["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert "TLS13" in https["SslPolicy"]


def allowed(action):
    """Patterns of ARNs that the task role may do this with."""
    (role,) = deployed().of_type("AWS::IAM::Role").values()
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    for one in statements:
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        if action in actions:
            yield from one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:bedrock:us-east-2::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("arn:aws:bedrock:us-west-2::foundation-model/meta.llama3-70b-instruct-v1:0", True),
        ("arn:aws:bedrock:us-west-2::foundation-model/cohere.command-r-v1:0", False),
        ("arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-x", True),
        ("arn:aws:bedrock:eu-central-1:210987654321:inference-profile/eu.anthropic.claude-x", False),
    ],
)
def test_models_of_bedrock_by_parameter_wherever_a_profile_routes_to(arn, expected):
    assert any(fnmatchcase(arn, pattern) for pattern in allowed("bedrock:InvokeModelWithResponseStream")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("production/aiproxy.example.org/openai_api_key-AbCdEf", True),
        ("production/aiproxy-x.example.org/openai_api_key-AbCdEf", False),
        ("test/aiproxy.example.org/openai_api_key-AbCdEf", False),
        ("aiproxy-data-production/database-x-AbCdEf", False),
    ],
)
def test_a_task_reads_its_own_secrets_alone(name, expected):
    arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}"
    assert any(fnmatchcase(arn, pattern) for pattern in allowed("secretsmanager:GetSecretValue")) == expected


@pytest.mark.parametrize(
    ("environment", "path", "kind"),
    [
        ("dev", "/aiproxy/development/", "development"),
        ("test", "/aiproxy/test/", "production"),
        ("production", "/aiproxy/production/", "production"),
    ],
)
def test_the_roles_of_a_task_are_those_of_its_kind_and_its_own_is_bounded(environment, path, kind):
    rendered = deployed(environment)
    (role,) = rendered.of_type("AWS::IAM::Role").values()
    assert (role["Path"], role["PermissionsBoundary"]) == (path, IMPORTS[f"AiProxyRoles-{kind}-TaskBoundaryArn"])
    (task,) = rendered.of_type("AWS::ECS::TaskDefinition").values()
    assert task["ExecutionRoleArn"] == IMPORTS[f"AiProxyRoles-{kind}-TaskExecutionRoleArn"]


def test_what_development_makes_is_told_by_its_name_where_cloudformation_would_shorten_it():
    kinds = ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup")
    for kind in kinds:
        (named,) = deployed("dev", "aiproxy-dev-" + "x" * 40).of_type(kind).values()
        assert named["Name"] == "aiproxy-dev-51af3dc0"  # at most 32 characters, and each stack has its own
        (unnamed,) = deployed().of_type(kind).values()
        assert "Name" not in unnamed


def test_scaling_looks_at_work_first_and_shrinks_slowly():
    policies = deployed().of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
    how = {name: one["TargetTrackingScalingPolicyConfiguration"] for name, one in policies.items()}
    calls = how["ScaleOnCalls"]["CustomizedMetricSpecification"]
    assert (calls["Namespace"], calls["MetricName"], calls["Statistic"]) == ("AIProxy", "InFlightCalls", "Average")
    assert calls["Dimensions"] == [{"Name": "Service", "Value": environ(deployed())["DNS_RECORD"]}]
    assert how["ScaleOnCpu"]["PredefinedMetricSpecification"]["PredefinedMetricType"].endswith("CPUUtilization")
    assert all(one["ScaleInCooldown"] >= 5 * one["ScaleOutCooldown"] for one in how.values())


def test_a_service_that_runs_is_left_as_large_as_scaling_made_it():
    (first,) = deployed(DesiredTasks="2").of_type("AWS::ECS::Service").values()
    (later,) = deployed(DesiredTasks="keep").of_type("AWS::ECS::Service").values()
    assert first["DesiredCount"] == "2"
    assert later == {name: value for name, value in first.items() if name != "DesiredCount"}
    assert deployed(DesiredTasks="keep").resources.keys() == deployed(DesiredTasks="2").resources.keys()


def test_without_values_for_the_secrets_everything_but_tasks_is_made():
    rendered = deployed(DesiredTasks="0")
    kinds = {one["Type"] for one in rendered.resources.values()}
    assert {"AWS::ECS::Service", "AWS::SecretsManager::Secret", "AWS::ElasticLoadBalancingV2::Listener"} <= kinds
    assert "AWS::ApplicationAutoScaling::ScalableTarget" not in kinds
    assert not {"UnhealthyAlarm", "NobodyAlarm"} & rendered.resources.keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_configuration_fits_the_template(environment):
    assert config(environment).keys() == {"Parameters", "Tags"}
    assert all(isinstance(value, str) for value in config(environment)["Parameters"].values())
    rendered = deployed(environment)
    (service,) = rendered.of_type("AWS::ECS::Service").values()
    assert service["PropagateTags"] == "SERVICE"


def test_environments_differ_in_size():
    sizes = [deployed(one).of_type("AWS::ECS::TaskDefinition")["TaskDefinition"]["Memory"] for one in ENVIRONMENTS]
    most = [int(config(one)["Parameters"]["MaxTasks"]) for one in ENVIRONMENTS]
    assert sizes == sorted(sizes)
    assert most == sorted(set(most))


TEMPLATES = sorted((ROOT / "cicd").rglob("*template.yml"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_is_described_grouped_and_constrained(path):
    template = load_template(path)
    declared = template.get("Parameters", {})
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"] if declared else []
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(declared)
    assert [name for name, one in declared.items() if not one.get("Description")] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_that_is_any_text_or_number_is_constrained(path):
    kinds = {"AllowedValues", "AllowedPattern", "MinValue", "MaxLength"}
    free = {
        name
        for name, one in load_template(path).get("Parameters", {}).items()
        if one["Type"] in ("String", "Number", "CommaDelimitedList") and not kinds & one.keys()
    }
    assert free <= {"AllowedOrigins"}, "the server itself checks these"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_log_is_kept_for_ever(path):
    groups = [one for one in load_template(path)["Resources"].values() if one["Type"] == "AWS::Logs::LogGroup"]
    assert [one for one in groups if "RetentionInDays" not in one["Properties"]] == []


def test_a_firewall_stands_before_the_balancer_when_one_is_given():
    kind, arn = "AWS::WAFv2::WebACLAssociation", "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/ours/1"
    (one,) = deployed(WebAclArn=arn).of_type(kind).values()
    assert one == {"ResourceArn": "<LoadBalancer>", "WebACLArn": arn}
    assert deployed().of_type(kind) == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_output_is_described(path):
    outputs = load_template(path).get("Outputs", {})
    assert [name for name, one in outputs.items() if not one.get("Description")] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_region_is_written_down(path):
    lines = [line.partition("#")[0] for line in path.read_text().splitlines()]
    found = [line for line in lines if re.search(r"\b(us|eu|ap|ca|sa|af|me|il)-[a-z]+-\d\b", line)]
    assert [line for line in found if "Description" not in line and "such as" not in line] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_star_says_why(path):
    lines = path.read_text().splitlines()
    stars = [number for number, line in enumerate(lines) if re.search(r"""Resource: *(\[ *)?["']\*["']""", line)]
    assert [lines[n] for n in stars if "#" not in lines[n] and not lines[n - 1].lstrip().startswith("#")] == []


def test_names_are_made_by_cloudformation_or_short_enough():
    """A balancer's and a target group's name may have 32 characters: only CloudFormation makes ones that fit."""
    rendered = deployed("test", f"aiproxy-{'b' * 40}-test")
    for kind in ("LoadBalancer", "TargetGroup"):
        assert all("Name" not in one for one in rendered.of_type(f"AWS::ElasticLoadBalancingV2::{kind}").values())
    database = environ(rendered)["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
    assert len(database) <= 63


def test_the_url_is_exported_under_the_stacks_name():
    assert deployed(stack="aiproxy-x").outputs["URL"]["Export"] == {"Name": "aiproxy-x-URL"}
    assert PATH.parent == FOLDER
