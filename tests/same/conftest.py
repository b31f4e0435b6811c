"""One server before every kind of provider, and a speaker of each dialect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import anthropic
import openai
import pytest

from tests.same.anthropic_speaker import AnthropicSpeaker
from tests.same.openai_speaker import OpenAISpeaker
from tests.same.places import MODELS, Place, all_places
from tests.upstream import Call, Gateway, Gateways, Upstream
from tests.upstream.aws_environment import CREDENTIALS, ISOLATED
from tests.upstream.bedrock import BedrockUpstream

Speaker = OpenAISpeaker | AnthropicSpeaker
DIALECTS = ("openai", "anthropic")
VENDORS = ("compatible", "anthropic", "bedrock")
PLACES = (*VENDORS, "echo")
_numbers = count()


class Calls:
    """The calls that a vendor saw since this was made."""

    def __init__(self, vendor: Upstream | None) -> None:
        self.vendor = vendor
        self._before = len(vendor.calls) if vendor else 0

    @property
    def all(self) -> list[Call]:
        """In the order of arrival; none for the echo."""
        return self.vendor.calls[self._before :] if self.vendor else []

    @property
    def last(self) -> Call:
        """The latest."""
        return self.all[-1]


@pytest.fixture(scope="package")
def vendor() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running
        assert running.complaints == []


@pytest.fixture(scope="package")
def bedrock() -> Iterator[Upstream]:
    with BedrockUpstream() as running:
        yield running
        assert running.complaints == []


@pytest.fixture(scope="package")
def server(vendor: Upstream, bedrock: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateways = Gateways(tmp_path_factory.mktemp("same"))
    settings = {"LOCAL_BASE_URL": vendor.openai_url, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url}
    yield gateways(vendor, models=MODELS, **settings, **ISOLATED, **CREDENTIALS)
    gateways.stop()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """The dialect that the caller speaks."""
    return str(request.param)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, vendor: Upstream, bedrock: Upstream) -> Place:
    """The provider that answers."""
    return all_places(vendor, bedrock)[request.param]


@pytest.fixture
def request_id() -> str:
    """An identifier under which the access line is found."""
    return f"same-{next(_numbers)}"


@pytest.fixture(scope="package")
def clients(server: Gateway) -> Iterator[dict[tuple[str, bool], Any]]:
    """The SDKs' clients by dialect and by whether they are strict about every type in an answer."""
    made: dict[tuple[str, bool], Any] = {}
    usual: Any = {"api_key": server.key, "max_retries": 0, "timeout": 30}
    with ExitStack() as stack:
        for strict in (False, True):
            more = usual | {"_strict_response_validation": strict}
            made["openai", strict] = stack.enter_context(openai.OpenAI(base_url=f"{server.url}/v1", **more))
            made["anthropic", strict] = stack.enter_context(anthropic.Anthropic(base_url=server.url, **more))
        yield made


@pytest.fixture
def speaker(dialect: str, place: Place, clients: dict[tuple[str, bool], Any], request_id: str) -> Speaker:
    """Strict about what the gateway itself wrote, which is all but what a vendor wrote in the caller's dialect."""
    client = clients[dialect, place.dialect != dialect]
    return OpenAISpeaker(client, request_id) if dialect == "openai" else AnthropicSpeaker(client, request_id)


@pytest.fixture
def calls(place: Place) -> Calls:
    """What the provider's vendor was asked since."""
    return Calls(place.vendor)
