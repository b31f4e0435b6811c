"""Rates are exact over two workers and over two servers, and do what is set while their counters are away."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.databases import new_sqlite
from tests.drills.audit import make_key
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, Heard, crowd, load, marker_of, until
from tests.servers import Redis
from tests.upstream import Gateway, Upstream

MODELS = '[defaults]\nattempts = 1\n[providers.openai]\nshapes = ["*"]\n[prices."openai/*"]\nfree = true\n'
SETTINGS = {"WEB_CONCURRENCY": "2", "LOG_LEVEL": "WARNING", "STORE_TIMEOUT_SECONDS": "10"}
PATIENT = {"max_tokens": 10}
LONG = 20.0  # seconds that no call takes, however busy this machine is


def calls(servers: list[Gateway], key: str, number: int) -> list[Heard]:
    """So many calls at once, spread over the servers, within one minute of the clock: windows begin with it."""
    if time.time() % 60 > 40:
        until(lambda: time.time() % 60 < 40)
    return crowd(Ask(servers[place % len(servers)], "openai/ok", key=key, fields=PATIENT) for place in range(number))


def check_requests(heard: list[Heard], seen: Seen, limit: int) -> None:
    """As many as are allowed were let through, and every answer says how it stands."""
    answered = [one for one in heard if one.status == 200]
    assert len(answered) == limit
    assert sorted(map(marker_of, seen.calls)) == sorted(one.ask.marker for one in answered)
    left = sorted(int(one.said.headers["x-ratelimit-remaining-requests"]) for one in answered if one.said)
    assert left == list(range(limit))
    for one in heard:
        assert one.said is not None
        assert one.said.headers["x-ratelimit-limit-requests"] == str(limit)
        if one.status != 200:
            assert (one.status, one.code) == (429, "rate_limit_exceeded")
            assert 0 < int(one.said.headers["retry-after"]) <= 120
            assert one.said.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.fixture(scope="module", params=["file", "redis"])
def pair(request: pytest.FixtureRequest, vendor: Upstream, serve: Serve) -> list[Gateway]:
    """Two servers on one database, and one counter for both: a file beside the database, or Redis."""
    settings = {**SETTINGS, "DATABASE_URL": new_sqlite()}
    if request.param == "redis":
        redis: Redis = request.getfixturevalue("redis_server")
        settings["REDIS_URL"] = redis.url
    return [serve(vendor, models=MODELS, **settings) for _ in range(2)]


@pytest.mark.parametrize("servers", [1, 2])
def test_requests_a_minute(pair: list[Gateway], seen: Seen, request: pytest.FixtureRequest, servers: int) -> None:
    key = make_key(pair[0], f"requests-{servers}", "--rpm", "50")
    check_requests(calls(pair[:servers], key, 300), seen, 50)


def test_tokens_a_minute(pair: list[Gateway], seen: Seen) -> None:
    """A call reserves its worst case; what it does not use is for others."""
    key = make_key(pair[0], "tokens", "--tpm", "1000")
    heard = calls(pair, key, 300)
    more = heard
    while any(one.status == 200 for one in more):
        more = calls(pair, key, 10)
        heard += more
    answered = [one for one in heard if one.status == 200]
    assert {one.status for one in heard} <= {200, 429}
    needed = 26  # 21 of the prompt and 5 of the answer, as the vendor counts
    assert needed * len(answered) <= 1000
    (last,) = calls(pair, key, 1)
    assert last.said is not None
    left = int(last.said.headers["x-ratelimit-remaining-tokens"])
    assert left == 1000 - needed * len(answered)
    assert len(seen.calls) == len(answered)


# ---- Redis away ----


@pytest.fixture(params=["stopped", "frozen"])
def outage(request: pytest.FixtureRequest, own_redis: Redis) -> Iterator[None]:
    """Away until the generator goes on."""

    def away() -> Iterator[None]:
        if request.param == "frozen":
            with own_redis.frozen():
                yield
        else:
            own_redis.kill()
            yield
            own_redis.start()

    return away()


@pytest.mark.parametrize("choice", ["allow", "refuse"])
def test_redis_is_away(
    own_redis: Redis, outage: Iterator[None], gateway: Serve, vendor: Upstream, seen: Seen, choice: str
) -> None:
    settings = {**SETTINGS, "DATABASE_URL": new_sqlite(), "REDIS_URL": own_redis.url, "RATES_WHEN_DOWN": choice}
    server = gateway(vendor, models=MODELS, **settings)
    key = make_key(server, "limited", "--rpm", "100000", "--tpm", "100000000")
    with load() as callers:
        callers.add(12, lambda: Ask(server, "openai/ok", key=key, fields=PATIENT), pause=0.02)
        until(lambda: len(callers.heard) > 50)
        assert {one.status for one in callers.heard} == {200}
        next(outage)
        until(lambda: any("x-ratelimit-limit-requests" not in one.said.headers for one in callers.heard if one.said))
        moment = time.monotonic()
        until(lambda: time.monotonic() > moment + 4)
        during = [one for one in callers.heard if one.at > moment]
        next(outage, None)
        until(lambda: counted(server, key))
        heard = callers.stop()
    assert len(during) > 50
    assert max(one.seconds for one in heard) < LONG
    if choice == "allow":
        assert {one.status for one in heard} == {200}
    else:
        assert {one.code for one in during} == {"store_unavailable"}
    assert sum(one.seconds < 0.25 for one in during) > len(during) * 0.6
    assert server.ready_status() == 200


def counted(server: Gateway, key: str) -> bool:
    """Whether every worker counts again."""
    heard = crowd(Ask(server, "openai/ok", key=key, fields=PATIENT) for _ in range(12))
    return all(one.said is not None and "x-ratelimit-limit-requests" in one.said.headers for one in heard)
