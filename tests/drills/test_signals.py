"""Being told to stop, to read again, or being killed, while calls are open."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.upstream import Gateway
from tests.upstream.gateway import KEY
from tests.upstream.ports import LOOPBACK

ONE = '[models.one]\ntargets = ["echo"]\n'
TWO = '[models.two]\ntargets = ["echo"]\n'
ENOUGH = 10.0  # seconds, for what should take a moment


class Calling:
    """A stream that is being read."""

    def __init__(self, gateway: Gateway, chunks: int, gap: float) -> None:
        self._connection = connection(gateway)
        body = {
            "model": f"echo/chunks={chunks},gap={gap}",
            "stream": True,
            "messages": [{"role": "user", "content": "x"}],
        }
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body), headers())
        self._answer = self._connection.getresponse()

    def rest(self) -> bytes:
        """All that is still to come."""
        try:
            return self._answer.read()
        finally:
            self._answer.close()
            self._connection.close()


def connection(gateway: Gateway) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(LOOPBACK, int(gateway.settings["PORT"]), timeout=ENOUGH)


def headers() -> dict[str, str]:
    return {"Authorization": KEY, "Content-Type": "application/json"}


def names(gateway: Gateway) -> list[str]:
    with closing(connection(gateway)) as asking:
        asking.request("GET", "/v1/models", headers=headers())
        return [model["id"] for model in json.loads(asking.getresponse().read())["data"]]


def ended(stream: bytes, chunks: int) -> bool:
    return stream.endswith(b"data: [DONE]\n\n") and stream.count(b'"content":') >= chunks - 1


def until(true, seconds: float = ENOUGH) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def models_file(gateway: Gateway) -> Path:
    return Path(gateway.settings["MODELS_FILE"])


# ---- SIGTERM ----


@pytest.mark.parametrize("workers", ["1", "2"])
def test_open_streams_are_read_to_their_end(gateway, workers):
    server = gateway(models=ONE, WEB_CONCURRENCY=workers)
    calls = [Calling(server, chunks=20, gap=0.05) for _ in range(20)]
    server.signal(signal.SIGTERM)
    assert all(ended(call.rest(), 20) for call in calls)
    assert server.wait(ENOUGH) == 0


def test_readiness_turns_before_the_door_closes(gateway):
    server = gateway(models=ONE, DRAIN_SECONDS="1")
    server.signal(signal.SIGTERM)
    until(lambda: server.ready_status() == 503)
    assert ended(Calling(server, chunks=3, gap=0).rest(), 3)  # it still serves whoever has not noticed
    until(lambda: server.ready_status() is None)
    assert server.wait(ENOUGH) == 0


def test_idle_connections_do_not_hold_up_the_end(gateway):
    server = gateway(models=ONE, GRACEFUL_TIMEOUT_SECONDS="60")
    kept = connection(server)
    kept.request("GET", "/health")
    kept.getresponse().read()
    silent = socket.create_connection((LOOPBACK, int(server.settings["PORT"])))
    server.signal(signal.SIGTERM)
    assert server.wait(ENOUGH) == 0
    silent.close()
    kept.close()


def test_a_server_that_is_still_starting_stops_at_once(gateway):
    server = gateway.prepare(models=ONE, WEB_CONCURRENCY="3", GRACEFUL_TIMEOUT_SECONDS="60")
    server.launch()
    until(lambda: server.worker_pids)
    server.signal(signal.SIGTERM)
    server.wait(ENOUGH)


# ---- SIGHUP ----


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_models_file_is_read_again_under_a_stream(gateway, workers):
    server = gateway(models=ONE, WEB_CONCURRENCY=workers)
    until(lambda: len(server.worker_pids) == int(workers))  # the first answers before the others are there
    before = server.worker_pids
    call = Calling(server, chunks=20, gap=0.05)
    models_file(server).write_text(TWO)
    server.signal(signal.SIGHUP)
    until(lambda: [line["event"] for line in server.log_lines()].count("reloaded") == int(workers))
    assert names(server) == ["two", "echo"]
    assert ended(call.rest(), 20)
    assert server.worker_pids == before


def test_a_bad_models_file_is_refused_and_the_old_stays(gateway):
    server = gateway(models=ONE)
    models_file(server).write_text("[models.two")
    server.signal(signal.SIGHUP)
    line = server.wait_for_line(lambda line: line["event"].startswith("reload refused"))
    assert line["level"] == "error"
    assert names(server) == ["one", "echo"]
    os.kill(server.worker_pids[0], signal.SIGKILL)  # and a worker that is born later has the old one, too
    until(lambda: server.ready_status() == 200)
    assert names(server) == ["one", "echo"]


def test_a_vendor_key_in_the_configuration_is_read_again(gateway, upstream):
    server = gateway.prepare(upstream, models=f"[providers.openai]\n{ONE}", OPENAI_API_KEY="")
    config = server.directory / "config.txt"
    config.write_text("OPENAI_API_KEY=sk-first-0123456789\n")
    server.start()
    config.write_text("OPENAI_API_KEY=sk-second-0123456789\n")
    server.signal(signal.SIGHUP)
    server.wait_for_line(lambda line: line["event"] == "reloaded")
    with closing(connection(server)) as asking:
        asking.request("POST", "/v1/chat/completions", json.dumps({"model": "openai/ok", "messages": []}), headers())
        answer = asking.getresponse()
        answer.read()
    assert answer.status == 200
    assert upstream.seen[-1].header("authorization") == "Bearer sk-second-0123456789"
    assert "sk-second" not in server.output()


def test_readiness_follows_the_database_as_far_as_it_is_needed(gateway, tmp_path):
    server = gateway.prepare(
        models=ONE, DATABASE_URL=f"sqlite:///{tmp_path}/books.db", LEASE_SECONDS="1", STORE_TIMEOUT_SECONDS="0.1"
    )
    config = server.directory / "config.txt"
    config.write_text("BUDGETS_WHEN_DOWN=refuse\n")
    server.start()
    with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None, timeout=ENOUGH)) as locked:
        locked.execute("BEGIN IMMEDIATE")
        until(lambda: server.ready_status() == 503)
        config.write_text("BUDGETS_WHEN_DOWN=allow\n")
        server.signal(signal.SIGHUP)
        until(lambda: server.ready_status() == 200)
        config.write_text("BUDGETS_WHEN_DOWN=refuse\n")
        server.signal(signal.SIGHUP)
        until(lambda: server.ready_status() == 503)
    until(lambda: server.ready_status() == 200)


def test_the_master_stays_awake_after_a_reload(gateway):
    """Gunicorn's own reload waits for the old workers' last stream, deaf to SIGTERM."""
    server = gateway(models=ONE, GRACEFUL_TIMEOUT_SECONDS="60")
    call = Calling(server, chunks=20, gap=0.05)
    server.signal(signal.SIGHUP)
    server.signal(signal.SIGTERM)
    assert ended(call.rest(), 20)
    assert server.wait(ENOUGH) == 0


# ---- kill -9 ----


def test_a_killed_worker_comes_back(gateway):
    server = gateway(models=ONE)
    (pid,) = server.worker_pids
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.worker_pids not in ([], [pid]) and server.ready_status() == 200)
    assert ended(Calling(server, chunks=3, gap=0).rest(), 3)
