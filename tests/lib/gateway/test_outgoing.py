"""The very bytes that a vendor gets: the caller's own, with nothing changed but what must be."""

from __future__ import annotations

from typing import Any

import pytest

from lib.base.errors import BadRequest, Untranslatable
from lib.wire import Path, Shape, path_of
from tests.lib.gateway.door import CHAT, Door
from tests.upstream import Upstream

MESSAGE, EMBEDDING, COMPLETION, RESPONSE = (
    path_of(shape) for shape in (Shape.MESSAGE, Shape.EMBEDDING, Shape.COMPLETION, Shape.RESPONSE)
)
ODD = (
    b'{ "messages" : [{"role":"user","content":"\\u00fc\\/ \\ud83d\\ude00 \xc3\xbc"}],\n\t"temperature":1.0,'
    b'"top_p":1e-1,"seed":12345678901234567890,"unknown":{"b":1,"a":[1e2,-0.0,null]} , "model":%b }'
)


def sent(door: Door, upstream: Upstream, raw: bytes, path: Path = CHAT) -> bytes:
    """What arrives of a body."""
    call = door.call(path=path, raw=raw)
    if b'"stream":true' in raw:
        door.blocks(call)
    else:
        door.ask(call)
    return upstream.calls[-1].body


def test_a_body_with_the_vendors_own_name_is_not_touched(door: Door, upstream: Upstream) -> None:
    door.open('[providers.bare]\nkey = ""\n[models.m]\ntargets = ["openai/m"]\n')
    assert sent(door, upstream, ODD % b'"m"') == ODD % b'"m"'


@pytest.mark.parametrize("name", [b'"openai/ft:m"', b'"open\\u0061i/ft:m"', b'"openai\\/ft:m"'])
def test_only_the_name_is_replaced(door: Door, upstream: Upstream, name: bytes) -> None:
    assert sent(door, upstream, ODD % name) == ODD % b'"ft:m"'


def test_a_default_is_added_at_the_end(door: Door, upstream: Upstream) -> None:
    door.open('[defaults]\nmodel = "openai/m"\n')
    assert sent(door, upstream, b'{"messages": [] }') == b'{"messages": [] ,"model":"m"}'
    assert sent(door, upstream, b'{"model":null,"messages":[]}') == b'{"model":"m","messages":[]}'


@pytest.mark.parametrize("given", [b"", b'"model":null,'])
def test_a_default_that_is_the_vendors_own_name_is_written_too(door: Door, upstream: Upstream, given: bytes) -> None:
    row = f'[providers.acme]\nbase_url = "{upstream.openai_url}"\nkey = ""\nprefixes = ["m"]\n'
    door.open(f'[defaults]\nmodel = "m"\n{row}')
    sent(door, upstream, b'{%b"messages":[]}' % given)
    assert upstream.calls[-1].model == "m"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"", b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":null', b',"stream_options":{"include_usage":true}'),
        (b',"stream_options":{}', b',"stream_options":{"include_usage":true}'),
        (
            b',"stream_options":{"include_usage": false, "include_obfuscation":false}',
            b',"stream_options":{"include_usage":true,"include_obfuscation":false}',
        ),
        (b',"stream_options": {"include_usage" : true}', b',"stream_options": {"include_usage" : true}'),
    ],
)
@pytest.mark.parametrize("path", [CHAT, COMPLETION], ids=["chat", "completion"])
def test_usage_is_asked_for_in_streams(
    door: Door, upstream: Upstream, given: bytes, expected: bytes, path: Path
) -> None:
    raw = b'{"model":"openai/m","messages":[],"prompt":"","stream":true%b}'
    assert sent(door, upstream, raw % given, path) == raw.replace(b"openai/", b"") % expected


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"model":"openai/m","messages":[]}', CHAT),
        (b'{"model":"openai/m","input":"x","stream":true}', RESPONSE),
        (b'{"model":"anthropic/m","max_tokens":9,"messages":[],"stream":true}', MESSAGE),
        (b'{"model":"openai/m","input":"x"}', EMBEDDING),
    ],
    ids=["whole", "response", "message", "embedding"],
)
def test_nothing_is_asked_for_where_usage_comes_anyway(door: Door, upstream: Upstream, raw: bytes, path: Path) -> None:
    assert sent(door, upstream, raw, path) == raw.replace(b"openai/", b"").replace(b"anthropic/", b"")


