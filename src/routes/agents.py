"""Agents, whose runs have a cost cap, in the two contracts that they speak. See `lib.agents`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from lib.agents import Asker
from src.context import caller, observation, services
from src.streaming import json_body, respond, watched

guide = Blueprint("guide", __name__)
evaluation = Blueprint("evaluation", __name__)


@guide.post("/agents/inference")
def guide_inference() -> Response:
    """Ask a chat model; the answer is a JSON string, or an object with an `error`."""
    body = json_body()
    with _asker() as asker:
        return respond(services().guide.inference(asker, body))


@guide.post("/agents/embedding")
def guide_embedding() -> Response:
    """Have a text embedded; the answer is the vendor's own, or an object with an `error`."""
    body = json_body()
    with _asker() as asker:
        return respond(services().guide.embedding(asker, body))


@evaluation.post("/api/inference")
def inference() -> Response:
    """Ask a chat model, with tools if need be; the answer holds `content` and `tool_calls`."""
    body = json_body()
    with _asker() as asker:
        return _json(services().evaluation.inference(asker, body))


@evaluation.post("/api/embedding")
def embedding() -> Response:
    """Have a text embedded; the answer holds `embedding`, a list of numbers."""
    body = json_body()
    with _asker() as asker:
        return _json(services().evaluation.embedding(asker, body))


@evaluation.get("/api/usage")
def usage() -> Response:
    """What the run of `evaluation_run_id` has cost, and what is left of its cap, in USD."""
    return _json(services().evaluation.usage(caller(), request.args))


@evaluation.get("/api/inference-models")
def inference_models() -> Response:
    """The chat models that agents may call, with their prices."""
    return _json(services().evaluation.inference_models(caller()))


@evaluation.get("/api/embedding-models")
def embedding_models() -> Response:
    """The embedding models that agents may call, with their prices."""
    return _json(services().evaluation.embedding_models(caller()))


@contextmanager
def _asker() -> Iterator[Asker]:
    """The agent that made the current request."""
    with watched() as watch:
        yield Asker(caller(), watch, observation().record)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/json")
