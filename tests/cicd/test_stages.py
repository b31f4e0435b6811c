"""The three stages on the account that is not there: made in order, changed, and torn down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cicd.console import FIRST_TIME, Console
from tests.house.tree import ROOT

APP = ROOT / "cicd/3-app/aiproxy"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/aiproxy-main:0123456789ab"
DOMAIN = {
    "BASE_DOMAIN_NAME": FIRST_TIME["BaseDomainName"],
    "BASE_DOMAIN_HOSTED_ZONE_ID": FIRST_TIME["BaseDomainHostedZoneId"],
}
OF_SETUP = {
    "AiProxyAccessLogBucket",
    "AiProxyAdhocRepositoryUri",
    "AiProxyArtifactBucket",
    "AiProxyPrivateSubnetIds",
    "AiProxyPublicSubnetIds",
    "AiProxyPullRequestBuildRoleArn",
    "AiProxyVpcId",
}
OF_ROLES = {
    "BuildRoleArn",
    "DeployRoleArn",
    "PipelineRoleArn",
    "TaskBoundaryArn",
    "TaskExecutionRoleArn",
    "TestRoleArn",
}
OF_DATA = {"CacheHost", "CachePort", "CacheSecretArn"}
OF_DATA |= {"DatabaseHost", "DatabasePort", "DatabaseSecretArn", "DatabaseClientSecurityGroupId"}

# What moto's CloudFormation cannot make. These have names, ARNs and attributes here, and nothing behind them; that AWS
# takes them is shown by nothing but cfn-lint.
STOOD_IN = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudWatch::Alarm",
    "AWS::CodeBuild::Project",
    "AWS::CodePipeline::Pipeline",
    "AWS::CodeStarNotifications::NotificationRule",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::Logs::MetricFilter",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBInstance",
    "AWS::S3::BucketPolicy",
    "AWS::Route53::HostedZone",
    "AWS::Route53::RecordSet",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::Secret",
}


def config(account: Console, folder: Path, environment: str, branch: str) -> dict[str, Any]:
    """What the build of a branch hands to the deploy action: the file of one environment."""
    output = folder / f"{environment}.json"
    words = ("--environment", environment, "--branch", branch, "--image", IMAGE, "--output", str(output))
    account.did("3-app/aiproxy/create-environment-config.sh", *words, environment=DOMAIN)
    return json.loads(output.read_text())


def deploy_action(account: Console, stack: str, template: Path, settings: dict[str, Any], action: str) -> None:
    """What the pipeline's action does: create or update, with the file and the subdomain's override."""
    values = settings["Parameters"] | {"SubdomainName": stack}
    request = {
        "StackName": stack,
        "TemplateURL": f"https://{account.exports()['AiProxyArtifactBucket']}.s3.us-east-1.amazonaws.com/{template.name}",
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "RoleARN": account.exports()["AiProxyRoles-production-DeployRoleArn"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in settings["Tags"].items()],
    }
    account.cli("cloudformation", action, "--cli-input-json", json.dumps(request))


def put_template(account: Console, text: str, folder: Path) -> Path:
    """The packaged template, in the artifact bucket."""
    template = folder / "packaged-app-template.yml"
    template.write_text(text)
    bucket = account.exports()["AiProxyArtifactBucket"]
    account.client("s3").put_object(Bucket=bucket, Key=template.name, Body=text.encode())
    return template


def parameters(account: Console, stack: str) -> dict[str, str]:
    """What a stack was made with."""
    (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


def fill_secrets(account: Console, prefix: str) -> None:
    """What an admin does, once."""
    vault = account.client("secretsmanager")
    for page in vault.get_paginator("list_secrets").paginate():
        for secret in page["SecretList"]:
            if secret["Name"].startswith(prefix):
                vault.put_secret_value(SecretId=secret["Name"], SecretString="none")


def resource(account: Console, stack: str, name: str) -> str:
    """The physical id of one resource."""
    found = account.client("cloudformation").describe_stack_resources(StackName=stack, LogicalResourceId=name)
    return found["StackResources"][0]["PhysicalResourceId"]


@pytest.fixture(scope="module")
def ready(account: Console) -> Console:
    """An account after the first stage, with the optional stacks."""
    words = ("--yes", "--with-network", "--with-data", "test", "--with-data", "production")
    given = ("--parameter", "ArtifactDays=30", "--parameter", f"ConnectionArn={FIRST_TIME['ConnectionArn']}")
    account.did("1-setup/deploy-cicd-dependencies.sh", *words, *given)
    return account


def test_the_first_stage_exports_what_the_others_import(ready):
    data = {f"AiProxyData-{kind}-{name}" for kind in ("test", "production") for name in OF_DATA}
    exports = ready.exports()
    roles = {f"AiProxyRoles-{kind}-{name}" for kind in ("development", "production") for name in OF_ROLES}
    assert set(exports) == OF_SETUP | roles | data
    assert len({exports[name] for name in roles}) == len(roles)
    assert all(exports.values())
    assert len(exports["AiProxyPrivateSubnetIds"].split(",")) >= 2
    arn = exports["AiProxyData-production-DatabaseSecretArn"]
    secret = ready.client("secretsmanager").get_secret_value(SecretId=arn)
    assert parameters(ready, "aiproxy-cicd-deps")["ArtifactDays"] == "30"
    for kind, prefix in (("development", "aiproxy-dev-"), ("production", "aiproxy")):
        made = parameters(ready, f"aiproxy-roles-{kind}")
        assert (made["Prefix"], made["ConnectionArn"]) == (prefix, FIRST_TIME["ConnectionArn"])
    assert set(json.loads(secret["SecretString"])) == {"username", "password"}
    said = ready.did("1-setup/deploy-cicd-dependencies.sh", "--yes", "--with-network", "--with-data", "test")
    assert said.count("No changes.") == 5


def test_main_goes_from_commit_to_production(ready, tmp_path):
    said = ready.cicd()
    assert "aiproxy-main" in said.partition("OUTPUT")[2]
    assert ready.stacks()["aiproxy-cicd"] == "CREATE_COMPLETE"
    template = put_template(ready, (APP / "template.yml").read_text(), tmp_path)
    for environment, stack in (("test", "aiproxy-test"), ("production", "aiproxy")):
        settings = config(ready, tmp_path, environment, "main")
        assert settings["Parameters"]["SubdomainName"] == stack
        assert settings["Parameters"]["DesiredTasks"] == "0"  # its secrets are not there yet
        deploy_action(ready, stack, template, settings, "create-stack")
        assert ready.stacks()[stack] == "CREATE_COMPLETE"
        assert ready.exports()[f"{stack}-URL"] == f"https://{stack}.example.org"

    fill_secrets(ready, "production/aiproxy.example.org/")
    settings = config(ready, tmp_path, "production", "main")
    assert int(settings["Parameters"]["DesiredTasks"]) == int(settings["Parameters"]["MinTasks"]) > 0
    assert config(ready, tmp_path, "test", "main")["Parameters"]["DesiredTasks"] == "0"
    deploy_action(ready, "aiproxy", template, settings, "update-stack")
    assert ready.stacks()["aiproxy"] == "UPDATE_COMPLETE"
    settings = config(ready, tmp_path, "production", "main")
    assert settings["Parameters"]["DesiredTasks"] == "keep"
    deploy_action(ready, "aiproxy", template, settings, "update-stack")
    assert config(ready, tmp_path, "production", "main") == settings  # as many run as before

    names = {"TARGET_BRANCH": "main"}
    said = ready.did("2-cicd/deploy-cicd.sh", "--yes", environment=names)
    assert "No changes." in said
    said = ready.did("2-cicd/deploy-cicd.sh", "--yes", "--parameter", "BuildLogDays=30", environment=names)
    assert "Modify  BuildLog" in said
    other = ready.run("2-cicd/deploy-cicd.sh", "--yes", environment=names | {"ENVIRONMENT_TYPE": "development"})
    assert (other.returncode, "deploys to production" in other.stderr) == (2, True)
    refused = ready.run("teardown.sh", "--yes", "aiproxy")
    assert (refused.returncode, "--i-mean-it" in refused.stderr) == (1, True)
    for stack, users in (
        ("aiproxy-cicd-deps", "aiproxy-roles-production"),
        ("aiproxy-roles-production", "aiproxy-cicd"),
    ):
        used = ready.run("teardown.sh", "--yes", "--i-mean-it", stack)
        assert (used.returncode, "stand on" in used.stderr) == (1, True), used.stdout + used.stderr
        assert users in used.stderr.split()


def test_a_branch_comes_and_goes(ready, tmp_path):
    branch = "feature-x"
    ready.cicd(branch=branch)
    template = put_template(ready, (APP / "template.yml").read_text(), tmp_path)
    for environment, stack in (("test", "aiproxy-feature-x-test"), ("production", "aiproxy-feature-x")):
        settings = config(ready, tmp_path, environment, branch)
        deploy_action(ready, stack, template, settings, "create-stack")
    assert ready.exports()["aiproxy-feature-x-test-URL"] == "https://aiproxy-feature-x-test.example.org"
    fill_secrets(ready, "test/aiproxy-feature-x-test.example.org/")
    settings = config(ready, tmp_path, "test", branch)
    deploy_action(ready, "aiproxy-feature-x-test", template, settings, "update-stack")
    assert ready.stacks()["aiproxy-feature-x-test"] == "UPDATE_COMPLETE"
    words = ("--yes", "--parameter", "BuildLogDays=7")
    assert "Modify  BuildLog" in ready.did("2-cicd/deploy-cicd.sh", *words, environment={"TARGET_BRANCH": branch})

    repository = resource(ready, "aiproxy-feature-x-cicd", "Repository")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": []})
    ready.client("ecr").put_image(repositoryName=repository, imageTag="one", imageManifest=manifest)
    zone = resource(ready, "aiproxy-feature-x-test", "HostedZone")
    proof = {
        "Name": "_1.aiproxy-feature-x-test.example.org",
        "Type": "CNAME",
        "TTL": 300,
        "ResourceRecords": [{"Value": "_2.acm-validations.aws."}],
    }
    changes = [{"Action": "CREATE", "ResourceRecordSet": proof}]  # as ACM leaves it
    ready.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    dry = ready.did("teardown.sh", "--dry-run", "aiproxy-feature-x-test")
    assert "goes" in dry
    assert "kept" in dry
    typo = ready.run("teardown.sh", "aiproxy-feature-x-test", typed="aiproxy-feature-x\n")
    assert (typo.returncode, "Not deleted" in typo.stderr) == (1, True)
    right = ready.run("teardown.sh", "aiproxy-feature-x-test", typed="aiproxy-feature-x-test\n")
    assert right.returncode == 0, right.stdout + right.stderr
    attributes = [{"Key": "deletion_protection.enabled", "Value": "true"}]  # which moto's CloudFormation passes over
    balancer = resource(ready, "aiproxy-feature-x", "LoadBalancer")
    ready.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=attributes)
    protected = ready.run("teardown.sh", "--dry-run", "aiproxy-feature-x", "aiproxy-feature-x-cicd")
    assert protected.returncode == 1
    assert "Protected against deletion" in protected.stdout
    assert "There are images in: aiproxy-feature-x" in protected.stdout
    ready.did("teardown.sh", "--yes", "--i-mean-it", "--delete-images", "aiproxy-feature-x", "aiproxy-feature-x-cicd")
    assert not [name for name in ready.stacks() if "feature" in name]
    assert not [name for name in ready.exports() if "feature" in name]


@pytest.mark.parametrize("branch", ["test", "x-test", "dev-x", "Feature", "a/b", "a" * 41])
def test_a_wrong_branch_is_refused_before_aws_is_asked(branch, account):
    done = account.run(
        "2-cicd/deploy-cicd.sh",
        "--yes",
        environment={"TARGET_BRANCH": branch, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    )
    assert (done.returncode, "cannot be used" in done.stderr) == (2, True)


def test_an_adhoc_deployment_needs_no_pipeline(ready):
    names = DOMAIN | {"TARGET_BRANCH": "try-it"}
    said = ready.did("3-app/aiproxy/deploy-adhoc.sh", "--dry-run", environment=names)
    assert "Dry run" in said
    assert "aiproxy-dev-try-it" not in ready.stacks()
    said = ready.did("3-app/aiproxy/deploy-adhoc.sh", "--yes", "--image", IMAGE, environment=names)
    assert "https://aiproxy-dev-try-it.example.org" in said
    ready.did("teardown.sh", "--yes", "aiproxy-dev-try-it")


def test_a_development_pipeline_and_an_adopted_network(own_account):
    network = {
        "ExistingVpcId": "vpc-0a1b",
        "ExistingPublicSubnetIds": "subnet-a,subnet-b",
        "ExistingPrivateSubnetIds": "subnet-c,subnet-d",
    }
    words = [word for key, value in network.items() for word in ("--network-parameter", f"{key}={value}")]
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    words += ["--parameter", f"PermissionsBoundaryArn={boundary}"]
    own_account.did("1-setup/deploy-cicd-dependencies.sh", "--yes", "--with-network", *words)
    for stack in ("aiproxy-cicd-deps", "aiproxy-roles-development", "aiproxy-roles-production"):
        assert parameters(own_account, stack)["PermissionsBoundaryArn"] == boundary
    exports = own_account.exports()
    assert exports["AiProxyVpcId"] == "vpc-0a1b"
    assert exports["AiProxyPrivateSubnetIds"] == "subnet-c,subnet-d"
    own_account.cicd(branch="feature-y", kind="development")
    assert own_account.stacks()["aiproxy-feature-y-cicd"] == "CREATE_COMPLETE"
    assert resource(own_account, "aiproxy-feature-y-cicd", "Repository") == "aiproxy-dev-feature-y"
    roles = ("aiproxy-roles-development", "aiproxy-roles-production")
    everything = ("aiproxy-feature-y-cicd", "aiproxy-network", *roles, "aiproxy-cicd-deps")
    said = own_account.did("teardown.sh", "--yes", "--i-mean-it", *everything)
    assert "kept  ArtifactBucket" in said
    assert own_account.stacks() == {}
    assert len(own_account.client("s3").list_buckets()["Buckets"]) == 2  # what they hold cannot be made again


def test_what_moto_cannot_make_is_known(ready):
    assert set(ready.stand_ins.read_text().split()) == STOOD_IN


def test_every_stack_is_tagged(ready):
    stacks = ready.client("cloudformation").describe_stacks()["Stacks"]
    tags = {stack["StackName"]: {tag["Key"]: tag["Value"] for tag in stack["Tags"]} for stack in stacks}
    assert len(tags) >= 8
    assert {name for name, one in tags.items() if one.get("application") != "aiproxy"} == set()
    untyped = {"aiproxy-cicd-deps", "aiproxy-network"}  # which all types share
    assert {name for name, one in tags.items() if "environment-type" not in one} == untyped


def test_all_of_an_account_goes_as_the_guide_says(ready):
    first = ("aiproxy-test", "aiproxy", "aiproxy-cicd", "aiproxy-data-test", "aiproxy-data-production")
    rest = ("aiproxy-network", "aiproxy-roles-development", "aiproxy-roles-production", "aiproxy-cicd-deps")
    early = ready.run("teardown.sh", "--yes", "--i-mean-it", *rest)
    assert early.returncode == 1
    assert "after aiproxy-network were not tried" in early.stderr
    assert "== aiproxy-cicd-deps" not in early.stdout
    ready.did("teardown.sh", "--yes", "--i-mean-it", "--delete-images", *first)
    ec2 = ready.client("ec2")  # what is kept of the data stacks lives in the network, and is deleted by hand
    kept = [one for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] != "default"]
    groups = [one["GroupId"] for one in kept]
    assert len(groups) == 6
    for group in groups:
        ec2.delete_security_group(GroupId=group)
    assert "goes  Vpc" in ready.did("teardown.sh", "--dry-run", "--i-mean-it", "aiproxy-network")
    # Not more, as moto deletes a network before what is in it.
    ready.did("teardown.sh", "--yes", "--i-mean-it", "--delete-images", *rest[1:])
    assert set(ready.stacks()) == {"aiproxy-network"}
