"""No secret comes out, whatever it went in as; what is no secret comes out unharmed."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import msgspec
import pytest

from lib.telemetry.redaction import MASK, MAX_TEXT, READ_TEXT, Redactor

HELD = "correct-horse/battery+staple"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key sk-abc123def456 is wrong", "key [redacted] is wrong"),
        ("sk-ant-api03-Zm9v_YmFy-AA", "[redacted]"),
        ("Incorrect API key provided: sk-abcd****************wxyz.", "Incorrect API key provided: [redacted]."),
        ('{"k": "a\\nsk-abc123def456"}', '{"k": "a\\n[redacted]"}'),
        ("Bearer abcdefgh.ijk", "Bearer [redacted]"),
        ("bearer\tabc!def?ghi", "bearer\t[redacted]"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
        (f"managed key aip-{'aB_-' * 10}abc is wrong", "managed key [redacted] is wrong"),
        ("a key for the run: aip-run-0123456789abcdef0123456789abcdef", "a key for the run: [redacted]"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id [redacted]."),
        ("ASIAIOSFODNN7EXAMPLE", "[redacted]"),
        ("xoxb-123456789012-abcdef", "[redacted]"),
        ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "[redacted]"),
        ("gsk_abcdefghijklmnop1234", "[redacted]"),
        (f"token {JWT}, and more", "token [redacted], and more"),
        ("GET /v1/x?key=abc&n=1", "GET /v1/x?key=[redacted]&n=1"),
        ("GET /v1/x?n=1&api_key=abc", "GET /v1/x?n=1&api_key=[redacted]"),
        ('{"authorization": "raw value"}', '{"authorization": "[redacted]"}'),
        ('{"x-api-key":"a\\"b"}', '{"x-api-key":"[redacted]"}'),
        ('"{\\"x-api-key\\": \\"abc\\"}"', '"{\\"x-api-key\\": \\"[redacted]\\"}"'),
        ("{'Authorization': 'abc'}", "{'Authorization': '[redacted]'}"),
        ("{b'authorization': b'abc'}", "{b'authorization': b'[redacted]'}"),
        ("[('x-api-key', 'abc'), ('a', 'b')]", "[('x-api-key', '[redacted]'), ('a', 'b')]"),
        ('[["x-api-key","abc"]]', '[["x-api-key","[redacted]"]]'),
        ("Authorization: Token abcdef\r\nHost: x", "Authorization: [redacted]\r\nHost: x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("OPENAI_API_KEY=abcdef", "OPENAI_API_KEY=[redacted]"),
        ("password='abc' user='me'", "password='[redacted]' user='me'"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out(text: str, expected: str):
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/v1/chat/completions",
        "risk-assessment-of-everything",
        "gpt-4o-mini-2024-07-18",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "max_tokens must be at most 4096",
        '{"code":"invalid_api_key","param":null}',
        "keyboard=qwerty&monkey=1",
        "2026-11-21T08:26:00.123Z",
        "0123456789abcdef0123456789abcdef",
        "the bearer of this",
    ],
)
def test_what_does_not_is_left_alone(text: str):
    assert Redactor([HELD]).text(text) == text


SPELLINGS = {
    "as it is": lambda text: text,
    "as JSON": json.dumps,
    "as JSON in JSON": lambda text: json.dumps(json.dumps({"x": text})),
    "as msgspec writes it": lambda text: msgspec.json.encode([text]).decode(),
    "as repr": repr,
    "as repr of bytes": lambda text: repr(text.encode()),
    "in a URL": lambda text: quote(text, safe=""),
    "in base64": lambda text: b64encode(text.encode()).decode(),
    "in URL-safe base64": lambda text: urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", [HELD, 'quo"te\\back', "apo'strophe", "schlüssel-ß€😀", "new\nline-key"])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "'", '"'])
def test_a_held_secret_is_found_however_it_is_spelled(secret: str, spelling: str, before: str):
    clean = Redactor([secret]).text(SPELLINGS[spelling](before + secret + "after"))
    assert MASK in clean
    for spell in SPELLINGS.values():
        assert spell(secret).strip("\"'[]b=")[:-2] not in clean


def test_a_scheme_with_an_unusual_key_leaves_no_rest():
    assert Redactor(["abcdefgh'ijklmno"]).text("Bearer abcdefgh'ijklmno") == "Bearer [redacted]"


def test_secrets_of_a_few_characters_are_not_looked_for():
    redactor = Redactor()
    assert redactor.add(["abcde", " ", "abcdef"]) == 1
    assert redactor.text("abcde abcdef") == "abcde [redacted]"


def test_a_secret_may_be_added_later():
    redactor = Redactor()
    assert redactor.fields({"a": HELD, HELD: 1}) == {"a": HELD, HELD: 1}
    redactor.add([HELD])
    assert redactor.fields({"a": HELD, HELD: 1}) == {"a": MASK, MASK: 1}


def test_the_one_added_first_stays_known():
    redactor = Redactor([HELD])
    redactor.add(["another-secret"])
    assert redactor.text(f"{HELD} another-secret") == "[redacted] [redacted]"


def test_fields_are_cleaned_at_every_depth():
    fields = {
        "headers": {"Authorization": "abc", "X-Api-Key": 1, "accept": "*/*", "cookie": None},
        "pairs": [("a", HELD), {HELD: [HELD]}],
        "list": [("x-api-key", "abc"), (b"authorization", b"abc"), ("a", "b"), ["cookie", "a", "b"]],
        "raw": f"x{HELD}".encode(),
        "error": ValueError(HELD),
        "deep": {"1": {"2": {"3": {"4": {"5": {"6": HELD}}}}}},
        "OPENAI_API_KEY": "abc",
    }
    assert Redactor([HELD]).fields(fields) == {
        "headers": {"Authorization": MASK, "X-Api-Key": MASK, "accept": "*/*", "cookie": None},
        "pairs": [["a", MASK], {MASK: [MASK]}],
        "list": [["x-api-key", MASK], ["authorization", MASK], ["a", "b"], ["cookie", "a", "b"]],
        "raw": f"x{MASK}",
        "error": f"ValueError('{MASK}')",
        "deep": {"1": {"2": {"3": {"4": {"5": f"{{'6': '{MASK}'}}"}}}}},
        "OPENAI_API_KEY": MASK,
    }


def test_what_is_no_secret_keeps_its_type():
    fields = {"a": 1, "b": 1.5, "c": True, "d": None, "e": [1, "x"], "f": Decimal("0.10")}
    fields["g"] = datetime(2026, 1, 2, tzinfo=UTC)
    assert Redactor([HELD]).fields(fields) == {**fields, "f": "0.10", "g": "2026-01-02 00:00:00+00:00"}


def test_a_secret_made_of_digits_is_found_in_numbers():
    assert Redactor(["12345678"]).fields({"a": 9123456780, "b": 1, "c": [12345678]}) == {
        "a": "9[redacted]0",
        "b": 1,
        "c": [MASK],
    }


def test_a_field_that_contains_itself_ends():
    endless: dict[str, object] = {"secret": HELD}
    endless["self"] = endless
    assert HELD not in json.dumps(Redactor([HELD]).fields({"endless": endless}))


def test_an_object_that_cannot_be_shown_does_no_harm():
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    shown = Redactor().fields({"it": Broken()})["it"]
    assert shown.startswith("<Broken instance at")


def test_long_text_is_cut_after_it_is_cleaned():
    clean = Redactor([HELD]).text("x" * (MAX_TEXT - 5) + HELD)
    assert clean == "x" * (MAX_TEXT - 5) + MASK[:5] + "[cut]"


def test_a_secret_at_the_end_of_what_is_read_does_not_show():
    clean = Redactor([HELD]).text(f"{HELD} " * (READ_TEXT // len(HELD)))
    assert clean.endswith("[cut]")
    assert "correct" not in clean
