"""Intrinsic functions that moto does not know, or knows in part."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import yaml
from moto.cloudformation import models, parsing, responses

_moto: Any = parsing.clean_json
_changes: Any = parsing.ResourceMap.build_resource_diff
_tag: Any = models.yaml_tag_constructor


def install() -> None:
    """Resolve templates with `clean`; moto's own calls itself by the module's name, and so calls this."""
    parsing.clean_json = clean
    parsing.get_references_from_template = references
    parsing.ResourceMap.get = get
    parsing.ResourceMap.build_resource_diff = changes
    models.yaml_tag_constructor = responses.yaml_tag_constructor = tag


def tag(loader: Any, name: str, node: Any) -> Any:
    """A short form as its long one; moto gives `!Condition` a name that it does not know."""
    if name == "!Condition":
        return {"Condition": node.value}
    if isinstance(node, yaml.MappingNode):
        return {f"Fn::{name[1:]}": loader.construct_mapping(node, deep=True)}
    return _tag(loader, name, node)


def get(self: Any, name: str, default: Any = None) -> Any:
    """A resource; moto's takes a fault while one is made for there being none."""
    return self[name] if name in self._parsed_resources or name in self._resource_json_map else default


def changes(self: Any, *other: Any) -> dict[str, list[str]]:
    """What an update does; moto's would change what a condition had kept from being made."""
    found: dict[str, list[str]] = _changes(self, *other)
    return found | {"Modify": [name for name in dict.fromkeys(found["Modify"]) if name in self._parsed_resources]}


def references(value: Any) -> list[str]:
    """The names that a piece of a template refers to; moto looks at `Ref` alone."""
    if isinstance(value, list):
        return [name for item in value for name in references(item)]
    if isinstance(value, str):
        return re.findall(r"\$\{(\w+)", value)
    if isinstance(value, dict):
        own = [value["Ref"]] if "Ref" in value else []
        return own + [name for item in value.values() for name in references(item)]
    return []


def clean(value: Any, resources: Any) -> Any:
    """A piece of a template with its functions resolved."""
    if isinstance(value, list):
        return [each for each in (clean(item, resources) for item in value) if each is not None]
    if isinstance(value, dict) and "Fn::Cidr" in value:
        return _cidr(*(clean(item, resources) for item in value["Fn::Cidr"]))
    if isinstance(value, dict) and "Fn::FindInMap" in value:
        value = {"Fn::FindInMap": [str(clean(item, resources)) for item in value["Fn::FindInMap"]]}  # numbers, too
    if isinstance(value, dict) and isinstance(attribute := value.get("Fn::GetAtt"), list) and len(attribute) > 2:
        value = {"Fn::GetAtt": [attribute[0], ".".join(attribute[1:])]}
    cleaned = _moto(value, resources)
    if isinstance(cleaned, dict) and str(cleaned.get("DesiredCount", "")).isdigit():
        cleaned["DesiredCount"] = int(cleaned["DesiredCount"])  # as its type says, whatever the parameter's is
    return cleaned


def _cidr(block: str, count: Any, bits: Any) -> list[str]:
    subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]
