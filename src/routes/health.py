"""Is it alive, may it get traffic. None of them ever calls a vendor."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from src.context import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """Alive, in the very bytes that agents of the migration guide look for."""
    return Response(b'{"status":"healthy","service":"ridges-ai-proxy"}', content_type="application/json")


@blueprint.get("/api/health", endpoint="api_health")
@blueprint.get("/monitoring/healthz", endpoint="healthz")
def alive() -> Response:
    """Alive: the process answers. Does no work."""
    return jsonify(status="healthy")


@blueprint.get("/monitoring/ready")
def ready() -> tuple[Response, int]:
    """Ready for traffic: 200, or 503 while starting, while draining, or when a required store is down."""
    state = services().lifecycle.state
    return jsonify(status=state), 200 if state == "ready" else 503


@blueprint.get("/monitoring/serving")
def serving() -> tuple[Response, int]:
    """The same for whoever ends what is not healthy, such as ECS: a store that is down is no reason for that, as
    a worker that waits for it holds rows to write, and serves the calls that it may."""
    state = services().lifecycle.state
    return jsonify(status=state), 200 if state in ("ready", "waiting") else 503
