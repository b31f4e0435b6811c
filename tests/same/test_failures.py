"""Failures before and after the first content: one status, one shape, whoever asks and whoever fails."""

from __future__ import annotations

import pytest

from tests.same.asked import FRAGMENTS, Asked
from tests.same.conftest import PLACES, VENDORS, Calls, Speaker
from tests.same.places import Place
from tests.upstream import Gateway

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

# What the vendor's status becomes, and the error's type in both dialects.
STATUSES = [
    (400, 400, "invalid_request_error", "invalid_request_error"),
    (404, 404, "invalid_request_error", "not_found_error"),
    (403, 502, "server_error", "api_error"),
    (408, 504, "server_error", "timeout_error"),
    (429, 429, "rate_limit_error", "rate_limit_error"),
    (500, 502, "server_error", "api_error"),
    (503, 503, "server_error", "overloaded_error"),
]


@both
@pytest.mark.parametrize(
    ("said", "status", "in_openai", "in_anthropic"), STATUSES, ids=[str(row[0]) for row in STATUSES]
)
def test_a_vendor_that_refuses(
    speaker: Speaker, place: Place, said: int, status: int, in_openai: str, in_anthropic: str, stream: bool
) -> None:
    failed = speaker.fail(place.model(f"error-{said}", speaker.dialect), Asked(stream=stream))
    assert failed.status == status
    if not (said < 500 and place.dialect in (speaker.dialect, None)):  # the vendor's own body is handed on
        assert failed.kind == (in_openai if speaker.dialect == "openai" else in_anthropic)
    assert failed.error.response.headers["content-type"] == "application/json"
    assert failed.said.fragments == []


@pytest.mark.parametrize("place", VENDORS, indirect=True)
def test_the_vendors_words_for_a_bad_request_are_handed_on(speaker: Speaker, place: Place) -> None:
    failed = speaker.fail(place.model("error-400", speaker.dialect), Asked())
    assert "temperature" in failed.message


BEFORE = [(name, stream) for name in ("close", "html-502", "empty-200") for stream in (False, True)]
BEFORE += [("not-json", False)]


@pytest.mark.parametrize(("behaviour", "stream"), BEFORE)
@pytest.mark.parametrize("place", VENDORS, indirect=True)
def test_a_vendor_that_breaks_before_any_content(speaker: Speaker, place: Place, behaviour: str, stream: bool) -> None:
    failed = speaker.fail(place.model(behaviour, speaker.dialect), Asked(stream=stream))
    assert failed.status == 502
    assert failed.kind in ("server_error", "api_error")
    assert "The model provider" in failed.message


def test_a_rate_limit_says_how_long(speaker: Speaker, place: Place) -> None:
    seconds = 7 if speaker.dialect == "openai" else 8  # a model that rests after the one does not rest for the other
    failed = speaker.fail(place.model(f"retry-after-{seconds}", speaker.dialect), Asked())
    assert (failed.status, failed.error.response.headers["retry-after"]) == (429, str(seconds))


AFTER = [(name, place) for place in VENDORS for name in ("error-after-2", "cut-body-2", "close-body-2", "close-half-2")]
AFTER += [("error-after-2", "echo"), ("cut-body-2", "echo")]


@pytest.mark.parametrize(("behaviour", "place"), AFTER, indirect=["place"])
def test_a_failure_after_content_is_an_event(
    speaker: Speaker, place: Place, server: Gateway, request_id: str, behaviour: str
) -> None:
    failed = speaker.fail(place.model(behaviour, speaker.dialect), Asked(stream=True))
    assert failed.status is None
    assert failed.said.fragments == FRAGMENTS[:2]
    assert failed.kind in ("server_error", "api_error", "overloaded_error")
    line = server.wait_for_line(lambda line: line.get("request_id") == request_id and line.get("event") == "request")
    assert (line["error"].startswith("upstream_"), line["attempts"], line["client_gone"]) == (True, 1, False)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_an_unknown_model_of_a_known_provider_is_the_vendors_to_refuse(
    speaker: Speaker, place: Place, calls: Calls
) -> None:
    failed = speaker.fail(place.model("error-404", speaker.dialect), Asked())
    assert failed.status == 404
    assert len(calls.all) == (1 if calls.vendor else 0)
