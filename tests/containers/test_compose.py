"""`docker compose up`: alone on SQLite, and with PostgreSQL and Valkey beside it."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator

import pytest

from tests.containers.docker import BUILD_PATIENCE, PIP, Container, docker, inspect
from tests.drills.client import ask
from tests.house.tree import ROOT
from tests.upstream.gateway import KEY
from tests.upstream.ports import free_ports

MODEL = "echo/chunks=3"
SCALE = {
    "DATABASE_URL": "postgresql+psycopg://aiproxy:aiproxy@postgres/aiproxy",
    "REDIS_URL": "redis://valkey:6379/0",
    "ENVIRONMENT_TYPE": "production",
    "AIPROXY_API_KEY": KEY,
}
COUNT = "SELECT count(*) FROM calls"


class Project:
    """The compose file, as a project of its own and on a port of its own."""

    def __init__(self) -> None:
        self._name = f"aiproxy-test-{uuid.uuid4().hex[:8]}"
        self._port = str(free_ports(1)[0])
        self.settings: dict[str, str] = {}

    def __call__(self, *words: str) -> str:
        """`docker compose ...`, and what it wrote."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST", *PIP) if name in os.environ}
        environment = {**kept, "PORT": self._port, **self.settings}
        command = ["compose", "--project-name", self._name, "--profile", "scale", *words]
        return docker(*command, timeout=BUILD_PATIENCE, cwd=ROOT, env=environment)

    def up(self, *services: str, key: str = KEY) -> Container:
        """Start; the app, when all are healthy."""
        self("up", "--detach", *services)
        for service in services:
            self.container(service).wait_healthy()
        app = self.container("app")
        app.key = key
        return app

    def container(self, service: str) -> Container:
        """The container of a service."""
        return Container(self("ps", "--quiet", service))


@pytest.fixture
def project() -> Iterator[Project]:
    """With the image built. It is taken down at the end, with its volumes."""
    made = Project()
    made("build", "app")
    yield made
    made("down", "--volumes", "--timeout", "5")


def test_alone(project: Project):
    app = project.up("app")
    assert project("ps", "--quiet").split() == [app.name]
    found = re.search(r"aip-run-[\w-]+", app.logs())
    assert found, app.logs()
    app.key = found[0]
    assert ask(app, MODEL).status == 200
    assert inspect(app.name)["HostConfig"]["ReadonlyRootfs"] is True
    assert docker("port", app.name, "5000/tcp").startswith("127.0.0.1:")


def test_what_is_kept_outlives_the_container(project: Project):
    project.settings["AIPROXY_API_KEY"] = KEY
    first = project.up("app")
    made = first.execute("bin/keys", "create", "kept", "--json")
    assert made.returncode == 0, made.stderr
    project("down", "--timeout", "5")
    second = project.up("app")
    assert second.name != first.name
    assert '"kept"' in second.execute("bin/keys", "list", "--json").stdout


def test_at_scale(project: Project):
    project.settings |= SCALE
    project("run", "--rm", "migrate")
    app = project.up("app", "postgres", "valkey")
    made = app.execute("bin/keys", "create", "shop", "--rpm", "2", "--budget", "1/month")
    assert made.returncode == 0, made.stderr
    app.key = next(word for word in made.stdout.split() if word.startswith("aip-"))
    assert [ask(app, MODEL).status for _ in range(3)] == [200, 200, 429]
    psql = project.container("postgres").execute("psql", "-U", "aiproxy", "-Atc", COUNT)
    assert psql.stdout.strip() == "2", psql.stderr
    assert int(project.container("valkey").execute("valkey-cli", "dbsize").stdout.split()[-1]) > 0


def test_at_scale_it_does_not_start_without_its_tables(project: Project):
    project.settings |= SCALE
    project("up", "--detach", "postgres")
    project.container("postgres").wait_healthy()
    project("up", "--detach", "app")
    app = project.container("app")
    assert app.wait_exited() == 2
    assert "bin/migrate" in app.logs()
    project("run", "--rm", "migrate")
    assert ask(project.up("app"), MODEL).status == 200
