"""Checked reading: the right value, or a 400 that names the path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.reader import Reader, translated

BODY = {
    "s": "text",
    "empty": "",
    "n": 3,
    "f": 0.5,
    "b": True,
    "o": {"inner": 1},
    "list": [{"a": 1}, {"a": 2}],
    "words": ["x", "y"],
    "null": None,
}


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda r: r.text("s"), "text"),
        (lambda r: r.text("empty"), ""),
        (lambda r: r.maybe_text("null"), None),
        (lambda r: r.maybe_text("absent"), None),
        (lambda r: r.name("s"), "text"),
        (lambda r: r.maybe_flag("b"), True),
        (lambda r: r.maybe_flag("null"), None),
        (lambda r: r.maybe_count("n"), 3),
        (lambda r: r.maybe_count("n", least=3), 3),
        (lambda r: r.maybe_count("null"), None),
        (lambda r: r.maybe_number("f", 1), 0.5),
        (lambda r: r.maybe_number("n", 3), 3),
        (lambda r: r.maybe_number("null", 1), None),
        (lambda r: r.object("o").raw, {"inner": 1}),
        (lambda r: r.object("o").path, "o"),
        (lambda r: r.maybe_object("null"), None),
        (lambda r: [item.path for item in r.objects("list")], ["list[0]", "list[1]"]),
        (lambda r: r.objects("null"), []),
        (lambda r: r.texts("words"), ["x", "y"]),
        (lambda r: r.texts("absent"), []),
        (lambda r: r.choice("s", {"text", "other"}), "text"),
        (lambda r: [part.raw for part in r.parts("s")], [{"type": "text", "text": "text"}]),
        (lambda r: [part.raw for part in r.parts("list")], [{"a": 1}, {"a": 2}]),
        (lambda r: r.parts("null"), []),
        (lambda r: (r.has("s"), r.has("null"), r.has("absent")), (True, False, False)),
    ],
)
def test_reads(read: Callable[[Reader], Any], expected: Any) -> None:
    assert read(Reader(BODY)) == expected


@pytest.mark.parametrize(
    ("read", "param"),
    [
        (lambda r: r.text("n"), "n"),
        (lambda r: r.text("absent"), "absent"),
        (lambda r: r.name("empty"), "empty"),
        (lambda r: r.maybe_flag("n"), "n"),
        (lambda r: r.maybe_count("b"), "b"),
        (lambda r: r.maybe_count("f"), "f"),
        (lambda r: r.maybe_count("n", least=4), "n"),
        (lambda r: r.maybe_number("b", 1), "b"),
        (lambda r: r.maybe_number("n", 2), "n"),
        (lambda r: r.object("s"), "s"),
        (lambda r: r.object("absent"), "absent"),
        (lambda r: r.maybe_object("list"), "list"),
        (lambda r: r.objects("o"), "o"),
        (lambda r: r.objects("words"), "words[0]"),
        (lambda r: r.texts("list"), "list[0]"),
        (lambda r: r.texts("s"), "s"),
        (lambda r: r.choice("s", {"other"}), "s"),
        (lambda r: r.parts("n"), "n"),
        (lambda r: r.object("o").text("inner"), "o.inner"),
        (lambda r: r.objects("list")[1].text("a"), "list[1].a"),
    ],
)
def test_a_wrong_type_names_its_path(read: Callable[[Reader], Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(Reader(BODY))
    assert caught.value.param == param
    assert f"`{param}` must be" in caught.value.message


def test_only_objects_are_read() -> None:
    with pytest.raises(BadRequest) as caught:
        Reader([])
    assert caught.value.param == "body"


def test_only_lets_known_fields_and_nulls_through() -> None:
    reader = Reader({"a": 1, "b": None}, "messages[0]")
    reader.only({"a"})
    with pytest.raises(Untranslatable) as caught:
        Reader({"a": 1, "c" * 500: 2}, "messages[0]").only({"a"})
    assert caught.value.param == "messages[0]." + "c" * 64


def test_translated_gives_each_part_with_what_became_of_it() -> None:
    parts = Reader({"x": [{"type": "t", "v": 1}, {"type": "t", "v": 0}]}).objects("x")
    readers = {"t": lambda part: {"v": part.raw["v"]} if part.raw["v"] else None}
    assert [(part.path, result) for part, result in translated(parts, readers)] == [("x[0]", {"v": 1})]


def test_translated_refuses_an_unknown_type() -> None:
    with pytest.raises(Untranslatable) as caught:
        list(translated(Reader({"x": [{"type": "video"}]}).objects("x"), {}))
    assert caught.value.param == "x[0].type"
