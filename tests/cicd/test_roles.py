"""Who may do what: what the roles of development can never reach, and that each set reaches what it is for."""

from __future__ import annotations

import json
import re

import pytest

from tests.cicd.app import IMPORTS, config, deployed
from tests.cicd.policies import PREFIX, REGIONAL, ROLES, Statement, allowed, matcher, own_role, roles, statements
from tests.cicd.rendering import Refused, Rendered, load
from tests.cicd.things import ACCOUNT, ENVIRONMENTS, OF_EARLIER_STAGES, things
from tests.house.tree import ROOT

KINDS = ("development", "production")
EVERY = (*ROLES, "TaskBoundary")

# What AWS tells by no name, so that any set of roles may ask it of anything; the README says what that leaves open.
KNOWS_NO_NAME = {
    "cloudformation:ValidateTemplate",
    "cloudwatch:GetMetricData",
    "ecr:GetAuthorizationToken",
    "ecs:CreateCluster",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:CreateWebACLAssociation",
    "elasticloadbalancing:DeleteWebACLAssociation",
    "elasticloadbalancing:GetLoadBalancerWebACL",
    "elasticloadbalancing:SetWebAcl",
    "kms:CreateKey",
    "acm:RequestCertificate",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "route53:CreateHostedZone",
    "route53:GetChange",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "secretsmanager:BatchGetSecretValue",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}
READS = (
    "application-autoscaling:Describe",
    "ec2:Describe",
    "elasticloadbalancing:Describe",
    "cloudwatch:DescribeAlarms",
)
GROUP = f"arn:aws:ec2:{REGIONAL}:security-group/sg-0a1b"
CERTIFICATE = f"arn:aws:acm:{REGIONAL}:certificate/0a1b"
TARGET = f"arn:aws:application-autoscaling:{REGIONAL}:scalable-target/0a1b"
ZONE = "arn:aws:route53:::hostedzone/Z0A1B"
KEY = f"arn:aws:kms:{REGIONAL}:key/0a1b"
BY_TAG = {  # what has only an id: the calls that change it, by the statement that allows them
    "SecurityGroups": GROUP,
    "Certificates": CERTIFICATE,
    "Scaling": TARGET,
}
TAGGING = ("ec2:CreateTags", "acm:AddTagsToCertificate", "application-autoscaling:TagResource")


def actions(kind: str) -> list[tuple[str, str]]:
    """Every role of a set with every action that it is granted."""
    return [(role, act) for role in EVERY for one in statements(kind, role) if one.allows for act in one.actions]


def test_development_reaches_nothing_of_production_that_has_a_name():
    reached = {
        action
        for role, action in actions("development")
        for thing in [*things("production"), *OF_EARLIER_STAGES]
        if allowed("development", role, action, thing) and not action.startswith(READS)
    }
    assert reached == KNOWS_NO_NAME


