"""Callers who run out of patience or leave: the SDKs' own exceptions, and a vendor that stops working for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Gateway, Upstream, free_ports

HELLO: Any = [{"role": "user", "content": "Grüezi"}]
CLAUDE = "claude-sonnet-4-6"


def left(server: Gateway, seen: Seen, vendor: Upstream) -> dict[str, Any]:
    """The access line of the call that was left, once the vendor has seen it go."""
    vendor.wait(lambda vendor: seen.call.cancelled)
    return server.wait_for_line(lambda line: line.get("model_served") == seen.call.model and line["client_gone"])


@pytest.mark.parametrize("client", ["openai", "anthropic"])
@pytest.mark.parametrize("behaviour", ["silent", "silent-head"])
def test_a_timeout_while_waiting(
    oai: openai.OpenAI,
    ant: anthropic.Anthropic,
    server: Gateway,
    seen: Seen,
    vendor: Upstream,
    client: str,
    behaviour: str,
) -> None:
    vendor.plan(behaviour)
    if client == "openai":
        with pytest.raises(openai.APITimeoutError):
            oai.with_options(timeout=0.3).chat.completions.create(model=f"openai/late-{behaviour}", messages=HELLO)
    else:
        with pytest.raises(anthropic.APITimeoutError):
            ant.with_options(timeout=0.3).messages.create(
                model=f"anthropic/late-{behaviour}", messages=HELLO, max_tokens=9
            )
    assert left(server, seen, vendor)["stream"] is False


def test_a_timeout_in_the_middle_of_a_stream(oai: openai.OpenAI, server: Gateway, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("silent-stream-2")
    got = []
    with pytest.raises(openai.APITimeoutError):
        for chunk in oai.with_options(timeout=0.3).chat.completions.create(
            model="openai/stalls", messages=HELLO, stream=True
        ):
            got.append(chunk.choices[0].delta.content)
    assert got == ["", "Zwölf ", "gulls "]
    assert left(server, seen, vendor)["stream"] is True


def test_closing_a_stream(oai: openai.OpenAI, server: Gateway, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("stream-500-0.05")
    stream = oai.chat.completions.create(model="openai/closed", messages=HELLO, stream=True)
    next(stream)
    stream.close()
    assert left(server, seen, vendor)["status"] == 200
    assert len(seen.call.events) < 100


def test_leaving_the_context_of_a_stream(
    ant: anthropic.Anthropic, server: Gateway, seen: Seen, vendor: Upstream
) -> None:
    vendor.plan("stream-500-0.05")
    with ant.messages.stream(model="anthropic/left", messages=HELLO, max_tokens=9) as stream:
        next(stream.text_stream)
    left(server, seen, vendor)


def test_leaving_a_silent_stream(oai: openai.OpenAI, server: Gateway, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("silent-stream-2")
    with oai.responses.create(model="openai/silent-response", input="Grüezi", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    left(server, seen, vendor)


def test_leaving_in_the_middle_of_speech(oai: openai.OpenAI, server: Gateway, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("stream-500-0.05")
    with oai.audio.speech.with_streaming_response.create(model="openai/voice", input="Hoi", voice="alloy") as answer:
        next(answer.iter_bytes())
    left(server, seen, vendor)


@pytest.mark.parametrize("call", [
    lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0).models.list(),
    lambda url: anthropic.Anthropic(base_url=url, api_key="none", max_retries=0).models.list(),
], ids=["openai", "anthropic"])  # fmt: skip
def test_nobody_there(call: Callable[[str], Any]) -> None:
    (port,) = free_ports(1)
    with pytest.raises((openai.APIConnectionError, anthropic.APIConnectionError)):
        call(f"http://127.0.0.1:{port}")


def test_cancelling_a_task(server: Gateway, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("silent")

    async def give_up() -> None:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
            task = asyncio.create_task(client.chat.completions.create(model="openai/cancelled", messages=HELLO))
            await asyncio.to_thread(vendor.wait, lambda _: seen.calls and seen.calls[0].received_at)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(give_up())
    assert left(server, seen, vendor)["status"] == 499


def test_many_streams_at_once_from_one_async_client(server: Gateway, seen: Seen) -> None:
    async def one(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model="openai/stream-20-0.01", messages=HELLO, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
            return await asyncio.gather(*(one(client) for _ in range(20)))

    texts = asyncio.run(all_of_them())
    assert len(set(texts)) == 1
    assert (len(texts[0].split()), len(seen.calls)) == (20, 20)


def test_anthropics_async_helper(server: Gateway, seen: Seen) -> None:
    async def ask() -> anthropic.types.Message:
        async with (
            anthropic.AsyncAnthropic(base_url=server.url, api_key=server.key, max_retries=0) as client,
            client.messages.stream(model=CLAUDE, messages=HELLO, max_tokens=9) as stream,
        ):
            return await stream.get_final_message()

    assert asyncio.run(ask()).usage.output_tokens == 5
