"""What passes through a running server: bytes as they came, chosen headers, and no secret in either direction."""

from __future__ import annotations

import json
import re

import pytest

from tests.drills.client import CHAT, MESSAGES, USUAL, Said, ask, connected, post, stream
from tests.drills.conftest import Seen, Serve
from tests.upstream import Answer, Behaviour, Gateway, Upstream, deliver
from tests.upstream.gateway import KEY

OPENAI_KEY, ANTHROPIC_KEY = "sk-vendor-openai-0123456789", "sk-ant-vendor-0123456789"
STREAMS = [
    ("openai/m", CHAT), ("openai/m", "/v1/completions"), ("openai/m", "/v1/responses"), ("anthropic/m", MESSAGES),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve) -> Gateway:
    return serve(
        vendor,
        models='[providers.openai]\nshapes = ["*"]\n[providers.anthropic]\nkind = "anthropic"\n',
        LOG_LEVEL="DEBUG",
        OPENAI_API_KEY=OPENAI_KEY,
        ANTHROPIC_API_KEY=ANTHROPIC_KEY,
    )


# ---- bodies ----

ODD = (
    b'\n{ "model" : "openai\\/m" , "messages" : [{"role":"user","content":"\\u00fc\\ud83d\\ude00 \xc3\xbc\\u0000"}],'
    b'"temperature":1.0,"top_p":1e-1,"seed":12345678901234567890,"stop":[],"x":{"b":1e2,"a":-0.0,"b":2}, "":null}\r\n '
)


def test_a_body_goes_up_as_it_came(server: Gateway, seen: Seen) -> None:
    assert post(server, CHAT, ODD).status == 200
    assert seen.call.body == ODD.replace(b'"openai\\/m"', b'"m"')


def test_a_large_one_too(server: Gateway, seen: Seen) -> None:
    body = json.dumps({"model": "openai/m", "messages": [{"role": "user", "content": "ü" * 3_000_000}]}).encode()
    assert post(server, CHAT, body).status == 200
    assert seen.call.body == body.replace(b'"openai/m"', b'"m"')


def test_one_in_chunks_has_a_length_above(server: Gateway, seen: Seen) -> None:
    with connected(server) as connection:
        fields = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        connection.sock.sendall(connection.head("POST", CHAT, fields))
        for at in range(0, len(ODD), 10):
            piece = ODD[at : at + 10]
            connection.sock.sendall(b"%x;note=1\r\n%b\r\n" % (len(piece), piece))
        connection.sock.sendall(b"0\r\nx-trailer: 1\r\n\r\n")
        assert connection.said().status == 200
    assert seen.call.body == ODD.replace(b'"openai\\/m"', b'"m"')
    assert seen.call.header("content-length") == str(len(seen.call.body))


@pytest.mark.parametrize("twice", [b'"model":"openai/a","model":"openai/b"', b'"messages":[],"messages":[1]'])
def test_a_name_twice_is_refused(server: Gateway, seen: Seen, twice: bytes) -> None:
    body = b'{"model":"openai/m","messages":[],%b}' % twice
    assert post(server, CHAT, body).status == 400
    assert seen.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b'{ "choices":[], "x":1.0,"y":1e2,"z" : 12345678901234567890,"\\u00e9":"\\/ \xc3\xa9" }\n\n',
        b'{"choices": [{"message": {"content": "' + "ü".encode() * 2_000_000 + b'"}}]}',
    ],
    ids=["odd", "large"],
)
def test_an_answer_comes_down_as_it_came(server: Gateway, vendor: Upstream, seen: Seen, body: bytes) -> None:
    vendor.plan(Behaviour("odd", lambda call: deliver(Answer((body,)))))
    said = ask(server, "openai/m")
    assert said.body == body
    assert said.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(("model", "path"), STREAMS)
@pytest.mark.parametrize("behaviour", ["ok", "tools", "big-200", "crlf", "multiline", "comments", "bytewise", "gzip"])
def test_so_does_a_stream(server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, model: str, path: str) -> None:
    vendor.plan(behaviour)
    options = {"stream_options": {"include_usage": True}} if path in (CHAT, "/v1/completions") else {}
    raw = stream(server, model, path, **options)
    if behaviour != "gzip":
        assert raw == bytes(seen.call.payload)
    assert b"gulls" in raw or behaviour in ("tools", "big-200")


@pytest.mark.parametrize("behaviour", ["ok", "one-write", "bytewise", "crlf"])
@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_usage_is_asked_for_and_taken_out(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, path: str
) -> None:
    vendor.plan(behaviour)
    body = json.dumps({"model": "openai/m", **USUAL[path], "stream": True}).encode()
    said = post(server, path, body)
    assert seen.call.body == body.replace(b"openai/", b"")[:-1] + b',"stream_options":{"include_usage":true}}'
    sent = bytes(seen.call.payload)
    (usage,) = re.findall(rb'data: \{[^\n\r]*"usage":\{[^\n\r]*\}[\r\n]+', sent)
    assert said.body == sent.replace(usage, b"")
    line = server.wait_for_line(lambda line: line.get("request_id") == said.headers["x-request-id"])
    assert (line["input_tokens"], line["output_tokens"]) == (21, 5)


