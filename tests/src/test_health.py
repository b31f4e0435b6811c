"""Alive and ready: three addresses that do no work, and one that turns traffic away while a worker stops."""

from __future__ import annotations

import signal
from collections.abc import Callable

import gevent
import pytest
from flask.testing import FlaskClient

from lib.base import Lifecycle
from lib.wiring import build_services
from src import create_app
from tests.src.conftest import settings
from tests.upstream import Gateway, Upstream


def test_alive_as_agents_look_for_it(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.data == b'{"status":"healthy","service":"ridges-ai-proxy"}'


@pytest.mark.parametrize("path", ["/api/health", "/monitoring/healthz"])
def test_alive(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "healthy"})


def test_ready_goes_by_the_lifecycle() -> None:
    services = build_services(settings())
    client = create_app(services.settings, services).test_client()
    assert (client.get("/monitoring/ready").status_code, services.lifecycle.state) == (200, "ready")
    services.lifecycle.drain()
    draining = client.get("/monitoring/ready")
    assert (draining.status_code, draining.get_json()) == (503, {"status": "draining"})
    assert client.get("/health").status_code == 200
    services.lifecycle.ready()
    assert client.get("/monitoring/ready").status_code == 503


def test_not_ready_while_it_starts() -> None:
    services = build_services(settings())
    client = create_app(services.settings, services).test_client()
    services.lifecycle.__init__()  # type: ignore[misc]  # as before create_app had finished
    assert services.lifecycle.state == Lifecycle().state == "starting"
    answer = client.get("/monitoring/ready")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "starting"})


def test_a_store_that_is_away_is_no_reason_to_end_a_worker() -> None:
    services = build_services(settings())
    client = create_app(services.settings, services).test_client()
    services.lifecycle.depend(met=False)
    waiting = client.get("/monitoring/serving")
    assert (waiting.status_code, waiting.get_json()) == (200, {"status": "waiting"})
    assert client.get("/monitoring/ready").status_code == 503
    services.lifecycle.drain()
    assert client.get("/monitoring/serving").status_code == 503


def test_health_never_calls_a_vendor(fronted: Callable[..., FlaskClient], upstream: Upstream) -> None:
    client = fronted()
    for path in ("/health", "/api/health", "/monitoring/healthz", "/monitoring/ready", "/monitoring/serving"):
        assert client.get(path).status_code == 200
    assert upstream.calls == []


def test_a_server_that_was_told_to_stop_says_so_before_it_stops_accepting(prepared: Callable[..., Gateway]) -> None:
    server = prepared(DRAIN_SECONDS="1.5")
    server.start()
    server.signal(signal.SIGTERM)
    seen = []
    while (status := server.ready_status()) is not None:
        seen.append(status)
        gevent.sleep(0.02)
    assert 503 in seen
    assert set(seen[seen.index(503) :]) == {503}
    assert server.wait() == 0
