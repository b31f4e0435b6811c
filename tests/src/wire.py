"""Calls over a real socket, as plain as can be."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.upstream import Gateway

SECONDS = 30.0


@dataclass(frozen=True)
class Said:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def ask(server: Gateway, method: str, path: str, *, headers: Mapping[str, str] = {}, json: Any = None) -> Said:
    """One request on a connection of its own, read to its end."""
    body = None if json is None else msgspec.json.encode(json)
    sent = dict(headers) | ({"Content-Type": "application/json"} if body else {})
    with closing(http.client.HTTPConnection(*address(server), timeout=SECONDS)) as connection:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def send(server: Gateway, data: bytes) -> Said:
    """Any bytes at all on a connection of their own, and the first answer to them."""
    with socket.create_connection(address(server), SECONDS) as sock:
        sock.sendall(data)
        answer = http.client.HTTPResponse(sock)
        with closing(answer):
            answer.begin()
            return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def address(server: Gateway) -> tuple[str, int]:
    """Host and port."""
    return "127.0.0.1", int(server.settings["PORT"])
