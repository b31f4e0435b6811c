"""What CloudFormation would make of a template: parameters checked, rules applied, functions resolved.

Only the functions that our templates use. What a resource has only once it is made stands there as `<Name.Attribute>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NO_VALUE = object()
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/aiproxy/51af3dc0-da77-11e4-872e-1234567d",
    "AWS::StackName": "aiproxy",
    "AWS::URLSuffix": "amazonaws.com",
}


class Refused(Exception):
    """CloudFormation would refuse these parameters."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` becomes {"Fn::Sub": "x"}."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path) -> dict[str, Any]:
    """A template as it is written, short forms spelled out."""
    return yaml.load(path.read_text(), _Loader)


@dataclass
class Rendered:
    """A template with everything resolved that is known before the stack is made."""

    template: dict[str, Any]
    parameters: dict[str, str]
    imports: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = {**PSEUDO, **self.pseudo, **_accepted(self.template, self.parameters)}
        self._keep_rules()
        resources = {name: one for name, one in self.template["Resources"].items() if self._wanted(one)}
        self.resources = {name: self.resolve(one) for name, one in resources.items()}
        self.outputs = self.resolve(self.template.get("Outputs", {}))

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of all resources of a type, by logical name."""
        return {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}

    def resolve(self, value: Any) -> Any:
        """`value` without any function."""
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if function := _FUNCTIONS.get(name):
                return function(self, argument)
        resolved = {name: self.resolve(one) for name, one in value.items()}
        return {name: one for name, one in resolved.items() if one is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is met."""
        return bool(self.resolve(self.template["Conditions"][condition]))

    def _wanted(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self.holds(resource["Condition"])

    def _keep_rules(self) -> None:
        for rule in self.template.get("Rules", {}).values():
            if self.resolve(rule.get("RuleCondition", True)):
                for assertion in rule["Assertions"]:
                    if not self.resolve(assertion["Assert"]):
                        raise Refused(assertion["AssertDescription"])


def _accepted(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = template.get("Parameters", {})
    if unknown := given.keys() - declared.keys():
        raise Refused(f"no such parameter: {unknown}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            raise Refused(f"{name} has no value")
        value = str(given.get(name, parameter.get("Default")))
        if fault := _fault(parameter, value):
            raise Refused(f"{name}={value}: {fault}")
        values[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else value
    return values


def _fault(parameter: Mapping[str, Any], value: str) -> str | None:
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    if value not in allowed:
        return f"not one of {allowed}"
    items = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    if not all(re.fullmatch(parameter.get("AllowedPattern", "(?s).*"), item.strip()) for item in items):
        return "not of the pattern"
    if not parameter.get("MinLength", 0) <= len(value) <= parameter.get("MaxLength", len(value)):
        return "too long or too short"
    if parameter["Type"] == "Number":
        number = float(value)
        if not parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number):
            return "too great or too small"
    return None


def _ref(self: Rendered, name: str) -> Any:
    return self.values.get(name, f"<{name}>")


def _sub(self: Rendered, argument: Any) -> str:
    text, known = (argument, {}) if isinstance(argument, str) else argument

    def one(found: re.Match[str]) -> str:
        name = found[1]
        return str(self.resolve(known[name]) if name in known else _ref(self, name))

    return re.sub(r"\$\{([^!}]+)\}", one, text)


def _find_in_map(self: Rendered, argument: list[Any]) -> Any:
    name, first, second = (str(self.resolve(one)) for one in argument)
    return self.template["Mappings"][name][first][second]


def _if(self: Rendered, argument: list[Any]) -> Any:
    condition, then, otherwise = argument
    return self.resolve(then if self.holds(condition) else otherwise)


def _import(self: Rendered, argument: Any) -> str:
    name = self.resolve(argument)
    return self.imports.get(name, f"<import {name}>")


def _split(self: Rendered, argument: list[Any]) -> list[str]:
    return str(self.resolve(argument[1])).split(argument[0])


def _equals(self: Rendered, argument: list[Any]) -> bool:
    first, second = (str(self.resolve(one)) for one in argument)
    return first == second


_FUNCTIONS = {
    "Ref": _ref,
    "Condition": Rendered.holds,
    "Fn::And": lambda self, argument: all(self.resolve(one) for one in argument),
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": lambda self, argument: f"<{'.'.join(argument)}>",
    "Fn::If": _if,
    "Fn::ImportValue": _import,
    "Fn::Join": lambda self, argument: argument[0].join(map(str, self.resolve(argument[1]))),
    "Fn::Not": lambda self, argument: not self.resolve(argument[0]),
    "Fn::Or": lambda self, argument: any(self.resolve(one) for one in argument),
    "Fn::Select": lambda self, argument: self.resolve(argument[1])[int(argument[0])],
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