def test_a_vendor_that_refuses_the_question_is_not_asked(door: Door, upstream: Upstream) -> None:
    door.open(f'[providers.shy]\nbase_url = "{upstream.openai_url}"\nkey = ""\nusage_in_streams = false\n')
    raw = b'{"model":"shy/m","messages":[],"stream":true}'
    assert sent(door, upstream, raw) == raw.replace(b"shy/", b"")


def test_a_name_twice_is_refused(door: Door, upstream: Upstream) -> None:
    with pytest.raises(BadRequest):
        door.call(raw=b'{"model":"openai/a","messages":[],"model":"openai/b"}')
    assert upstream.calls == []


# ---- to a vendor of the other dialect ----


def headers(upstream: Upstream) -> dict[str, str]:
    return {name.lower(): value for name, value in upstream.calls[-1].headers}


def test_a_chat_for_anthropic_is_translated_and_leaves_openais_headers_behind(door: Door, upstream: Upstream) -> None:
    call = door.call("anthropic/m", temperature=0.5)
    call.headers = [("openai-beta", "x"), ("anthropic-beta", "y"), ("traceparent", "00-1")]
    door.ask(call)
    assert upstream.calls[-1].path == "/v1/messages"
    assert upstream.calls[-1].json["temperature"] == 0.5
    assert {"openai-beta", "anthropic-beta"}.isdisjoint(headers(upstream))
    assert headers(upstream)["traceparent"] == "00-1"
    assert headers(upstream)["anthropic-version"] == "2023-06-01"


def test_a_message_for_openai_asks_for_usage_when_streamed(door: Door, upstream: Upstream) -> None:
    door.stream("openai/m", MESSAGE)
    assert upstream.calls[-1].path == "/v1/chat/completions"
    assert upstream.calls[-1].json["stream_options"] == {"include_usage": True}
    door.whole("openai/m", MESSAGE)
    assert "stream_options" not in upstream.calls[-1].json


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_tokens_has_the_name_that_the_vendor_knows(door: Door, upstream: Upstream, limit: str) -> None:
    door.open(f'[providers.acme]\nbase_url = "{upstream.openai_url}"\nkey = ""\ntoken_limit = "{limit}"\n')
    door.whole("acme/m", MESSAGE)
    assert {key: value for key, value in upstream.calls[-1].json.items() if "tokens" in key} == {limit: 9}


def test_what_cannot_be_translated_names_the_field(door: Door, upstream: Upstream) -> None:
    error = door.failure(door.call("anthropic/m", logprobs=True))
    assert isinstance(error, Untranslatable)
    assert (error.status, error.param) == (400, "logprobs")
    assert upstream.calls == []


def test_a_place_that_can_express_it_is_asked_instead(door: Door, upstream: Upstream) -> None:
    door.open('[models.both]\ntargets = ["anthropic/m"]\nfallbacks = ["openai/m"]\n')
    status, _ = door.whole("both", logprobs=True)
    assert (status, [call.path for call in upstream.calls]) == (200, ["/v1/chat/completions"])


# ---- time ----


@pytest.mark.parametrize(("timeouts", "seconds"), [("", 0.3), ("timeouts = { connect = 0.05 }", 0.05)])
def test_connecting_takes_no_longer_than_the_call_may(
    door: Door, upstream: Upstream, timeouts: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def note(self: Any, origin: Any, timeout: float) -> Any:
        given.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("lib.net.connections.Connections.open", note)
    door.open(f"[defaults]\nattempts = 1\n[models.m]\ntargets = ['lost/m']\n{timeouts}\n", total=0.3)
    door.failure(door.call("m"))
    assert 0 < given[0] <= seconds
