"""What a request must be before anything is sent anywhere."""

from __future__ import annotations

from lib.base.errors import BadRequest
from lib.wire import Form, JsonBody, Path

_LISTS = {"messages": "a list of messages", "tools": "a list of tools"}


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
    for name, words in _LISTS.items():
        if body.kind(name) not in ("list", "null", None):
            raise BadRequest(f"`{name}` must be {words}.", param=name)
    if body.kind("stream") not in ("bool", "null", None):
        raise BadRequest("`stream` must be true or false.", param="stream")
    if body.kind("stream_options") not in ("object", "null", None):
        raise BadRequest("`stream_options` must be an object.", param="stream_options")
    return bool(body.get("stream")) and path.streams
