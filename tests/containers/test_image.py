"""The image: who runs it, what is in it, where it writes, how it says that it is well."""

from __future__ import annotations

import json
import re
import subprocess
import time

import pytest

from tests.containers.conftest import Measured, Serve
from tests.containers.docker import PIP, Container, Containers, docker, inspect
from tests.drills.client import ask, stream
from tests.house.tree import ROOT
from tests.upstream.gateway import KEY

MOST_OVER_BASE = 250_000_000  # bytes
USER = "10001"
WRITABLE = {"/app/var", "/dev/mqueue", "/dev/shm", "/run/lock", "/tmp", "/var/tmp"}
MODEL = "echo/chunks=3"


def inside(container: Container, *command: str) -> str:
    done = container.execute(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def base_of_the_dockerfile() -> str:
    text = (ROOT / "Dockerfile").read_text()
    found = re.search(r"^ARG PYTHON_VERSION=(\S+)", text, re.M)
    assert found
    return f"python:{found[1]}-slim-bookworm"


def test_it_is_small(image, measured: Measured):
    over = inspect(image)["Size"] - inspect(base_of_the_dockerfile())["Size"]
    measured(f"image: {over / 1e6:.0f} MB over its base")
    assert 0 < over < MOST_OVER_BASE


def test_its_user_has_no_rights(serve: Serve):
    container = serve()
    assert inside(container, "id", "-u") == inside(container, "id", "-g") == USER
    status = inside(container, "cat", "/proc/self/status")
    assert re.search(r"^CapEff:\s*0+$", status, re.M)
    processes = inside(container, "sh", "-c", "stat -c %u /proc/[0-9]*")
    assert set(processes.split()) == {USER}


def test_it_serves_with_a_read_only_root(serve: Serve):
    container = serve()
    assert inspect(container.name)["HostConfig"]["ReadonlyRootfs"] is True
    assert ask(container, MODEL).status == 200
    assert stream(container, MODEL).endswith(b"data: [DONE]\n\n")
    refused = container.execute("touch", "/app/lib/x")
    assert "Read-only file system" in refused.stderr


def test_its_user_may_write_nothing_of_the_program(image, containers: Containers):
    """Also where the root file system can be written to."""
    find = ["find", "/", "-xdev", "-type", "d", "-writable", "-not", "-path", "/proc/*"]
    container = containers(image, command=["sh", "-c", f"{' '.join(find)} 2>/dev/null; true"])
    assert container.wait_exited() == 0
    assert set(container.logs().split()) <= WRITABLE
    files = ["find", "/app", "-type", "f", "-writable"]
    container = containers(image, command=files)
    assert container.wait_exited() == 0
    assert container.logs() == ""


def test_health_comes_and_goes(image, containers: Containers, measured: Measured):
    begin = time.monotonic()
    container = containers(image, "--health-interval", "1s", AIPROXY_API_KEY=KEY, DRAIN_SECONDS="30")
    container.wait_healthy()
    measured(f"healthy {time.monotonic() - begin:.1f} s after `docker run`, asked every second")
    docker("kill", "--signal", "TERM", container.name)
    end = time.monotonic() + 30
    while container.execute("python", "bin/healthcheck").returncode == 0:
        assert time.monotonic() < end
    assert container.state["Running"]


def test_it_needs_little_memory(serve: Serve, measured: Measured):
    container = serve("--memory", "512m")
    assert ask(container, MODEL).status == 200
    used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.name).partition(" ")[0]
    measured(f"memory of a container with one worker, idle: {used}")
    assert not container.state["OOMKilled"]


def test_it_holds_no_secret_and_no_tool_to_install(image, containers: Containers):
    found = inspect(image)["Config"]["Env"]
    assert [entry for entry in found if re.search(r"KEY|SECRET|TOKEN|PASSWORD|PIP_", entry)] == []
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert [name for name in PIP if name in history] == []
    container = containers(image, command=["sh", "-c", "ls -A /app; ls -A /app/bin /app/var"])
    assert container.wait_exited() == 0
    there = set(container.logs().split())
    assert {"models.toml", "src", "healthcheck"} <= there
    assert there & {"config.txt", "access.toml", ".git", ".env", "tests", "aiproxy.db"} == set()


