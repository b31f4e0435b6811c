"""A vendor reached over HTTP: the OpenAI-compatible ones and Anthropic.

What tells one from another is data: a base URL, how the key travels, which
shapes it serves. A new vendor that speaks a known dialect is a row in
`models.toml`, never code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lib.base.errors import VendorError, VendorProtocolError
from lib.net import Exchange, HttpClient, HttpRequest, Origin
from lib.providers.base import Outgoing
from lib.wire import Dialect, Path, Shape, counterpart

# https://docs.claude.com/en/api/versioning: required on every request.
ANTHROPIC_VERSION = ("anthropic-version", "2023-06-01")
LIST_SECONDS = 20.0  # of silence while a list of models is read


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where a vendor is, what it speaks and how it knows us. `key` is never shown; `auth` names its header."""

    name: str
    dialect: Dialect
    origin: Origin
    shapes: frozenset[Shape]
    auth: str = "bearer"
    key: str | None = field(default=None, repr=False)
    callers_key: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    usage_in_streams: bool = True
    token_limit: str = "max_tokens"

    def credentials(self, key: str | None) -> tuple[tuple[str, str], ...]:
        """The header that carries a key; none without one."""
        if key is None:
            return ()
        return (("authorization", f"Bearer {key}"),) if self.auth == "bearer" else ((self.auth, key),)


class _ModelList(msgspec.Struct):
    data: list[dict[str, Any]]


class HttpProvider:
    """Sends what it is given to one vendor, with the vendor's key."""

    def __init__(self, vendor: Vendor, http: HttpClient) -> None:
        self.name = vendor.name
        self.asks_for_usage = vendor.usage_in_streams
        self.token_limit = vendor.token_limit
        self.rests = True
        self.takes_callers_key = vendor.callers_key
        self._vendor = vendor
        self._http = http

    def maker(self, model: str) -> str:
        """The vendor, whatever it serves."""
        return self.name

    def dialect(self, path: Path) -> Dialect | None:
        """The dialect this vendor serves `path` in: its own, when it serves the shape at all."""
        vendor = self._vendor
        served = path if path.dialect is vendor.dialect else counterpart(path)
        return vendor.dialect if served and served.shape in vendor.shapes else None

    def list_models(self) -> list[dict[str, Any]]:
        """The vendor's own list of its models, as it describes them. Raises `GatewayError`."""
        request = HttpRequest(
            self._vendor.origin,
            self._vendor.origin.prefix + "/models",
            self._vendor.credentials(self._vendor.key),
            b"",
            method="GET",
        )
        answer = self._http.exchange(request)
        try:
            if not answer.start(LIST_SECONDS) or answer.status != 200:
                raise VendorError(detail=f"listing models: status {answer.status}", provider=self.name)
            body = b""
            while block := answer.read(LIST_SECONDS):
                body += block
            return msgspec.json.decode(body, type=_ModelList).data
        except msgspec.MsgspecError as error:
            raise VendorProtocolError(detail="listing models: not a list", provider=self.name) from error
        finally:
            answer.close()

    def send(self, outgoing: Outgoing) -> Exchange:
        """Prepare the POST; see `lib.providers.base.Answer`."""
        vendor = self._vendor
        key = (outgoing.credential if vendor.callers_key else None) or vendor.key
        headers = [("content-type", outgoing.content_type), *outgoing.headers, *vendor.credentials(key)]
        headers += [(name.lower(), value) for name, value in vendor.headers.items()]
        if vendor.dialect is Dialect.ANTHROPIC and not any(name == "anthropic-version" for name, _ in headers):
            headers.append(ANTHROPIC_VERSION)
        return self._http.exchange(
            HttpRequest(
                origin=vendor.origin,
                target=vendor.origin.prefix + outgoing.path.upstream,
                headers=headers,
                body=outgoing.body,
                length=outgoing.length,
                connect_timeout=outgoing.connect_timeout,
            )
        )
