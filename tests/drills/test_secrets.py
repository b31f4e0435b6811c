"""A deployed server: its secrets come from AWS, at the start and again while calls are open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from lib.base import load_models
from lib.net import declared_secrets
from tests.drills.client import Connection, Said
from tests.servers import Moto, Refusing, aws, refusal
from tests.upstream import Call, Gateway, Gateways, Upstream
from tests.upstream.ports import LOOPBACK

MODELS = "[providers.openai]\n"
MAIN, OTHER = "main-key-0123456789abcdef", "other-key-0123456789abcdef"
FIRST, SECOND = "sk-first-0123456789abcdef", "sk-second-0123456789abcdef"
REFRESH = "0.3"
ENOUGH = 20.0  # seconds, for what should take a moment: a process is started, and loads boto3
_numbers = count()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + ENOUGH
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def ask(gateway: Gateway, key: str, model: str = "openai/ok", **fields: Any) -> Said:
    connection = Connection(gateway, key=key)
    try:
        connection.ask(model, **fields)
        return connection.said()
    finally:
        connection.close()


def vendor_key(call: Call) -> str | None:
    return (call.header("authorization") or "").removeprefix("Bearer ")


def events(gateway: Gateway, event: str) -> int:
    return [line.get("event") for line in gateway.log_lines()].count(event)


def measured(gateway: Gateway, name: str) -> float:
    """What Prometheus is told of the server."""
    with urllib.request.urlopen(f"{gateway.metrics_url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def failures(gateway: Gateway) -> float:
    """How often secrets could not be renewed."""
    return measured(gateway, "aiproxy_secret_refresh_failures_total")


def to_come(gateway: Gateway) -> float:
    """How many secrets have no value yet."""
    return measured(gateway, "aiproxy_secrets_to_come")


class Deployments:
    """Makes servers whose secrets are in Secrets Manager, each with a name of its own."""

    def __init__(self, gateways: Gateways, folder: Path) -> None:
        self._gateways = gateways
        models = folder / "models.toml"
        models.write_text(MODELS)
        self.names = declared_secrets(load_models(models))

    def prepare(self, url: str, upstream: Upstream | None = None, **settings: str) -> tuple[Gateway, str]:
        """A server that is not started yet, and what the names of its secrets begin with."""
        record = f"drill{next(_numbers)}.example.org"
        nothing = dict.fromkeys(["AIPROXY_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"], "")
        environ = {**aws(url), **nothing, "ENVIRONMENT_TYPE": "test", "DNS_RECORD": record}
        environ["SECRETS_REFRESH_SECONDS"] = REFRESH
        gateway = self._gateways.prepare(upstream, models=MODELS, **(environ | settings))
        return gateway, f"test/{record}/"

    def start(self, moto: Moto, upstream: Upstream, **settings: str) -> tuple[Gateway, str]:
        """A server with a main key and a vendor's key."""
        gateway, prefix = self.prepare(moto.url, upstream, **settings)
        moto.fill(prefix, self.names, AIPROXY_API_KEY=MAIN, OPENAI_API_KEY=FIRST)
        gateway.start()
        until(lambda: len(gateway.worker_pids) == int(gateway.settings["WEB_CONCURRENCY"]))
        return gateway, prefix


@pytest.fixture
def deployments(gateway: Gateways, tmp_path: Path) -> Deployments:
    return Deployments(gateway, tmp_path)


# ---- the start ----


def test_a_server_finds_its_keys(deployments, moto, upstream):
    server, _ = deployments.start(moto, upstream)
    assert ask(server, MAIN).status == 200
    assert ask(server, OTHER).status == 401
    assert vendor_key(upstream.calls[-1]) == FIRST
    assert not any(secret in server.output() for secret in (MAIN, FIRST))


