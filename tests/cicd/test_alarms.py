"""The alarms of an environment: what each looks at, how it counts, and whom it tells."""

from __future__ import annotations

import json

import pytest

from lib.telemetry.lines import json_line
from lib.telemetry.redaction import Redactor
from tests.cicd.app import deployed

ALARMS = deployed().of_type("AWS::CloudWatch::Alarm")
FEW = {"Period": 300, "EvaluationPeriods": 1}


@pytest.mark.parametrize(
    ("name", "metric", "counted", "missing"),
    [
        ("LatencyAlarm", "TargetResponseTime", {"ExtendedStatistic": "p95"}, "notBreaching"),
        # Counted for each zone: the least of them would be that of a zone that is well.
        ("UnhealthyAlarm", "UnHealthyHostCount", {"Statistic": "Maximum", "EvaluationPeriods": 5}, "notBreaching"),
        ("NobodyAlarm", "HealthyHostCount", {"Statistic": "Maximum", "EvaluationPeriods": 3}, "breaching"),
        ("SpendAlarm", "SpendUSD", {"Statistic": "Sum", "Period": 3600}, "notBreaching"),
        ("BudgetAlarm", "BudgetRefusals", {"Statistic": "Sum", **FEW}, "notBreaching"),
        ("SecretsAlarm", "SecretRefreshFailures", {"Statistic": "Sum", "Period": 900}, "notBreaching"),
        ("LogErrorsAlarm", "LogErrors", {"Statistic": "Sum", **FEW}, "notBreaching"),
    ],
)
def test_an_alarm_counts_what_it_is_about(name, metric, counted, missing):
    alarm = ALARMS[name]
    assert alarm["MetricName"] == metric
    assert counted.items() <= alarm.items()
    assert alarm["TreatMissingData"] == missing


def test_the_share_of_errors_says_nothing_without_calls():
    (share,) = [one for one in ALARMS["ErrorsAlarm"]["Metrics"] if one.get("ReturnData") is not False]
    assert share["Expression"].startswith("IF(FILL(calls, 0) + FILL(balancer, 0) >= 20, ")
    assert ALARMS["ErrorsAlarm"]["TreatMissingData"] == "notBreaching"


def test_that_nobody_is_there_is_asked_once_somebody_was():
    assert deployed().resources["NobodyAlarm"]["DependsOn"] == "Service"
    assert "NobodyAlarm" not in deployed(DesiredTasks="0").resources


def test_alarms_go_to_the_encrypted_topic():
    rendered = deployed(AlarmEmail="ops@example.org")
    alarms = rendered.of_type("AWS::CloudWatch::Alarm")
    assert {"ErrorsAlarm", "LatencyAlarm", "UnhealthyAlarm", "SpendAlarm", "BudgetAlarm", "LogErrorsAlarm"} <= set(
        alarms
    )
    assert all(one["AlarmActions"] == one["OKActions"] == ["<AlarmTopic>"] for one in alarms.values())
    (topic,) = rendered.of_type("AWS::SNS::Topic").values()
    assert topic["KmsMasterKeyId"] == "<AlarmKey>"
    assert len(rendered.of_type("AWS::SNS::Subscription")) == 1
    assert deployed().of_type("AWS::SNS::Subscription") == {}


def test_the_filter_of_errors_reads_our_log_lines():
    (one,) = deployed().of_type("AWS::Logs::MetricFilter").values()
    (line,) = [json.loads(json_line(Redactor(), level, {"event": "x"})) for level in ["error"]]
    assert f'$.level = "{line["level"]}"' in one["FilterPattern"]
