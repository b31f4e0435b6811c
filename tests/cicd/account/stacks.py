"""Stacks as CloudFormation has them: change sets that import and export, roll-backs, exports that are in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Change, ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from tests.cicd.account import parameters
from tests.cicd.account.functions import clean

UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set."
PAGE = 100  # events in one answer
BROKEN = "This resource of the tests cannot be made"  # what a template says that is to fail: in `Metadata.Broken`


class Backend:
    """Methods that take the place of moto's."""

    def create_change_set(self: Any, **fields: Any) -> tuple[str, str]:
        """A change set; a new stack gets its place once, however many there are."""
        fields["parameters"] = _texts(_defaults(fields["template"]) | fields["parameters"])
        _check(self, fields["stack_name"], fields["template"], fields["parameters"])
        waiting = [stack for stack in self.stacks.values() if stack.name == fields["stack_name"]]
        if fields["change_set_type"] == "CREATE" and waiting:
            if waiting[0].status != "REVIEW_IN_PROGRESS":
                raise ValidationError(message=f"Stack [{waiting[0].name}] already exists and cannot be created again")
            del self.stacks[waiting[0].stack_id]
        made: tuple[str, str] = _moto["create_change_set"](self, **fields)
        change_set = self.change_sets[made[0]]
        resources = _resources(self, change_set.stack_name, fields["template"], fields["parameters"])
        wanted = set(_wanted(resources))
        change_set.changes = [
            each for each in change_set.changes if each.action == "Remove" or each.logical_resource_id in wanted
        ]
        stack = change_set.stack
        if change_set.change_set_type == "UPDATE":
            change_set.changes += _changed_by_parameters(stack, change_set)
        unchanged = change_set.change_set_type == "UPDATE" and _same(stack, resources, change_set)
        change_set.status = "FAILED" if unchanged else "CREATE_COMPLETE"
        change_set.execution_status = "UNAVAILABLE" if unchanged else "AVAILABLE"
        change_set.status_reason = UNCHANGED if unchanged else None
        return made

    def delete_change_set(self: Any, change_set_name: str) -> None:
        """Raises for one that is not there; moto breaks."""
        del self.change_sets[_found(self, change_set_name).change_set_id]

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        """Make or change the stack; a failure is an event and a roll-back, not an answer."""
        change_set = _found(self, change_set_name)
        del self.change_sets[change_set.change_set_id]
        stack = self.stacks[change_set.stack_id]
        if change_set.change_set_type == "CREATE":
            _create(self, stack, change_set)
        else:
            _update(self, stack, change_set)

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        """Refused, by an event, while somebody imports from it."""
        found = [stack for stack in self.stacks.values() if name_or_stack_id in (stack.name, stack.stack_id)]
        for stack in found:
            for export in stack.exports:
                if users := list(_importers(self, export.name)):
                    reason = f"Export {export.name} cannot be deleted as it is in use by {', '.join(users)}"
                    stack._add_stack_event("DELETE_FAILED", reason)
                    stack.status = "DELETE_FAILED"
                    return
            _moto["delete_stack"](self, stack.stack_id)

    def create_stack(self: Any, name: str, template: str, parameters: dict[str, Any], **more: Any) -> Stack:
        """As for change sets: constraints are checked."""
        _check(self, name, template, parameters)
        made: Stack = _moto["create_stack"](self, name, template, parameters, **more)
        return made

    def update_stack(self: Any, name: str, template: str, **more: Any) -> Stack:
        """As for change sets: constraints are checked, exports follow."""
        stack: Stack = self.get_stack(name)
        given = self._resolve_update_parameters(stack, more["parameters"])
        _check(self, name, template, given)
        if stack.template == template and stack.parameters == given:
            raise ValidationError(message="No updates are to be performed.")
        changed: Stack = _moto["update_stack"](self, name, template, **more)
        _register(self, changed)
        return changed

    def validate_template(self: Any, template: str) -> list[Any]:
        """Only that it is a template: what is in it is cfn-lint's matter, and its own tests'."""
        parsed = Stack.parse_template(template)
        if not isinstance(parsed, dict) or not parsed.get("Resources"):
            raise ValidationError(message="Template format error: At least one Resources member must be defined.")
        return []


