"""Managed keys over HTTP: who manages them, what they open, and that bad input is refused by name and shown nowhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from src import create_app
from tests.src.conftest import BEARER, openai_error, settings

HELLO = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
KEY = re.compile(r"aip-[A-Za-z0-9_-]{43}")


@pytest.fixture
def admin() -> FlaskClient:
    """Calls with the main key, of an application with a database of its own."""
    client = create_app(settings()).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = BEARER["Authorization"]
    return client


def made(admin: FlaskClient, **fields: Any) -> dict[str, Any]:
    """A new key with these fields, as the answer has it."""
    answer = admin.post("/admin/keys", json={"name": "shop", **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def call(admin: FlaskClient, key: str, body: Any = HELLO, **environ: str) -> Any:
    """A chat completion with a managed key."""
    raw = {"HTTP_AUTHORIZATION": f"Bearer {key}", **environ}
    return admin.post("/v1/chat/completions", json=body, environ_overrides=raw)


# ---- a life ----


def test_a_key_is_shown_once_and_works(admin: FlaskClient) -> None:
    answer = admin.post("/admin/keys", json={"name": "shop", "rpm": 60})
    body = answer.get_json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert KEY.fullmatch(body["key"])
    assert (body["name"], body["state"], body["rpm"]) == ("shop", "active", 60)
    assert call(admin, body["key"]).status_code == 200
    for url in ("/admin/keys", "/admin/keys/shop"):
        shown = admin.get(url)
        assert shown.status_code == 200
        assert not KEY.search(shown.text)
        assert "hash" not in shown.text


def test_keys_are_listed(admin: FlaskClient) -> None:
    assert admin.get("/admin/keys").get_json() == {"data": []}
    for name in ("b", "team/a"):
        made(admin, name=name)
    assert [key["name"] for key in admin.get("/admin/keys").get_json()["data"]] == ["b", "team/a"]
    assert admin.get("/admin/keys/team/a").get_json()["name"] == "team/a"


def test_a_rotation_gives_another_key_and_keeps_the_old_one(admin: FlaskClient) -> None:
    old = made(admin)["key"]
    new = admin.post("/admin/keys/shop/rotate", json={"overlap": "1h"}).get_json()
    assert new["previous_until"] is not None
    assert [call(admin, key).status_code for key in (old, new["key"])] == [200, 200]
    newest = admin.post("/admin/keys/shop/rotate").get_json()
    assert len({old, new["key"], newest["key"]}) == 3


def test_a_name_with_slashes_can_be_rotated_and_revoked(admin: FlaskClient) -> None:
    made(admin, name="team/shop/rotate")
    assert admin.post("/admin/keys/team/shop/rotate/rotate", json={}).status_code == 200
    assert admin.delete("/admin/keys/team/shop/rotate").get_json()["state"] == "revoked"


def test_a_revoked_key_is_like_one_that_never_was(admin: FlaskClient) -> None:
    key = made(admin)["key"]
    assert admin.delete("/admin/keys/shop").get_json()["state"] == "revoked"
    revoked, unknown, no_key = (call(admin, shown) for shown in (key, "aip-" + "a" * 43, "nonsense"))
    assert {answer.status_code for answer in (revoked, unknown, no_key)} == {401}
    assert len({answer.data for answer in (revoked, unknown, no_key)}) == 1
    assert admin.delete("/admin/keys/shop").status_code == 200
    assert made(admin)["state"] == "active"


def test_what_a_key_may_not_do(admin: FlaskClient) -> None:
    key = made(admin, scopes=["anthropic"], allow_ips=["10.0.0.0/8"])["key"]
    assert call(admin, key, REMOTE_ADDR="10.0.0.7").status_code == 403
    assert call(admin, key, REMOTE_ADDR="127.0.0.1").status_code == 401


# ---- who may ----

REQUESTS = [
    ("GET", "/admin/keys"),
    ("POST", "/admin/keys"),
    ("GET", "/admin/keys/shop"),
    ("DELETE", "/admin/keys/shop"),
    ("POST", "/admin/keys/shop/rotate"),
]


@pytest.mark.parametrize(("method", "url"), REQUESTS)
def test_only_an_admin_manages_keys(admin: FlaskClient, method: str, url: str) -> None:
    key = made(admin)["key"]
    raw = {"HTTP_AUTHORIZATION": key}
    answer = admin.open(url, method=method, json={"name": "other"}, environ_overrides=raw)
    assert (answer.status_code, openai_error(answer)["code"]) == (403, "permission_denied")
    assert [held["state"] for held in admin.get("/admin/keys").get_json()["data"]] == ["active"]


def test_a_managed_key_may_be_an_admin(admin: FlaskClient) -> None:
    key = made(admin, name="boss", scopes=["admin"])["key"]
    raw = {"HTTP_AUTHORIZATION": key}
    assert admin.post("/admin/keys", json={"name": "other"}, environ_overrides=raw).status_code == 200
    assert call(admin, key).status_code == 403


# ---- bad input ----

BAD = [
    ("name", "zq\x00zq"),
    ("name", "zq'; DROP TABLE keys; --"),
    ("name", "zq" * 5000),
    ("name", None),
    ("name", 7),
    ("name", "main"),
    ("budgets", ["-5/month"]),
    ("budgets", ["NaN/day"]),
    ("budgets", ["1e999/day"]),
    ("budgets", ["9999999999999/total"]),
    ("budgets", ["5/fortnight"]),
    ("budgets", ["1/day", "2/day"]),
    ("budgets", "50/month"),
    ("rpm", -1),
    ("rpm", 0),
    ("rpm", 1.5),
    ("rpm", 10**30),
    ("rpm", True),
    ("tpm", "zq"),
    ("scopes", ["zqscope"]),
    ("scopes", []),
    ("models", ["zq\nzq"]),
    ("models", [7]),
    ("allow_ips", ["10.0.0.0/99"]),
    ("allow_ips", ["zq$(reboot)"]),
    ("expires", "2020-01-01"),
    ("expires", "9999-12-31"),
    ("expires", "zq-tomorrow"),
    ("expires", 1_900_000_000),
    ("tags", {"zq zq": "x"}),
    ("tags", {"a": {"b": {}}}),
    ("tags", ["a=b"]),
    ("zqcolour", "red"),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda value: str(value)[:20])
def test_bad_input_is_refused_by_name_and_shown_nowhere(admin: FlaskClient, field: str, value: Any) -> None:
    answer = admin.post("/admin/keys", json={"name": "shop", field: value})
    error = openai_error(answer)
    assert (answer.status_code, error["param"]) == (400, field)
    assert "zq" not in error["message"]
    assert admin.get("/admin/keys").get_json() == {"data": []}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "-1e400"])
def test_numbers_that_json_does_not_have(admin: FlaskClient, value: str) -> None:
    answer = admin.post("/admin/keys", data=f'{{"name": "shop", "rpm": {value}}}', content_type="application/json")
    assert answer.status_code == 400
    assert admin.get("/admin/keys").get_json() == {"data": []}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b"{", b'{"name": "a", "name": "b"}',
     b"[" * 100_000, b'{"name": "\xff"}', b'{"name": "\\ud800"}']
)  # fmt: skip
def test_what_is_no_object(admin: FlaskClient, body: bytes) -> None:
    assert admin.post("/admin/keys", data=body, content_type="application/json").status_code == 400


def test_only_json(admin: FlaskClient) -> None:
    for path in ("/admin/keys", "/admin/keys/shop/rotate"):
        assert admin.post(path, data=json.dumps({"name": "a"}), content_type="text/plain").status_code == 415


@pytest.mark.parametrize("overlap", ["31d", "-1h", "zq", 24, None, [], True, "9" * 100 + "d"])
def test_a_bad_overlap(admin: FlaskClient, overlap: Any) -> None:
    made(admin)
    answer = admin.post("/admin/keys/shop/rotate", json={"overlap": overlap})
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "overlap")
    assert "zq" not in answer.text
    other = admin.post("/admin/keys/shop/rotate", json={"zqcolour": 1})
    assert (other.status_code, openai_error(other)["param"]) == (400, "zqcolour")
    assert admin.get("/admin/keys/shop").get_json()["previous_until"] is None


@pytest.mark.parametrize(
    "name", ["nobody", "%27%3B--", "%00", "..%2F..", "%F0%9F%92%A3", "a" * 3000, "-x", "%22%24(id)"]
)
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/rotate")])
def test_there_is_no_such_key(admin: FlaskClient, method: str, tail: str, name: str) -> None:
    made(admin)
    answer = admin.open(f"/admin/keys/{name}{tail}", method=method)
    assert (answer.status_code, openai_error(answer)["message"]) == (404, "There is no key of this name.")
    assert admin.get("/admin/keys/shop").get_json()["state"] == "active"


@pytest.mark.parametrize(
    "shown",
    ["aip-", "aip-" + "a" * 42, "aip-" + "a" * 44, "aip-" + "ü" * 43, "aip-' OR 1=1 --",
     "x" * 1_000_000, "a.b.c", "\x00"],
    ids=lambda shown: shown[:10],
)  # fmt: skip
def test_a_credential_of_no_form_is_a_401(admin: FlaskClient, shown: str) -> None:
    answer = call(admin, shown)
    assert (answer.status_code, openai_error(answer)["message"]) == (401, "A valid API key is required.")


def test_who_guesses_is_slowed(admin: FlaskClient) -> None:
    answers = [call(admin, f"guess {number}") for number in range(40)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert openai_error(answers[-1])["code"] == "rate_limit_exceeded"
    assert admin.get("/admin/keys").status_code == 200
    assert admin.get("/admin/keys", environ_overrides={"HTTP_AUTHORIZATION": ""}).status_code == 401


def test_a_database_that_is_down_is_no_wrong_key() -> None:
    client = create_app(settings(DATABASE_URL="sqlite:////dev/null/x.db")).test_client()
    assert call(client, "aip-" + "a" * 43).status_code == 503
    assert call(client, "nonsense").status_code == 401
    assert client.get("/v1/models", headers=BEARER).status_code == 200
    assert client.get("/admin/keys", headers=BEARER).status_code == 503
