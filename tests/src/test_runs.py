"""The header that names a run, and the shapes of errors that agents get."""

from __future__ import annotations

import json

import pytest
from flask import Flask, g

from lib.access import Caller
from lib.base.errors import (
    AddressNotAllowed,
    AIProxyError,
    BadRequest,
    Fault,
    Forbidden,
    InvalidFields,
    RunSpent,
    Unauthorized,
    VendorTimeout,
)
from src import errors
from src.streaming import RUN_HEADER, run_id

AGENTS = Caller("agents", frozenset({"agents", "openai", "anthropic"}), run_required=True)
ANYONE = Caller("anyone")


def run_of(app: Flask, caller: Caller, name: str | None) -> str | None:
    """What `run_id` makes of a header, as WSGI hands it over."""
    environ = {} if name is None else {"HTTP_X_RUN_ID": name}
    with app.test_request_context("/v1/chat/completions", method="POST", environ_overrides=environ):
        g.caller = caller
        return run_id()


def test_a_run_is_named_by_its_header(app: Flask) -> None:
    assert run_of(app, ANYONE, "my run/7") == "my run/7"
    assert run_of(app, AGENTS, "Läufer".encode().decode("latin-1")) == "Läufer"
    assert run_of(app, ANYONE, None) is None


def test_a_key_of_agents_must_name_one(app: Flask) -> None:
    with pytest.raises(BadRequest, match="`X-Run-ID` is required") as caught:
        run_of(app, AGENTS, None)
    assert caught.value.param == RUN_HEADER


@pytest.mark.parametrize("name", ["", "x" * 257, "a\x01b", "a\x7fb", "\xff", "caf\xe9"])
def test_what_is_no_name_of_a_run(app: Flask, name: str) -> None:
    for caller in (AGENTS, ANYONE):
        with pytest.raises(BadRequest, match="1 to 256 printable") as caught:
            run_of(app, caller, name)
        assert caught.value.param == RUN_HEADER


@pytest.mark.parametrize(("error", "detail"), [
    (Unauthorized(), "Invalid API key"),
    (AddressNotAllowed(), "IP not allowed"),
    (Forbidden(), "This key may not do that."),
    (RunSpent("spent"), "spent"),
    (InvalidFields(), "Some fields of the request are missing or wrong."),
    (
        InvalidFields(Fault(("body", "messages", 0), "Field required", "missing")),
        [{"loc": ["body", "messages", 0], "msg": "Field required", "type": "missing"}],
    ),
])  # fmt: skip
def test_both_families_say_what_the_agent_can_mend(app: Flask, error: AIProxyError, detail: object) -> None:
    with app.test_request_context("/agents/inference"):
        for family in (errors.guide_family, errors.evaluation_family):
            body, content_type = family(error)
            assert (json.loads(body), content_type) == ({"detail": detail}, "application/json")


@pytest.mark.parametrize("error", [AIProxyError(), VendorTimeout("words", detail="more of them")])
@pytest.mark.parametrize("what", ["inference", "embedding"])
def test_the_guides_agents_learn_nothing_of_other_failures(app: Flask, error: AIProxyError, what: str) -> None:
    with app.test_request_context(f"/agents/{what}"):
        body, _ = errors.guide_family(error)
        assert json.loads(body) == {
            "detail": f"Failed to get {what} due to internal server error. Please try again later."
        }
        assert json.loads(errors.evaluation_family(error)[0]) == {"detail": error.message}
