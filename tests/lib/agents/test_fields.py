"""What agents may send, and that faults name their field and repeat nothing of the input."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.agents.fields import (
    BODIES,
    EmbeddingRequest,
    GuideInference,
    InferenceRequest,
    UsageQuery,
    read,
    read_query,
)
from lib.base.errors import Fault, InvalidFields

RUN = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
HELLO = [{"role": "user", "content": "Hoi"}]
GUIDE = {"run_id": "r", "messages": HELLO}
REQUEST = {"evaluation_run_id": RUN, "model": "echo", "temperature": 0.5, "messages": HELLO}
SECRET = "hunter2-do-not-repeat"


def faults(kind: Any, body: Any) -> list[Fault]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidFields) as caught:
        read(kind, raw)
    return list(caught.value.faults)


def test_what_may_be_left_out() -> None:
    asked = read(GuideInference, json.dumps(GUIDE).encode())
    assert (asked.model, asked.temperature) == (None, None)
    request = read(InferenceRequest, json.dumps(REQUEST).encode())
    assert (request.tool_mode, request.tools) == (None, None)


def test_null_is_absent_and_zero_is_zero() -> None:
    assert read(GuideInference, json.dumps({**GUIDE, "temperature": None, "model": None}).encode()).temperature is None
    assert read(GuideInference, json.dumps({**GUIDE, "temperature": 0}).encode()).temperature == 0


def test_unknown_fields_and_empty_messages_are_no_fault() -> None:
    assert read(GuideInference, json.dumps({**GUIDE, "messages": [], "seed": 1}).encode()).messages == []


def test_nul_is_a_character() -> None:
    message = {"role": "user", "content": "a\0b"}
    assert read(GuideInference, json.dumps({**GUIDE, "messages": [message]}).encode()).messages[0].content == "a\0b"


@pytest.mark.parametrize("missing", ["run_id", "messages"])
def test_every_missing_field_is_named(missing: str) -> None:
    body = {name: value for name, value in GUIDE.items() if name != missing}
    assert faults(GuideInference, body) == [Fault(("body", missing), "Field required", "missing")]


def test_all_faults_at_once() -> None:
    assert [fault.loc for fault in faults(InferenceRequest, {"messages": [{"role": 1}]})] == [
        ("body", "evaluation_run_id"),
        ("body", "model"),
        ("body", "temperature"),
        ("body", "messages", 0, "role"),
        ("body", "messages", 0, "content"),
    ]


@pytest.mark.parametrize(("field", "value"), [
    ("run_id", ""),
    ("run_id", "x" * 257),
    ("run_id", "x" * 10_000),
    ("run_id", "a\nb"),
    ("run_id", "a\0b"),
    ("run_id", 7),
    ("run_id", None),
    ("model", ""),
    ("model", "m" * 257),
    ("model", "a\x1bb"),
    ("model", ["gpt"]),
    ("temperature", SECRET),
    ("temperature", [1]),
    ("messages", SECRET),
    ("messages", {"role": "user"}),
])  # fmt: skip
def test_a_wrong_value_is_named_and_not_repeated(field: str, value: Any) -> None:
    (fault,) = faults(GuideInference, {**GUIDE, field: value})
    assert fault.loc == ("body", field)
    assert SECRET not in fault.msg
    assert "xxxx" not in fault.msg


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_what_is_no_finite_number(number: str) -> None:
    raw = json.dumps({**GUIDE, "temperature": 7}).replace("7", number).encode()
    (fault,) = faults(GuideInference, raw)
    assert fault.loc == ("body", "temperature")


@pytest.mark.parametrize(
    "run", ["", "7", "not-a-uuid-" + SECRET, RUN[:-1], RUN + "0", "'; DROP TABLE runs; --", 7, None]
)
def test_what_is_no_uuid(run: Any) -> None:
    (fault,) = faults(EmbeddingRequest, {"evaluation_run_id": run, "model": "echo", "input": "x"})
    assert fault.loc == ("body", "evaluation_run_id")
    assert SECRET not in fault.msg
    assert "found `" not in fault.msg


@pytest.mark.parametrize("spelling", [RUN.upper(), RUN.replace("-", ""), f"urn:uuid:{RUN}", f"{{{RUN}}}"])
def test_a_run_is_one_however_its_uuid_is_spelt(spelling: str) -> None:
    asked = read(EmbeddingRequest, json.dumps({"evaluation_run_id": spelling, "model": "echo", "input": "x"}).encode())
    assert str(asked.evaluation_run_id) == RUN


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'"x"', b"null", b"[" * 100_000, b'{"a": "\\ud800"}']
)
def test_what_is_no_json_object(raw: bytes) -> None:
    for kind in BODIES.values():
        assert all(fault.loc[0] == "body" for fault in faults(kind, raw))


@pytest.mark.parametrize(("entries", "loc"), [
    ([1] * 50_000, ("messages", 0)),
    ([*HELLO, {"role": 1}, *[2] * 50_000], ("messages", 1, "role")),
    (HELLO * 10_001, ("messages",)),
])  # fmt: skip
def test_of_a_long_list_only_the_first_fault_is_told(entries: list[Any], loc: tuple[Any, ...]) -> None:
    found = faults(GuideInference, {**GUIDE, "messages": entries})
    assert found[0].loc == ("body", *loc)
    assert len(found) <= 2


def test_lists_within_lists_are_no_way_around_it() -> None:
    tool = {"name": "f", "description": "d", "parameters": [{}] * 1000}
    assert len(faults(InferenceRequest, {**REQUEST, "tools": [tool] * 100})) == 3  # type, name and description


@pytest.mark.parametrize(("mode", "tools"), [("sometimes", []), (1, []), ("auto", {}), ("auto", [{"name": "f"}])])
def test_tools_that_are_none(mode: Any, tools: Any) -> None:
    assert faults(InferenceRequest, {**REQUEST, "tool_mode": mode, "tools": tools})[0].loc[1] in ("tool_mode", "tools")


def test_a_query() -> None:
    assert str(read_query(UsageQuery, {"evaluation_run_id": RUN, "more": "x"}).evaluation_run_id) == RUN
    with pytest.raises(InvalidFields) as caught:
        read_query(UsageQuery, {})
    assert (caught.value.faults[0].loc, caught.value.param) == (
        ("query", "evaluation_run_id"),
        "query.evaluation_run_id",
    )


def test_a_body_names_a_run_as_a_header_does() -> None:
    assert read(GuideInference, json.dumps({**GUIDE, "run_id": "run 7/Ä #1"}).encode()).run_id == "run 7/Ä #1"
    for name in ("", "x" * 257, "a\tb", "\ufffd"):
        assert [fault.loc for fault in faults(GuideInference, {**GUIDE, "run_id": name})] == [("body", "run_id")]
