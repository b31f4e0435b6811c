"""What secrets hold, asked of moto's Secrets Manager, and of one that refuses, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from lib.net.secrets_manager import EMPTY, MISSING, SET, Answer, Asked, fetch, look
from tests.servers import Moto, Refusing, refusal
from tests.servers.moto import REGION
from tests.upstream.aws_environment import isolated_aws
from tests.upstream.ports import Ports

DENIED = refusal("AccessDeniedException")
THROTTLED = refusal("ThrottlingException")
PATIENCE = 5  # seconds, of which boto3 may take one to be loaded on a busy machine
_numbers = count()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with isolated_aws(monkeypatch):
        yield


@pytest.fixture
def prefix() -> str:
    return f"test/asked{next(_numbers)}.example.org/"


def asked(url: str, *names: str, seconds: float = 20.0) -> Asked:
    return Asked(names, REGION, url, seconds)


def value(name: str) -> dict[str, Any]:
    return {"Name": name, "SecretString": f"value of {name}"}


# ---- moto ----


def test_values_are_what_was_put_there(moto: Moto, prefix: str) -> None:
    odd = ' two words, "quotes", ünd\nlines '
    moto.create(prefix + "odd", odd)
    moto.create(prefix + "line", "value\n")
    moto.create(prefix + "lines", "value\n\n")
    names = [prefix + name for name in ("odd", "line", "lines")]
    assert fetch(asked(moto.url, *names)).values == dict(zip(names, [odd, "value", "value\n"], strict=True))


def test_more_than_one_call_takes(moto: Moto, prefix: str) -> None:
    names = [f"{prefix}{number}" for number in range(23)]
    for name in names:
        moto.create(name, name)
    assert fetch(asked(moto.url, *names)) == Answer({name: name for name in names})


def test_missing_and_empty_ones_are_told_apart(moto: Moto, prefix: str) -> None:
    moto.create(prefix + "there", "value")
    moto.create(prefix + "without")
    moto.create(prefix + "blank", " \n")
    names = [prefix + name for name in ("there", "without", "blank", "absent")]
    answer = fetch(asked(moto.url, *names))
    assert answer.values == {names[0]: "value"}
    assert answer.reasons == {names[1]: EMPTY, names[2]: EMPTY, names[3]: MISSING}


def test_a_binary_one_is_refused(moto: Moto, prefix: str) -> None:
    moto.ask("CreateSecret", Name=prefix + "a", SecretBinary="AAEC")
    assert "binary" in fetch(asked(moto.url, prefix + "a")).reasons[prefix + "a"]


def test_a_deleted_one_is_refused(moto: Moto, prefix: str) -> None:
    moto.create(prefix + "a", "value")
    moto.ask("DeleteSecret", SecretId=prefix + "a")
    assert "deletion" in fetch(asked(moto.url, prefix + "a")).reasons[prefix + "a"]
    assert "deletion" in look(asked(moto.url, prefix + "a")).reasons[prefix + "a"]


def test_a_look_asks_for_no_value(moto: Moto, prefix: str) -> None:
    moto.create(prefix + "there", "value")
    moto.create(prefix + "without")
    names = [prefix + name for name in ("there", "without", "absent")]
    answer = look(asked(moto.url, *names))
    assert answer == Answer(reasons=dict(zip(names, [SET, EMPTY, MISSING], strict=True)))


# ---- refusals ----


def test_twenty_take_one_call() -> None:
    names = [f"n{number}" for number in range(20)]
    with Refusing(lambda _, fields: (200, {"SecretValues": [value(name) for name in fields["SecretIdList"]]})) as there:
        assert set(fetch(asked(there.url, *names)).values) == set(names)
        assert there.operations == ["BatchGetSecretValue"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownOperationException", "ValidationException"])
def test_where_a_batch_is_refused_they_are_asked_for_one_by_one(code: str) -> None:
    def answer(operation: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return refusal(code) if operation == "BatchGetSecretValue" else (200, value(fields["SecretId"]))

    with Refusing(answer) as there:
        found = fetch(asked(there.url, "a", "b"))
        assert found == Answer({"a": "value of a", "b": "value of b"})
        assert sorted(there.operations) == ["BatchGetSecretValue", "GetSecretValue", "GetSecretValue"]


def test_denied_ones_are_named() -> None:
    errors = [{"SecretId": "b", "ErrorCode": "AccessDeniedException", "Message": "x"}]
    with Refusing(lambda *_: (200, {"SecretValues": [value("a")], "Errors": errors})) as there:
        assert fetch(asked(there.url, "a", "b")) == Answer({"a": "value of a"}, {"b": "access is denied"})


def test_when_everything_is_denied_each_is_named() -> None:
    with Refusing(lambda *_: DENIED) as there:
        assert set(fetch(asked(there.url, "a", "b")).reasons.values()) == {"access is denied"}


@pytest.mark.parametrize("first", [THROTTLED, refusal("InternalServiceError", 500), refusal("x", 503)])
def test_what_may_pass_is_asked_again(first: tuple[int, dict[str, Any]]) -> None:
    replies = [first, first, (200, {"SecretValues": [value("a")]})]
    with Refusing(lambda *_: replies.pop(0)) as there:
        assert fetch(asked(there.url, "a")).values == {"a": "value of a"}
    assert replies == []


def test_one_that_was_throttled_among_others_is_asked_for_again() -> None:
    def answer(operation: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation == "GetSecretValue":
            return 200, value(fields["SecretId"])
        return 200, {"SecretValues": [value("a")], "Errors": [{"SecretId": "b", "ErrorCode": "ThrottlingException"}]}

    with Refusing(answer) as there:
        assert set(fetch(asked(there.url, "a", "b")).values) == {"a", "b"}


def test_it_is_not_asked_for_ever() -> None:
    with Refusing(lambda *_: THROTTLED) as there:
        answer = fetch(asked(there.url, "a", seconds=PATIENCE))
        assert answer.trouble == f"no answer within {PATIENCE} seconds (ThrottlingException)"
        assert len(there.operations) > 1


def test_one_by_one_is_not_asked_for_ever_either() -> None:
    with Refusing(lambda operation, _: DENIED if operation == "BatchGetSecretValue" else THROTTLED) as there:
        assert fetch(asked(there.url, "a", "b", seconds=PATIENCE)).reasons == {
            "a": "ThrottlingException",
            "b": "ThrottlingException",
        }


# ---- AWS out of reach ----


def test_nobody_answers() -> None:
    ports = Ports()
    answer = fetch(asked(ports.refusing(), "a", seconds=1.0))
    ports.close()
    assert answer.trouble == "no answer within 1 seconds (EndpointConnectionError)"


@pytest.mark.parametrize(
    ("code", "words"),
    [("UnrecognizedClientException", "does not accept"), ("ExpiredTokenException", "expired")],
)
def test_bad_credentials_are_said_once(code: str, words: str) -> None:
    with Refusing(lambda *_: refusal(code)) as there:
        answer = fetch(asked(there.url, "a", "b"))
    assert words in (answer.trouble or "")
    assert answer.reasons == {}
    assert there.operations == ["BatchGetSecretValue"]


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert fetch(asked("http://127.0.0.1:9", "a")).trouble == "no AWS credentials were found"


def test_no_region() -> None:
    assert fetch(Asked(["a"])).trouble == "no region is known; set AWS_REGION"


def test_a_bad_endpoint() -> None:
    assert fetch(asked("not an address", "a")).trouble == "its endpoint is no address"
