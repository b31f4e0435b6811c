"""The clock moved across the end of a period, under a running server of two workers."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.drills.audit import Books, make_key
from tests.drills.client import connected
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, Heard, crowd, until
from tests.upstream import Gateway, Upstream
from tests.upstream.gateway import ROOT

MODELS = """
[defaults]
attempts = 1
[providers.openai]
shapes = ["*"]
[prices."openai/*"]
call = 0.5
"""
DAY = 24 * 3600
CENT50 = 500_000_000  # nano-USD of a call


class Clock:
    """The time of day as a server sees it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.midnight = (int(time.time()) // DAY + 1) * DAY  # the next one, in UTC
        self.set(self.midnight - 3600)

    def set(self, moment: float) -> None:
        """Let it go on from that moment, in seconds since 1970."""
        self._set_ahead(moment - time.time())

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._set_ahead(self._ahead + seconds)

    def _set_ahead(self, seconds: float) -> None:
        self._ahead = seconds
        new = self.file.with_suffix(".new")
        new.write_text(str(self._ahead))
        new.replace(self.file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def server(vendor: Upstream, gateway: Serve, clock: Clock, books: Books, tmp_path: Path) -> Gateway:
    return gateway(
        vendor,
        models=MODELS,
        WEB_CONCURRENCY="2",
        DATABASE_URL=books.url,
        LOG_LEVEL="WARNING",
        STORE_TIMEOUT_SECONDS="10",
        CLOCK_FILE=str(clock.file),
        PYTHONPATH=f"{Path(__file__).parent / 'moved_clock'}:{ROOT}",
    )


def ask(server: Gateway, key: str, number: int = 1) -> list[Heard]:
    return crowd(Ask(server, "openai/ok", key=key) for _ in range(number))


def statuses(heard: list[Heard]) -> list[int | None]:
    return sorted(one.status or 0 for one in heard)


def test_a_day_that_is_used_up_is_followed_by_a_new_one(
    server: Gateway, clock: Clock, books: Books, seen: Seen
) -> None:
    key = make_key(server, "daily", "--budget", "2/day", "--budget", "3/total")
    heard = ask(server, key, 20)
    assert statuses(heard) == [200] * 4 + [402] * 16
    refused = next(one.said for one in heard if one.status == 402)
    assert refused is not None
    anew = datetime.fromtimestamp(clock.midnight, UTC)
    assert f"begins anew at {anew:%Y-%m-%dT%H:%M:%SZ}." in refused.json["error"]["message"]
    clock.set(clock.midnight - 60)
    assert statuses(ask(server, key, 5)) == [402] * 5
    clock.set(clock.midnight)
    assert statuses(ask(server, key, 5)) == [200] * 2 + [402] * 3, "and of the total, 1 USD was left"
    books.settled()
    spent = {(period, start): spent for (_, period, start), (spent, _) in books.spending().items()}
    midnight = clock.midnight * 1000
    assert spent == {
        ("day", midnight - DAY * 1000): 4 * CENT50,
        ("day", midnight): 2 * CENT50,
        ("total", 0): 6 * CENT50,
    }


def test_a_call_is_charged_to_the_day_on_which_it_began(
    server: Gateway, clock: Clock, books: Books, seen: Seen
) -> None:
    """Nor is it given up because its worker seems to have been silent since yesterday."""
    key = make_key(server, "daily", "--budget", "0.50/day")
    clock.set(clock.midnight - 60)
    across = Ask(server, "openai/stream-8-1", key=key, fields={"stream": True})
    with connected(server) as connection:
        connection.sock.sendall(across.request)
        connection.events(1)
        assert statuses(ask(server, key)) == [402]
        clock.set(clock.midnight + 60)
        assert statuses(ask(server, key, 2)) == [200, 402]
        assert b"".join(connection.blocks()).endswith(b"data: [DONE]\n\n")
    rows = books.settled()
    assert [row["exactness"] for row in rows] == ["exact"] * 2
    midnight = clock.midnight * 1000
    spent = {start: spent for (_, _, start), (spent, _) in books.spending().items()}
    assert spent == {midnight - DAY * 1000: CENT50, midnight: CENT50}
    assert not [line for line in server.log_lines() if "lost" in line["event"]]


def test_rates_begin_anew_when_they_say(server: Gateway, clock: Clock, books: Books, seen: Seen) -> None:
    key = make_key(server, "limited", "--rpm", "30")
    clock.set(clock.midnight - 3600 + 30)  # in the middle of a minute
    heard = ask(server, key, 50)
    assert statuses(heard) == [200] * 30 + [429] * 20
    refused = [one.said.headers for one in heard if one.said and one.status == 429]
    wait = int(refused[0]["retry-after"])
    assert 20 <= wait <= 35
    clock.advance(wait - 10)
    assert statuses(ask(server, key, 2)) == [429] * 2
    clock.advance(10)
    assert 200 in statuses(ask(server, key, 2))
    reset = re.fullmatch(r"(?:(\d+)m)?(\d+)(?:\.\d+)?s", refused[0]["x-ratelimit-reset-requests"])
    assert reset is not None
    until(lambda: not books.open_calls())
    clock.advance(int(reset[1] or 0) * 60 + int(reset[2]) + 1)
    assert statuses(ask(server, key, 30)) == [200] * 30
