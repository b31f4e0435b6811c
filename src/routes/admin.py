"""Managed keys over HTTP, for callers with the scope `admin`: what `bin/keys` does."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from lib.access import DEFAULT_OVERLAP, refuse_unknown
from lib.telemetry import get_logger
from lib.wire import JsonBody
from src.context import caller, services
from src.streaming import json_body

log = get_logger("aiproxy.admin")
blueprint = Blueprint("admin", __name__)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Nothing of this is kept on the way."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/admin/keys")
def list_keys() -> Response:
    """Every managed key, expired and revoked ones too."""
    return jsonify(data=[key.shown() for key in services().managed_keys.list_all()])


@blueprint.post("/admin/keys")
def create_key() -> Response:
    """Make a managed key; the answer holds it, this once."""
    issued = services().managed_keys.create(JsonBody(json_body()).decode())
    _log("created", issued.about.name)
    return jsonify(issued.shown())


@blueprint.get("/admin/keys/<path:name>")
def show_key(name: str) -> Response:
    """One managed key. Raises `NotFound`."""
    return jsonify(services().managed_keys.show(name).shown())


@blueprint.delete("/admin/keys/<path:name>")
def revoke_key(name: str) -> Response:
    """End a managed key, and the one before it, within 5 seconds. Raises `NotFound`."""
    revoked = services().managed_keys.revoke(name)
    _log("revoked", name)
    return jsonify(revoked.shown())


@blueprint.post("/admin/keys/<path:name>/rotate")
def rotate_key(name: str) -> Response:
    """Make a new key in the place of an old one, which stays good for `overlap`. Raises `NotFound`."""
    raw = json_body()
    fields = JsonBody(raw).decode() if raw else {}
    refuse_unknown(fields, ("overlap",))
    issued = services().managed_keys.rotate(name, fields.get("overlap", DEFAULT_OVERLAP))
    _log("rotated", name)
    return jsonify(issued.shown())


def _log(what: str, name: str) -> None:
    log.info(f"managed key {what}", key=name, by=caller().name)
