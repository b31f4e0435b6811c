"""What IAM would decide: the policies of roles.template.yml as they are rendered, and a small evaluator.

It knows allow and deny, patterns of actions and resources, and the operators of conditions that our policies use; it
refuses others. A key that the context does not have makes a condition fail, unless the operator says `IfExists`,
`ForAllValues:` or `Not`, as in IAM's own logic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.cicd.rendering import PSEUDO, Rendered, load
from tests.house.tree import ROOT

PATH = ROOT / "cicd/1-setup/roles.template.yml"
PREFIX = {"development": "aiproxy-dev-", "production": "aiproxy"}
ROLES = ("BuildRole", "TestRole", "PipelineRole", "DeployRole", "TaskExecutionRole")
IMPORTS = {"AiProxyArtifactBucket": "artifacts"}
REGIONAL = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"


@cache
def roles(kind: str) -> Rendered:
    """The roles of `development` or `production`, with the ARNs that they get."""
    rendered = Rendered(load(PATH), {"EnvironmentType": kind, "Prefix": PREFIX[kind]}, IMPORTS)
    text = json.dumps(rendered.resources)
    text = re.sub(r"<(\w+)\.Arn>", lambda found: own_role(kind, found[1]), text)
    text = text.replace("<TaskBoundary>", f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:policy/boundary-of-{kind}")
    rendered.resources = json.loads(text)
    return rendered


def own_role(kind: str, name: str) -> str:
    """The ARN of a role of a set."""
    return f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/aiproxy-roles-{kind}-{name}-AbCdEfGh"


def listed(value: Any) -> list[Any]:
    """A list of what may stand alone."""
    return value if isinstance(value, list) else [value]


@cache
def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern of IAM, where `*` stands for anything and `?` for one character."""
    return re.compile("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern), re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Statement:
        """From the document. Raises for what is not in ours, such as NotAction."""
        assert set(written) <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}, written
        actions, resources = listed(written["Action"]), listed(written["Resource"])
        return cls(
            written["Sid"], written["Effect"] == "Allow", tuple(actions), tuple(resources), written.get("Condition", {})
        )

    def speaks_of(self, action: str, resource: str, context: Mapping[str, Any]) -> bool:
        """Whether it decides about this call."""
        return (
            any(_like(action.lower(), pattern.lower()) for pattern in self.actions)
            and any(_like(resource, pattern) for pattern in self.resources)
            and all(_met(operator, keys, context) for operator, keys in self.condition.items())
        )


@cache
def statements(kind: str, role: str) -> list[Statement]:
    """All that a role of a set is granted or refused; `TaskBoundary` for the boundary."""
    resources = roles(kind).resources
    if role == "TaskBoundary":
        documents = [resources[role]["Properties"]["PolicyDocument"]]
    else:
        properties = resources[role]["Properties"]
        documents = [one["PolicyDocument"] for one in properties.get("Policies", [])]
        for policy in properties.get("ManagedPolicyArns", []):
            documents.append(resources[policy.strip("<>")]["Properties"]["PolicyDocument"])
    return [Statement.of(one) for document in documents for one in document["Statement"]]


def allowed(kind: str, role: str, action: str, resource: str, **context: Any) -> bool:
    """Whether the role may do it, with values for keys of conditions, by the short names of `_KEYS`."""
    given = {_KEYS[name]: value for name, value in context.items()}
    spoken = [one for one in statements(kind, role) if one.speaks_of(action, resource, given)]
    return any(one.allows for one in spoken) and all(one.allows for one in spoken)


_KEYS = {
    "boundary": "iam:PermissionsBoundary",
    "passed_to": "iam:PassedToService",
    "records": "route53:ChangeResourceRecordSetsNormalizedRecordNames",
    "domains": "acm:DomainNames",
    "task_definition": "ecs:task-definition",
    "tag": "aws:ResourceTag/environment-type",
    "new_tag": "aws:RequestTag/environment-type",
    "application": "aws:RequestTag/application",
    "scales": "application-autoscaling:service-namespace",
}


def _like(value: str, pattern: str) -> bool:
    return matcher(pattern).fullmatch(value) is not None


def _met(operator: str, keys: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    every = operator.startswith("ForAllValues:")
    optional = every or operator.endswith("IfExists") or "Not" in operator
    how = operator.removeprefix("ForAllValues:").removesuffix("IfExists")
    return all(
        optional if key not in context else _fits(how, listed(context[key]), listed(wanted))
        for key, wanted in keys.items()
    )


def _fits(how: str, values: Iterable[str], wanted: list[str]) -> bool:
    if how == "StringEquals":
        return all(value in wanted for value in values)
    if how == "ArnNotLike":
        return not any(_like(value, pattern) for pattern in wanted for value in values)
    if how in ("StringLike", "ArnLike"):
        return all(any(_like(value, pattern) for pattern in wanted) for value in values)
    raise ValueError(f"our policies have no {how}")
