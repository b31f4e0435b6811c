"""Intrinsic functions that moto does not know, or knows in part."""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.cloudformation import models, parsing, responses

_moto: Any = parsing.clean_json
_tag: Any = models.yaml_tag_constructor


def install() -> None:
    """Resolve templates with `clean`; moto's own calls itself by the module's name, and so calls this."""
    parsing.clean_json = clean
    models.yaml_tag_constructor = responses.yaml_tag_constructor = tag


def tag(loader: Any, name: str, node: Any) -> Any:
    """A short form as its long one; moto gives `!Condition` a name that it does not know."""
    return {"Condition": node.value} if name == "!Condition" else _tag(loader, name, node)


def clean(value: Any, resources: Any) -> Any:
    """A piece of a template with its functions resolved."""
    if isinstance(value, list):
        return [each for each in (clean(item, resources) for item in value) if each is not None]
    if isinstance(value, dict) and "Fn::Cidr" in value:
        return _cidr(*(clean(item, resources) for item in value["Fn::Cidr"]))
    if isinstance(value, dict) and isinstance(attribute := value.get("Fn::GetAtt"), list) and len(attribute) > 2:
        value = {"Fn::GetAtt": [attribute[0], ".".join(attribute[1:])]}
    return _moto(value, resources)


def _cidr(block: str, count: Any, bits: Any) -> list[str]:
    subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]
