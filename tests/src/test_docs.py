"""The page of the documents: all of it comes from here, and its policy lets nothing else in."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

ASSETS = {
    "/docs/swagger-ui.css": "text/css",
    "/docs/swagger-ui-bundle.js": "text/javascript",
    "/docs/start.js": "text/javascript",
}


def test_the_page_refers_to_what_is_served_here(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    referred = re.findall(r"""(?:src|href)=["']([^"']*)["']""", page.text)
    assert set(referred) == {*ASSETS, "data:,"}
    assert "//" not in page.text.replace("<!doctype", "")


def test_nothing_runs_that_is_not_in_a_file(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert re.findall(r"<script[^>]*>\s*[^<\s]", page) == []
    assert not re.search(r"""\son[a-z]+=|javascript:|<style|style=""", page)


def test_the_policy(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert (rules["default-src"], rules["script-src"], rules["connect-src"]) == ("'none'", "'self'", "'self'")
    assert (rules["frame-ancestors"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    assert "http" not in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize(("path", "kind"), ASSETS.items())
def test_the_assets(client: FlaskClient, path: str, kind: str) -> None:
    answer = client.get(path, buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, kind)
    if path.endswith(".css"):
        assert not re.search(r"""@import|url\(\s*['"]?(?:https?:)?//""", answer.text)


@pytest.mark.parametrize("name", ["nothing.js", "docs.html", "swagger-ui.css.map", "..", "start.js.bak", "Start.js"])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404
