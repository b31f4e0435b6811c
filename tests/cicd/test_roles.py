"""What the deploy role may do where a thing has no name before it is made."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.cicd.app import IMPORTS, deployed
from tests.cicd.rendering import load
from tests.house.tree import ROOT

RESOURCES = load(ROOT / "cicd/1-setup/cicd-dependencies.template.yml")["Resources"]
NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"


def statements(name: str) -> list[dict[str, Any]]:
    """Those of a managed policy."""
    return RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]


def that_allow(action: str) -> list[dict[str, Any]]:
    """The statements of the deploy role that name this action."""
    policies = ("DeployRolesPolicy", "DeployServicePolicy", "DeployNetworkPolicy")
    every = [one for name in policies for one in statements(name)]
    return [one for one in every if action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])]


@pytest.mark.parametrize(
    ("record", "ours"),
    [
        ("aiproxy.example.org", True),
        ("aiproxy-dev-new-ui.example.org", True),
        ("_3f2a9c.aiproxy-test.example.org", True),
        ("example.org", False),
        ("www.example.org", False),
        ("_dmarc.example.org", False),
    ],
)
def test_deployments_change_our_records_in_the_zone_of_the_base_domain_and_no_others(record, ours):
    (one,) = that_allow("route53:ChangeResourceRecordSets")
    patterns = one["Condition"]["ForAllValues:StringLike"][NAMES]
    assert any(fnmatchcase(record, pattern) for pattern in patterns) == ours


def test_what_may_be_done_with_the_key_of_alarms_is_said_by_the_key_as_its_tags_count_later():
    (tags,) = that_allow("kms:TagResource")
    assert tags["Condition"] == {"StringEquals": {"aws:RequestTag/application": "aiproxy"}}
    assert that_allow("kms:PutKeyPolicy") == []
    (key,) = deployed().of_type("AWS::KMS::Key").values()
    (ours,) = [
        one for one in key["KeyPolicy"]["Statement"] if one["Principal"].get("AWS") == IMPORTS["AiProxyDeployRoleArn"]
    ]
    assert {"kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(ours["Action"])