def test_secrets_are_fetched_once_for_all_workers(deployments):
    def answer(_operation: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        values = [
            {"Name": name, "SecretString": MAIN if "aiproxy" in name else "none"} for name in fields["SecretIdList"]
        ]
        return 200, {"SecretValues": values}

    with Refusing(answer) as there:
        server, _ = deployments.prepare(there.url, WEB_CONCURRENCY="3", SECRETS_REFRESH_SECONDS="0")
        server.start()
        until(lambda: len(server.worker_pids) == 3)
        assert ask(server, MAIN, "echo").status == 200
        assert there.operations == ["BatchGetSecretValue"]


def test_what_lacks_is_told_in_one_list(deployments, moto):
    server, prefix = deployments.prepare(moto.url)
    rest = set(deployments.names) - {"AIPROXY_API_KEY", "OPENAI_API_KEY", "KEY_SECRET"}
    moto.fill(prefix, rest)
    moto.create(f"{prefix}aiproxy_api_key", MAIN)
    moto.create(f"{prefix}openai_api_key")
    server.launch()
    assert server.wait(ENOUGH) == 2
    said = (server.directory / "stderr.log").read_text().splitlines()
    assert said[0] == "aiproxy: cannot start:"
    assert said[2:] == [
        f"  {prefix}key_secret (there is no such secret)",
        f"  {prefix}openai_api_key (it has no value yet)",
    ]
    assert MAIN not in server.output()


def test_names_that_are_wrong_are_not_asked_for(deployments):
    with Refusing(lambda *_: refusal("ValidationException")) as there:
        server, _ = deployments.prepare(there.url, ENVIRONMENT_TYPE="prodution", DNS_RECORD="a/b")
        server.launch()
        assert server.wait(ENOUGH) == 2
        assert there.operations == []
    assert "ENVIRONMENT_TYPE: " in server.output()
    assert "DNS_RECORD: must be a host name" in server.output()


def test_denied_secrets_are_told(deployments):
    def answer(_operation: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {
            "Errors": [{"SecretId": name, "ErrorCode": "AccessDeniedException"} for name in fields["SecretIdList"]]
        }

    with Refusing(answer) as there:
        server, prefix = deployments.prepare(there.url)
        server.launch()
        assert server.wait(ENOUGH) == 2
    said = (server.directory / "stderr.log").read_text().splitlines()
    assert said[2:] == [f"  {prefix}{name.lower()} (access is denied)" for name in deployments.names]


def test_the_databases_password_is_a_secret_as_well(deployments, moto, upstream, postgres):
    user, password = postgres.new_user("pass/word@of:the%database"), "pass/word@of:the%database"
    address = postgres.url_of(f"of_{user}", user)
    server, prefix = deployments.prepare(moto.url, upstream, DATABASE_URL=address)
    moto.fill(prefix, deployments.names, AIPROXY_API_KEY=MAIN, OPENAI_API_KEY=FIRST, DATABASE_PASSWORD=password)
    migrate = [sys.executable, "-m", "lib.cli.migrate", "--create-database"]
    done = subprocess.run(
        migrate, cwd=server.directory, env=server.settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    server.start()
    assert ask(server, MAIN).status == 200
    with psycopg.connect(postgres.url_of(f"of_{user}").replace("+psycopg", "")) as connection:
        until(lambda: connection.execute("SELECT count(*) FROM calls").fetchone() == (1,))
    assert password not in server.output() + done.stderr + done.stdout


# ---- rotation ----


class Load:
    """Callers that never pause, until they are told to. `statuses` are what they got."""

    def __init__(self, gateway: Gateway, callers: int = 3) -> None:
        self.statuses: list[int] = []
        self._gateway = gateway
        self._over = Event()
        self._pool = ThreadPoolExecutor(callers)
        self._callers = [self._pool.submit(self._call) for _ in range(callers)]

    def _call(self) -> None:
        while not self._over.is_set():
            self.statuses.append(ask(self._gateway, MAIN).status)
            time.sleep(0.01)

    def end(self) -> None:
        self._over.set()
        for caller in self._callers:
            caller.result(ENOUGH)


def test_new_keys_take_effect_on_all_workers_and_no_call_is_lost(deployments, moto, upstream):
    server, prefix = deployments.start(moto, upstream, WEB_CONCURRENCY="2")
    before = server.worker_pids
    streams = [Connection(server, key=MAIN) for _ in range(10)]
    for stream in streams:
        stream.ask("openai/stream-40-0.1", stream=True)
        stream.events(1)
    load = Load(server)
    moto.put(f"{prefix}openai_api_key", SECOND)
    moto.put(f"{prefix}aiproxy_api_key", f"{MAIN},{OTHER}")
    until(lambda: all(ask(server, OTHER).status == 200 for _ in range(8)))
    until(lambda: {vendor_key(call) for call in upstream.calls[-20:]} == {SECOND})
    load.end()
    assert set(load.statuses) == {200}
    for stream in streams:
        rest = b"".join(stream.blocks())
        assert rest.endswith(b"data: [DONE]\n\n")
        stream.close()
    assert server.worker_pids == before
    assert not any(secret in server.output() for secret in (OTHER, SECOND))


def test_an_old_key_ends(deployments, moto, upstream):
    server, prefix = deployments.start(moto, upstream, WEB_CONCURRENCY="2")
    moto.put(f"{prefix}aiproxy_api_key", OTHER)
    until(lambda: all(ask(server, MAIN).status == 401 for _ in range(8)))
    assert ask(server, OTHER).status == 200


def test_a_worker_that_is_born_later_has_the_new_keys(deployments, moto, upstream):
    server, prefix = deployments.start(moto, upstream)
    moto.put(f"{prefix}openai_api_key", SECOND)
    until(lambda: events(server, "reloaded"))
    (pid,) = server.worker_pids
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.worker_pids not in ([], [pid]) and server.ready_status() == 200)
    assert ask(server, MAIN).status == 200
    assert vendor_key(upstream.calls[-1]) == SECOND


def test_sighup_asks_at_once(deployments, moto, upstream):
    server, prefix = deployments.start(moto, upstream, SECRETS_REFRESH_SECONDS="0")
    moto.put(f"{prefix}openai_api_key", SECOND)
    server.signal(signal.SIGHUP)
    until(lambda: events(server, "reloaded") == 2)  # what the files say, then what AWS says
    assert ask(server, MAIN).status == 200
    assert vendor_key(upstream.calls[-1]) == SECOND


# ---- secrets to come ----

LATE = {"openai_api_key", "proxy_api_key", "honeybadger_api_key"}


@pytest.fixture
def waiting(deployments, own_moto, upstream, honeybadger) -> tuple[Gateway, str, Moto]:
    """A server that was started while three secrets of its had no value, what their names begin with, and where."""
    settings = {
        "SECRETS_TO_COME": ",".join(sorted(LATE)),
        "HONEYBADGER_ENDPOINT": honeybadger[0],
        "WEB_CONCURRENCY": "2",
    }
    server, prefix = deployments.prepare(own_moto.url, upstream, **settings)
    own_moto.fill(prefix, {name for name in deployments.names if name.lower() not in LATE}, AIPROXY_API_KEY=MAIN)
    for name in LATE:
        own_moto.create(prefix + name)
    server.start()
    return server, prefix, own_moto


def test_a_server_starts_without_what_is_to_come_and_takes_it_when_it_does(waiting, upstream, honeybadger):
    server, prefix, there = waiting
    (line,) = [line for line in server.log_lines() if line["event"].startswith("secrets have no value yet")]
    assert (line["level"], set(line["names"])) == ("warning", {name.upper() for name in LATE})
    assert to_come(server) == 3
    assert {ask(server, MAIN).status for _ in range(8)} == {404}  # a vendor without a key serves no model
    assert ask(server, OTHER, "echo").status == 401
    before = server.worker_pids

    there.put(f"{prefix}openai_api_key", FIRST)
    until(lambda: all(ask(server, MAIN).status == 200 for _ in range(8)))
    assert {vendor_key(call) for call in upstream.calls} == {FIRST}
    there.put(f"{prefix}proxy_api_key", OTHER)
    until(lambda: events(server, "reloaded") == 4)  # each of two workers, twice
    assert {ask(server, OTHER, "echo").json["error"]["param"] for _ in range(8)} == {"X-Run-ID"}  # it is an agent's
    assert to_come(server) == 1
    there.put(f"{prefix}honeybadger_api_key", "none")
    until(lambda: to_come(server) == 0)
    assert (server.worker_pids, failures(server)) == (before, 0)
    assert not any(secret in server.output() for secret in (MAIN, OTHER, FIRST))


def test_what_came_and_went_again_is_a_failure_and_the_old_key_stays(waiting):
    server, prefix, there = waiting
    there.put(f"{prefix}openai_api_key", FIRST)
    until(lambda: all(ask(server, MAIN).status == 200 for _ in range(8)))
    there.put(f"{prefix}openai_api_key", " ")
    until(lambda: failures(server) >= 1)
    assert to_come(server) == 2
    assert {ask(server, MAIN).status for _ in range(8)} == {200}


def test_an_outage_is_not_taken_for_an_arrival(deployments):
    def answer(_operation: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        names = fields["SecretIdList"]
        empty = [name for name in names if name.endswith("openai_api_key")]
        words = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        errors = [{"SecretId": one, "ErrorCode": "ResourceNotFoundException", "Message": words} for one in empty]
        values = {one: MAIN if "aiproxy" in one else "none" for one in names if one not in empty}
        return 200, {
            "SecretValues": [{"Name": name, "SecretString": value} for name, value in values.items()],
            "Errors": errors,
        }

    with Refusing(answer) as there:
        server, _ = deployments.prepare(there.url, SECRETS_TO_COME="openai_api_key")
        server.start()
        assert to_come(server) == 1
        there.answer = lambda *_: refusal("UnrecognizedClientException")
        until(lambda: failures(server) >= 1)
        assert to_come(server) == 1


@pytest.mark.parametrize(
    ("allowed", "lacking", "reason"),
    [
        ("groq_api_key", "openai_api_key", "it has no value yet"),  # another one
        ("openai_api_key", "openai_api_key", "there is no such secret"),  # it was never made
        ("aiproxy_api_key", "aiproxy_api_key", "it has no value yet"),  # nobody could be told from anybody
        ("key_secret", "key_secret", "it has no value yet"),
        ("database_url", "database_url", "it has no value yet"),
    ],
)
def test_nothing_else_may_lack(deployments, moto, allowed, lacking, reason):
    server, prefix = deployments.prepare(moto.url, SECRETS_TO_COME=f"gemini_api_key, {allowed}")
    moto.fill(prefix, {name for name in deployments.names if name.lower() != lacking}, AIPROXY_API_KEY=MAIN)
    if reason == "it has no value yet":
        moto.create(prefix + lacking)
    server.launch()
    assert server.wait(ENOUGH) == 2
    said = (server.directory / "stderr.log").read_text().splitlines()
    assert said[2:] == [f"  {prefix}{lacking} ({reason})"]


def test_a_check_notes_what_is_to_come(deployments, moto):
    server, prefix = deployments.prepare(moto.url, SECRETS_TO_COME="openai_api_key")
    moto.fill(prefix, set(deployments.names) - {"OPENAI_API_KEY"}, AIPROXY_API_KEY=MAIN)
    moto.create(f"{prefix}openai_api_key")
    check = [sys.executable, "-m", "lib.cli.check"]
    done = subprocess.run(
        check, cwd=server.directory, env=server.settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "OPENAI_API_KEY is unset until its secret has a value" in done.stdout


# ---- failures ----


def test_a_failed_renewal_keeps_the_old_keys(deployments, own_moto, upstream):
    server, prefix = deployments.start(own_moto, upstream)
    assert failures(server) == 0
    own_moto.ask("DeleteSecret", SecretId=f"{prefix}aiproxy_api_key", ForceDeleteWithoutRecovery=True)
    line = server.wait_for_line(lambda line: line["event"].startswith("secrets were not renewed"), ENOUGH)
    assert (line["level"], f"{prefix}aiproxy_api_key (there is no such secret)" in line["detail"]) == ("error", True)
    until(lambda: failures(server) >= 1)
    own_moto.put(f"{prefix}openai_api_key", SECOND)  # the others are renewed all the same
    until(lambda: events(server, "reloaded"))
    assert ask(server, MAIN).status == 200
    assert vendor_key(upstream.calls[-1]) == SECOND
    assert not any(secret in server.output() for secret in (MAIN, FIRST, SECOND))


def test_keys_that_do_not_fit_are_not_used(deployments, moto, upstream):
    server, prefix = deployments.start(moto, upstream)
    moto.put(f"{prefix}aiproxy_api_key", "short-secret")
    server.wait_for_line(lambda line: line["event"].startswith("secrets were not renewed"), ENOUGH)
    until(lambda: failures(server) >= 1)
    assert ask(server, MAIN).status == 200
    assert "short-secret" not in server.output()
    moto.put(f"{prefix}aiproxy_api_key", OTHER)
    until(lambda: ask(server, OTHER).status == 200)


# ---- error reports ----


@pytest.fixture
def honeybadger() -> Iterator[tuple[str, list[str]]]:
    """The address of a place for error reports, and the keys that came with them."""
    keys: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["X-API-Key"])
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{LOOPBACK}:{server.server_port}", keys
    server.shutdown()
    server.server_close()


def test_error_reports_go_with_the_new_key(deployments, moto, honeybadger):
    address, keys = honeybadger
    server, prefix = deployments.prepare(moto.url, HONEYBADGER_ENDPOINT=address)
    moto.fill(prefix, deployments.names, AIPROXY_API_KEY=MAIN, HONEYBADGER_API_KEY="hb-first-0123456789")
    server.start()
    moto.put(f"{prefix}honeybadger_api_key", "hb-second-0123456789")
    until(lambda: events(server, "reloaded"))
    keys.clear()
    models = Path(server.settings["MODELS_FILE"])
    models.write_text("[broken")  # the master says so, and so reports it
    server.signal(signal.SIGHUP)
    until(lambda: keys)
    assert set(keys) == {"hb-second-0123456789"}
