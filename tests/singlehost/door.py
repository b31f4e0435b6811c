"""A caller of the site: TLS to nginx on loopback, by the site's name."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from contextlib import closing
from typing import Any, Protocol

from tests.drills.client import Connection, Said
from tests.singlehost.installed import DOMAIN
from tests.upstream import Gateway
from tests.upstream.ports import LOOPBACK

SECONDS = 20.0


class Site(Protocol):
    """Where nginx is: `certificate` names a file, `https-port` and `http-port` are ports of loopback."""

    flags: dict[str, str]


class Door(Connection):
    """One connection through nginx, with the abilities of the drills' connections."""

    def __init__(self, machine: Site, server: Gateway | None = None, *, key: str | None = None) -> None:
        context = ssl.create_default_context(cafile=machine.flags["certificate"])
        plain = socket.create_connection((LOOPBACK, int(machine.flags["https-port"])), SECONDS)
        self.sock = context.wrap_socket(plain, server_hostname=DOMAIN)
        self._key = key or (server.key if server else "")
        self._answer: http.client.HTTPResponse | None = None

    def head(self, method: str, path: str, headers: Any) -> bytes:
        """With the site's own name."""
        return super().head(method, path, {"Host": DOMAIN, **headers})

    def get(self, path: str, **headers: str) -> Said:
        """The answer to a GET."""
        self.sock.sendall(self.head("GET", path, {name.replace("_", "-"): value for name, value in headers.items()}))
        return self.said()


def ask(machine: Site, server: Gateway, path: str, fields: dict[str, Any], **headers: str) -> Said:
    """One POST on a connection of its own."""
    with closing(Door(machine, server)) as door:
        door.post(path, json.dumps(fields).encode(), **headers)
        return door.said()


def plain(machine: Site, path: str) -> Said:
    """One GET without TLS."""
    connection = http.client.HTTPConnection(LOOPBACK, int(machine.flags["http-port"]), timeout=SECONDS)
    with closing(connection):
        connection.request("GET", path, headers={"Host": DOMAIN})
        answer = connection.getresponse()
        return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
