"""Managed keys on a running server with two workers: known at once, gone within 5 seconds, whatever else happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Postgres
from tests.src.wire import Said, ask, send
from tests.upstream import Gateway
from tests.upstream.gateway import KEY, ROOT

SOON = 5.0  # seconds: the promise
ROUND = 12  # calls, each on a connection of its own: more than enough to meet both workers
HELLO = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
Cli = Callable[..., Any]


def cli(server: Gateway, *argv: str) -> Any:
    """`bin/keys` beside a running server, on its database."""
    command = [sys.executable, "-m", "lib.cli.keys", *argv, "--json"]
    environ = {"PYTHONPATH": str(ROOT), **{name: server.settings[name] for name in ("PATH", "DATABASE_URL")}}
    done = subprocess.run(command, cwd=server.directory, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def call(server: Gateway, key: str) -> Said:
    return ask(server, "POST", "/v1/chat/completions", headers={"Authorization": f"Bearer {key}"}, json=HELLO)


def statuses(server: Gateway, key: str) -> set[int]:
    return {call(server, key).status for _ in range(ROUND)}


def refused(server: Gateway, key: str) -> float:
    """The seconds until every call with a key is refused. Who goes on trying is slowed: that is a refusal too."""
    began = time.monotonic()
    while statuses(server, key) - {401, 429}:
        assert time.monotonic() - began < SOON + 5, "not refused yet"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, gateway: Callable[..., Gateway], tmp_path: Path) -> Iterator[Gateway]:
    """Two workers on one database."""
    url = f"sqlite:///{tmp_path}/keys.db"
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database()
        migrate = [sys.executable, "-m", "lib.cli.migrate"]
        subprocess.run(migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True, capture_output=True)
    running = gateway(DATABASE_URL=url, WEB_CONCURRENCY="2", LOG_LEVEL="DEBUG")
    yield running
    output = running.output()
    assert "aip-" not in output.replace("aip-run-", "")
    assert "Traceback" not in output


def test_a_revoke_takes_effect_on_every_worker(server: Gateway) -> None:
    shop, other = (cli(server, "create", name)["key"] for name in ("shop", "other"))
    assert statuses(server, shop) == statuses(server, other) == {200}
    cli(server, "revoke", "shop")
    assert refused(server, shop) < SOON
    assert statuses(server, other) == {200}


def test_a_rotation_overlaps_on_every_worker(server: Gateway) -> None:
    old = cli(server, "create", "shop")["key"]
    assert statuses(server, old) == {200}
    new = cli(server, "rotate", "shop", "--overlap", "3s")["key"]
    assert statuses(server, new) == statuses(server, old) == {200}
    assert refused(server, old) < SOON
    assert statuses(server, new) == {200}
    newest = cli(server, "rotate", "shop", "--overlap", "0")["key"]
    assert refused(server, new) < SOON
    assert statuses(server, newest) == {200}


def test_a_worker_that_is_killed_changes_nothing(server: Gateway) -> None:
    kept, ended = (cli(server, "create", name)["key"] for name in ("kept", "ended"))
    assert statuses(server, kept) == statuses(server, ended) == {200}
    cli(server, "revoke", "ended")
    killed = server.worker_pids[0]
    os.kill(killed, signal.SIGKILL)
    end = time.monotonic() + 30
    while killed in server.worker_pids or len(server.worker_pids) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert refused(server, ended) < SOON
    assert statuses(server, kept) == {200}


def test_keys_outlive_the_server(gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/keys.db"
    first = gateway(DATABASE_URL=url)
    key = cli(first, "create", "shop")["key"]
    assert call(first, key).status == 200
    first.stop()
    assert call(gateway(DATABASE_URL=url), key).status == 200
    other_secret = gateway(DATABASE_URL=url, KEY_SECRET="another-secret-0123456789")
    assert call(other_secret, key).status == 401


def test_settings_of_callers_are_read_again(gateway: Callable[..., Gateway]) -> None:
    """SIGHUP: another key of the agents, and what the worker knows of managed keys stays."""
    server = gateway.prepare(AIPROXY_API_KEY="", DATABASE_URL="")  # type: ignore[attr-defined]
    config = server.directory / "config.txt"
    config.write_text(f"AIPROXY_API_KEY={KEY}\nPROXY_API_KEY=agents-key-0123456789\n")
    server.start()
    headers = {"x-api-key": "agents-key-0123456789"}
    assert ask(server, "GET", "/v1/models", headers=headers).status == 200
    config.write_text(f"AIPROXY_API_KEY={KEY}\nPROXY_API_KEY=other-key-0123456789\n")
    os.kill(server.pid, signal.SIGHUP)
    end = time.monotonic() + 30
    while ask(server, "GET", "/v1/models", headers=headers).status != 401:
        assert time.monotonic() < end
    assert ask(server, "GET", "/v1/models", headers={"x-api-key": "other-key-0123456789"}).status == 200
    assert ask(server, "GET", "/admin/keys", headers={"x-api-key": "other-key-0123456789"}).status == 403


def test_a_header_of_a_megabyte_is_refused_before_anything_is_asked(gateway: Callable[..., Gateway]) -> None:
    server = gateway()
    head = f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer aip-{'a' * 1_000_000}\r\n\r\n"
    answer = send(server, head.encode())
    assert answer.status in (400, 431)
    assert b"aaaa" not in answer.body
    assert "aaaa" not in server.output()


def test_a_key_that_was_seen_goes_on_while_the_database_is_down(gateway: Callable[..., Gateway]) -> None:
    postgres = Postgres()
    postgres.start()
    try:
        url = postgres.new_database()
        migrate = [sys.executable, "-m", "lib.cli.migrate"]
        subprocess.run(migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True, capture_output=True)
        server = gateway(DATABASE_URL=url, STORE_TIMEOUT_SECONDS="0.5")
        seen, unseen = (cli(server, "create", name)["key"] for name in ("seen", "unseen"))
        assert call(server, seen).status == 200
        with postgres.frozen():
            time.sleep(2.5)
            began = time.monotonic()
            assert [call(server, key).status for key in (seen, unseen, seen, "aip-" + "a" * 43)] == [200, 503, 200, 503]
            assert time.monotonic() - began < 8
            assert call(server, KEY).status == 200
            assert call(server, "nonsense").status == 401
        end = time.monotonic() + 30
        while call(server, unseen).status != 200:
            assert time.monotonic() < end
    finally:
        postgres.stop()