@pytest.mark.parametrize("kind", KINDS)
def test_each_statement_reaches_something_of_its_own_kind(kind):
    """So that the test above is not passed by a statement that reaches nothing, or by a list with a gap."""
    ids = [GROUP, f"{GROUP.replace('group/sg', 'group-rule/sgr')}", CERTIFICATE, TARGET, ZONE, KEY]
    ids += [f"arn:aws:ec2:{REGIONAL}:vpc/vpc-1", f"arn:aws:wafv2:{REGIONAL}:regional/webacl/x/0a1b"]
    ids += ["arn:aws:s3:::artifacts", f"arn:aws:codeconnections:{REGIONAL}:connection/0a1b"]
    ids += [f"arn:aws:codestar-connections:{REGIONAL}:connection/0a1b", f"arn:aws:cloudwatch:{REGIONAL}:alarm:x"]
    ids += [f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{one}.amazonaws.com/x" for one in SERVICES]
    ids += ["arn:aws:bedrock:us-east-1::foundation-model/x"]
    ids += [f"arn:aws:bedrock:us-east-1:{ACCOUNT}:{one}inference-profile/x" for one in ("", "application-")]
    everything = [*things(kind), *ids, *OF_EARLIER_STAGES]
    for role in EVERY:
        for one in statements(kind, role):
            for pattern in one.resources:
                assert any(map(matcher(pattern).fullmatch, everything)), (role, one.sid, pattern)


SERVICES = ("ecs", "ecs.application-autoscaling", "elasticloadbalancing")


@pytest.mark.parametrize("sid", BY_TAG)
def test_what_has_only_an_id_is_told_by_its_tag(sid):
    (statement,) = [one for one in statements("development", "DeployRole") if one.sid == sid]
    for action in statement.actions:
        for tag, mine in (("development", True), ("test", False), ("production", False)):
            assert allowed("development", "DeployRole", action, BY_TAG[sid], tag=tag) == mine, (action, tag)
            assert allowed("production", "DeployRole", action, BY_TAG[sid], tag=tag) != mine, (action, tag)
        assert allowed("development", "DeployRole", action, BY_TAG[sid])  # CloudFormation tags a group after its rules
    (tagging,) = [action for action in statement.actions if action in TAGGING]
    assert allowed("development", "DeployRole", tagging, BY_TAG[sid], new_tag="development")
    assert not allowed("development", "DeployRole", tagging, BY_TAG[sid], new_tag="production")
    assert not allowed("development", "DeployRole", tagging, BY_TAG[sid], tag="production", new_tag="development")


@pytest.mark.parametrize("kind", KINDS)
def test_keys_get_the_tags_of_their_kind_and_others_keep_theirs(kind):
    other = {"development": "production", "production": "development"}[kind]
    ours = {"application": "aiproxy", "new_tag": kind}
    assert allowed(kind, "DeployRole", "kms:TagResource", KEY, **ours)
    assert not allowed(kind, "DeployRole", "kms:TagResource", KEY, **ours, tag=other)
    assert not allowed(kind, "DeployRole", "kms:TagResource", KEY, **(ours | {"new_tag": other}))
    assert not allowed(kind, "DeployRole", "kms:TagResource", KEY, new_tag=kind)


def test_every_environment_has_the_tag_by_which_it_is_told():
    for environment in ("dev", "test", "production"):
        settings = config(environment)
        assert settings["Tags"]["environment-type"] == settings["Parameters"]["EnvironmentType"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_done_with_the_key_of_alarms_is_said_by_the_key_as_its_tags_count_later(kind):
    assert not [action for _, action in actions(kind) if action == "kms:PutKeyPolicy"]
    (key,) = deployed({"development": "dev"}.get(kind, kind)).of_type("AWS::KMS::Key").values()
    role = IMPORTS[f"AiProxyRoles-{kind}-DeployRoleArn"]
    (ours,) = [one for one in key["KeyPolicy"]["Statement"] if one["Principal"].get("AWS") == role]
    assert {"kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(ours["Action"])


@pytest.mark.parametrize(
    ("record", "of_production", "of_development"),
    [
        ("aiproxy.example.org", True, False),
        ("aiproxy-x-test.example.org", True, False),
        ("_3f2a9c.aiproxy-test.example.org", True, False),
        ("aiproxy-dev-new-ui.example.org", True, True),
        ("_3f2a9c.aiproxy-dev-new-ui.example.org", True, True),
        ("aiproxy-dev.example.org", True, False),
        ("example.org", False, False),
        ("www.example.org", False, False),
        ("_dmarc.example.org", False, False),
    ],
)
def test_deployments_change_records_of_their_kind_in_the_zone_of_the_base_domain_and_no_others(
    record, of_production, of_development
):
    for kind, expected in (("production", of_production), ("development", of_development)):
        change = "route53:ChangeResourceRecordSets"
        assert allowed(kind, "DeployRole", change, ZONE, records=[record]) == expected
        assert not allowed(kind, "DeployRole", change, ZONE, records=[record, "www.example.org"])
        if not record.startswith("_"):
            assert allowed(kind, "DeployRole", "acm:RequestCertificate", "*", domains=[record]) == expected


def test_services_run_task_definitions_of_their_kind():
    service = f"arn:aws:ecs:{REGIONAL}:service/aiproxy-dev-x-Cluster-AbCd/aiproxy-dev-x-Service-AbCd"
    for action in ("ecs:CreateService", "ecs:UpdateService"):
        for family, mine in (("aiproxy-dev-x", True), ("aiproxy", False), ("aiproxy-test", False)):
            task = f"arn:aws:ecs:{REGIONAL}:task-definition/{family}:7"
            assert allowed("development", "DeployRole", action, service, task_definition=task) == mine
        assert allowed("development", "DeployRole", action, service)  # as when only the number of tasks changes


@pytest.mark.parametrize("kind", KINDS)
def test_roles_are_handed_on_within_their_kind_to_the_service_that_they_are_for(kind):
    tasks = [arn for one in KINDS for arn in things(one) if ":role/aiproxy/" in arn]
    owned = {one: [own_role(one, role) for role in ROLES] for one in KINDS}
    every = [*tasks, *owned["development"], *owned["production"]]

    def handed(role: str, service: str) -> set[str]:
        return {arn for arn in every if allowed(kind, role, "iam:PassRole", arn, passed_to=service)}

    mine = {f"/{environment}/" for environment in ENVIRONMENTS[kind].values()}
    expected = {arn for arn in tasks if any(path in arn for path in mine)} | {own_role(kind, "TaskExecutionRole")}
    assert handed("DeployRole", "ecs-tasks.amazonaws.com") == expected
    assert handed("PipelineRole", "cloudformation.amazonaws.com") == {own_role(kind, "DeployRole")}
    for role, service in [("DeployRole", "lambda.amazonaws.com"), ("PipelineRole", "ecs-tasks.amazonaws.com")]:
        assert handed(role, service) == set()
    for role in ("BuildRole", "TestRole", "TaskExecutionRole"):
        assert not handed(role, "ecs-tasks.amazonaws.com") | handed(role, "cloudformation.amazonaws.com")


@pytest.mark.parametrize("kind", KINDS)
def test_roles_of_tasks_are_made_within_the_boundary_of_their_kind(kind):
    boundary = {one: f"arn:aws:iam::{ACCOUNT}:policy/boundary-of-{one}" for one in KINDS}
    (statement,) = [one for one in statements(kind, "DeployRole") if one.sid == "MakeBoundedRoles"]
    for action in statement.actions:
        for path in ("development", "test", "production"):
            role = f"arn:aws:iam::{ACCOUNT}:role/aiproxy/{path}/aiproxy-TaskRole-AbCd"
            mine = (path == "development") == (kind == "development")
            assert allowed(kind, "DeployRole", action, role, boundary=boundary[kind]) == mine
            other = boundary["production" if kind == "development" else "development"]
            assert not allowed(kind, "DeployRole", action, role, boundary=other)
            assert not allowed(kind, "DeployRole", action, role)


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_of_a_deployment_reads_the_key_of_its_gateway_and_no_vendors(kind):
    secrets = [arn for one in KINDS for arn in things(one) if ":secret:" in arn]
    read = {arn for arn in secrets if allowed(kind, "TestRole", "secretsmanager:GetSecretValue", arn)}
    assert read == {arn for arn in things(kind) if arn.endswith("/aiproxy_api_key-AbCdEf")}


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_secrets_are_read_by_tests_tasks_and_what_starts_tasks(kind):
    secrets = [arn for one in KINDS for arn in things(one) if ":secret:" in arn]
    stores = {arn for arn in things(kind) if ":secret:aiproxy-data-" in arn}
    for role in EVERY:
        read = {arn for arn in secrets if allowed(kind, role, "secretsmanager:GetSecretValue", arn)}
        if role == "TaskExecutionRole":
            assert read == stores
        elif role == "TaskBoundary":
            assert read == {arn for arn in things(kind) if ":secret:" in arn} - stores
        elif role != "TestRole":
            assert read == set()


@pytest.mark.parametrize("kind", KINDS)
def test_pipelines_leave_the_stacks_of_the_earlier_stages_alone(kind):
    for stack in OF_EARLIER_STAGES:
        for action in ("CreateStack", "UpdateStack", "DeleteStack", "DescribeStacks", "GetTemplate"):
            assert not allowed(kind, "PipelineRole", f"cloudformation:{action}", stack), stack


# What the user guides of CodePipeline (its service role, and its actions), CodeBuild (its service role, images) and ECS
# (the task execution role, secrets) ask for, by a part of the ARN that it is about.
ASKED_BY_SERVICES = {
    "PipelineRole": {
        ":artifacts/": "s3:GetObject s3:GetObjectVersion s3:GetObjectTagging s3:PutObject s3:PutObjectAcl",
        ":project/": "codebuild:StartBuild codebuild:BatchGetBuilds",
        ":stack/": """cloudformation:CreateStack cloudformation:UpdateStack cloudformation:DescribeStacks
            cloudformation:DescribeStackEvents cloudformation:DescribeStackResources cloudformation:GetTemplate
            cloudformation:TagResource cloudformation:UntagResource cloudformation:ValidateTemplate""",
    },
    "BuildRole": {
        ":artifacts/": "s3:GetObject s3:GetObjectVersion s3:PutObject",
        "-build:log-stream": "logs:CreateLogStream logs:PutLogEvents",
        ":repository/": """ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:BatchGetImage
            ecr:CompleteLayerUpload ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage
            ecr:UploadLayerPart""",
    },
    "TestRole": {
        ":artifacts/": "s3:GetObject s3:GetObjectVersion",
        "-build:log-stream": "logs:CreateLogStream logs:PutLogEvents",
    },
    "TaskExecutionRole": {
        ":repository/": """ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:BatchGetImage
            ecr:GetDownloadUrlForLayer""",
        "-LogGroup-": "logs:CreateLogStream logs:PutLogEvents",
        ":secret:aiproxy-data-": "secretsmanager:GetSecretValue",
    },
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ASKED_BY_SERVICES)
def test_services_can_do_their_work_with_the_roles_that_they_get(kind, role):
    for part, asked in ASKED_BY_SERVICES[role].items():
        found = [arn for arn in things(kind) if part in arn]
        assert found, part
        for action in asked.split():
            assert [arn for arn in found if not allowed(kind, role, action, arn)] == [], action
    if role != "TaskExecutionRole":
        for action in ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"):
            assert allowed(kind, role, action, "arn:aws:s3:::artifacts")


@pytest.mark.parametrize("kind", KINDS)
def test_pipelines_fetch_their_source_by_a_connection_under_both_names_of_its_service(kind):
    for service in ("codeconnections", "codestar-connections"):
        connection = f"arn:aws:{service}:{REGIONAL}:connection/0a1b"
        assert allowed(kind, "PipelineRole", f"{service}:UseConnection", connection)


@pytest.mark.parametrize(("kind", "prefix"), [("development", "aiproxy"), ("production", "aiproxy-dev-")])
def test_a_set_with_the_names_of_the_other_is_refused(kind, prefix):
    with pytest.raises(Refused):
        Rendered(roles(kind).template, {"EnvironmentType": kind, "Prefix": prefix})


def test_names_of_pipelines_tell_their_kind():
    template = load(ROOT / "cicd/2-cicd/cicd.template.yml")
    given = {"GitHubOwner": "o", "GitHubRepo": "r", "BaseDomainName": "example.org", "BaseDomainHostedZoneId": "Z1"}
    given |= {"ConnectionArn": f"arn:aws:codeconnections:{REGIONAL}:connection/0a1b", "Branch": "x1"}
    for kind, name in (("development", "aiproxy-dev-x1"), ("production", "aiproxy-x1")):
        rendered = Rendered(template, given | {"EnvironmentType": kind})
        (repository,) = rendered.of_type("AWS::ECR::Repository").values()
        assert repository["RepositoryName"] == name
        assert name.startswith(PREFIX[kind])
        used = set(re.findall(r"AiProxyRoles-(\w+)-", json.dumps(rendered.resources)))
        assert used == {kind}
        named = json.dumps([*rendered.resources.values()]).replace("<Repository>", name)
        for what in (
            f"/aws/codebuild/{name}-build",
            f"{name}-deployment-test",
            f"alias/{name}-cicd",
            f"{name}-pipeline",
        ):
            assert f'"{what}"' in named
    with pytest.raises(Refused):
        Rendered(template, given | {"Branch": "dev-x"})


@pytest.mark.parametrize(
    ("balancer", "prefix", "may"),
    [
        ("aiproxy-dev-51af3dc0", "aiproxy-dev-x", True),
        ("aiproxy-dev-51af3dc0", "aiproxy", False),
        ("aiproxy-dev-51af3dc0", "artifact-bucket", False),
        ("aipro-LoadB-1A2B3C4D5E6F", "aiproxy", True),
        ("aipro-LoadB-1A2B3C4D5E6F", "aiproxy-x-test", True),
    ],
)
def test_balancers_of_development_write_no_log_of_production(balancer, prefix, may):
    template = load(ROOT / "cicd/1-setup/cicd-dependencies.template.yml")
    document = Rendered(template, {}).resources["AccessLogBucketPolicy"]["Properties"]["PolicyDocument"]
    written = [one for one in document["Statement"] if one["Sid"].startswith("LoadBalancers")]
    source = f"arn:aws:elasticloadbalancing:{REGIONAL}:loadbalancer/app/{balancer}/50dc6c49"
    log = f"<AccessLogBucket.Arn>/{prefix}/AWSLogs/{ACCOUNT}/elasticloadbalancing/x.log.gz"
    spoken = [Statement.of(one).speaks_of("s3:PutObject", log, {"aws:SourceArn": source}) for one in written]
    assert any(spoken) == may


@pytest.mark.parametrize("kind", KINDS)
def test_policies_are_no_larger_than_iam_takes_them(kind):
    """6,144 characters for a managed policy, 10,240 for those in a role together, blanks not counted."""
    for one in roles(kind).resources.values():
        properties = one["Properties"]
        documents = [
            properties.get("PolicyDocument"),
            *(each["PolicyDocument"] for each in properties.get("Policies", [])),
        ]
        size = sum(len(re.sub(r"\s", "", json.dumps(each))) for each in documents if each)
        assert size <= (6144 if one["Type"] == "AWS::IAM::ManagedPolicy" else 10240)
