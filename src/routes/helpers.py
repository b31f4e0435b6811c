"""The small routes that today's users of code.org's aiproxy call. Those that cost money need a key here."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, jsonify, request

from lib.assessment import api_key
from lib.base.errors import DeadlineExceeded, Draining
from lib.net import Wait
from src.context import services
from src.streaming import complete_chat

free = Blueprint("helpers", __name__)
paid = Blueprint("paid_helpers", __name__)

HELLO = [{"role": "user", "content": "Hello world"}]


@free.get("/")
def index() -> Response:
    """Say that the service is there; balancers have asked here for years."""
    return Response("Success.", content_type="text/html; charset=utf-8")


@free.get("/test")
def test() -> Response:
    """An empty JSON object."""
    return jsonify({})


@free.get("/test/429")
def too_many() -> Response:
    """A 429, to try a client's retries on."""
    return Response("Too many requests", 429, content_type="text/html; charset=utf-8")


@paid.get("/openai/models")
def openai_models() -> Response:
    """OpenAI's own list of models, as a JSON array."""
    limit = services().settings.request_timeout_seconds
    with Wait(limit, DeadlineExceeded(), services().lifecycle, Draining()):
        return jsonify(services().catalog.list_models("openai"))


@paid.get("/test/openai")
def openai_test() -> Response:
    """Send one message to `model` and give back the first choice's message. `api-key` is as at `/assessment`."""
    model = request.values.get("model") or services().gateway.chooser.default_model or "gpt-3.5-turbo"
    key = api_key({name: request.values.getlist(name) for name in request.values})
    return jsonify(complete_chat(msgspec.json.encode({"model": model, "messages": HELLO}), key))
