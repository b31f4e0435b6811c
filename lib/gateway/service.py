"""The gateway: one call in, one reply out."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from hashlib import blake2b
from time import monotonic, time
from typing import Any

import msgspec

from lib.access import Caller
from lib.base.errors import AIProxyError, ClientGone, VendorProtocolError, VendorRefused
from lib.gateway.admit import admit
from lib.gateway.call import Call, Produced, Record, Reply
from lib.gateway.choose import Chooser
from lib.gateway.circuit import Circuit
from lib.gateway.headers import downward
from lib.gateway.meter import Meter
from lib.gateway.opening import Opening, Persistence
from lib.gateway.settle import Settler
from lib.gateway.stream import Stream
from lib.gateway.trial import Opened
from lib.stores import Standing
from lib.wire import find_usage

_SALT = os.urandom(16)  # of this process: what a key is called here says nothing of it
SLICE = 60.0  # seconds of waiting at once where nobody needs a ping
SSE_HEADERS = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
STREAM_HEADERS = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: the total of a call, and the silence after which a stream gets a ping."""

    total: float
    ping: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How long and how often the gateway tries."""

    persistence: Persistence
    limits: Limits


class Gateway:
    """Admits, chooses, sends and settles. One for each worker; calls share nothing but the circuit."""

    def __init__(
        self, chooser: Chooser, circuit: Circuit, meter: Meter, settler: Settler, behaviour: Behaviour
    ) -> None:
        self.chooser = chooser
        self.meter = meter
        self._circuit = circuit
        self._settler = settler
        self._persistence = behaviour.persistence
        self._limits = behaviour.limits

    def call(self, call: Call) -> Reply:
        """Answer one call. Raises the error to show when there is nothing else to show.

        The call is settled when this returns a whole body or raises; a streamed body settles it when closed.
        """
        record = call.record
        try:
            opening = self._admitted(call)
            if record.stream and not call.path.multipart:  # some models transcribe whole, whatever was asked
                reply = self._streamed(call, opening)
            else:
                reply = self._waited_for(call, opening)
        except AIProxyError as error:
            record.failed(error)
            record.gone |= isinstance(error, ClientGone)
            self._settler.settle(record)
            error.headers = (*error.headers, *_rates(record))
            if isinstance(error, VendorRefused) and error.body:
                return Reply(error.status, [("content-type", "application/json"), *error.headers], error.body)
            raise
        except BaseException:
            self._settler.settle(record)
            raise
        reply.headers += _rates(record)
        return reply

    def run_spending(self, caller: Caller, run: str) -> Standing:
        """What a run of this caller has spent, and what its open calls may still cost. Raises `StoreUnavailable`."""
        return self.meter.run(caller.owner, run)

    def _admitted(self, call: Call) -> Opening:
        record = call.record
        record.stream = admit(call.path, call.body)
        asked = call.body.get("model") if call.path.names_model else call.model
        record.model_asked = self.chooser.model_name(asked)
        places = self.chooser.places(record.model_asked, call.path, own_key=call.credential is not None)
        if call.credential is not None:
            places = [replace(place, tenant=_tenant(call.credential)) for place in places]
        total = places[0].timeouts.total or self._limits.total
        call.deadline = min(call.deadline, record.started + min(total, self._limits.total))
        record.run = call.run
        places = self.meter.admit(call, places)
        return Opening(call, places, self._circuit, self._persistence, self._settler)

    def _waited_for(self, call: Call, opening: Opening) -> Reply:
        """A whole answer. The caller's connection is watched meanwhile."""
        try:
            while (opened := opening.step(monotonic() + SLICE)) is None:
                pass
        finally:
            opening.close()
        return self._reply(call, opening, opened)

    def _streamed(self, call: Call, opening: Opening) -> Reply:
        """A streamed answer. Its head waits for content, so that a failure still gets its own status;
        but no longer than until the first ping is due."""
        try:
            opened = opening.step(monotonic() + self._limits.ping)
        except BaseException:
            opening.close()
            raise
        if opened is None:
            stream = Stream(call, opening, None, self._settler, self._limits.ping)
            call.record.status = 200
            return Reply(200, SSE_HEADERS + STREAM_HEADERS, stream)
        return self._reply(call, opening, opened)

    def _reply(self, call: Call, opening: Opening, opened: Opened) -> Reply:
        call.record.status = opened.answer.status
        headers = downward(opened.answer.headers)
        if opened.kind == "whole":
            return self._whole(call, opened, headers)
        stream = Stream(call, opening, opened, self._settler, self._limits.ping)
        return Reply(opened.answer.status, headers + STREAM_HEADERS, stream)

    def _whole(self, call: Call, opened: Opened, headers: list[tuple[str, str]]) -> Reply:
        opened.answer.close()
        body = opened.block
        call.record.usage = find_usage(opened.sending.outgoing.path.shape, body)
        call.record.produced = Produced(0, len(body))
        if opened.sending.translation is not None:
            body = msgspec.json.encode(opened.sending.translation.response(_decoded(body), int(time())))
            headers = [header for header in headers if header[0] != "content-type"]
            headers.append(("content-type", "application/json"))
        self._settler.settle(call.record)
        return Reply(opened.answer.status, headers, body)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VendorProtocolError(detail=f"not to be decoded: {error}") from error
    return answer


def _rates(record: Record) -> list[tuple[str, str]]:
    """What a caller is told of its rates: nothing before it was admitted."""
    return record.admission.headers() if record.admission is not None else []


def _tenant(credential: str) -> str:
    """A name for a caller's own key, so that each such key rests apart from all others."""
    return blake2b(credential.encode(), key=_SALT, digest_size=6).hexdigest()
