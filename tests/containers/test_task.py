"""The task of the application's template, run here: first `migrate`, then the server, with secrets from moto."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from lib.base import load_models
from lib.net import declared_secrets
from tests.cicd.app import DATA, container, deployed
from tests.containers.docker import BUILD_PATIENCE, Container, Containers, attempt, docker, until
from tests.containers.registry import Registry, build_and_push
from tests.containers.task import environment, options
from tests.drills.client import ask
from tests.house.tree import ROOT
from tests.servers import Moto, Refusing, aws
from tests.servers.refusing import refusal
from tests.upstream.gateway import KEY

MODEL = "echo/chunks=3"
NAMES = declared_secrets(load_models(ROOT / "models.toml"))
PASSWORDS = {"DATABASE_PASSWORD": "p4ss/of:the@database", "REDIS_PASSWORD": "p4ss-of-the-cache"}
PGDATA = "/var/lib/postgresql/data"
ENVIRONMENTS = {"dev": "development", "test": "test", "production": "production"}


@pytest.fixture(scope="session")
def host() -> str:
    """The address of this machine for containers, which is on no network but the engine's."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory, host: str) -> Iterator[Moto]:
    """AWS, where containers can reach it."""
    server = Moto(tmp_path_factory.mktemp("moto"), host)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@dataclass
class Task:
    """One task of an environment. `stack` names it and its secrets, `place` is the name of its network and volume."""

    image: str
    containers: Containers
    environment: str
    place: str
    stack: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")

    @property
    def prefix(self) -> str:
        """How the names of its secrets begin."""
        return f"{ENVIRONMENTS[self.environment]}/{self.stack}.example.org/"

    def run(self, name: str, endpoint: str) -> Container:
        """Start one of its containers. AWS is at `endpoint`, and the credentials are a test's."""
        wanted = container(deployed(self.environment, self.stack), name)
        settings = {**environment(wanted, PASSWORDS), **aws(endpoint)}
        flags = ["--network", self.place, *options(wanted, self.place, most_files(self.image))]
        return self.containers(self.image, *flags, command=wanted.get("Command", ()), **settings)

    def run_database(self, folder: Path) -> Container:
        """A PostgreSQL like the data stack's: it has the user, no database of ours, and speaks TLS."""
        (host, user) = DATA["DatabaseHost"], "aiproxy"
        settings = {
            "POSTGRES_USER": user,
            "POSTGRES_DB": "postgres",
            "POSTGRES_PASSWORD": PASSWORDS["DATABASE_PASSWORD"],
        }
        made = self.containers("postgres:16", "--network", self.place, "--network-alias", host, **settings)
        ask = ["psql", "-U", user, "-d", "postgres", "-h", "127.0.0.1", "-Atc", "SELECT 1"]
        ask = ["env", f"PGPASSWORD={PASSWORDS['DATABASE_PASSWORD']}", *ask]
        until(lambda: made.execute(*ask).returncode == 0, "PostgreSQL answers")
        certificate, key = certify(folder, host)
        for file, name in ((certificate, "server.crt"), (key, "server.key")):
            docker("cp", str(file), f"{made.name}:{PGDATA}/{name}")
            docker("exec", made.name, "sh", "-c", f"chown postgres {PGDATA}/{name} && chmod 600 {PGDATA}/{name}")
        for statement in ("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"):
            docker("exec", made.name, *ask[:-1], statement)
        until(lambda: made.execute(*ask[:-1], "SHOW ssl").stdout.strip() == "on", "PostgreSQL speaks TLS")
        return made


@cache
def most_files(image: str) -> int:
    """How many files the engine lets a process open at most."""
    said = docker("run", "--rm", image, "sh", "-c", "ulimit -Hn")
    return 2**20 if said == "unlimited" else int(said)


