"""No call is cut when a task ends: the time-outs of balancer, ECS, gunicorn and server, for every longest call."""

from __future__ import annotations

import pytest

from lib.base import load
from src.server import LAST_SECONDS
from src.worker import FAREWELL_SECONDS
from tests.cicd.app import TEMPLATE, attributes, container, deployed, environ

LONGEST_CALLS = TEMPLATE["Parameters"]["MaxCallSeconds"]["AllowedValues"]
FARGATE_STOP = 120  # seconds between SIGTERM and SIGKILL, at most
ALB_IDLE, ALB_DEREGISTRATION = 4000, 3600  # seconds at most


def rendered(seconds):
    return deployed(MaxCallSeconds=str(seconds))


def settings(seconds):
    """The settings as the server itself reads them in the container."""
    return load({**environ(rendered(seconds)), "AIPROXY_API_KEY": "x" * 32}, "no-such-file")


def balancer(seconds):
    (one,) = rendered(seconds).of_type("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    return attributes(one["LoadBalancerAttributes"])


def target_group(seconds):
    (one,) = rendered(seconds).of_type("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    return one | attributes(one["TargetGroupAttributes"])


def test_every_length_has_its_row():
    assert {str(one) for one in LONGEST_CALLS} == set(TEMPLATE["Mappings"]["Drain"])
    assert TEMPLATE["Parameters"]["MaxCallSeconds"]["Default"] == 300


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_the_server_has_the_last_word_on_a_call(seconds):
    deadline = settings(seconds).request_timeout_seconds
    assert deadline == seconds
    assert deadline < balancer(seconds)["idle_timeout.timeout_seconds"] <= ALB_IDLE


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_the_balancer_closes_a_resting_connection_first(seconds):
    assert balancer(seconds)["idle_timeout.timeout_seconds"] < settings(seconds).keepalive_seconds


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_a_call_ends_before_the_task_hears_of_its_end(seconds):
    delay = target_group(seconds)["deregistration_delay.timeout_seconds"]
    assert settings(seconds).request_timeout_seconds < delay <= ALB_DEREGISTRATION


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_the_balancer_notices_before_the_server_stops_accepting(seconds):
    group = target_group(seconds)
    noticed = (
        group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"] + group["HealthCheckTimeoutSeconds"]
    )
    assert noticed <= settings(seconds).drain_seconds


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_calls_get_their_last_words_before_sigkill(seconds):
    read = settings(seconds)
    stop = container(rendered(seconds))["StopTimeout"]
    assert (
        read.drain_seconds + read.graceful_timeout_seconds + max(LAST_SECONDS, FAREWELL_SECONDS) < stop <= FARGATE_STOP
    )


@pytest.mark.parametrize("seconds", LONGEST_CALLS)
def test_the_grace_holds_a_whole_call_or_all_that_fargate_leaves(seconds):
    read = settings(seconds)
    left = FARGATE_STOP - read.drain_seconds - LAST_SECONDS
    assert read.graceful_timeout_seconds > seconds or left - read.graceful_timeout_seconds < 10


def test_a_deployment_never_has_fewer_tasks_than_before_and_goes_back_when_it_fails():
    (service,) = deployed().of_type("AWS::ECS::Service").values()
    assert service["DeploymentConfiguration"] == {
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
    }
    assert service["AvailabilityZoneRebalancing"] == "ENABLED"


def test_a_store_that_is_away_ends_no_task():
    assert target_group(300)["HealthCheckPath"] == "/monitoring/serving"
    assert container(rendered(300))["HealthCheck"]["Command"] == [
        "CMD",
        "python",
        "bin/healthcheck",
        "/monitoring/healthz",
    ]
