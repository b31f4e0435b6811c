"""One call in, one reply out: whole answers, their headers, what was counted, and that every call is settled."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lib.base.errors import ClientGone, UnknownModel, VendorProtocolError
from lib.wire import Path, Shape, path_of
from tests.lib.gateway.door import CHAT, Door, leave_soon
from tests.upstream import Answer, Behaviour, Upstream, deliver

MESSAGE, COUNT, EMBEDDING = (path_of(shape) for shape in (Shape.MESSAGE, Shape.TOKEN_COUNT, Shape.EMBEDDING))


def answering(body: bytes, content_type: str = "application/json") -> Behaviour:
    return Behaviour("answering", lambda call: deliver(Answer((body,), content_type)))


@pytest.mark.parametrize(
    ("model", "path"), [("openai/m", CHAT), ("anthropic/m", MESSAGE), ("anthropic/m", COUNT), ("openai/m", EMBEDDING)]
)
def test_an_answer_comes_down_as_it_came(door: Door, upstream: Upstream, model: str, path: Path) -> None:
    call = door.call(model, path, input="i")
    reply = door.ask(call)
    assert (reply.status, reply.body) == (200, bytes(upstream.calls[0].payload))
    assert (call.record.model_asked, call.record.model_served) == (model, "m")
    assert call.record.first_byte is not None


def test_its_numbers_and_its_order_are_the_vendors_own(door: Door, upstream: Upstream) -> None:
    body = b'{ "choices":[], "x":1.0,"y":1e2, "z" : 12345678901234567890,"\\u00e9":"\\/" }\n'
    upstream.plan(answering(body))
    assert door.ask(door.call()).body == body


@pytest.mark.parametrize(("model", "path"), [("anthropic/m", CHAT), ("openai/m", MESSAGE)])
def test_or_it_is_translated(door: Door, upstream: Upstream, model: str, path: Path) -> None:
    status, answer = door.whole(model, path)
    assert (status, "Zwölf gulls" in str(answer)) == (200, True)
    assert ("choices" in answer) is (path is CHAT)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"choices":"x","content":"x"}',
        b'{"choices":[],"content":"\xff"}',
        b'{"choices":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize(("model", "path"), [("anthropic/m", CHAT), ("openai/m", MESSAGE)])
def test_what_cannot_be_translated_back_is_the_vendors_fault(
    door: Door, upstream: Upstream, model: str, path: Path, body: bytes
) -> None:
    door.open("[defaults]\nattempts = 1\n")
    upstream.plan(answering(body))
    call = door.call(model, path)
    assert isinstance(door.failure(call), VendorProtocolError)
    assert (call.record.status, call.record.settled) == (502, True)


@pytest.mark.parametrize(("model", "path"), [("openai/m", CHAT), ("anthropic/m", MESSAGE)])
def test_headers_of_the_answer_are_chosen(door: Door, upstream: Upstream, model: str, path: Path) -> None:
    sent = dict(door.ask(door.call(model, path)).headers)
    assert sent["content-type"] == "application/json"
    assert {"set-cookie", "server", "openai-organization", "content-length"}.isdisjoint(sent)
    assert "x-request-id" not in sent


def test_a_translated_answer_has_a_type_of_its_own(door: Door, upstream: Upstream) -> None:
    body = msgspec.json.encode({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {}})
    upstream.plan(answering(body, "application/vnd.acme+json"))
    reply = door.ask(door.call("openai/m", MESSAGE))
    assert [value for name, value in reply.headers if name == "content-type"] == ["application/json"]


def test_a_stream_says_that_nobody_should_keep_it(door: Door, upstream: Upstream) -> None:
    reply = door.ask(door.call(stream=True))
    headers = dict(reply.headers)
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert headers["content-type"].startswith("text/event-stream")
    reply.body.close()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("behaviour", "model", "used"),
    [
        ("ok", "openai/m", {"input": 21, "output": 5, "cache_read": 0, "cache_write": 0}),
        ("cached", "openai/m", {"input": 85, "output": 37, "cache_read": 1024, "cache_write": 0}),
        ("cached", "anthropic/m", {"input": 21, "output": 37, "cache_read": 1024, "cache_write": 64}),
        ("nousage", "openai/m", {}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_was_used_is_counted(
    door: Door, upstream: Upstream, behaviour: str, model: str, used: dict[str, int], stream: bool
) -> None:
    upstream.plan(behaviour)
    if stream:
        door.stream(model)
    else:
        door.whole(model)
    assert door.tally.used == used


def test_an_unknown_model_is_settled_too(door: Door, upstream: Upstream) -> None:
    call = door.call("unheard-of")
    assert isinstance(door.failure(call), UnknownModel)
    assert (call.record.status, call.record.settled, call.record.attempts) == (404, True, 0)
    assert upstream.calls == []


def test_a_caller_who_left_is_settled_too(door: Door, upstream: Upstream) -> None:
    upstream.plan("silent")
    call = door.call()
    leave_soon(call)
    assert isinstance(door.failure(call), ClientGone)
    assert (call.record.status, call.record.gone, call.record.settled) == (499, True, True)


@pytest.mark.parametrize("stream", [False, True])
def test_so_is_what_nobody_foresaw(
    door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    def fail(*_: Any) -> Any:
        raise LookupError("unforeseen")

    upstream.plan("silent")
    monkeypatch.setattr("lib.gateway.opening.Opening.step", fail)
    call = door.call(stream=stream)
    with pytest.raises(LookupError):
        door.ask(call)
    assert call.record.settled
    upstream.forget()


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500])
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
def test_a_key_that_a_vendor_quotes_is_not_shown(door: Door, upstream: Upstream, status: int, model: str) -> None:
    door.open("[defaults]\nattempts = 1\n")
    upstream.plan(f"leak-{status}")
    error = door.failure(door.call(model))
    assert "sk-" not in error.message
    assert "sk-" in upstream.calls[0].payload.decode()
