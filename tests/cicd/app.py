"""The application's template, rendered as an environment would be."""

from __future__ import annotations

import json
from typing import Any

from tests.cicd.rendering import Rendered, load
from tests.house.tree import ROOT

FOLDER = ROOT / "cicd/3-app/aiproxy"
PATH = FOLDER / "template.yml"
TEMPLATE = load(PATH)
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/aiproxy-main:0123456789ab"

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:aiproxy-data"
DATA = {
    "DatabaseHost": "database.internal",
    "DatabasePort": "5432",
    "DatabaseSecretArn": f"{ARN}/database-x-AbCdEf",
    "DatabaseClientSecurityGroupId": "sg-clients",
    "CacheHost": "cache.internal",
    "CachePort": "6379",
    "CacheSecretArn": f"{ARN}/cache-x-AbCdEf",
}
ROLES = {"DeployRoleArn": "role/deploy", "TaskBoundaryArn": "policy/boundary", "TaskExecutionRoleArn": "role/execution"}
IMPORTS = {
    "AiProxyVpcId": "vpc-1",
    "AiProxyPublicSubnetIds": "subnet-1,subnet-2",
    "AiProxyPrivateSubnetIds": "subnet-3,subnet-4",
    "AiProxyAccessLogBucket": "access-logs",
    **{
        f"AiProxyRoles-{kind}-{name}": f"arn:aws:iam::123456789012:{what}-of-{kind}"
        for kind in ("development", "production")
        for name, what in ROLES.items()
    },
    **{
        f"AiProxyData-{kind}-{name}": value
        for kind in ("development", "test", "production")
        for name, value in DATA.items()
    },
}


def config(environment: str) -> dict[str, Any]:
    """The configuration of dev, test or production as it is in the repository."""
    return json.loads((FOLDER / f"config/{environment}.config.json").read_text())


def deployed(environment: str = "production", stack: str = "aiproxy", **parameters: str) -> Rendered:
    """The template with an environment's configuration and what a deployment adds to it."""
    given = {
        **config(environment)["Parameters"],
        "SubdomainName": stack,
        "BaseDomainName": "example.org",
        "BaseDomainHostedZoneId": "Z0123456789ABCDEFGHIJ",
        "AppImageUri": IMAGE,
        "DesiredTasks": config(environment)["Parameters"]["MinTasks"],
        **parameters,
    }
    return Rendered(TEMPLATE, given, IMPORTS, {"AWS::StackName": stack})


def container(rendered: Rendered, name: str = "aiproxy") -> dict[str, Any]:
    """A container of the task definition."""
    (task,) = rendered.of_type("AWS::ECS::TaskDefinition").values()
    (found,) = [one for one in task["ContainerDefinitions"] if one["Name"] == name]
    return found


def environ(rendered: Rendered, name: str = "aiproxy") -> dict[str, str]:
    """What the environment of a container holds when it starts, but for what ECS takes from secrets."""
    return {one["Name"]: str(one["Value"]) for one in container(rendered, name)["Environment"]}


def attributes(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The attributes of a balancer or a target group."""
    return {row["Key"]: row["Value"] for row in rows}