@pytest.mark.parametrize("python", ["/app/.venv/bin/python", "/usr/local/bin/python3"])
@pytest.mark.parametrize("module", ["pip", "setuptools", "pytest"])
def test_it_cannot_import(image, containers: Containers, python, module):
    container = containers(image, command=[python, "-c", f"import {module}"])
    assert container.wait_exited() == 1
    assert f"No module named '{module}'" in container.logs()


@pytest.mark.parametrize("tool", ["gcc", "pip", "curl", "git"])
def test_it_has_no(image, containers: Containers, tool):
    container = containers(image, command=["sh", "-c", f"command -v {tool}"])
    assert container.wait_exited() != 0


def test_its_scripts_work(serve: Serve):
    container = serve()
    assert "sk-" not in inside(container, "bin/keys", "list")
    assert "version" in inside(container, "bin/migrate", "--check")


# ---- its log ----


@pytest.mark.parametrize("environment", ["test", "production"])
def test_each_line_of_its_log_is_json(serve: Serve, environment):
    container = serve("--stop-timeout", "20", ENVIRONMENT_TYPE=environment)
    assert ask(container, MODEL).status == 200
    assert ask(container, "nobody").status == 404
    docker("stop", container.name)
    lines = list(container.log_lines())
    assert container.state["ExitCode"] == 0
    requests = [line for line in lines if line["event"] == "request" and line.get("model")]
    assert [line["status"] for line in requests] == [200, 404]
    assert KEY not in container.logs()


def test_without_a_key_it_makes_one_and_says_how_to_use_it(image, containers: Containers):
    container = containers(image, "--publish", "127.0.0.1::5000")
    container.wait_healthy()
    found = re.search(r"aip-run-[\w-]+", container.logs())
    assert found
    container.key = found[0]
    assert ask(container, MODEL).status == 200
    container.key = "aip-run-another"
    assert ask(container, MODEL).status == 401


@pytest.mark.parametrize("environment", ["test", "production"])
def test_without_a_key_it_does_not_start_elsewhere(image, containers: Containers, environment):
    container = containers(image, ENVIRONMENT_TYPE=environment)
    assert container.wait_exited() == 2
    assert "AIPROXY_API_KEY" in container.logs()


def test_a_wrong_setting_is_named_and_its_value_is_not(image, containers: Containers):
    container = containers(image, AIPROXY_API_KEY=KEY, LEASE_SECONDS="zqJUNKqz")
    assert container.wait_exited() == 2
    assert "LEASE_SECONDS" in container.logs()
    assert "zqJUNKqz" not in container.logs()


def test_metrics_are_served_inside(serve: Serve):
    container = serve()
    script = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8082/metrics').read().decode())"
    assert "aiproxy" in inside(container, "python", "-c", script)


def test_the_healthcheck_is_the_one_of_the_dockerfile(image):
    check = inspect(image)["Config"]["Healthcheck"]
    assert check["Test"] == ["CMD", "python", "bin/healthcheck"]
    assert json.dumps(inspect(image)["Config"]["Volumes"]) == '{"/app/var": {}}'


def tried(image: str) -> subprocess.CompletedProcess[str]:
    """What a build asks of an image before it pushes it."""
    script = ROOT / "cicd/3-app/aiproxy/try-image.sh"
    return subprocess.run([script, image], capture_output=True, text=True, timeout=120, check=False)


def test_a_build_takes_an_image_that_answers_and_none_that_ends(image):
    good, bad = tried(image), tried(base_of_the_dockerfile())
    assert (good.returncode, good.stdout) == (0, f"{image} answers.\n"), good.stderr
    assert bad.returncode == 1
    assert "has ended" in bad.stderr
