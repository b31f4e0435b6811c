"""One server and one vendor for the whole folder, and the SDKs' clients of both dialects."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.upstream import Call, Gateway, Gateways, Upstream

MODELS = """
[defaults]
model = "openai/omni-moderation-latest"
attempts = 1
longest_wait = 0.0

[rest]
failures = 1000

[providers.openai]
base_url = "https://api.openai.com/v1"
prefixes = ["gpt-", "text-embedding-"]
shapes = ["*"]

[providers.anthropic]
kind = "anthropic"
base_url = "https://api.anthropic.com"
prefixes = ["claude-"]

[providers.dead]
key = ""

[providers.slow]
key = ""
timeouts = { first_byte = 0.2 }

[models.house-model]
targets = ["openai/gpt-4o"]
"""


class Seen:
    """What the vendor saw since this was made."""

    def __init__(self, vendor: Upstream) -> None:
        self._vendor = vendor
        self._before = len(vendor.calls)

    @property
    def calls(self) -> list[Call]:
        """The calls, in the order of arrival."""
        return self._vendor.calls[self._before :]

    @property
    def call(self) -> Call:
        """The only call. Fails when there was none, or more than one."""
        (call,) = self.calls
        return call


@pytest.fixture(scope="package")
def vendor() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture(scope="package")
def server(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateways = Gateways(tmp_path_factory.mktemp("sdk"))
    yield gateways(vendor, models=MODELS, DEAD_BASE_URL=vendor.refuse, SLOW_BASE_URL=vendor.openai_url)
    gateways.stop()


@pytest.fixture
def seen(vendor: Upstream) -> Iterator[Seen]:
    """What the vendor sees during the test. Fails the test that sends it broken HTTP, or leaves plans unused."""
    yield Seen(vendor)
    left = vendor.planned
    vendor._book.planned.clear()  # the next test is not to blame
    assert (left, vendor.complaints) == ([], [])


@pytest.fixture(scope="package")
def oai(server: Gateway) -> Iterator[openai.OpenAI]:
    """As a user makes it: the gateway's URL and key."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="package")
def ant(server: Gateway) -> Iterator[anthropic.Anthropic]:
    """The same for Anthropic's SDK."""
    with anthropic.Anthropic(base_url=server.url, api_key=server.key, max_retries=0, timeout=30) as client:
        yield client
