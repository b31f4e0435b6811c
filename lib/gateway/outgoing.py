"""From a call and a place to the bytes that one vendor gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import msgspec

from lib.base.errors import DeadlineExceeded
from lib.gateway.call import Call
from lib.gateway.choose import Place
from lib.net import Wait
from lib.providers import Outgoing
from lib.wire import Form, JsonBody, Shape, Translation, counterpart, translation

_COUNTS_ON_REQUEST = (Shape.CHAT, Shape.COMPLETION)  # streams that hold usage only when asked


@dataclass(frozen=True, slots=True)
class Sending:
    """What goes to a vendor, and what that means for the way back.

    `translation` is None when both sides speak one dialect. `strip_usage`: the gateway asked
    for a usage event that the caller did not ask for.
    """

    outgoing: Outgoing
    translation: Translation | None = None
    strip_usage: bool = False


def wants_usage(call: Call) -> bool:
    """Whether the caller asked for the usage event of an OpenAI stream."""
    options = call.body.get("stream_options") if isinstance(call.body, JsonBody) else None
    return isinstance(options, dict) and options.get("include_usage") is True


def prepare(call: Call, place: Place) -> Sending:
    """The request for one place. Raises `Untranslatable` or `BadRequest` naming the field at fault."""
    if isinstance(call.body, Form):
        return _form(call, call.body, place)
    between = translation(call.path.dialect, place.dialect)
    if between is None:
        return _same_dialect(call, call.body, place)
    path = counterpart(call.path)
    assert path is not None  # a provider that does not serve the path was not chosen
    body = between.request(call.body.decode(), place.model)
    if "max_completion_tokens" in body:
        body[place.provider.token_limit] = body.pop("max_completion_tokens")
    if path.shape in _COUNTS_ON_REQUEST and call.record.stream and _asks(place):
        body["stream_options"] = {"include_usage": True}
    return Sending(
        Outgoing(
            path=path,
            model=place.model,
            body=msgspec.json.encode(body),
            headers=[h for h in call.headers if not h[0].startswith(("anthropic-", "openai-"))],
            stream=call.record.stream,
            connect_timeout=_connect_timeout(call, place),
            credential=call.credential if place.own_key else None,
        ),
        translation=between,
    )


def _same_dialect(call: Call, body: JsonBody, place: Place) -> Sending:
    changes: dict[str, Any] = {}
    if call.path.names_model and body.get("model") != place.model:
        changes["model"] = place.model
    strip = False
    if call.record.stream and call.path.shape in _COUNTS_ON_REQUEST and _asks(place) and not wants_usage(call):
        options = body.get("stream_options")
        changes["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        strip = True
    return Sending(
        Outgoing(
            path=call.path,
            model=place.model,
            body=body.with_values(changes) if changes else body.raw,
            headers=call.headers,
            stream=call.record.stream,
            connect_timeout=_connect_timeout(call, place),
            credential=call.credential if place.own_key else None,
        ),
        strip_usage=strip,
    )


def _form(call: Call, form: Form, place: Place) -> Sending:
    return Sending(
        Outgoing(
            path=call.path,
            model=place.model,
            body=_until(call.deadline, form.pieces(place.model)),
            headers=call.headers,
            stream=call.record.stream,
            content_type=form.content_type,
            length=form.length(place.model),
            connect_timeout=_connect_timeout(call, place),
            credential=call.credential if place.own_key else None,
        )
    )


def _until(deadline: float, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """An upload, as slow as its caller, but no slower than the call may be."""
    while True:
        late = DeadlineExceeded(detail="uploading")
        if monotonic() >= deadline:
            raise late
        with Wait(deadline - monotonic(), late):  # a piece may come byte by byte
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _connect_timeout(call: Call, place: Place) -> float:
    return max(0.001, min(place.timeouts.connect or float("inf"), call.deadline - monotonic()))


def _asks(place: Place) -> bool:
    return place.provider.asks_for_usage
