"""What agents send, field by field, and what is wrong with what is not so.

Types are as lax as the contracts' own services are (`"0.5"` is a number). Unknown fields are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from lib.base import MAX_NAME, is_run_name
from lib.base.errors import Fault, InvalidFields

MAX_LIST = 10_000  # messages, tools, or parameters of a tool
_WORDS = {"uuid_parsing": "Input should be a valid UUID"}  # where the usual ones repeat a part of the input
_Body = TypeVar("_Body", bound=BaseModel)
_Entry = TypeVar("_Entry")
Some = Annotated[list[_Entry], Field(max_length=MAX_LIST, fail_fast=True)]
"""A list. Of its wrong entries only the first is told: a body has room for millions, and each takes half a KiB."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("string_not_printable", "String should have printable characters only")
    return text


def _run_name(text: str) -> str:
    if not is_run_name(text):
        raise PydanticCustomError("string_not_printable", "String should have printable characters only")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_printable)]
RunName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_run_name)]


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Message(_Fields):
    """One message of a conversation."""

    role: str
    content: str


class GuideInference(_Fields):
    """The body of `POST /agents/inference`."""

    run_id: RunName
    messages: Some[Message]
    model: Name | None = None
    temperature: float | None = None


class GuideEmbedding(_Fields):
    """The body of `POST /agents/embedding`."""

    input: str
    run_id: RunName


class Parameter(_Fields):
    """One parameter of a tool."""

    type: Literal["boolean", "integer", "number", "string", "array", "object"]
    name: str
    description: str
    required: bool = False


class Tool(_Fields):
    """A tool that the model may call."""

    name: str
    description: str
    parameters: Some[Parameter]


class InferenceRequest(_Fields):
    """The body of `POST /api/inference`."""

    evaluation_run_id: UUID
    model: Name
    temperature: float
    messages: Some[Message]
    tool_mode: Literal["none", "auto", "required"] | None = None
    tools: Some[Tool] | None = None


class EmbeddingRequest(_Fields):
    """The body of `POST /api/embedding`."""

    evaluation_run_id: UUID
    model: Name
    input: str


class UsageQuery(_Fields):
    """The query of `GET /api/usage`."""

    evaluation_run_id: UUID


BODIES: Mapping[str, type[BaseModel]] = {
    "/agents/inference": GuideInference,
    "/agents/embedding": GuideEmbedding,
    "/api/inference": InferenceRequest,
    "/api/embedding": EmbeddingRequest,
}
"""What each route's body must be, for the OpenAPI document."""
QUERIES: Mapping[str, type[BaseModel]] = {"/api/usage": UsageQuery}
"""What each route's query string must be."""


def read(kind: type[_Body], raw: bytes) -> _Body:
    """A JSON body. Raises `InvalidFields` with its faults; of a list the first one only."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise _invalid(error, "body") from None


def read_query(kind: type[_Body], given: Mapping[str, Any]) -> _Body:
    """A query string's values. Raises `InvalidFields`."""
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        raise _invalid(error, "query") from None


def _invalid(error: ValidationError, where: str) -> InvalidFields:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidFields(*(_fault(each, where) for each in found))


def _fault(found: ErrorDetails, where: str) -> Fault:
    return Fault((where, *found["loc"]), _WORDS.get(found["type"], found["msg"]), found["type"])
