"""The stand-in for Bedrock: its framing against the vendor's published example, its names."""

from __future__ import annotations

import pytest

from tests.upstream.bedrock import ROWS, BedrockUpstream, named
from tests.upstream.event_stream import frame


def test_the_framing_is_the_vendors() -> None:
    """The empty message of the vendor's own test vectors."""
    assert frame({}, b"").hex() == "000000100000000005c248eb7d98c8ff"


@pytest.mark.parametrize("name", ROWS)
def test_every_behaviour_has_a_name_and_says_what_it_does(name: str) -> None:
    assert named(name).name == name
    assert ROWS[name].__doc__


@pytest.mark.parametrize("name", ["", "nonsense", "ok/", "silent--2"])
def test_an_unknown_name_is_refused_when_planned(name: str) -> None:
    with BedrockUpstream() as upstream, pytest.raises(ValueError, match="no behaviour"):
        upstream.plan(name)
