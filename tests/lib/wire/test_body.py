"""A JSON body that is read in place: agrees with a full parser, and a splice changes no other byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import BadRequest
from lib.wire import JsonBody
from lib.wire.body import MAX_KEY, MAX_KEYS

DEEP = 100_000

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
names = st.text(max_size=6) | st.sampled_from(["model", "stream", 'a"b', "a\\", "é", "}", ":", "\n"])
objects = st.dictionaries(names, values, max_size=5)
space = st.text(" \t\r\n", max_size=3)


@dataclass
class Written:
    """An object as somebody might write it: between the values stands what must not change."""

    said: dict[str, Any]
    between: list[bytes]
    literals: list[bytes]

    def raw(self, changes: dict[str, Any] | None = None) -> bytes:
        """The bytes, with other values in some places."""
        changes = changes or {}
        out = [self.between[0]]
        for name, literal, after in zip(self.said, self.literals, self.between[1:], strict=True):
            out += [msgspec.json.encode(changes[name]) if name in changes else literal, after]
        return b"".join(out)


@st.composite
def written(draw: st.DrawFn) -> Written:
    """An object with spaces and escapes at random."""
    said = draw(objects)
    between, literals = [f"{draw(space)}{{{draw(space)}"], []
    for index, (name, value) in enumerate(said.items()):
        comma = f",{draw(space)}" if index else ""
        key = json.dumps(name, ensure_ascii=draw(st.booleans()))
        between[-1] += f"{comma}{key}{draw(space)}:{draw(space)}"
        literals.append(json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))))
        between.append(draw(space))
    between[-1] += f"}}{draw(space)}"
    return Written(said, [text.encode() for text in between], [text.encode() for text in literals])


# ---- reading ----


@given(written())
def test_agrees_with_a_full_parser(body):
    read = JsonBody(body.raw())
    assert read.keys() == list(body.said)
    assert {name: read.get(name) for name in body.said} == body.said
    assert all(name in read for name in body.said)
    assert read.decode() == json.loads(body.raw())


@given(written(), names)
def test_an_absent_field_has_the_default(body, name):
    read = JsonBody(body.raw())
    assert (name in read) == (name in body.said)
    assert read.get(name, "absent") == body.said.get(name, "absent")


def test_null_is_a_value():
    read = JsonBody(b'{"model": null}')
    assert "model" in read
    assert read.get("model", "absent") is None


def test_a_name_may_be_escaped():
    read = JsonBody(rb'{"\u006dodel": "gpt\u002d4o", "a\/b": 1}')
    assert (read.get("model"), read.get("a/b")) == ("gpt-4o", 1)


def test_what_is_inside_a_value_is_not_at_the_top():
    read = JsonBody(b'{"metadata": {"model": "inner"}, "text": "\\"model\\": \\"text\\"", "model": "outer"}')
    assert read.get("model") == "outer"


# ---- changing ----


@given(written(), st.data())
def test_a_replaced_value_leaves_every_other_byte(body, data):
    some = st.sets(st.sampled_from(sorted(body.said))) if body.said else st.just(set())
    changes = {name: data.draw(values) for name in data.draw(some)}
    assert JsonBody(body.raw()).with_values(changes) == body.raw(changes)


@given(written(), objects)
def test_an_added_value_goes_to_the_end(body, added):
    """Fields that are there are replaced, the others stand before the last brace; nothing before them moves."""
    changed = JsonBody(body.raw()).with_values(added)
    assert json.loads(changed) == {**body.said, **added}
    assert JsonBody(changed).keys() == list({**body.said, **added})
    whole, brace, tail = body.raw(added).rpartition(b"}")
    assert changed.startswith(whole)
    assert changed.endswith(brace + tail)


@given(written())
def test_no_change_gives_the_same_bytes(body):
    assert JsonBody(body.raw()).with_values({}) == body.raw()


def test_numbers_and_escapes_of_others_survive():
    raw = rb'{ "model":"a","seed" : 12345678901234567890123,"x":1.10, "t":"\u00e9\/"}'
    assert JsonBody(raw).with_values({"model": "b"}) == raw.replace(b'"a"', b'"b"')


def test_an_empty_object_takes_a_field():
    assert JsonBody(b" { } ").with_values({"model": "a"}) == b' { "model":"a"} '


# ---- refusing ----


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"model"',
        b"1",
        b"{",
        b'{"model"}',
        b'{"model": }',
        b'{"model": "a",}',
        b'{"model": "a"} {}',
        b"{'model': 'a'}",
        b'{model: "a"}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 01}',
        b'{"a": "\n"}',
        b'{"a": "\\x"}',
        b'\xef\xbb\xbf{"model": "a"}',
        '{"model": "é"}'.encode("latin-1"),
        '{"é": "a"}'.encode("latin-1"),
        '{"model": "a"}'.encode("utf-16"),
        b'{"a": {"b": "\xff"}}',
        b'{"a": "\xed\xa0\x80"}',
        b"model=a",
    ],
)
def test_what_is_no_object_is_refused(raw):
    with pytest.raises(BadRequest) as caught:
        JsonBody(raw)
    assert "JSON object" in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b'{"model": "a", "model": "b"}',
        b'{"model": "a", "model": "a"}',
        b'{"model": "a", "x": 1, "model": "a"}',
        b'{"x": 1, "model": 1, "model": 12}',
        b'{"x": 1, "model": 12, "model": 1}',
        b'{"model": 1, "x": 1, "model": 1, "x": 1}',
        rb'{"model": "a", "\u006dodel": "b"}',
        rb'{"\u006dodel": "a", "model": "a"}',
        b'{"": 1, "": 1}',
    ],
)
def test_a_field_that_is_named_twice_is_refused(raw):
    with pytest.raises(BadRequest, match="twice"):
        JsonBody(raw)


@given(written(), st.data())
def test_any_field_that_is_named_twice_is_refused(body, data):
    if not body.said:
        return
    name = data.draw(st.sampled_from(sorted(body.said)))
    again = json.dumps({name: data.draw(st.just(body.said[name]) | values)}, ensure_ascii=data.draw(st.booleans()))
    whole, brace, tail = body.raw().rpartition(b"}")
    with pytest.raises(BadRequest, match="twice"):
        JsonBody(whole + b"," + again[1:-1].encode() + brace + tail)


def test_a_field_that_is_named_twice_further_down_is_the_vendors_business():
    assert JsonBody(b'{"metadata": {"a": 1, "a": 2}}').keys() == ["metadata"]


@given(st.binary(max_size=60) | written().map(Written.raw).flatmap(lambda raw: st.sampled_from([raw[:-1], raw + b"}"])))
def test_junk_is_refused_and_nothing_else_happens(raw):
    try:
        read = JsonBody(raw)
    except BadRequest:
        return
    assert read.decode() == json.loads(raw)


@pytest.mark.parametrize("raw", [b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}", b'{"a":' * DEEP + b"1" + b"}" * DEEP])
def test_a_deep_body_is_refused_at_the_latest_when_it_is_read(raw):
    with pytest.raises(BadRequest):
        JsonBody(raw).get("a")


@pytest.mark.parametrize(
    "raw", [rb'{"\ud800": 1}', rb'{"a": "\ud800"}', b'{"a": 1e999}'], ids=["name", "text", "number"]
)
def test_what_is_grammar_but_no_value_is_refused(raw):
    """Half a surrogate pair and an endless number: no Python value that could be written out again."""
    with pytest.raises(BadRequest):
        JsonBody(raw).get("a")


def test_a_refusal_shows_nothing_of_the_body():
    with pytest.raises(BadRequest) as caught:
        JsonBody(b'{"secret": 1, "secret": 2}')
    assert "secret" not in str(caught.value)


# ---- bounds ----


@pytest.mark.parametrize("count", [MAX_KEYS, MAX_KEYS + 1])
def test_so_many_fields_and_no_more(count):
    raw = b"{%b}" % b",".join(b'"%d":0' % number for number in range(count))
    if count <= MAX_KEYS:
        assert len(JsonBody(raw).keys()) == count
        return
    with pytest.raises(BadRequest, match="more than 500 fields"):
        JsonBody(raw)


def test_too_many_fields_are_refused_before_they_are_kept():
    """What comes after the first field too many is not even read: it is no JSON here."""
    raw = b"{%b, not JSON" % b",".join(b'"%d":0' % number for number in range(MAX_KEYS + 1))
    with pytest.raises(BadRequest, match="more than 500 fields"):
        JsonBody(raw)


def test_fields_further_down_are_not_counted():
    raw = b'{"logit_bias":{%b}}' % b",".join(b'"%d":0' % number for number in range(2 * MAX_KEYS))
    assert len(JsonBody(raw).get("logit_bias")) == 2 * MAX_KEYS


@pytest.mark.parametrize("letter", ["a", "é", '\\"', "\\u00e9"])
def test_a_name_may_be_so_long_and_no_longer(letter):
    size = len(json.loads(f'"{letter}"').encode())
    fits = letter * (MAX_KEY // size)
    assert JsonBody(f'{{"{fits}": 1}}'.encode()).keys() == [json.loads(f'"{fits}"')]
    for longer in (fits + letter, letter * 1_000_000):
        with pytest.raises(BadRequest, match="longer than 256 bytes"):
            JsonBody(f'{{"{longer}": 1}}'.encode())


@given(written())
def test_the_kind_of_a_value_is_that_of_the_decoded_one(body):
    read = JsonBody(body.raw())
    kinds = {dict: "object", list: "list", str: "string", bool: "bool", type(None): "null", int: "number"}
    assert {name: read.kind(name) for name in body.said} == {
        name: kinds.get(type(value), "number") for name, value in body.said.items()
    }


def test_what_is_absent_has_no_kind():
    assert JsonBody(b"{}").kind("model") is None
