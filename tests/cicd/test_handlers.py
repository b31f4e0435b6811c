"""Whether the deploy roles may do what CloudFormation does with the types of the app template.

What its handlers call is in the schemas of its registry, a copy of which comes with cfn-lint. When a newer cfn-lint
knows of more than `handlers.py`, a test fails, and somebody decides.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.cicd.app import IMPORTS, TEMPLATE, deployed
from tests.cicd.handlers import FIREWALLED, LEFT_OUT, NEEDED, OF_OTHER_TYPES, TARGETS
from tests.cicd.policies import REGIONAL, allowed, own_role
from tests.cicd.things import ENVIRONMENTS, of_environment
from tests.house.tree import ROOT


@cache
def schemas() -> dict[str, Path]:
    """The files of the schemas of a region, by type."""
    (folder,) = (ROOT / ".venv-cicd").glob("lib/python3*/site-packages/cfnlint/data/schemas")
    names = json.loads((folder / "providers/us-east-1.json").read_text())
    return {kind: folder / "resources" / f"{name}.json" for kind, name in names.items()}


def asked_for(kind: str) -> set[str]:
    """What the handlers of a type call when they make, read, change and delete one."""
    handlers: dict[str, Any] = json.loads(schemas()[kind].read_text())["handlers"]
    steps = ("create", "read", "update", "delete")
    return {action for step in steps for action in handlers.get(step, {}).get("permissions", [])}


def words(text: str) -> set[str]:
    return set(text.split())


def test_each_type_of_the_template_is_in_the_table():
    assert {one["Type"] for one in TEMPLATE["Resources"].values()} == set(NEEDED)


@pytest.mark.parametrize("kind", NEEDED)
def test_the_table_says_what_handlers_ask_for(kind):
    known = set().union(*map(words, LEFT_OUT.values())) | words(OF_OTHER_TYPES.get(kind, ""))
    asked = asked_for(kind) - known
    if kind == "AWS::WAFv2::WebACLAssociation":
        asked = {action for action in asked if not action.startswith(FIREWALLED)}
    assert asked == words(NEEDED[kind])


def test_nothing_is_left_out_that_nobody_asks_for():
    every = set().union(*map(asked_for, NEEDED))
    assert set().union(*map(words, LEFT_OUT.values())) <= every
    for kind, text in OF_OTHER_TYPES.items():
        assert words(text) <= asked_for(kind)


BY_ID = [
    f"arn:aws:acm:{REGIONAL}:certificate/0a1b",
    f"arn:aws:application-autoscaling:{REGIONAL}:scalable-target/0a1b",
    f"arn:aws:ec2:{REGIONAL}:security-group/sg-0a1b",
    f"arn:aws:kms:{REGIONAL}:key/0a1b",
    "arn:aws:route53:::hostedzone/Z0A1B",
    f"arn:aws:wafv2:{REGIONAL}:regional/webacl/x/0a1b",
]
STACKS = [(kind, stack, its) for kind, environments in ENVIRONMENTS.items() for stack, its in environments.items()]


def said_by_the_key(kind: str) -> set[str]:
    """What the key's own policy grants the deploy role."""
    (key,) = deployed("dev" if kind == "development" else "production").of_type("AWS::KMS::Key").values()
    role = IMPORTS[f"AiProxyRoles-{kind}-DeployRoleArn"]
    return {
        action
        for one in key["KeyPolicy"]["Statement"]
        if one["Principal"].get("AWS") == role
        for action in one["Action"]
    }


@pytest.mark.parametrize(("kind", "stack", "environment"), STACKS)
def test_a_deployment_may_do_what_its_handlers_do(kind, stack, environment):
    arns = [*of_environment(stack, environment), *BY_ID]
    arns.append(f"{own_role(kind, 'x').rpartition('role/')[0]}role/aws-service-role/ecs.amazonaws.com/x")
    host = f"{stack}.example.org"
    context = {
        "boundary": f"{own_role(kind, 'x').rpartition('role/')[0]}policy/boundary-of-{kind}",
        "passed_to": "ecs-tasks.amazonaws.com",
        "records": [host, f"_0a1b.{host}"],
        "domains": [host],
        "task_definition": f"arn:aws:ecs:{REGIONAL}:task-definition/{stack}:7",
        "tag": environment,
        "new_tag": environment,
        "application": "aiproxy",
        "scales": "ecs",
    }
    refused = [
        (type_, action)
        for type_, text in NEEDED.items()
        for action in words(text) - (said_by_the_key(kind) if type_ == "AWS::KMS::Key" else set())
        if not any(
            allowed(kind, "DeployRole", action, arn, **context)
            for arn in arns
            if any(part in arn for part in TARGETS[type_])
        )
    ]
    assert refused == []


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_a_task_definition_gets_the_execution_role(kind):
    role = own_role(kind, "TaskExecutionRole")
    assert allowed(kind, "DeployRole", "iam:GetRole", role)
    assert allowed(kind, "DeployRole", "iam:PassRole", role, passed_to="ecs-tasks.amazonaws.com")


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_what_is_left_out_is_not_granted(kind):
    arns = [arn for one, stack, its in STACKS if one == kind for arn in of_environment(stack, its)]
    for action in set().union(*map(words, LEFT_OUT.values())):
        assert not [arn for arn in [*arns, *BY_ID] if allowed(kind, "DeployRole", action, arn)], action
