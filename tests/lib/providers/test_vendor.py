"""A vendor over HTTP: where a request goes, how the key travels, what is served. Over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.base.errors import GatewayError, VendorError, VendorProtocolError, VendorUnreachable
from lib.net import HttpClient, Origin
from lib.providers import Outgoing
from lib.providers.vendor import ANTHROPIC_VERSION, HttpProvider, Vendor
from lib.wire import PATHS, Dialect, Path, Shape, path_of
from tests.upstream import Upstream

OPENAI, ANTHROPIC = Dialect.OPENAI, Dialect.ANTHROPIC
CHAT, MESSAGE = path_of(Shape.CHAT), path_of(Shape.MESSAGE)
BODY = b'{ "model":"gpt-4o", "messages":[{"role":"user","content":"Hi"}], "x_own":1.50 }'
KEY = "sk-vendor-secret"
SECRET = f"Bearer {KEY}"


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def vendor(url: str, dialect: Dialect = OPENAI, **more: Any) -> Vendor:
    shapes = more.pop("shapes", frozenset(Shape))
    return Vendor("acme", dialect, Origin.parse(url), shapes, **more)


def exchange(provider: HttpProvider, outgoing: Outgoing) -> tuple[int, bytes]:
    """Send and read to the end: the status and the body."""
    answer = provider.send(outgoing)
    try:
        assert answer.start(5)
        body = b""
        while block := answer.read(5):
            body += block
        return answer.status, body
    finally:
        answer.close()


# ---- sending ----


@pytest.mark.parametrize("path", [path for path in PATHS if not path.multipart], ids=lambda path: path.name)
def test_a_request_goes_to_the_path_below_the_base_url(upstream, http, path):
    anthropic = path.dialect is ANTHROPIC
    provider = HttpProvider(vendor(upstream.url if anthropic else upstream.openai_url, path.dialect), http)
    status, _ = exchange(provider, Outgoing(path, "gpt-4o", BODY))
    [call] = upstream.seen
    assert (status, call.method, call.path, call.body) == (200, "POST", path.route, BODY)


@pytest.mark.parametrize("base", ["/v1", "/v1/", "/openai/v1", ""])
def test_the_path_of_the_base_url_comes_first(upstream, http, base):
    upstream.plan("ok")
    exchange(HttpProvider(vendor(upstream.url + base), http), Outgoing(CHAT, "gpt-4o", BODY))
    assert upstream.calls[0].path == f"{base.rstrip('/')}/chat/completions"


def keys_shown(call):
    return [header for header in call.headers if header[0].lower() in ("authorization", "api-key", "x-api-key")]


@pytest.mark.parametrize(
    ("auth", "key", "shown"),
    [
        ("bearer", None, []),
        ("bearer", KEY, [("authorization", SECRET)]),
        ("api-key", KEY, [("api-key", KEY)]),
        ("x-api-key", KEY, [("x-api-key", KEY)]),
    ],
)
def test_the_key_travels_as_the_vendor_wants_it(upstream, http, auth, key, shown):
    exchange(HttpProvider(vendor(upstream.openai_url, auth=auth, key=key), http), Outgoing(CHAT, "m", BODY))
    [call] = upstream.seen
    assert keys_shown(call) == shown


@pytest.mark.parametrize(("takes", "used"), [(True, "of-the-caller"), (False, KEY)])
def test_a_callers_key_goes_only_where_it_is_taken(upstream, http, takes, used):
    provider = HttpProvider(vendor(upstream.openai_url, key=KEY, callers_key=takes), http)
    exchange(provider, Outgoing(CHAT, "m", BODY, credential="of-the-caller"))
    exchange(provider, Outgoing(CHAT, "m", BODY))
    assert [keys_shown(call) for call in upstream.seen] == [
        [("authorization", f"Bearer {used}")],
        [("authorization", SECRET)],
    ]


def test_headers_of_the_caller_and_of_the_row_go_up(upstream, http):
    provider = HttpProvider(vendor(upstream.openai_url, headers={"HTTP-Referer": "https://example.org"}), http)
    exchange(provider, Outgoing(CHAT, "m", BODY, headers=[("traceparent", "00-1-2-01"), ("user-agent", "app/1")]))
    [call] = upstream.seen
    named = {name.lower(): value for name, value in call.headers}
    assert len(named) == len(call.headers), "a header came twice"
    assert (
        named
        | {
            "content-type": "application/json",
            "content-length": str(len(BODY)),
            "host": f"{upstream.host}:{upstream.port}",
            "traceparent": "00-1-2-01",
            "user-agent": "app/1",
            "http-referer": "https://example.org",
        }
        == named
    )


@pytest.mark.parametrize(
    ("given", "expected"), [([], ANTHROPIC_VERSION[1]), ([("anthropic-version", "2024-01-01")], "2024-01-01")]
)
def test_anthropic_is_told_the_version_once(upstream, http, given, expected):
    exchange(HttpProvider(vendor(upstream.url, ANTHROPIC), http), Outgoing(MESSAGE, "claude", BODY, headers=given))
    [call] = upstream.seen
    assert [value for name, value in call.headers if name.lower() == "anthropic-version"] == [expected]


def test_other_vendors_are_told_no_version(upstream, http):
    exchange(HttpProvider(vendor(upstream.openai_url), http), Outgoing(CHAT, "m", BODY))
    assert upstream.seen[0].header("anthropic-version") is None


@pytest.mark.parametrize("length", [None, 6])
def test_a_body_in_pieces_arrives_whole(upstream, http, length):
    upstream.plan("ok")
    outgoing = Outgoing(CHAT, "m", iter([b"ab", b"", b"cdef"]), length=length, content_type="text/plain")
    exchange(HttpProvider(vendor(upstream.openai_url), http), outgoing)
    [call] = upstream.seen
    assert (call.body, call.header("content-type")) == (b"abcdef", "text/plain")
    assert (call.header("content-length") == "6") is (length == 6)


def test_nothing_is_sent_before_the_start(upstream, http):
    answer = HttpProvider(vendor(upstream.openai_url), http).send(Outgoing(CHAT, "m", BODY))
    answer.close()
    exchange(HttpProvider(vendor(upstream.openai_url), http), Outgoing(CHAT, "m", BODY))
    assert len(upstream.calls) == 1


def test_nothing_shows_the_credentials(upstream, http):
    shown = vendor(upstream.openai_url, key=KEY, headers={"x-key": SECRET})
    provider = HttpProvider(shown, http)
    answer = provider.send(Outgoing(CHAT, "m", BODY))
    answer.close()
    assert "secret" not in repr([shown, provider, answer]) + str(shown)


# ---- what is served ----


@pytest.mark.parametrize(
    ("dialect", "shapes", "served"),
    [
        (OPENAI, {Shape.CHAT}, {"/v1/chat/completions": OPENAI, "/v1/messages": OPENAI}),
        (OPENAI, {Shape.EMBEDDING}, {"/v1/embeddings": OPENAI}),
        (
            ANTHROPIC,
            {Shape.MESSAGE, Shape.TOKEN_COUNT},
            {"/v1/messages": ANTHROPIC, "/v1/messages/count_tokens": ANTHROPIC, "/v1/chat/completions": ANTHROPIC},
        ),
        (OPENAI, set(), {}),
    ],
    ids=["chat", "embeddings", "anthropic", "nothing"],
)
def test_serves_its_shapes_and_what_is_translated_to_them(http, dialect, shapes, served):
    provider = HttpProvider(vendor("http://127.0.0.1:1", dialect, shapes=frozenset(shapes)), http)
    told: dict[Path, Dialect | None] = {path: provider.dialect(path) for path in PATHS}
    assert {path.route: dialect for path, dialect in told.items() if dialect} == served


# ---- the vendor's own list of models ----


def test_lists_models_as_the_vendor_describes_them(upstream, http):
    provider = HttpProvider(vendor(upstream.openai_url, key=KEY), http)
    models = provider.list_models()
    [call] = upstream.seen
    assert (call.method, call.path, call.header("authorization")) == ("GET", "/v1/models", SECRET)
    assert "gpt-4o" in [model["id"] for model in models]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("error-500", VendorError),
        ("error-401", VendorError),
        ("not-json", VendorProtocolError),
        ("junk-status", VendorProtocolError),
        ("close", GatewayError),
    ],
)
def test_a_list_that_cannot_be_had_is_an_error(upstream: Upstream, http, behaviour, kind):
    upstream.plan(behaviour)
    with pytest.raises(kind):
        HttpProvider(vendor(upstream.openai_url), http).list_models()


def test_a_vendor_that_is_not_there_cannot_be_reached(upstream, http):
    with pytest.raises(VendorUnreachable):
        HttpProvider(vendor(upstream.refuse), http).list_models()
