"""The deployment that `bin/live-client` talks to: its models, one turn of a conversation, what the turn cost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from lib.cli.live_families import Count, Family, Fault, Talk, refusal

CONNECT, SILENT = 5.0, 320.0  # seconds; the longer one is more than a call may take
LOOKS, PAUSE = 10, 0.1  # the row of a call is written just after its answer


@dataclass(frozen=True)
class Charged:
    """What the ledger says of one request: tokens, USD, and how exact that is."""

    input: int
    output: int
    cost: Decimal
    exactness: str


class Connection:
    """Calls a deployment at `url` with `key`."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self.request_id = ""
        self._http = requests.Session()
        self._http.trust_env = False  # no key of a .netrc goes there
        if key:
            self._http.headers["Authorization"] = f"Bearer {key}"

    def models(self) -> list[str] | None:
        """The names that may be asked for; None when the key is no good. Raises `Fault` and `requests` errors."""
        answer = self._http.get(f"{self.url}/v1/models", timeout=(CONNECT, SILENT), allow_redirects=False)
        if answer.status_code == 401:
            return None
        if answer.status_code != 200:
            raise Fault(refusal(answer))
        return [str(model["id"]) for model in answer.json()["data"]]

    def agents_models(self) -> list[str]:
        """The names that agents may ask for; none where that is not told."""
        answer = self._http.get(f"{self.url}/api/inference-models", timeout=(CONNECT, SILENT), allow_redirects=False)
        return [str(model["name"]) for model in answer.json()] if answer.status_code == 200 else []

    @contextmanager
    def turn(self, family: Family, talk: Talk, count: Count) -> Iterator[Iterator[str]]:
        """The pieces of the answer to the last turn. Leaving early ends the call there. Raises `Fault`."""
        options: dict[str, Any] = family.request(talk)
        self.request_id = f"live-client-{secrets.token_hex(8)}"
        headers = {**options.pop("headers", {}), "X-Request-ID": self.request_id}
        try:
            answer = self._http.post(
                self.url + family.path,
                headers=headers,
                timeout=(CONNECT, SILENT),
                stream=True,
                allow_redirects=False,
                **options,
            )
            try:
                if answer.status_code != 200:
                    raise Fault(refusal(answer))
                yield family.pieces(answer, count)
            finally:
                answer.close()
        except requests.RequestException as error:
            raise Fault(f"the connection failed ({type(error).__name__})") from None

    def charged(self) -> Charged | None:
        """What the last turn cost; None when the ledger does not say."""
        for _ in range(LOOKS):
            rows = self._rows()
            if rows is None:
                return None
            if found := [row for row in rows if row["request_id"] == self.request_id]:
                return _sum(found)
            time.sleep(PAUSE)
        return None

    def _rows(self) -> list[dict[str, Any]] | None:
        try:
            answer = self._http.get(
                f"{self.url}/usage/calls", params={"limit": "50"}, timeout=(CONNECT, SILENT), allow_redirects=False
            )
            return list(answer.json()["data"]) if answer.status_code == 200 else None
        except (requests.RequestException, ValueError, KeyError):
            return None


def _sum(rows: list[dict[str, Any]]) -> Charged:
    """Several rows, when a request made several calls."""
    read = ("input_tokens", "cache_read_tokens", "cache_write_tokens")
    return Charged(
        sum(row[name] or 0 for row in rows for name in read),
        sum(row["output_tokens"] or 0 for row in rows),
        sum((Decimal(row["cost_usd"]) for row in rows), Decimal(0)),
        ", ".join(sorted({row["exactness"] for row in rows})),
    )
