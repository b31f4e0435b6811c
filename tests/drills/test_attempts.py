"""A running server before vendors that fail: who is asked next, what the caller is told, what the log says."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.drills.client import CHAT, MESSAGES, Said, access_line, ask, stream
from tests.drills.conftest import Seen, Serve
from tests.upstream import Gateway, Upstream

MODELS = """
[defaults]
attempts = 2
longest_wait = 1.0

[rest]
failures = 1000

[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
[providers.dead]
key = ""
[providers.lost]
key = ""
timeouts = { connect = 0.1 }
[providers.slow]
key = ""
timeouts = { first_byte = 0.15, idle = 0.15 }

[models.pair]
targets = ["openai/first"]
fallbacks = ["openai/second"]
[models.limited]
targets = ["openai/limited"]
fallbacks = ["openai/second"]
[models.reach]
targets = ["dead/a"]
fallbacks = ["lost/b", "openai/c"]
[models.impatient]
targets = ["slow/first"]
fallbacks = ["openai/second"]
[models.weighted]
targets = [{ model = "openai/heavy", weight = 9 }, { model = "openai/light", weight = 1 }]
[models.both]
targets = ["openai/first"]
fallbacks = ["anthropic/second"]
"""


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve) -> Gateway:
    return serve(
        vendor,
        models=MODELS,
        DEAD_BASE_URL=vendor.refuse,
        LOST_BASE_URL=vendor.blackhole,
        SLOW_BASE_URL=vendor.openai_url,
    )


def attempts(server: Gateway, said: Said) -> list[str]:
    """The codes of the attempts that failed, as the log has them under the request's id."""
    line = access_line(server, said)
    failed = [each for each in server.log_lines() if each["event"] == "attempt failed"]
    codes = [each["code"] for each in failed if each["request_id"] == line["request_id"]]
    assert line["attempts"] == len(codes) + (line["status"] < 400)
    return codes


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("error-500", "upstream_error"), ("error-503", "upstream_overloaded"), ("error-529", "upstream_overloaded"),
        ("error-429", "rate_limit_exceeded"), ("quota", "upstream_refused"),
        ("error-401", "upstream_refused"), ("error-403", "upstream_refused"), ("cut-head", "upstream_invalid_response"),
        ("cut-body-0", "upstream_invalid_response"), ("html", "upstream_invalid_response"),
        ("false-ok", "upstream_overloaded"), ("redirect", "upstream_invalid_response"),
        ("endless-headers", "upstream_invalid_response"), ("junk-status", "upstream_invalid_response"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_another_place_answers(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, code: str, streamed: bool
) -> None:
    vendor.plan(behaviour)
    said = ask(server, "pair", stream=streamed)
    assert (said.status, seen.models) == (200, ["first", "second"])
    assert attempts(server, said) == [code]


def test_a_place_that_asks_for_patience_is_left_alone_for_as_long(
    server: Gateway, vendor: Upstream, seen: Seen
) -> None:
    vendor.plan("retry-after-60")
    for _ in range(3):
        assert ask(server, "limited").status == 200
    assert seen.models == ["limited", "second", "second", "second"]


def test_a_place_that_cannot_be_reached(server: Gateway, seen: Seen) -> None:
    said = ask(server, "reach")
    assert (said.status, seen.models) == (200, ["c"])
    assert attempts(server, said) == ["upstream_unreachable", "upstream_timeout"]
    line = access_line(server, said)
    assert (line["model"], line["model_served"], line["provider"]) == ("reach", "c", "openai")


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_a_place_that_says_nothing(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, streamed: bool
) -> None:
    vendor.plan(behaviour)
    said = ask(server, "impatient", stream=streamed)
    assert (said.status, seen.models) == (200, ["first", "second"])
    assert attempts(server, said) == ["upstream_timeout"]
    vendor.wait(lambda _: seen.calls[0].cancelled)


def test_a_place_of_the_other_dialect(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("error-500")
    said = ask(server, "both")
    assert (said.status, [call.path for call in seen.calls]) == (200, ["/v1/chat/completions", "/v1/messages"])
    assert said.json["choices"][0]["message"]["content"].startswith("Zwölf")
    vendor.plan("error-500")
    assert stream(server, "both").endswith(b"data: [DONE]\n\n")


# ---- what the caller is told when nobody answers ----


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("error-500", 502, "upstream_error"),
        ("error-503", 503, "upstream_overloaded"),
        ("error-401", 502, "upstream_refused"),
        ("error-429", 429, "rate_limit_exceeded"),
        ("cut-head", 502, "upstream_invalid_response"),
        ("html", 502, "upstream_invalid_response"),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_failure_keeps_its_status(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, status: int, code: str, path: str
) -> None:
    """Also where a stream was asked for: nothing was promised yet."""
    vendor.plan(*[behaviour] * (1 if behaviour == "error-401" else 2))
    said = ask(server, "openai/m" if path is CHAT else "anthropic/m", path, stream=True)
    assert said.status == status
    if path is CHAT:
        assert said.json["error"]["code"] == code
    else:
        assert said.json["type"] == "error"
        assert said.json["request_id"] == said.headers["x-request-id"]
    assert b"The server had an error" not in said.body
    assert set(attempts(server, said)) == {code}


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_refusal_comes_down_as_it_came(server: Gateway, vendor: Upstream, seen: Seen, status: int, path: str) -> None:
    vendor.plan(f"error-{status}")
    said = ask(server, "openai/m" if path is CHAT else "anthropic/m", path, stream=True)
    assert (said.status, said.body) == (status, bytes(seen.call.payload))
    assert said.headers["content-type"] == "application/json"


def test_a_short_retry_after_is_waited_out(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("retry-ms-300")
    assert ask(server, "openai/m").status == 200
    first, second = seen.calls
    assert second.at - first.at > 0.25


@pytest.mark.parametrize(("behaviour", "status"), [("retry-after-7", 429), ("retry-after-7-503", 503)])
def test_a_long_one_is_the_callers(server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, status: int) -> None:
    vendor.plan(behaviour)
    said = ask(server, f"openai/long-{status}")
    assert (said.status, said.headers["retry-after"], len(seen.calls)) == (status, "7", 1)


def test_a_junk_number_of_faults_leaves_the_worker_unharmed(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    faults = [
        "cut",
        "junk-chunk",
        "endless-header",
        "two-lengths",
        "not-json",
        "long-length",
        "close-chunk",
        "empty",
    ] * 5
    workers = server.worker_pids
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda fault: ask(server, f"openai/{fault}").status, faults))
    assert set(codes) <= {200, 502}
    assert ask(server, "openai/fine").status == 200
    assert server.worker_pids == workers


def test_weights(server: Gateway, seen: Seen) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(server, "weighted"), range(200)))
    drawn = Counter(seen.models)
    assert set(drawn) == {"heavy", "light"}
    assert 150 <= drawn["heavy"] <= 197  # 180 is expected; the odds of a miss are below one in a million


# ---- who rests ----

RESTING = '[defaults]\nattempts = 1\n[rest]\nfailures = 3\nseconds = 0.5\n[providers.openai]\nshapes = ["*"]\n'


def test_a_vendor_that_keeps_failing_rests_and_comes_back(gateway: Serve, upstream: Upstream) -> None:
    server = gateway(upstream, models=RESTING)
    upstream.plan(*["error-500"] * 4)
    assert [ask(server, "openai/m").status for _ in range(3)] == [502, 502, 502]
    said = ask(server, "openai/m")
    assert (said.status, said.json["error"]["code"], len(upstream.calls)) == (503, "upstream_overloaded", 3)
    assert said.headers["retry-after"] == "1"
    assert ask(server, "openai/other").status == 502  # a plan is left; another model is another place
    line = server.wait_for_line(lambda line: "rests" in line["event"])
    assert (line["place"], line["seconds"]) == ("openai/m", 0.5)
    end = time.monotonic() + 30
    while ask(server, "openai/m").status != 200:
        assert time.monotonic() < end, "it never came back"
        time.sleep(0.05)
    assert [ask(server, "openai/m").status for _ in range(3)] == [200, 200, 200]
