"""What stands beside the rules of security groups, of which EC2 takes certain characters only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cicd.rendering import load
from tests.house.tree import ROOT

TEMPLATES = sorted(ROOT.glob("cicd/**/*template.yml"))
# EC2 API Reference, IpRange, "Description": up to 255 characters, from a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*
TAKEN = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
LONG = "production-or-a-long-name"  # what may be put into a text
RULES = {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}


def descriptions(resource: dict[str, Any]) -> Iterator[Any]:
    """Those of a group and its rules, or of a rule that stands by itself."""
    properties = resource.get("Properties", {})
    if resource["Type"] in RULES:
        yield properties["Description"]
    if resource["Type"] == "AWS::EC2::SecurityGroup":
        yield properties["GroupDescription"]
        for rule in properties.get("SecurityGroupIngress", []) + properties.get("SecurityGroupEgress", []):
            yield rule["Description"]


TEXTS = [
    (path.name, text)
    for path in TEMPLATES
    for resource in load(path)["Resources"].values()
    for text in descriptions(resource)
]


@pytest.mark.parametrize(("template", "text"), TEXTS)
def test_ec2_takes_the_descriptions_of_rules(template, text):
    if isinstance(text, dict):
        text = re.sub(r"\$\{\w+\}", LONG, text["Fn::Sub"])
    assert TAKEN.fullmatch(text), f"{template}: {text}"


def test_there_are_such_texts():
    assert len(TEXTS) >= 10
