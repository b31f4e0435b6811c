"""Which models metrics name: no vendor, and no caller, can make labels without end or use up those of others."""

from __future__ import annotations

import pytest

from lib.gateway import Record, Settler
from lib.gateway.settle import MAX_SERVED
from lib.telemetry import Metrics
from lib.wire import Usage


@pytest.fixture
def metrics() -> tuple[Metrics, Settler]:
    """What counts, and what it counts for."""
    served: set[str] = set()
    made = Metrics(served)
    settler = Settler(made, served)
    settler.know(["gpt-4o"])
    return made, settler


def serve(settler: Settler, provider: str, model: str, status: int = 200) -> None:
    record = Record(provider=provider, model_served=model, status=status, usage=Usage(input_tokens=1))
    settler.settle(record)


def named(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Tokens by provider and model."""
    return {
        (sample.labels["provider"], sample.labels["model"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "aiproxy_tokens_total"
    }


def test_a_vendor_that_answers_to_any_name_does_not_use_up_those_of_others(metrics: tuple[Metrics, Settler]) -> None:
    counted, settler = metrics
    for number in range(3 * MAX_SERVED):
        serve(settler, "any", f"model-{number}")
    serve(settler, "acme", "acme-1")
    serve(settler, "any", "gpt-4o")
    seen = named(counted)
    assert sum(provider == "any" for provider, _ in seen) == MAX_SERVED + 2
    assert seen["any", "other"] == 2 * MAX_SERVED
    assert seen["acme", "acme-1"] == seen["any", "gpt-4o"] == 1


def test_one_that_was_found_stays(metrics: tuple[Metrics, Settler]) -> None:
    counted, settler = metrics
    for _ in range(2):
        for number in range(MAX_SERVED):
            serve(settler, "any", f"model-{number}")
    assert set(named(counted).values()) == {2.0}


def test_a_name_that_nobody_answered_for_is_not_named(metrics: tuple[Metrics, Settler]) -> None:
    counted, settler = metrics
    serve(settler, "any", "typo", status=502)
    serve(settler, "any", "gpt-4o", status=502)
    assert set(named(counted)) == {("any", "other"), ("any", "gpt-4o")}
