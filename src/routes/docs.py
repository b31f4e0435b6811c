"""The OpenAPI document and a page to read it, served from here: no CDN."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
from flask import Blueprint, Response, current_app, render_template, send_from_directory

from lib.base.errors import NotFound
from src import openapi

blueprint = Blueprint("docs", __name__, template_folder="../templates")

GUARDED = "aiproxy.guarded"  # for each blueprint, whether it needs a key; the list of routes knows
DOCUMENT = "aiproxy.document"  # the OpenAPI document, once it is made
_ASSETS = {"swagger-ui.css": "css", "swagger-ui-bundle.js": "js"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
def document() -> Response:
    """The OpenAPI 3.1 document of this service."""
    made = current_app.extensions.get(DOCUMENT)
    if made is None:
        made = msgspec.json.encode(openapi.build(current_app, current_app.extensions[GUARDED]))
        current_app.extensions[DOCUMENT] = made
    return Response(made, content_type="application/json")


@blueprint.get("/docs")
def page() -> Response:
    """A page that shows the document and tries calls out."""
    response = Response(render_template("docs.html"), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/docs/<name>")
def asset(name: str) -> Response:
    """A script or style sheet of that page."""
    if name == "start.js":
        return send_from_directory(Path(__file__).parents[1] / "static", name)
    if name not in _ASSETS:
        raise NotFound
    found = find_spec("flask_openapi_swagger")
    assert found is not None
    assert found.origin is not None
    return send_from_directory(Path(found.origin).parent / "templates" / "swagger" / _ASSETS[name], name)
