"""How both contracts ask a model: one call of the gateway, and what its failures mean to an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from lib.access import Caller
from lib.agents import heard
from lib.agents.heard import Heard
from lib.agents.models import CHAT, Models
from lib.agents.spending import RunBooks
from lib.base.errors import (
    AIProxyError,
    BadRequest,
    ClientGone,
    NotServed,
    RateLimited,
    UnknownModel,
    Unpriced,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorTimeout,
)
from lib.gateway import Call, Client, Record, Reply
from lib.wire import EMBED, JsonBody, read_error

REFUSED = "The model provider refused the request."
UNSUPPORTED = (UnknownModel, NotServed, Unpriced)
"""What a model is that an agent may not or cannot call."""
_THE_AGENTS_OWN = frozenset({400, 413, 422})  # what a vendor refuses about what the agent wrote
_IN_STREAM: dict[int, type[AIProxyError]] = {429: RateLimited, 503: VendorOverloaded, 504: VendorTimeout}


class Door(RunBooks, Protocol):
    """The gateway, as far as agents need it."""

    def call(self, call: Call) -> Reply:
        """Answer one call; see `lib.gateway.Gateway`."""


@dataclass(frozen=True, slots=True)
class Agents:
    """What both contracts stand on."""

    gateway: Door
    models: Models


@dataclass(frozen=True, slots=True)
class Asker:
    """The request in which an agent asks."""

    caller: Caller
    client: Client
    record: Record


def chat(agents: Agents, asker: Asker, run: str, body: dict[str, Any]) -> Heard:
    """Ask a chat model and hear it out.

    It is asked for a stream, so that no balancer on the way sees a silent connection, and so that an agent that
    leaves pays for what was produced. Raises what `Gateway.call` raises; a refusal as `refused` has it.
    """
    call = Call(CHAT, asker.caller, _json(body | {"stream": True}), (), asker.client, asker.record, run=run)
    reply = _sent(agents, call)
    if isinstance(reply.body, bytes):
        return heard.whole(reply.body)
    if not _is_events(reply):
        reply.body.close()
        raise VendorProtocolError(detail="neither JSON nor events")
    try:
        answer = heard.streamed(reply.body)
    finally:
        reply.body.close()
    if call.record.gone:
        raise ClientGone
    if answer.failed:
        raise _in_stream(call.record)
    return answer


def embed(agents: Agents, asker: Asker, run: str, model: str, text: str, *, bare: bool = False) -> Reply:
    """Ask an embedding model in the form that it takes; the one of a bare list when it takes both and `bare` is set.

    Raises as `chat` does, and `NotServed`, `UnknownModel`.
    """
    path = agents.models.embedding.path(model, EMBED if bare else None)
    body = {"inputs": text} if path is EMBED else {"model": model, "input": text}
    named = model if path is EMBED else None
    return _sent(agents, Call(path, asker.caller, _json(body), (), asker.client, asker.record, run=run, model=named))


def _sent(agents: Agents, call: Call) -> Reply:
    """The reply of a 200. Raises the vendor's refusal as `refused` has it."""
    try:
        reply = agents.gateway.call(call)
    except VendorRefused as error:
        raise refused(error.status, error.message, call.record.provider) from None
    if reply.status == 200:
        return reply
    words = read_error(reply.body).message if isinstance(reply.body, bytes) else ""
    raise refused(reply.status, words, call.record.provider)


def refused(status: int, words: str, provider: str | None) -> AIProxyError:
    """A vendor's 4xx as the agent sees it: its own fault or a 502, never the vendor's words, which go to the log.

    A 404 would speak of a path, a 401 of a key, that the agent knows nothing of.
    """
    detail = f"{status}: {words}"
    if status not in _THE_AGENTS_OWN:
        return VendorError(detail=detail, provider=provider)
    error = BadRequest(REFUSED, detail=detail, provider=provider)
    error.status = status
    return error


def _in_stream(record: Record) -> AIProxyError:
    """The failure that ended a stream, by what the gateway noted of it: its event has no status."""
    if 400 <= record.status < 500 and record.status not in _IN_STREAM:
        return refused(record.status, record.error or "", record.provider)
    kind = _IN_STREAM.get(record.status, VendorError)
    return kind(detail=record.error, provider=record.provider)


def _is_events(reply: Reply) -> bool:
    return any(name == "content-type" and value.startswith("text/event-stream") for name, value in reply.headers)


def _json(body: dict[str, Any]) -> JsonBody:
    return JsonBody(msgspec.json.encode(body))
