"""Questions as plain JSON over a socket, for what the SDKs would not send, or would hide."""

from __future__ import annotations

import http.client
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.same import anthropic_speaker, openai_speaker
from tests.same.asked import Asked
from tests.upstream import Gateway

ROUTES = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
SECONDS = 30.0


@dataclass(frozen=True)
class Plain:
    """A status, headers in lower case, and bytes."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    def error(self) -> tuple[str, str]:
        """The message, and the field at fault when the dialect has a place for it."""
        error = self.json["error"]
        return error["message"], error.get("param") or ""


def body_of(dialect: str, model: str, asked: Asked = Asked()) -> dict[str, Any]:
    """The request body in a dialect."""
    speak = openai_speaker if dialect == "openai" else anthropic_speaker
    return {"model": model, **speak.request(asked)}


def post(server: Gateway, dialect: str, body: dict[str, Any], path: str = "") -> Plain:
    """Ask, and read to the end."""
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    host, _, port = server.url.removeprefix("http://").partition(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=SECONDS)) as connection:
        connection.request("POST", path or ROUTES[dialect], msgspec.json.encode(body), headers)
        answer = connection.getresponse()
        return Plain(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
