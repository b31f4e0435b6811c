"""Answers put together from whole bodies and from events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.agents.heard import Heard, streamed, whole
from lib.agents.tools import ToolCall
from lib.base.errors import VendorProtocolError


def chunk(**delta: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def call(
    index: int | None = None, id_: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    given = {"index": index, "id": id_}
    function = {"name": name, "arguments": arguments}
    named = {key: value for key, value in given.items() if value is not None}
    return {**named, "function": {key: value for key, value in function.items() if value is not None}}


def message(**fields: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", **fields}}]}).encode()


# ---- whole ----


def test_a_whole_text() -> None:
    assert whole(message(content="Hoi")) == Heard("Hoi")


@pytest.mark.parametrize("content", [None, 7, ["x"]])
def test_what_is_no_text_says_nothing(content: Any) -> None:
    assert whole(message(content=content)).content == ""


def test_whole_calls() -> None:
    calls = [call(id_="c1", name="f", arguments='{"a":1}'), call(id_="c2", name="g", arguments={"b": 2})]
    assert whole(message(content=None, tool_calls=calls)).calls == [
        ToolCall("c1", "f", '{"a":1}'),
        ToolCall("c2", "g", '{"b":2}'),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"choices": []}', b'{"choices": [7]}', b'{"choices": [{}]}']
)
def test_what_is_no_completion(body: bytes) -> None:
    with pytest.raises(VendorProtocolError):
        whole(body)


# ---- in events ----


def test_deltas_are_joined_and_pings_and_junk_lines_passed_over() -> None:
    blocks = [
        b": ping\n\n",
        chunk(role="assistant", content=""),
        chunk(content="Gr\u00fc") + b"junk\n\n",
        chunk(content="ezi"),
    ]
    assert streamed(
        [*blocks, b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n', b"data: [DONE]\n\n"]
    ) == Heard("Grüezi")


def test_only_the_first_choice_counts() -> None:
    other = b'data: {"choices": [{"index": 1, "delta": {"content": "no"}}]}\n\n'
    assert streamed([other, chunk(content="yes"), other]).content == "yes"


def test_fragments_are_joined_in_the_order_of_their_index() -> None:
    blocks = [
        chunk(tool_calls=[call(1, "c2", "g", "")]),
        chunk(tool_calls=[call(0, "c1", "f", '{"a"'), call(1, arguments='{"b": ')]),
        chunk(tool_calls=[call(0, arguments=": 1}"), call(1, "c2", "g", "2}")]),
    ]
    assert streamed(blocks).calls == [ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "g", '{"b": 2}')]


def test_without_an_index_an_id_begins_a_call() -> None:
    blocks = [
        chunk(tool_calls=[call(id_="c1", name="f", arguments="{")]),
        chunk(tool_calls=[call(arguments="}")]),
        chunk(tool_calls=[call(id_="c2", name="g", arguments="{}")]),
    ]
    assert streamed(blocks).calls == [ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "{}")]


def test_an_error_event_is_a_failure_and_words_of_one_are_not() -> None:
    assert streamed([chunk(content="x"), b'data: {"error": {"message": "no"}}\n\n']).failed
    assert not streamed([chunk(content='Internal Server Error {"error": 1} exhausted all available targets')]).failed


def test_all_blocks_are_read() -> None:
    left = iter([b"data: [DONE]\n\n", b": ping\n\n"])
    streamed(left)
    assert list(left) == []


KEYS = st.sampled_from(["choices", "delta", "tool_calls", "function", "name", "arguments", "index", "id", "content"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(VALUES)
def test_no_chunk_breaks_it(value: Any) -> None:
    streamed([b"data: " + json.dumps(value).encode() + b"\n\n"])
    streamed([chunk(tool_calls=value), chunk(content=value)])
