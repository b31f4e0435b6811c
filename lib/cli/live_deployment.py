"""One deployment over HTTP, as `bin/live-test` sees it: is it there, what does it offer, what did a run cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

SECONDS = 15.0
ECHO = "echo"
PAGES = 40
EARLIER = timedelta(minutes=5)  # the deployment's clock may be behind ours
Row = Mapping[str, Any]


class Unreachable(Exception):
    """Nobody answers there, or whoever does is not ready. Says why."""


class Deployment:
    """A deployment at `url`, called with `key`. What a run makes there begins with `run`."""

    def __init__(self, url: str, key: str | None, run: str) -> None:
        self.url = url
        self.run = run
        self.begun = datetime.now(UTC)
        self._http = requests.Session()
        self._http.trust_env = False  # no key of a .netrc goes there
        if key:
            self._http.headers["Authorization"] = f"Bearer {key}"

    def wait_until_ready(self, seconds: float) -> None:
        """Until it says so, or for so long. Raises `Unreachable`."""
        end = time.monotonic() + seconds
        while (trouble := self._trouble()) is not None:
            if time.monotonic() > end:
                raise Unreachable(trouble)
            time.sleep(1.0)

    def admits(self) -> int:
        """The status of its list of models: 200 when the key is good, or none is needed."""
        return self._ask("GET", "/v1/models").status_code

    def is_admin(self) -> bool:
        """Whether the key may make keys."""
        return self._ask("GET", "/admin/keys").status_code == 200

    def cheapest_model(self) -> str | None:
        """The echo where it is offered, else the chat model with the lowest price; None when no price is known."""
        names = {model["id"] for model in self._ask("GET", "/v1/models").json()["data"]}
        if ECHO in names:
            return ECHO
        answer = self._ask("GET", "/api/inference-models")
        models = answer.json() if answer.status_code == 200 else []
        return min(models, key=_price)["name"] if models else None

    def make_key(self, budget: str) -> tuple[str, str]:
        """A managed key for this run, which dies by itself in an hour: its id and the key."""
        expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = {"name": self.run, "budgets": [f"{budget}/total"], "expires": expires, "tags": {"live-test": self.run}}
        answer = self._ask("POST", "/admin/keys", json=fields)
        answer.raise_for_status()
        return answer.json()["id"], answer.json()["key"]

    def sweep(self) -> list[str]:
        """Revoke every key of this run that is good; their names. Raises `requests.RequestException`."""
        answer = self._ask("GET", "/admin/keys")
        answer.raise_for_status()
        names = [key["name"] for key in answer.json()["data"] if key["state"] == "active" and self._ours(key["name"])]
        for name in names:
            self._ask("DELETE", f"/admin/keys/{name}").raise_for_status()
        return names

    def calls(self) -> list[Row] | None:
        """The rows of the ledger that this run made; None when they may not be seen."""
        try:
            return [row for row in self._rows() if self._ours(str(row["request_id"]))]
        except (requests.RequestException, ValueError, KeyError):
            return None

    def _rows(self) -> Iterator[Row]:
        params = {"from": (self.begun - EARLIER).strftime("%Y-%m-%dT%H:%M:%SZ"), "limit": "1000"}
        for _ in range(PAGES):
            answer = self._ask("GET", "/usage/calls", params=params)
            answer.raise_for_status()
            yield from answer.json()["data"]
            if not answer.json()["next"]:
                return
            params["cursor"] = answer.json()["next"]

    def _ours(self, name: str) -> bool:
        return name == self.run or name.startswith(f"{self.run}-")

    def _trouble(self) -> str | None:
        """Why it is not ready; None when it is."""
        try:
            answer = self._ask("GET", "/monitoring/ready")
        except requests.RequestException as error:
            return f"nobody answers ({type(error).__name__})"
        if answer.status_code == 200:
            return None
        who = "it" if "X-Process-Time" in answer.headers else "whoever stands before it"
        return f"{who} answers {answer.status_code} to /monitoring/ready"

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._http.request(method, self.url + path, timeout=SECONDS, allow_redirects=False, **options)


def total(rows: list[Row]) -> Decimal:
    """What rows of the ledger cost, in USD."""
    return sum((Decimal(row["cost_usd"]) for row in rows), Decimal(0))


def _price(model: Row) -> float:
    """USD for a million tokens each way."""
    return float(model["cost_usd_per_million_input_tokens"]) + float(model["cost_usd_per_million_output_tokens"])
