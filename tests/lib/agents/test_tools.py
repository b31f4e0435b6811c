"""Tools on their way to a vendor, and calls on their way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.agents.fields import Parameter, Tool
from lib.agents.tools import UNREADABLE, ToolCall, described, shown


def test_a_whole_schema() -> None:
    parameters = [
        Parameter(type="string", name="path", description="Where", required=True),
        Parameter(type="array", name="kinds", description="Of what"),
    ]
    (tool,) = described([Tool(name="list_files", description="Lists", parameters=parameters)])
    assert tool == {
        "type": "function",
        "function": {
            "name": "list_files",
            "description": "Lists",
            "parameters": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "Where"},
                    "kinds": {"type": "array", "description": "Of what", "items": {}},
                },
                "required": ["path"],
            },
        },
    }


def test_a_tool_without_parameters_has_a_schema_too() -> None:
    (tool,) = described([Tool(name="f", description="", parameters=[])])
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}, "required": []}


@pytest.mark.parametrize(("written", "arguments"), [
    ('{"a": 1, "b": [null, {"c": "d"}]}', [{"name": "a", "value": 1}, {"name": "b", "value": [None, {"c": "d"}]}]),
    ("{}", []),
    ("", []),
    ("  ", []),
    ("null", []),
])  # fmt: skip
def test_arguments_are_flattened(written: str, arguments: list[Any]) -> None:
    assert shown(ToolCall("call_1", "f", written)) == {"id": "call_1", "name": "f", "arguments": arguments}


@pytest.mark.parametrize(
    "written", ['{"a": 1', "[1, 2]", '"text"', "7", "true", "{'a': 1}", "[" * 100_000, "\0", '{"a": 1}}']
)
def test_arguments_that_are_no_object_are_an_error(written: str) -> None:
    assert shown(ToolCall(None, "f", written)) == {
        "id": None,
        "name": "f",
        "arguments": [],
        "error": UNREADABLE,
        "raw_arguments": written,
    }


@given(
    st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text())
    )
)
def test_nothing_of_the_arguments_is_lost(arguments: dict[str, Any]) -> None:
    entry = shown(ToolCall("i", "f", json.dumps(arguments)))
    assert {each["name"]: each["value"] for each in entry["arguments"]} == arguments
    assert "error" not in entry


@given(st.text())
def test_any_text_gives_an_entry(written: str) -> None:
    assert set(shown(ToolCall("i", "f", written))) >= {"id", "name", "arguments"}
