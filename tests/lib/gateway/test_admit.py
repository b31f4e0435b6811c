"""What a request must be before anything is sent anywhere."""

from __future__ import annotations

from contextlib import closing
from io import BytesIO
from typing import Any

import msgspec
import pytest

from lib.base.errors import BadRequest
from lib.gateway.admit import admit
from lib.wire import PATHS, Form, JsonBody, Path, Shape, path_of

CHAT = path_of(Shape.CHAT)
WHOLE: dict[str, Any] = {
    "model": "m", "messages": [], "prompt": "p", "input": "i", "voice": "v", "max_tokens": 1,
}  # fmt: skip


def body(**fields: Any) -> JsonBody:
    return JsonBody(msgspec.json.encode(fields))


@pytest.mark.parametrize("path", [path for path in PATHS if not path.multipart], ids=lambda path: path.name)
def test_every_field_that_a_path_requires_is_asked_for(path: Path) -> None:
    whole = {name: WHOLE[name] for name in path.required}
    assert admit(path, body(**whole)) is False
    for name in path.required:
        without = body(**{key: value for key, value in whole.items() if key != name})
        if name == "model":  # there may be a default
            admit(path, without)
            continue
        with pytest.raises(BadRequest) as caught:
            admit(path, without)
        assert caught.value.param == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", "Hi"), ("messages", {}), ("messages", 1), ("tools", "t"), ("tools", {}),
        ("stream", "true"), ("stream", 1), ("stream", []), ("stream_options", True), ("stream_options", []),
    ],
)  # fmt: skip
def test_a_wrong_type_is_named(field: str, value: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        admit(CHAT, body(**{"model": "m", "messages": [], field: value}))
    assert caught.value.param == field
    assert f"`{field}`" in caught.value.message


def test_what_the_vendor_reads_is_not_decoded() -> None:
    """An endless number is grammar, but no Python value: decoding it is refused."""
    sent = JsonBody(b'{"model": "m", "messages": [1e999], "tools": [1e999]}')
    assert admit(CHAT, sent) is False
    with pytest.raises(BadRequest):
        sent.get("messages")


@pytest.mark.parametrize("field", ["tools", "stream", "stream_options"])
def test_null_is_as_good_as_absent(field: str) -> None:
    assert admit(CHAT, body(**{"model": "m", "messages": [], field: None})) is False


@pytest.mark.parametrize(("asked", "path", "expected"), [
    (True, Shape.CHAT, True), (False, Shape.CHAT, False), (True, Shape.MESSAGE, True), (True, Shape.EMBEDDING, False),
])  # fmt: skip
def test_only_some_paths_stream(asked: bool, path: Shape, expected: bool) -> None:
    row = path_of(path)
    assert admit(row, body(stream=asked, **{name: WHOLE[name] for name in row.required})) is expected


def form(*parts: tuple[str, str]) -> Form:
    raw = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts)
    return Form("multipart/form-data; boundary=b", BytesIO(f"{raw}--b--\r\n".encode()).read, None)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("True", True), ("1", True), ("false", False)])
def test_a_form_may_ask_for_a_stream(value: str, expected: bool) -> None:
    with closing(form(("model", "whisper-1"), ("stream", value))) as given:
        assert admit(path_of(Shape.TRANSCRIPTION), given) is expected


def test_a_form_must_name_its_model() -> None:
    """There is no place in a form for a default, and a default for chats would be no use to it."""
    with closing(form(("file", "sound"))) as given, pytest.raises(BadRequest) as caught:
        admit(path_of(Shape.TRANSCRIPTION), given)
    assert caught.value.param == "model"