def test_usage_that_was_asked_for_comes_down(server: Gateway, seen: Seen) -> None:
    assert b'"usage":{' in stream(server, "openai/m", stream_options={"include_usage": True})


def test_sound_comes_down_as_it_came(server: Gateway, seen: Seen) -> None:
    said = ask(server, "openai/tts", "/v1/audio/speech")
    assert said.body == bytes(seen.call.payload)
    assert said.headers["content-type"].startswith("audio/")


# ---- headers ----

UP = {
    "User-Agent": "my-app/1.0",
    "anthropic-beta": "x,y",
    "openai-beta": "assistants=v2",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "a=b",
    "X-Stainless-Lang": "python",
    "Idempotency-Key": "once",
}
NOT_UP = {
    "Cookie": "session=secret-cookie",
    "X-Api-Key": KEY,
    "X-Forwarded-For": "10.1.2.3",
    "X-Real-Ip": "10.1.2.3",
    "Forwarded": "for=10.1.2.3",
    "Proxy-Authorization": "Basic c2VjcmV0OnNlY3JldA==",
    "Accept-Encoding": "br",
    "Origin": "https://studio.example",
    "Referer": "https://studio.example/page",
    "X-Custom": "mine",
    "TE": "trailers",
}


@pytest.mark.parametrize(("path", "model"), [(CHAT, "openai/m"), (MESSAGES, "anthropic/m")])
def test_chosen_headers_go_up(server: Gateway, seen: Seen, path: str, model: str) -> None:
    body = json.dumps({"model": model, **USUAL[path]}).encode()
    assert post(server, path, body, **UP, **NOT_UP).status == 200
    sent = {name.lower(): value for name, value in seen.call.headers}
    assert {name.lower(): value for name, value in UP.items()}.items() <= sent.items()
    key = {"authorization": f"Bearer {OPENAI_KEY}"} if path is CHAT else {"x-api-key": ANTHROPIC_KEY}
    assert key.items() <= sent.items()
    own = {"host", "accept-encoding", "content-type", "content-length", *key}
    own |= set() if path is CHAT else {"anthropic-version"}
    assert set(sent) == own | {name.lower() for name in UP}
    assert sent["accept-encoding"] == "identity"
    for secret in (KEY, "secret-cookie", "10.1.2.3"):
        assert secret not in str(seen.call.headers)
        assert secret.encode() not in seen.call.body


def test_chosen_headers_come_down(server: Gateway, seen: Seen) -> None:
    said = ask(server, "openai/m")
    assert {"set-cookie", "openai-organization", "x-ratelimit-limit-requests"}.isdisjoint(said.headers)
    assert (said.headers["openai-processing-ms"], said.headers["openai-version"]) == ("187", "2020-10-01")
    assert said.headers["x-upstream-request-id"].startswith("req_")
    assert said.headers["x-request-id"] != said.headers["x-upstream-request-id"]
    assert float(said.headers["x-process-time"]) > 0
    assert said.headers.get("server") != "cloudflare"


def test_a_redirect_is_not_followed(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("redirect", "redirect-307")
    said = ask(server, "openai/m")
    assert said.status == 502
    assert "location" not in said.headers
    assert len(seen.calls) == 2


# ---- secrets ----


def shown(said: Said) -> str:
    return said.body.decode() + repr(said.headers)


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500])
@pytest.mark.parametrize(("model", "path"), [("openai", CHAT), ("anthropic", MESSAGES), ("anthropic", CHAT)])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_a_key_that_a_vendor_quotes_is_shown_to_nobody(
    server: Gateway, vendor: Upstream, seen: Seen, status: int, model: str, path: str, streamed: bool
) -> None:
    vendor.plan(*[f"leak-{status}"] * (1 if status in (400, 401, 404, 422) else 2))
    said = ask(server, f"{model}/quotes-{status}-{streamed}", path, stream=streamed)
    assert said.status in (status, 502)
    held = bytes(seen.calls[0].payload).decode()
    assert (OPENAI_KEY if model == "openai" else ANTHROPIC_KEY) in held
    assert OPENAI_KEY not in shown(said)
    assert ANTHROPIC_KEY not in shown(said)


def test_no_secret_is_in_the_log(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    """After all the tests before: at level DEBUG, with every kind of failure."""
    post(server, CHAT, b'{"model":"openai/m","messages":[]}', Cookie="session=secret-cookie")
    with connected(server, key="a-wrong-key-0123456789") as connection:
        connection.ask("openai/m")
        assert connection.said().status == 401
    output = server.output()
    for secret in (OPENAI_KEY, ANTHROPIC_KEY, KEY, "secret-cookie", "a-wrong-key-0123456789", "Grüezi", "gulls"):
        assert secret not in output