_moto: dict[str, Any] = {name: getattr(CloudFormationBackend, name) for name in vars(Backend) if name[0] != "_"}


def install() -> None:
    """Put the methods in moto's place."""
    for name in _moto:
        setattr(CloudFormationBackend, name, getattr(Backend, name))
    CloudFormationResponse._validate_different_update = lambda *fields: None  # type: ignore[method-assign]
    CloudFormationResponse.describe_stack_events = _describe_stack_events  # type: ignore[method-assign]
    CloudFormationResponse.list_change_sets = _list_change_sets  # type: ignore[method-assign]
    CloudFormationResponse.list_imports = _list_imports  # type: ignore[attr-defined]
    CloudFormationResponse.validate_template = _validate_template  # type: ignore[method-assign]


def _changed_by_parameters(stack: Any, change_set: Any) -> Iterator[Change]:
    listed = {change.logical_resource_id for change in change_set.changes}
    diff = stack.resource_map.build_resource_diff(change_set.template_dict, change_set.parameters)
    for name in dict.fromkeys(diff["Modify"]):
        if name not in listed:
            yield Change("Modify", name, change_set.template_dict["Resources"][name]["Type"])


def _defaults(template: str) -> dict[str, Any]:
    """What parameters have that are not given; moto would take them for changed when they are given later."""
    slots = Stack.parse_template(template).get("Parameters") or {}
    return {name: slot["Default"] for name, slot in slots.items() if "Default" in slot}


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Parameters as they are sent; moto keeps lists and numbers, and defaults as they stand."""
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in values.items()}


def _same(stack: Any, resources: ResourceMap, change_set: Any) -> bool:
    values = _texts(stack.resource_map.resolved_parameters) == _texts(resources.resolved_parameters)
    return bool(values and stack.has_template(change_set.template) and (change_set.tags or {}) == (stack.tags or {}))


def _create(backend: Any, stack: Any, change_set: ChangeSet) -> None:
    made = Stack(
        stack_id=stack.stack_id,
        name=stack.name,
        template=change_set.template,
        parameters=change_set.parameters,
        account_id=backend.account_id,
        region_name=backend.region_name,
        tags=change_set.tags,
        role_arn=change_set.role_arn,
        cross_stack_resources=backend.exports,
    )
    made.events = stack.events
    backend.stacks[stack.stack_id] = made
    made._add_stack_event("CREATE_IN_PROGRESS", "User Initiated")
    try:
        _break_when_asked(made.template_dict)
        made.create_resources()
        _register(backend, made)
    except Exception as error:  # noqa: BLE001 - whatever moto says is the reason
        made._add_stack_event("CREATE_FAILED", str(error))
        _roll_back(made, change_set)
        made._add_stack_event("ROLLBACK_COMPLETE")
        made.status = "ROLLBACK_COMPLETE"


def _update(backend: Any, stack: Any, change_set: ChangeSet) -> None:
    before = stack.template
    try:
        _break_when_asked(change_set.template_dict)
        stack.update(change_set.template, change_set.role_arn, dict(change_set.parameters), change_set.tags)
        _register(backend, stack)
    except Exception as error:  # noqa: BLE001 - whatever moto says is the reason
        stack.template = before
        stack._add_stack_event("UPDATE_FAILED", str(error))
        _roll_back(stack, change_set)
        stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
        stack.status = "UPDATE_ROLLBACK_COMPLETE"


def _roll_back(stack: Any, change_set: ChangeSet) -> None:
    """An event for each resource, as there are after a failure."""
    for _ in change_set.template_dict["Resources"]:
        stack._add_stack_event("DELETE_COMPLETE")


def _break_when_asked(template: dict[str, Any]) -> None:
    for name, resource in template["Resources"].items():
        if resource.get("Metadata", {}).get("Broken"):
            raise ValidationError(message=f"{BROKEN}: {name}")


def _register(backend: Any, stack: Any) -> None:
    for name in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    for export in stack.exports:
        if export.name in backend.exports:
            raise ValidationError(message=f"Export with name {export.name} is already exported by another stack")
        backend.exports[export.name] = export


def _check(backend: Any, name: str, template: str, given: dict[str, Any]) -> None:
    parsed = Stack.parse_template(template)
    for fault in parameters.faults(parsed.get("Parameters", {}), given):
        raise ValidationError(message=fault)
    _resources(backend, name, template, given)


def _resources(backend: Any, name: str, template: str, given: dict[str, Any]) -> ResourceMap:
    """The template's resources before they are made, with what conditions decide."""
    resources = ResourceMap(
        f"arn:aws:cloudformation:{backend.region_name}:{backend.account_id}:stack/{name}/0-0",
        name,
        given,
        {},
        region_name=backend.region_name,
        account_id=backend.account_id,
        template=Stack.parse_template(template),
        cross_stack_resources=backend.exports,
    )
    resources.load()
    for export in _imports(resources._template, resources):
        if export not in backend.exports:
            raise ValidationError(message=f"No export named {export} found")
    return resources


