"""Browsers of other origins: those that ALLOWED_ORIGINS names, exactly, and no others."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from lib.base import SettingsError
from src import create_app
from tests.src.conftest import BEARER, settings

STUDIO = "https://studio.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}


@pytest.fixture
def site() -> FlaskClient:
    """An application for two origins."""
    return create_app(settings(ALLOWED_ORIGINS=f"{STUDIO}, http://localhost:3000")).test_client()


def marks(headers: object) -> dict[str, str]:
    return {name: value for name, value in headers if name.startswith("Access-Control-")}  # type: ignore[attr-defined]


@pytest.mark.parametrize("origin", [STUDIO, "http://localhost:3000"])
def test_an_allowed_origin(site: FlaskClient, origin: str) -> None:
    answer = site.get("/v1/models", headers={**BEARER, "Origin": origin})
    assert answer.status_code == 200
    found = marks(answer.headers)
    assert found["Access-Control-Allow-Origin"] == origin
    assert found["Access-Control-Allow-Credentials"] == "true"
    assert "X-Request-ID" in found["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


def test_a_preflight_needs_no_key(site: FlaskClient) -> None:
    answer = site.options("/v1/chat/completions", headers={**PREFLIGHT, "Origin": STUDIO})
    assert (answer.status_code, answer.data) == (204, b"")
    found = marks(answer.headers)
    assert "POST" in found["Access-Control-Allow-Methods"]
    assert found["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("origin", [
    "https://evil.example", "http://studio.example.org", f"{STUDIO}:444", f"{STUDIO}.evil.example", "https://x.studio.example.org",
    "null", "*", "", f"{STUDIO}/", STUDIO.upper(),
])  # fmt: skip
def test_any_other_origin_gets_no_marks(site: FlaskClient, origin: str) -> None:
    answer = site.get("/v1/models", headers={**BEARER, "Origin": origin})
    assert (answer.status_code, marks(answer.headers), answer.headers["Vary"]) == (200, {}, "Origin")
    preflight = site.options("/v1/chat/completions", headers={**PREFLIGHT, "Origin": origin})
    assert (preflight.status_code, marks(preflight.headers)) == (405, {})


def test_errors_are_marked_too(site: FlaskClient) -> None:
    for path, status in (("/v1/models", 401), ("/nothing", 404)):
        answer = site.get(path, headers={"Origin": STUDIO})
        assert (answer.status_code, marks(answer.headers)["Access-Control-Allow-Origin"]) == (status, STUDIO)


def test_without_the_setting_there_is_nothing(client: FlaskClient) -> None:
    answer = client.get("/v1/models", headers={**BEARER, "Origin": STUDIO})
    assert (marks(answer.headers), "Vary" in answer.headers) == ({}, False)


@pytest.mark.parametrize(
    "value", ["*", "https://*.example.org", "studio.example.org", "https://a.example/path", "https://"]
)
def test_only_exact_origins_can_be_set(value: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_ORIGINS"):
        settings(ALLOWED_ORIGINS=value)
