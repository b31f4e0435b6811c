"""Resources of types that moto's CloudFormation cannot make."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from moto.cloudformation import parsing
from moto.route53.models import route53_backends
from moto.secretsmanager.models import secretsmanager_backends

NAMES = ("Name", "RepositoryName", "TopicName", "AlarmName", "AliasName", "LogGroupName", "PolicyName", "FilterName")
# Moto's own have a disk and no cluster, no name servers, a zone and a certificate that must be moto's.
UNFIT = {
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::RDS::DBInstance",
    "AWS::Route53::HostedZone",
    "AWS::Route53::RecordSet",
}
_known: Any = parsing.resource_class_from_type
_record = Path()
_kinds: dict[str, type[StandIn]] = {}


class StandIn:
    """One resource: its name or a made-up id, an ARN, and for every other attribute a value that says what it is."""

    type = ""
    logical_resource_id = ""
    cf_resource_type = ""

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str) -> None:
        given = [properties[key] for key in NAMES if isinstance(properties.get(key), str)]
        self.properties = properties
        self.name: str = given[0] if given else name
        self.account, self.region = account, region
        self.physical_resource_id = self.name

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any
    ) -> StandIn:
        """What moto calls to make one."""
        with _record.open("a") as record:
            record.write(cls.type + "\n")
        return cls(resource_name, cloudformation_json.get("Properties", {}), account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: StandIn, new_resource_name: str, cloudformation_json: Any, **more: Any
    ) -> StandIn:
        """What moto calls to change one: in place."""
        original_resource.properties = cloudformation_json.get("Properties", {})
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing is to be undone."""

    def is_created(self) -> bool:
        """At once."""
        return True

    @classmethod
    def has_cfn_attr(cls, attribute: str) -> bool:
        """Which attributes a type has is cfn-lint's matter."""
        return True

    def get_cfn_attribute(self, attribute: str) -> str:
        """`Arn`, or the attribute's name with the resource's, as a host might look."""
        if attribute.endswith("Arn"):
            _, service, kind = self.type.lower().split("::")
            return f"arn:aws:{service}:{self.region}:{self.account}:{kind}/{self.name}"
        if attribute.endswith("Port"):
            return "6379" if "ElastiCache" in self.type else "5432"
        return f"{attribute.rpartition('.')[2].lower()}.{self.logical_resource_id.lower()}.internal"


class Secret(StandIn):
    """A secret, made in moto's Secrets Manager: without a value unless one is to be generated."""

    type = "AWS::SecretsManager::Secret"

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str) -> None:
        super().__init__(name, properties, account, region)
        backend = secretsmanager_backends[account][region]
        value = _generated(properties.get("GenerateSecretString"))
        made = backend.create_secret(
            name=self.name,
            secret_string=value,
            secret_binary=None,
            description=properties.get("Description"),
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        self.physical_resource_id = json.loads(made)["ARN"]

    def delete(self, account_id: str, region_name: str) -> None:
        """Without a time in which it can be restored."""
        secretsmanager_backends[account_id][region_name].delete_secret(self.physical_resource_id, None, True)


class Zone(StandIn):
    """A zone, made in moto's Route 53, with attributes that moto's own lacks."""

    type = "AWS::Route53::HostedZone"

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str) -> None:
        super().__init__(name, properties, account, region)
        backend = route53_backends[account]["aws"]
        made = backend.create_hosted_zone(self.name, private_zone=False, caller_reference=secrets.token_hex(8))
        self.physical_resource_id = made.id.rpartition("/")[2]

    def delete(self, account_id: str, region_name: str) -> None:
        """Refused while there is more in it than a new zone has, as Route 53 does."""
        route53_backends[account_id]["aws"].delete_hosted_zone(self.physical_resource_id)


def install(record: Path) -> None:
    """Stand in for what moto does not know, and write down the types, one a line."""
    global _record  # noqa: PLW0603 - moto makes the resources, so this cannot be handed to them
    _record = record
    parsing.resource_class_from_type = kind


def kind(name: str) -> Any:
    """The class that makes resources of this type."""
    if name not in UNFIT and (name in parsing.NULL_MODELS or name in parsing.get_model_map()):
        return _known(name)
    if name in (Secret.type, Zone.type):
        return Secret if name == Secret.type else Zone
    return _kinds.setdefault(name, type("StandIn", (StandIn,), {"type": name}))


def _generated(rule: dict[str, Any] | None) -> str | None:
    if rule is None:
        return None
    value = secrets.token_hex(int(rule.get("PasswordLength", 32)))[: int(rule.get("PasswordLength", 32))]
    if "GenerateStringKey" not in rule:
        return value
    return json.dumps(json.loads(rule["SecretStringTemplate"]) | {rule["GenerateStringKey"]: value})
