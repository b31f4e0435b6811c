"""What a request must be before anything is sent anywhere."""

from __future__ import annotations

from lib.base.errors import BadRequest
from lib.wire import Form, JsonBody, Path

_KINDS = {"messages": (list, "a list of messages"), "tools": (list, "a list of tools")}


def admit(path: Path, body: JsonBody | Form) -> bool:
    """Check the fields that the gateway itself reads; whether the answer shall be streamed.

    Raises `BadRequest` naming the first field that is missing or of the wrong type. What only
    the vendor reads is the vendor's to check.
    """
    if isinstance(body, Form):
        if body.get("model") is None:  # a default could not be written into it
            raise BadRequest("`model` is required.", param="model")
        return body.get("stream") in ("true", "True", "1")
    for name in path.required:
        if name != "model" and name not in body:
            raise BadRequest(f"`{name}` is required.", param=name)
    for name, (kind, words) in _KINDS.items():
        if name in body and not isinstance(body.get(name), (kind, type(None))):
            raise BadRequest(f"`{name}` must be {words}.", param=name)
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise BadRequest("`stream` must be true or false.", param="stream")
    if not isinstance(body.get("stream_options"), (dict, type(None))):
        raise BadRequest("`stream_options` must be an object.", param="stream_options")
    return bool(stream) and path.streams
