"""The lines of CloudWatch's embedded metric format: their form, and what they sum."""

from __future__ import annotations

import pytest

from tests.lib.telemetry.test_metrics_files import MASTER

START = (
    MASTER
    + """
import json, time
from lib.telemetry import EmbeddedMetrics, ServerCounts

counts = ServerCounts()
embedded = EmbeddedMetrics("aiproxy.example.org", counts)

def values():
    line = json.loads(embedded.line(1_800_000_000_000))
    return {name: value for name, value in line.items() if name not in ("_aws", "Service")}
"""
)
ALL = """
def call(**of):
    fields = {"route": "/v1/messages", "method": "POST", "status": 200, "seconds": 1.0, **of}
    return f"metrics.finished(Finished(**{fields!r}))"
"""


@pytest.fixture
def port():
    return "0"


def test_a_line_is_what_the_specification_asks_for(program, port):
    source = """
line = embedded.line(1_800_000_000_123)
assert line.endswith(b"}\\n") and line.count(b"\\n") == 1
root = json.loads(line)
head = root["_aws"]
assert head["Timestamp"] == 1_800_000_000_123
(told,) = head["CloudWatchMetrics"]
assert told["Namespace"] == "AIProxy"
assert told["Dimensions"] == [["Service"]]
assert root["Service"] == "aiproxy.example.org"
names = [metric["Name"] for metric in told["Metrics"]]
assert names == ["InFlightCalls", "Calls", "SpendUSD", "BudgetRefusals", "SecretRefreshFailures", "SecretsToCome"]
assert {metric["Unit"] for metric in told["Metrics"]} <= {"Count", "None"}
assert {type(root[name]) for name in names} <= {int, float}
assert set(root) == {"_aws", "Service", *names}
"""
    out = program(START + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")


def test_all_workers_are_summed_and_each_thing_is_told_once(program, port):
    source = """
first, second = fork(), fork()
act(first, call())
act(second, call())
act(second, "metrics.cost('p', 'm', 'exact', 0.1)")
act(first, "metrics.cost('q', 'm', 'estimated', 0.2)")
act(first, "metrics.refused('budget_exceeded'); metrics.refused('run_budget_exceeded')")
act(first, "metrics.refused('rate_limit_exceeded')")
counts.secret_refresh_failures += 1
counts.secrets_to_come = 3
seen = values()
expected = {"InFlightCalls": 2, "Calls": 2, "SpendUSD": 0.3, "BudgetRefusals": 2, "SecretRefreshFailures": 1}
expected["SecretsToCome"] = 3
assert seen == expected, seen

act(second, call())
end(second)
seen = values()
expected = {"InFlightCalls": 1, "Calls": 1, "SpendUSD": 0, "BudgetRefusals": 0, "SecretRefreshFailures": 0}
assert seen == expected | {"SecretsToCome": 3}, seen
assert values()["Calls"] == 0
end(first)
"""
    out = program(START + ALL + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")


def test_probes_and_administration_are_no_calls(program, port):
    source = """
worker = fork()
act(worker, call(route="/monitoring/ready", method="GET"))
act(worker, call(route="/admin/keys"))
act(worker, call(route="unmatched", status=404))
act(worker, call(route="/v1/embeddings", status=503))
seen = values()
assert seen["Calls"] == 1, seen
end(worker)
"""
    out = program(START + ALL + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")


def test_lines_are_written_whatever_the_level(program, port):
    source = """
configure_logs("CRITICAL", "console")
embedded.start(0.05)
time.sleep(1)
"""
    out = program(START + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")
    assert len(out.lines) > 2
    assert all("_aws" in line for line in out.lines)
