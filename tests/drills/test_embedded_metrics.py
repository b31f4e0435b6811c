"""CloudWatch's lines of a running server: one for all workers, and a last one at its end."""

from __future__ import annotations

import signal

from tests.drills.client import ask
from tests.upstream import Gateway

MODELS = '[prices."echo"]\ninput = 1000.0\noutput = 1000.0\n'
ENOUGH = 10.0


def told(gateway: Gateway) -> list[dict[str, object]]:
    return [line for line in gateway.log_lines() if "_aws" in line]


def test_one_line_tells_of_all_workers(gateway, upstream):
    server = gateway(
        upstream,
        models="[providers.openai]\n",
        WEB_CONCURRENCY="2",
        CLOUDWATCH_METRICS_SECONDS="0.2",
        METRICS_PORT="0",
        LOG_LEVEL="ERROR",
        DNS_RECORD="localhost",
    )
    for _ in range(10):
        assert ask(server, "openai/ok").status == 200
    server.wait_for_line(lambda _: sum(line["Calls"] for line in told(server)) == 10, ENOUGH)
    assert {line["Service"] for line in told(server)} == {"localhost"}
    before = len(told(server))
    assert ask(server, "openai/ok").status == 200
    server.signal(signal.SIGTERM)
    assert server.wait(ENOUGH) == 0
    assert sum(line["Calls"] for line in told(server)) == 11
    assert len(told(server)) > before
    assert told(server)[-1]["InFlightCalls"] == 0


def test_what_happened_since_the_last_line_is_told_at_the_end(gateway, upstream):
    server = gateway(upstream, models="[providers.openai]\n", CLOUDWATCH_METRICS_SECONDS="3600")
    assert ask(server, "openai/ok").status == 200
    server.signal(signal.SIGTERM)
    assert server.wait(ENOUGH) == 0
    (line,) = told(server)
    assert (line["Calls"], line["InFlightCalls"]) == (1, 0)


def test_without_the_setting_nothing_is_told(gateway, upstream):
    server = gateway(upstream, models="[providers.openai]\n")
    assert ask(server, "openai/ok").status == 200
    server.signal(signal.SIGTERM)
    assert server.wait(ENOUGH) == 0
    assert told(server) == []
