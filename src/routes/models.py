"""The models that callers may name, in the dialect of whoever asks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request

from lib.base.errors import NotServed
from lib.wire import Shape, path_of
from src.context import services

blueprint = Blueprint("models", __name__)
CREATED = 1700000000  # neither dialect lets the field be absent; a name in a file has no date
CREATED_AT = "2023-11-14T22:13:20Z"


@blueprint.get("/v1/models")
def list_models() -> Response:
    """The names of `models.toml` and the built-in echo. Other names may work: `provider/model`, known prefixes."""
    names = services().gateway.chooser.names()
    if _asked_by_anthropic():
        first, last = (names[0], names[-1]) if names else (None, None)
        data = [_anthropic_model(name) for name in names]
        return jsonify(data=data, has_more=False, first_id=first, last_id=last)
    return jsonify(object="list", data=[_openai_model(name) for name in names])


@blueprint.get("/v1/models/<path:name>")
def show_model(name: str) -> Response:
    """One model, if a call could name it. Raises `UnknownModel`."""
    chooser = services().gateway.chooser
    name = chooser.model_name(name)
    with suppress(NotServed):  # it exists; it only does not chat
        chooser.places(name, path_of(Shape.CHAT))
    return jsonify(_anthropic_model(name) if _asked_by_anthropic() else _openai_model(name))


def _asked_by_anthropic() -> bool:
    return "anthropic-version" in request.headers


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "aiproxy"}


def _anthropic_model(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": CREATED_AT}