def _wanted(resources: ResourceMap) -> Iterator[str]:
    for name, resource in resources._template["Resources"].items():
        condition = resource.get("Condition")
        if condition is None or resources.lazy_condition_map[condition]:
            yield name


def _imports(value: Any, resources: ResourceMap) -> Iterator[str]:
    """The names of the exports that a template needs, given its conditions."""
    if isinstance(value, list):
        for item in value:
            yield from _imports(item, resources)
    elif isinstance(value, dict):
        if isinstance(value.get("Condition"), str) and not resources.lazy_condition_map.get(value["Condition"], True):
            return
        if "Fn::If" in value:
            name, yes, no = value["Fn::If"]
            yield from _imports(yes if resources.lazy_condition_map[name] else no, resources)
        elif "Fn::ImportValue" in value:
            yield clean(value["Fn::ImportValue"], resources)
        else:
            for item in value.values():
                yield from _imports(item, resources)


def _importers(backend: Any, export: str) -> Iterator[str]:
    for stack in backend.stacks.values():
        there = stack.template and stack.status != "REVIEW_IN_PROGRESS"
        if there and export in set(_imports(stack.template_dict, stack.resource_map)):
            yield stack.name


def _found(backend: Any, name: str) -> ChangeSet:
    for each in backend.change_sets.values():
        if name in (each.change_set_id, each.change_set_name):
            found: ChangeSet = each
            return found
    raise ValidationError(message=f"ChangeSet [{name}] does not exist")


def _list_change_sets(self: Any) -> ActionResult:
    name = self._get_param("StackName")
    sets = self.cloudformation_backend.list_change_sets()
    return ActionResult({"Summaries": [each for each in sets if name in (each.stack_name, each.stack_id)]})


def _describe_stack_events(self: Any) -> ActionResult:
    """In pages, the newest first."""
    events = self.cloudformation_backend.describe_stack_events(self._get_param("StackName"))[::-1]
    begin = int(self._get_param("NextToken") or 0)
    page = {"StackEvents": events[begin : begin + PAGE]}
    return ActionResult(page if begin + PAGE >= len(events) else {**page, "NextToken": str(begin + PAGE)})


def _list_imports(self: Any) -> ActionResult:
    users = list(_importers(self.cloudformation_backend, self._get_param("ExportName")))
    if not users:
        raise ValidationError(message=f"Export '{self._get_param('ExportName')}' is not imported by any stack.")
    return ActionResult({"Imports": users})


def _validate_template(self: Any) -> ActionResult:
    body = self._get_param("TemplateBody")
    if url := self._get_param("TemplateURL"):
        body = self._get_stack_from_s3_url(url)
    self.cloudformation_backend.validate_template(body)
    slots = Stack.parse_template(body).get("Parameters", {})
    return ActionResult({"Parameters": [{"ParameterKey": name} for name in slots]})