def certify(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
    certificate, key = folder / "server.crt", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={host}", "-days", "2", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def place() -> Iterator[str]:
    """The name of a network and of a volume, which go when the containers have gone."""
    name = f"aiproxy-test-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    yield name
    attempt("network", "rm", name)
    attempt("volume", "rm", name)


@pytest.fixture
def make_task(image: str, place: str, containers: Containers) -> Callable[[str], Task]:
    """`make_task("production")` is a task that was not started yet."""
    return lambda environment: Task(image, containers, environment, place)


@pytest.mark.parametrize("environment", ["dev", "test", "production"])
def test_it_starts_as_the_template_says(make_task, account: Moto, tmp_path: Path, environment):
    task = make_task(environment)
    account.fill(task.prefix, NAMES, AIPROXY_API_KEY=KEY)
    if environment != "dev":  # which keeps its books in a file
        task.run_database(tmp_path)
    migrate = task.run("migrate", account.url)
    assert migrate.wait_exited() == 0, migrate.logs()
    server = task.run("aiproxy", account.url)
    server.wait_healthy()
    works(server, task)
    assert not any(secret in server.logs() + migrate.logs() for secret in (KEY, *PASSWORDS.values()))
    if environment != "dev":
        assert len(list(server.log_lines())) > 1


def works(server: Container, task: Task) -> None:
    """It answers who has the key of Secrets Manager, and runs with the rights that the template gives it."""
    assert ask(server, MODEL).status == 200
    assert ask(Container(server.name, "not-" + KEY), MODEL).status == 401
    assert server.execute("id", "-u").stdout.strip() == "10001"
    assert "Read-only file system" in server.execute("touch", "/app/x").stderr
    assert server.execute("sh", "-c", "touch var/x && mktemp").returncode == 0
    assert server.execute("sh", "-c", "ulimit -n").stdout.strip() == str(min(65535, most_files(task.image)))
    assert server.execute("python", "bin/healthcheck").returncode == 0


# ---- what a start without its secrets says ----


def refused(task: Task, endpoint: str) -> list[str]:
    """The lines of the refusal: a server that is started so ends by itself."""
    server = task.run("aiproxy", endpoint)
    assert server.wait_exited() == 2, server.logs()
    said = server.logs().splitlines()
    assert "aiproxy: cannot start:" in said
    assert KEY not in server.logs()
    return said[said.index("aiproxy: cannot start:") + 1 :]


@pytest.fixture
def production(make_task) -> Task:
    return make_task("production")


def test_missing_and_empty_secrets_are_listed(production: Task, account: Moto):
    account.fill(production.prefix, set(NAMES) - {"AIPROXY_API_KEY", "KEY_SECRET", "OPENAI_API_KEY"})
    account.create(f"{production.prefix}aiproxy_api_key", KEY)
    account.create(f"{production.prefix}openai_api_key")
    assert refused(production, account.url)[1:] == [
        f"  {production.prefix}key_secret (there is no such secret)",
        f"  {production.prefix}openai_api_key (it has no value yet)",
    ]


def test_denied_secrets_are_listed(production: Task, host: str):
    with Refusing(lambda *_: refusal("AccessDeniedException"), host) as there:
        said = refused(production, there.url)
    assert f"  {production.prefix}aiproxy_api_key (access is denied)" in said


def test_throttled_secrets_are_not_waited_for_forever(production: Task, host: str):
    with Refusing(lambda *_: refusal("ThrottlingException"), host) as there:
        (said,) = refused(production, there.url)
    assert f"cannot be asked for {production.prefix}*" in said
    assert "ThrottlingException" in said


def test_an_aws_that_does_not_answer_is_not_waited_for_forever(production: Task, host: str):
    with Refusing(lambda *_: refusal("x"), host) as there:
        gone = there.url
    (said,) = refused(production, gone)
    assert f"cannot be asked for {production.prefix}*" in said


# ---- the image of a build ----


def test_the_image_that_a_build_pushed_starts(
    make_task, account: Moto, tmp_path_factory: pytest.TempPathFactory, image: str
):
    folder = tmp_path_factory.mktemp("build")
    registry = Registry(folder)
    try:
        registry.start()
        pushed = build_and_push(folder, registry)
        docker("rmi", "--no-prune", pushed)
        docker("pull", "--quiet", pushed, timeout=BUILD_PATIENCE)
    finally:
        registry.stop()
    task = make_task("dev")
    task.image = pushed
    account.fill(task.prefix, NAMES, AIPROXY_API_KEY=KEY)
    server = task.run("aiproxy", account.url)
    server.wait_healthy()
    works(server, task)
