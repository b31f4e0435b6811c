"""The application in this process, and one real server for what only a server shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lib.base import Settings, load
from lib.wiring import Services, build_services
from src import create_app
from tests.databases import new_sqlite
from tests.upstream import Gateway, Gateways, Upstream
from tests.upstream.gateway import KEY, ROOT, vendors

BROWSER = which("chromium")
BEARER = {"Authorization": f"Bearer {KEY}"}
collect_ignore = [] if BROWSER else ["test_docs_in_a_browser.py"]


def settings(**environ: str) -> Settings:
    """Settings as the environment gives them, with the key of the tests, and no file but the models'."""
    usual = {"AIPROXY_API_KEY": KEY, "MODELS_FILE": str(ROOT / "models.toml"), "DATABASE_URL": new_sqlite()}
    return load({**usual, **environ}, "/nonexistent/config.txt")


@pytest.fixture(scope="package")
def app() -> Flask:
    """The application with a key and no vendor."""
    return create_app(settings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Calls without a key, unless `BEARER` is given."""
    return app.test_client()


@pytest.fixture
def fronted(upstream: Upstream) -> Iterator[Callable[..., FlaskClient]]:
    """`fronted(**environ)`: a client with a key, of an application in front of the upstream."""
    made: list[Services] = []

    def make(**environ: str) -> FlaskClient:
        made.append(build_services(settings(**{**vendors(upstream), **environ})))
        client = create_app(made[-1].settings, made[-1]).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = BEARER["Authorization"]
        return client

    yield make
    for services in made:
        services.http.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running server with a key and no vendor."""
    gateways = Gateways(tmp_path_factory.mktemp("src"))
    yield gateways()
    gateways.stop()


@pytest.fixture
def prepared(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """`prepared(NAME=value)`: a server with these settings that is not started yet."""
    gateways = Gateways(tmp_path)
    yield gateways.prepare
    gateways.stop()


def openai_error(response: Any) -> dict[str, Any]:
    """The error object of a response in OpenAI's family. Fails for any other shape."""
    assert response.content_type == "application/json"
    body = response.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = body["error"]
    return error


def anthropic_error(response: Any) -> dict[str, Any]:
    """The error object of a response in Anthropic's family. Fails for any other shape."""
    assert response.content_type == "application/json"
    body = response.get_json()
    assert set(body) == {"type", "error", "request_id"}
    assert (body["type"], body["request_id"]) == ("error", response.headers["X-Request-ID"])
    assert set(body["error"]) == {"type", "message"}
    error: dict[str, Any] = body["error"]
    return error
