"""What is counted, by one process."""

from __future__ import annotations

import inspect

import pytest
from prometheus_client import generate_latest

from lib.telemetry import Finished, Metrics, NoMetrics
from lib.telemetry.metrics import MAX_VALUES

CALL = {"route": "/v1/chat/completions", "provider": "openai", "model": "gpt-4o"}


@pytest.fixture
def metrics():
    return Metrics({"gpt-4o", "claude"})


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def finished(**changes: object) -> Finished:
    return Finished(**{**CALL, "method": "POST", "status": 200, "seconds": 2.0, "first_byte": 0.3, **changes})


def test_a_request_is_counted_once_in_each_place(metrics: Metrics):
    metrics.finished(finished())
    metrics.finished(finished(seconds=100.0, first_byte=None))
    assert value(metrics, "aiproxy_requests_total", **CALL, method="POST", status="200") == 2
    where = {"route": CALL["route"], "provider": "openai"}
    assert value(metrics, "aiproxy_request_duration_seconds_count", **where) == 2
    assert value(metrics, "aiproxy_request_duration_seconds_sum", **where) == 102
    assert value(metrics, "aiproxy_request_duration_seconds_bucket", **where, le="2.5") == 1
    assert value(metrics, "aiproxy_request_duration_seconds_bucket", **where, le="120.0") == 2
    assert value(metrics, "aiproxy_first_byte_seconds_count", provider="openai", model="gpt-4o") == 1


def test_a_request_without_a_call_has_neither_provider_nor_model(metrics: Metrics):
    metrics.finished(Finished(route="/health", method="GET", status=200, seconds=0.001))
    labels = {"route": "/health", "method": "GET", "status": "200", "provider": "none", "model": "none"}
    assert value(metrics, "aiproxy_requests_total", **labels) == 1


def test_gauges_go_up_and_down(metrics: Metrics):
    for act in (metrics.entered, metrics.entered, metrics.left, metrics.stream_opened):
        act()
    assert value(metrics, "aiproxy_requests_in_flight") == 1
    assert value(metrics, "aiproxy_streams_open") == 1
    metrics.stream_closed()
    assert value(metrics, "aiproxy_streams_open") == 0


def test_tokens_failures_and_clients_that_left(metrics: Metrics):
    metrics.tokens("openai", "gpt-4o", "input", 100)
    metrics.tokens("openai", "gpt-4o", "input", 20)
    metrics.tokens("openai", "gpt-4o", "output", 0)
    metrics.attempt_failed("openai", "upstream_timeout")
    metrics.client_gone("/v1/messages")
    metrics.cost("openai", "gpt-4o", "exact", 0.25)
    metrics.cost("openai", "gpt-4o", "exact", 0.5)
    metrics.cost("openai", "gpt-4o", "estimated", 0.0)
    metrics.refused("budget_exceeded")
    metrics.store_failed("database")
    assert value(metrics, "aiproxy_cost_usd_total", provider="openai", model="gpt-4o", exactness="exact") == 0.75
    assert value(metrics, "aiproxy_cost_usd_total", provider="openai", model="gpt-4o", exactness="estimated") is None
    assert value(metrics, "aiproxy_refused_total", code="budget_exceeded") == 1
    assert value(metrics, "aiproxy_store_failures_total", store="database") == 1
    assert value(metrics, "aiproxy_tokens_total", provider="openai", model="gpt-4o", kind="input") == 120
    assert value(metrics, "aiproxy_tokens_total", provider="openai", model="gpt-4o", kind="output") is None
    assert value(metrics, "aiproxy_attempt_failures_total", provider="openai", code="upstream_timeout") == 1
    assert value(metrics, "aiproxy_clients_gone_total", route="/v1/messages") == 1


def test_no_label_grows_without_end(metrics: Metrics):
    for number in range(3 * MAX_VALUES):
        name = f"made-up-{number}"
        metrics.finished(finished(model=name, method=name))
        metrics.finished(finished(route=name))
        metrics.finished(finished(provider=name))
        metrics.tokens("openai", name, "input", 1)
        metrics.tokens("openai", None, name, 1)
        metrics.attempt_failed(name, name)
        metrics.cost(name, name, "exact", 1.0)
        metrics.refused(name)
        metrics.client_gone(name)
    seen: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            for label, text in sample.labels.items():
                seen.setdefault(label, set()).add(text)
    assert seen["model"] == {"gpt-4o", "other", "none"}
    assert seen["method"] == {"POST", "other"}
    assert all(len(seen[label]) == MAX_VALUES + 1 for label in ("route", "provider", "code", "kind"))
    assert value(metrics, "aiproxy_tokens_total", provider="openai", model="other", kind="input") == 3 * MAX_VALUES


def test_models_may_become_known_later():
    known = {"a"}
    metrics = Metrics(known)
    metrics.tokens("p", "b", "input", 1)
    known.add("b")
    metrics.tokens("p", "b", "input", 1)
    assert value(metrics, "aiproxy_tokens_total", provider="p", model="b", kind="input") == 1
    assert value(metrics, "aiproxy_tokens_total", provider="p", model="other", kind="input") == 1


def test_every_metric_says_what_it_is(metrics: Metrics):
    text = generate_latest(metrics.registry).decode()
    names = [
        line.split(" ", 3)[2] for line in text.splitlines() if line.startswith("# HELP") and "_created" not in line
    ]
    assert len(names) == 11
    assert all(name.startswith("aiproxy_") for name in names)


def test_the_null_object_does_nothing_of_all_of_it():
    nothing = NoMetrics()
    public = [name for name in vars(Metrics) if not name.startswith("_")]
    assert set(public) <= set(vars(NoMetrics))
    for name in public:
        method = getattr(nothing, name)
        assert method(*[None for _ in inspect.signature(method).parameters]) is None
    assert vars(nothing) == {}
