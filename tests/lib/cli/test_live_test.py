"""`bin/live-test` against a server of this machine: what it runs, what it leaves behind, how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import pytest
import requests

from lib.cli.live_deployment import Deployment
from tests.house.tree import ROOT
from tests.lib.cli.live_issuer import Issuer
from tests.upstream import Gateway, Ports

SECONDS = 120
PRICED = """
[defaults]
allow = ["house-*"]
[agents]
models = ["house-*"]
[providers.openai]
prefixes = ["gpt-"]
shapes = ["*"]
[models.house-large]
targets = ["openai/gpt-4o"]
[models.house-small]
targets = ["openai/gpt-4o-mini"]
"""
UNPRICED = """
[defaults]
allow = ["house-*"]
[providers.openai]
prefixes = ["gpt-"]
shapes = ["*"]
[models.house-new]
targets = ["openai/no-price-is-known-of-this"]
"""


def command(home, *argv: str, **environ: str) -> subprocess.Popen[str]:
    """The script, in an environment of its own."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), **environ}
    return subprocess.Popen(
        [str(ROOT / "bin/live-test"), *argv],
        cwd=home,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(home, *argv: str, status: int = 0, **environ: str) -> str:
    """What it said. Fails when it ends with another status."""
    with command(home, *argv, **environ) as running:
        said = running.communicate(timeout=SECONDS)[0]
    assert running.returncode == status, said
    return said


def keys(server: Gateway) -> dict[str, str]:
    """The state of each managed key by name."""
    headers = {"Authorization": server.key}
    answer = requests.get(f"{server.url}/admin/keys", headers=headers, timeout=10)
    return {key["name"]: key["state"] for key in answer.json()["data"]}


@pytest.fixture
def server(gateway) -> Gateway:
    return gateway()


def test_everything_against_the_echo(server, tmp_path):
    said = run(tmp_path, "--url", server.url, LOCAL_API_KEY=server.key)
    assert "model echo" in said
    assert re.search(r"^\d+ passed in", said, re.M), said  # and nothing was left out
    assert re.search(r"^cost: 0\.00 USD in \d+ calls$", said, re.M)
    assert server.key not in said
    assert len(keys(server)) == 2
    assert set(keys(server).values()) == {"revoked"}


def test_a_smoke_test_changes_nothing(server, tmp_path):
    said = run(tmp_path, "--smoke", "--url", server.url, LOCAL_API_KEY=server.key)
    assert re.search(r"^\d+ passed, \d+ deselected", said, re.M), said
    assert keys(server) == {}
    assert "no key is known" in run(tmp_path, "--smoke", "--url", server.url)


def test_a_failure_is_a_failure_and_is_cleaned_up_after(server, tmp_path):
    said = run(tmp_path, "--url", server.url, "--model", "echo/error=500", status=1, LOCAL_API_KEY=server.key)
    assert "failed" in said
    assert "revoked: live-test-" in said
    assert set(keys(server).values()) == {"revoked"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_cleans_up(server, tmp_path, number):
    argv = ["--url", server.url, "--model", "echo/delay=60"]
    with command(tmp_path, *argv, LOCAL_API_KEY=server.key) as running:
        end = time.monotonic() + SECONDS
        while "echo/delay=60" not in server.output() and not keys(server):
            assert time.monotonic() < end
            time.sleep(0.05)
        running.send_signal(number)
        said = running.communicate(timeout=SECONDS)[0]
    assert running.returncode == 1, said
    assert "revoked: live-test-" in said
    assert set(keys(server).values()) == {"revoked"}


def test_without_a_key_or_with_a_wrong_one(server, tmp_path):
    assert "no key is known" in run(tmp_path, "--url", server.url, status=2)
    assert "refuses the key" in run(tmp_path, "--url", server.url, status=1, LOCAL_API_KEY="wrong-key-0123456789")


def test_a_managed_key_makes_no_other_and_says_what_was_left_out(server, tmp_path):
    _, key = Deployment(server.url, server.key, "a-product").make_key("1")
    said = run(tmp_path, "--url", server.url, LOCAL_API_KEY=key)
    assert "SKIPPED [1] tests/live/test_keys.py" in said
    assert keys(server) == {"a-product": "active"}


def test_a_token_that_is_refused_is_asked_for_anew(server, tmp_path):
    with Issuer("a-token-of-yesterday") as issuer:
        environ = {"LOCAL_TOKEN_URL": issuer.url, "LOCAL_CLIENT_ID": "tests", "LOCAL_SECRET": "a-secret-0123456789"}
        assert "refuses the key" in run(tmp_path, "--smoke", "--url", server.url, status=1, **environ)
        issuer.answer["access_token"] = server.key
        asked = len(issuer.asked)
        assert " passed" in run(tmp_path, "--smoke", "--url", server.url, **environ)
        assert len(issuer.asked) == asked + 1
        run(tmp_path, "--smoke", "--url", server.url, **environ)
        assert len(issuer.asked) == asked + 1


def test_where_the_echo_is_not_offered_the_cheapest_model_is_asked(gateway, upstream):
    server = gateway(upstream, models=PRICED)
    assert Deployment(server.url, server.key, "a-run").cheapest_model() == "house-small"


def test_where_no_price_is_known_a_model_must_be_named(gateway, upstream, tmp_path):
    server = gateway(upstream, models=UNPRICED)
    environ = {"LOCAL_API_KEY": server.key}
    assert "give --model" in run(tmp_path, "--url", server.url, status=2, **environ)


@pytest.mark.parametrize(
    "argv",
    [
        ["--env", "production"],
        ["--nonsense"],
        ["--max-cost", "much"],
        ["--url", "http://far.example.org"],
        ["--env", "X"],
    ],
)
def test_wrong_arguments(tmp_path, argv):
    run(tmp_path, *argv, status=2)


def test_nobody_there(tmp_path):
    ports = Ports()
    try:
        assert "nobody answers" in run(tmp_path, "--url", ports.refusing(), "--wait", "1", status=3)
    finally:
        ports.close()


def test_a_balancer_without_tasks(tmp_path, upstream):
    said = run(tmp_path, "--url", upstream.url, status=3)
    assert "whoever stands before it answers 404" in said


def test_the_live_tests_are_no_part_of_an_ordinary_run():
    command = [ROOT / ".venv/bin/python", "-m", "pytest", "--collect-only", "-q", "tests/live/..", "--ignore=tests/lib"]
    command += [f"--ignore=tests/{name}" for name in ("src", "sdk", "same", "drills", "agents", "upstream", "house")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "tests/servers/" in done.stdout
    assert "tests/live/" not in done.stdout
