"""Bedrock while it waits: silence in slices, endings that hang up, many calls at once.

Only a patched process can wait without blocking and be interrupted, so these
run in a child that gevent has patched; see bedrock_scenarios.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.providers.bedrock_calls import events_of, text_of
from tests.lib.providers.patched import Patched
from tests.upstream.bedrock import BedrockUpstream, right
from tests.upstream.recipe import Recipe
from tests.upstream.record import Call
from tests.upstream.steps import Behaviour, Steps, Wait, deliver

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def patched() -> Iterator[Patched]:
    """A child process that gevent has patched."""
    with Patched("tests.lib.providers.bedrock_scenarios") as child:
        yield child


@BOTH
def test_silence_is_told_in_slices(bedrock: BedrockUpstream, patched: Patched, stream: bool) -> None:
    bedrock.plan("slow-0.5")
    seen = patched.run("slices", bedrock.url, stream)
    assert seen["before"] >= 3
    assert seen["blocks"]


def test_a_stream_is_handed_on_as_it_arrives(bedrock: BedrockUpstream, patched: Patched) -> None:
    bedrock.plan("stream-4-0.2")
    seen = patched.run("slices", bedrock.url, True)
    assert seen["within"] >= 3
    assert len(seen["blocks"]) >= 4
    assert text_of(events_of("".join(seen["blocks"]).encode())) == Recipe(chunks=4).text


@pytest.mark.parametrize("ending", ["abort", "close"])
@pytest.mark.parametrize(
    ("behaviour", "stream", "until"),
    [("silent", False, "start"), ("silent", True, "start"), ("silent-head", True, "start"),
     ("silent-stream-2", False, "start"), ("silent-stream-2", True, "read"), ("stream-40000", True, "idle")],
)  # fmt: skip
def test_an_ending_hangs_up(
    bedrock: BedrockUpstream, patched: Patched, behaviour: str, stream: bool, until: str, ending: str, tmp_path: Path
) -> None:
    bedrock.plan(behaviour)
    asked = tmp_path / "asked"
    watch = threading.Thread(target=lambda: bedrock.wait(lambda seen: seen.calls) and asked.touch())
    watch.start()
    left = patched.run("left", bedrock.url, stream, ending, until, str(asked))
    watch.join()
    assert left == {"raised": "ClientGone", "greenlets": 0}
    bedrock.wait(lambda seen: seen.cancelled)
    bedrock.wait(lambda seen: seen.connections == 0)


@pytest.mark.parametrize(("behaviour", "stream"), [("silent", False), ("silent", True), ("silent-stream-2", True)])
def test_a_vendor_that_stays_silent(bedrock: BedrockUpstream, patched: Patched, behaviour: str, stream: bool) -> None:
    bedrock.plan(behaviour)
    assert patched.run("failed", bedrock.url, stream, 0.3) == {"error": "VendorTimeout", "greenlets": 0}
    bedrock.wait(lambda seen: seen.cancelled)


def test_calls_do_not_wait_for_each_other(bedrock: BedrockUpstream, patched: Patched) -> None:
    """Nobody is answered before all have asked."""
    number = 20

    def play(call: Call) -> Steps:
        while len(bedrock.seen) < number:
            yield Wait(0.01)
        yield from deliver(right(call))

    bedrock.plan(*[Behaviour("together", play)] * number)
    assert len(set(patched.run("together", bedrock.url, number))) == 1


def test_first_calls_at_once_make_one_client(bedrock: BedrockUpstream, patched: Patched) -> None:
    assert patched.run("clients", bedrock.url, 10) == 1
