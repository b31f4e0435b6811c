"""Tools, structured answers, words and schemas of the echo."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.providers.echo.errors import Refusal
from lib.providers.echo.schema import instance
from lib.providers.echo.text import Part, length, pieces, text_of, tokens, whole_text
from tests.lib.providers.echo.calls import HELLO, ask

SCHEMA = {"type": "object", "properties": {"city": {"const": "Bern"}, "note": {}}, "required": ["city"]}
PARALLEL = ["one", "two"]


def request(name: str, **more: Any) -> dict[str, Any]:
    """A request with two tools, in the dialect of the path."""
    if name == "messages":
        tools: list[Any] = [{"name": tool, "input_schema": SCHEMA} for tool in PARALLEL]
        return {"messages": HELLO, "max_tokens": 9, "tools": [{"type": "web_search", "name": "web"}, *tools], **more}
    functions = [{"name": tool, "parameters": SCHEMA} for tool in PARALLEL]
    if name == "responses":
        tools = [{"type": "web_search"}, *({"type": "function", **function} for function in functions)]
        return {"input": HELLO, "tools": tools, **more}
    tools = [{"type": "custom", "custom": {"name": "c"}}]
    return {"messages": HELLO, "tools": [*tools, *({"function": function} for function in functions)], **more}


def calls(name: str, body: dict[str, Any], model: str = "echo") -> list[tuple[str, Any]]:
    """The calls in a whole answer; the streamed one must hold the same."""
    answer = ask(name, body, model).json
    if name == "messages":
        found = [(block["name"], block["input"]) for block in answer["content"] if block["type"] == "tool_use"]
    elif name == "responses":
        items = [item for item in answer["output"] if item["type"] == "function_call"]
        found = [(item["name"], msgspec.json.decode(item["arguments"])) for item in items]
    else:
        items = [call["function"] for call in answer["choices"][0]["message"].get("tool_calls", [])]
        found = [(item["name"], msgspec.json.decode(item["arguments"])) for item in items]
    assert streamed_calls(name, body, model) == found
    return found


def streamed_calls(name: str, body: dict[str, Any], model: str) -> list[tuple[str, Any]]:
    """The calls in a stream, put together from their fragments."""
    names: dict[int, str] = {}
    fragments: dict[int, str] = {}
    for event in ask(name, body, model, stream=True).data:
        index, called, fragment = -1, None, ""
        if name == "messages" and event.get("content_block", {}).get("type") == "tool_use":
            index, called = event["index"], event["content_block"]["name"]
        elif name == "messages" and event.get("delta", {}).get("type") == "input_json_delta":
            index, fragment = event["index"], event["delta"]["partial_json"]
        elif event.get("type") == "response.output_item.added" and event["item"]["type"] == "function_call":
            index, called = event["output_index"], event["item"]["name"]
        elif event.get("type") == "response.function_call_arguments.delta":
            index, fragment = event["output_index"], event["delta"]
        elif event.get("choices") and "tool_calls" in event["choices"][0]["delta"]:
            call = event["choices"][0]["delta"]["tool_calls"][0]
            index, called, fragment = call["index"], call["function"].get("name"), call["function"]["arguments"]
        if called:
            names[index] = called
        fragments[index] = fragments.get(index, "") + fragment
    return [(names[index], msgspec.json.decode(fragments[index])) for index in sorted(names)]


NAMED = {
    "chat_completions": {"type": "function", "function": {"name": "two"}},
    "responses": {"type": "function", "name": "two"},
    "messages": {"type": "tool", "name": "two"},
}
ANY: dict[str, Any] = {"chat_completions": "required", "responses": "required", "messages": {"type": "any"}}
AUTO: dict[str, Any] = {"chat_completions": "auto", "responses": "none", "messages": {"type": "auto"}}


@pytest.mark.parametrize("name", NAMED)
def test_a_forced_tool_is_called_with_what_its_schema_requires(name: str) -> None:
    assert calls(name, request(name, tool_choice=NAMED[name])) == [("two", {"city": "Bern"})]
    assert calls(name, request(name, tool_choice=ANY[name])) == [("one", {"city": "Bern"})]


@pytest.mark.parametrize("name", NAMED)
def test_a_tool_that_is_not_forced_is_not_called(name: str) -> None:
    assert calls(name, request(name)) == []
    assert calls(name, request(name, tool_choice=AUTO[name])) == []


@pytest.mark.parametrize("name", NAMED)
def test_the_knob_calls_tools_side_by_side(name: str) -> None:
    expected = [("one", {"city": "Bern"}), ("two", {"city": "Bern"})]
    assert calls(name, request(name), "echo/tool=one+two") == expected
    assert calls(name, request(name), "echo/tool=one+two,chunks=4") == expected
    assert calls(name, request(name, echo={"tool": "two"})) == [("two", {"city": "Bern"})]


@pytest.mark.parametrize("name", NAMED)
def test_reply_gives_the_arguments_of_a_call(name: str) -> None:
    given = {"tool": "one", "reply": '{"city": "Ulm"}'}
    assert calls(name, request(name, echo=given)) == [("one", {"city": "Ulm"})]
    for broken in ("{", "[]", "Ulm"):
        refused = ask(name, request(name, echo={**given, "reply": broken}))
        assert refused.status == 400
        assert "`reply`" in refused.json["error"]["message"]


@pytest.mark.parametrize("name", NAMED)
def test_a_tool_that_the_request_does_not_have_is_refused(name: str) -> None:
    assert ask(name, request(name), "echo/tool=three").status == 400
    assert ask(name, {**request(name), "tools": []}, "echo/tool=one").status == 400
    assert ask(name, {**request(name), "tools": [], "tool_choice": ANY[name]}).status == 400


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("chat_completions", {"role": "tool", "content": "sunny"}),
        ("responses", {"type": "function_call_output", "output": "sunny"}),
        ("messages", {"role": "user", "content": [{"type": "tool_result", "content": "sunny"}]}),
    ],
)
def test_the_knob_rests_after_a_tools_result_and_a_forced_tool_does_not(name: str, result: dict[str, Any]) -> None:
    field = "input" if name == "responses" else "messages"
    body = {**request(name), field: [*HELLO, result]}
    assert calls(name, body, "echo/tool=one") == []
    assert len(calls(name, {**body, "tool_choice": NAMED[name]})) == 1


def test_finish_says_that_tools_are_called() -> None:
    chat = ask("chat_completions", request("chat_completions", tool_choice="required"), stream=True)
    assert chat.data[-1]["choices"][0]["finish_reason"] == "tool_calls"
    message = ask("messages", request("messages", tool_choice={"type": "any"}), stream=True)
    assert message.data[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("chat_completions", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}),
        ("responses", {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("messages", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("messages", {"output_format": {"type": "json_schema", "schema": SCHEMA}}),
    ],
)
def test_a_structured_answer_is_an_instance_of_its_schema(name: str, wanted: dict[str, Any]) -> None:
    def text(**more: Any) -> str:
        answer = ask(name, {**request(name), **wanted, **more}).json
        if name == "chat_completions":
            return str(answer["choices"][0]["message"]["content"])
        return str((answer.get("content") or answer["output"][0]["content"])[0]["text"])

    assert text() == '{"city":"Bern"}'
    assert text(echo={"chunks": 500}) == '{"city":"Bern"}'
    assert text(echo={"reply": "no JSON"}) == "no JSON"


def test_json_and_text_formats_of_a_chat() -> None:
    def content(kind: str) -> str:
        body = {"messages": HELLO, "response_format": {"type": kind}}
        return str(ask("chat_completions", body).json["choices"][0]["message"]["content"])

    assert (content("json_object"), content("text")) == ("{}", "Hello big world")


# ---- words ----


@given(st.text(max_size=60), st.none() | st.integers(1, 50), st.booleans())
def test_chunks_add_up_to_the_whole(text: str, chunks: int | None, json: bool) -> None:
    part = Part(text, json=json)
    cut = [piece.text for piece in pieces([part], chunks)]
    assert "".join(cut) == whole_text(part, chunks)
    assert len("".join(cut)) == length(part, chunks)
    assert whole_text(part, chunks).startswith(text)
    if chunks is None or json or len(cut) < 2:
        assert whole_text(part, chunks) == text
    elif text:
        assert len(cut) == chunks


def test_parts_follow_each_other() -> None:
    cut = list(pieces([Part("a b"), Part("{}", tool="t", json=True)], 2))
    assert [(piece.slot, piece.text) for piece in cut] == [(0, "a "), (0, "b"), (1, "{"), (1, "}")]


def test_four_characters_are_a_token() -> None:
    assert [tokens(characters) for characters in (0, 1, 4, 5, 8)] == [0, 1, 1, 2, 2]


def test_content_without_text_has_none() -> None:
    for content in (None, 5, True, {}, {"text": 5}, [], [None, 5, {"type": "image"}]):
        assert text_of(content) == ""


# ---- schemas ----


class Colour(enum.Enum):
    """One of two."""

    RED = "red"
    BLUE = "blue"


class Leaf(pydantic.BaseModel):
    """Numbers and bounds."""

    count: int = pydantic.Field(ge=3, multiple_of=5)
    share: float = pydantic.Field(gt=0, lt=1)
    cold: int = pydantic.Field(le=-4)
    below: int = pydantic.Field(lt=0)
    above: int = pydantic.Field(gt=7)
    code: str = pydantic.Field(min_length=4)


class Tree(pydantic.BaseModel):
    """Everything that Pydantic writes into a schema for common types."""

    leaf: Leaf
    leaves: list[Leaf] = pydantic.Field(min_length=2)
    colour: Colour
    fixed: Literal["only"]
    maybe: int | None
    parent: Tree | None
    either: Leaf | str
    day: datetime.date
    moment: datetime.datetime
    identity: uuid.UUID
    flag: bool
    pair: tuple[int, str]
    table: dict[str, int]
    anything: Any
    tags: Annotated[list[str], pydantic.Field(max_length=3)]
    unneeded: str = "default"


def test_an_instance_passes_the_model_that_the_schema_is_of() -> None:
    made = instance(Tree.model_json_schema())
    tree = Tree.model_validate_json(msgspec.json.encode(made))
    assert (tree.leaf.count, tree.colour, tree.maybe, tree.parent) == (5, Colour.RED, None, None)
    assert "unneeded" not in made


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, {}),
        (True, {}),
        ({}, {}),
        ({"type": "object", "required": ["a"]}, {"a": {}}),
        ({"type": ["string", "null"]}, None),
        ({"type": ["integer", "string"]}, 0),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": "unheard of"}, None),
        ({"enum": [3, 4]}, 3),
        ({"enum": 5}, None),
        ({"items": {"type": "string"}, "minItems": 2}, ["", ""]),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"allOf": [{"$ref": "#/$defs/a~1b"}, {"enum": ["y"]}], "$defs": {"a/b": {"type": "string"}}}, "y"),
        ({"required": ["x"], "allOf": [{"required": ["y"]}, {"required": ["x", "z"]}]}, {"x": {}, "y": {}, "z": {}}),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}, 0.25),
        ({"type": "integer", "minimum": 10**30}, 10**30),
    ],
)  # fmt: skip
def test_small_schemas(schema: Any, expected: Any) -> None:
    assert instance(schema) == expected


def _twice(name: str) -> dict[str, Any]:
    return {"required": ["a", "b"], "properties": {key: {"$ref": f"#/$defs/{name}"} for key in ("a", "b")}}


DOUBLING = {"$ref": "#/$defs/d0", "$defs": {f"d{n}": _twice(f"d{n + 1}") for n in range(40)}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema"},
        {"type": "array", "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}},
        {"allOf": [{"$ref": "#"}]},
        DOUBLING,
    ],
)
def test_a_schema_without_a_small_instance_is_refused(schema: Any) -> None:
    with pytest.raises(Refusal):
        instance(schema)


_KEYWORDS = [
    *("type", "properties", "required", "items", "prefixItems", "minItems", "enum", "const", "$ref", "anyOf", "oneOf"),
    *("allOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "format"),
    *("$defs", "a"),
]
_WORDS = ["object", "array", "string", "integer", "number", "boolean", "null", "#", "#/$defs/a", "#/properties/a", "a"]
_SCHEMA = st.recursive(
    st.sampled_from(_WORDS) | st.integers(-3, 9) | st.floats(-9, 9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYWORDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(_KEYWORDS), _SCHEMA, max_size=5))
def test_no_schema_is_too_strange(schema: dict[str, Any]) -> None:
    try:
        made = instance(schema)
    except Refusal:
        return
    assert msgspec.json.encode(made)
