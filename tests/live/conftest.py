"""The deployment under test, as `bin/live-test` describes it in the environment."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests

SECONDS = 120
RUN = os.environ.get("LIVE_RUN", "")
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "smoke: costs nothing and changes nothing")


def request_id() -> str:
    """An id by which the run's rows are found in the ledger."""
    return f"{RUN}-{next(_numbers)}"


class Caller(requests.Session):
    """Calls the deployment with a key, or with none."""

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self.trust_env = False
        if key:
            self.headers["Authorization"] = f"Bearer {key}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One call, by the path."""
        options["headers"] = {"X-Request-ID": request_id(), **options.get("headers", {})}
        return self.request(method, os.environ["LIVE_URL"] + path, timeout=SECONDS, allow_redirects=False, **options)


@pytest.fixture
def stranger() -> Iterator[Caller]:
    """A caller without a key."""
    with Caller(None) as caller:
        yield caller


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A caller with the run's key."""
    if not os.environ["LIVE_ADMITTED"]:
        pytest.skip("no key is known")
    with Caller(os.environ["LIVE_KEY"]) as caller:
        yield caller


@pytest.fixture
def admin() -> Iterator[Caller]:
    """A caller that may make keys."""
    if not os.environ["LIVE_ADMIN"]:
        pytest.skip("the key may not make keys")
    with Caller(os.environ["LIVE_ADMIN_KEY"]) as caller:
        yield caller


@pytest.fixture
def model(caller: Caller) -> str:
    """The model to ask. A smoke test asks none that costs."""
    name = os.environ["LIVE_MODEL"]
    if not name:
        pytest.skip("no model has a known price: give --model")
    if os.environ["LIVE_SMOKE"] and name.partition("/")[0] != "echo":
        pytest.skip("the echo is not offered, and any other model costs")
    return name


@pytest.fixture
def oai(caller: Caller) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK, as a user makes it."""
    url, key = f"{os.environ['LIVE_URL']}/v1", os.environ["LIVE_KEY"] or "none"
    with openai.OpenAI(base_url=url, api_key=key, max_retries=1, timeout=SECONDS) as client:
        yield client
