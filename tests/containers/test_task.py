"""The task of the application's template, run here: first `migrate`, then the server, with secrets from moto.

The image is the one that the build's own commands made and pushed. It holds the authority that signed the certificates
of the stores.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from lib.base import load_models
from lib.net import declared_secrets
from tests.cicd.app import DATA, container, deployed
from tests.containers.docker import BUILD_PATIENCE, Container, Containers, attempt, build, docker, until
from tests.containers.registry import Registry, build_and_push, copied
from tests.containers.task import environment, options
from tests.drills.client import ask
from tests.house.tree import ROOT
from tests.servers import Authority, Certificate, Moto, Refusing, aws
from tests.servers.refusing import refusal
from tests.upstream.gateway import KEY

MODEL = "echo/chunks=3"
NAMES = declared_secrets(load_models(ROOT / "models.toml"))
PASSWORDS = {"DATABASE_PASSWORD": "p4ss/of:the@database", "REDIS_PASSWORD": "p4ss-of-the-cache"}
PGDATA = "/var/lib/postgresql/data"
BUNDLE = "/app/certificates/rds.pem"
CACHE = """
until [ -e /opt/server.key ]; do sleep 0.1; done
exec valkey-server --port 0 --tls-port 6379 --tls-auth-clients no --tls-ca-cert-file /opt/server.crt \
  --tls-cert-file /opt/server.crt --tls-key-file /opt/server.key --requirepass "$PASSWORD" --save ''
"""
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
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """How the names of its secrets begin."""
        return f"{ENVIRONMENTS[self.environment]}/{self.stack}.example.org/"

    def run(self, name: str, endpoint: str) -> Container:
        """Start one of its containers. AWS is at `endpoint`, and the credentials are a test's."""
        wanted = container(deployed(self.environment, self.stack, **self.parameters), name)
        trust = {"SSL_CERT_FILE": BUNDLE}  # the cache's authority is one that the world trusts
        settings = {**environment(wanted, PASSWORDS), **aws(endpoint), **trust}
        flags = ["--network", self.place, *options(wanted, self.place, most_files(self.image))]
        return self.containers(self.image, *flags, command=wanted.get("Command", ()), **settings)

    def run_database(self, certificate: Certificate) -> Container:
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
        for file, name in ((certificate.chain, "server.crt"), (certificate.key, "server.key")):
            docker("cp", str(file), f"{made.name}:{PGDATA}/{name}")
            docker("exec", made.name, "sh", "-c", f"chown postgres {PGDATA}/{name} && chmod 600 {PGDATA}/{name}")
        for statement in ("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"):
            docker("exec", made.name, *ask[:-1], statement)
        until(lambda: made.execute(*ask[:-1], "SHOW ssl").stdout.strip() == "on", "PostgreSQL speaks TLS")
        return made

    def run_cache(self, certificate: Certificate) -> Container:
        """A Valkey like the data stack's: it speaks TLS only, and asks for the password."""
        flags = ["--network", self.place, "--network-alias", DATA["CacheHost"]]
        settings = {"PASSWORD": PASSWORDS["REDIS_PASSWORD"]}
        made = self.containers("valkey/valkey:8", *flags, command=["sh", "-c", CACHE], **settings)
        for file, name in ((certificate.chain, "server.crt"), (certificate.key, "server.key")):
            docker("cp", str(file), f"{made.name}:/opt/{name}")
        until(lambda: cached(made, "PING") == "PONG", "Valkey answers")
        return made


def cached(cache: Container, *words: str) -> str:
    """What a Valkey answers."""
    login = ["env", f"REDISCLI_AUTH={PASSWORDS['REDIS_PASSWORD']}"]
    return cache.execute(*login, "valkey-cli", "--tls", "--insecure", *words).stdout.strip()


@cache
def most_files(image: str) -> int:
    """How many files the engine lets a process open at most."""
    said = docker("run", "--rm", image, "sh", "-c", "ulimit -Hn")
    return 2**20 if said == "unlimited" else int(said)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of the stores."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def pushed(tmp_path_factory: pytest.TempPathFactory, authority: Authority, image: str) -> Iterator[str]:
    """The image that a build pushed, as a task pulls it. `image` is there to have its layers made once."""
    folder = tmp_path_factory.mktemp("build")
    registry = Registry(folder)
    try:
        registry.start()
        made = build_and_push(folder, registry, authority.file.read_bytes())
        docker("rmi", "--no-prune", made)
        docker("pull", "--quiet", made, timeout=BUILD_PATIENCE)
    finally:
        registry.stop()
    yield made
    attempt("rmi", "--no-prune", made)


@pytest.fixture
def place() -> Iterator[str]:
    """The name of a network and of a volume, which go when the containers have gone."""
    name = f"aiproxy-test-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    yield name
    attempt("network", "rm", name)
    attempt("volume", "rm", name)


@pytest.fixture
def make_task(pushed: str, place: str, containers: Containers) -> Callable[[str], Task]:
    """`make_task("production")` is a task that was not started yet."""
    return lambda environment: Task(pushed, containers, environment, place)


@pytest.mark.parametrize("environment", ["dev", "test", "production"])
def test_it_starts_as_the_template_says(make_task, account: Moto, authority: Authority, environment):
    task = make_task(environment)
    account.fill(task.prefix, NAMES, AIPROXY_API_KEY=KEY)
    if environment != "dev":  # which keeps its books in a file
        task.run_database(authority.certify(DATA["DatabaseHost"]))
        cache = task.run_cache(authority.certify(DATA["CacheHost"]))
    migrate = task.run("migrate", account.url)
    assert migrate.wait_exited() == 0, migrate.logs()
    server = task.run("aiproxy", account.url)
    server.wait_healthy()
    works(server, task)
    if environment != "dev":
        counts(server, cache)
        assert len(list(server.log_lines())) > 1
    assert not any(secret in server.logs() + migrate.logs() for secret in (KEY, *PASSWORDS.values()))


def test_it_starts_without_a_secret_that_is_to_come(make_task, account: Moto):
    task = make_task("dev")
    task.parameters = {"SecretsToCome": "xai_api_key"}
    account.fill(task.prefix, set(NAMES) - {"XAI_API_KEY"}, AIPROXY_API_KEY=KEY)
    account.create(f"{task.prefix}xai_api_key")
    assert task.run("migrate", account.url).wait_exited() == 0
    server = task.run("aiproxy", account.url)
    server.wait_healthy()
    assert ask(server, MODEL).status == 200
    assert '"names":["XAI_API_KEY"]' in server.logs()


def works(server: Container, task: Task) -> None:
    """It answers who has the key of Secrets Manager, and runs with the rights that the template gives it."""
    assert ask(server, MODEL).status == 200
    assert ask(Container(server.name, "not-" + KEY), MODEL).status == 401
    assert server.execute("id", "-u").stdout.strip() == "10001"
    assert "Read-only file system" in server.execute("touch", "/app/x").stderr
    assert server.execute("sh", "-c", "touch var/x && mktemp").returncode == 0
    assert server.execute("sh", "-c", "ulimit -n").stdout.strip() == str(min(65535, most_files(task.image)))
    assert server.execute("python", "bin/healthcheck").returncode == 0


def counts(server: Container, cache: Container) -> None:
    """The rate of a key is counted in the cache."""
    made = server.execute("python", "-m", "lib.cli.keys", "create", "limited", "--rpm", "1000", "--json")
    said = ask(Container(server.name, json.loads(made.stdout)["key"]), MODEL)
    assert (said.status, said.headers["x-ratelimit-remaining-requests"]) == (200, "999")
    assert "requests" in cached(cache, "KEYS", "aiproxy*")


# ---- what a start says where a certificate does not fit ----


def test_a_database_of_another_authority_is_refused(make_task, account: Moto, authority: Authority, tmp_path: Path):
    task = make_task("production")
    task.run_database(Authority(tmp_path).certify(DATA["DatabaseHost"]))
    assert refused_by_migrate(task, account).endswith("certificate verify failed")


@pytest.fixture
def plain(tmp_path: Path, image: str) -> Iterator[str]:
    """What `docker build` alone makes of the tree, for those whose database needs no certificates."""
    tag = f"aiproxy-plain-{uuid.uuid4().hex[:8]}"
    build(str(copied(tmp_path)), tag, "--target", "server")
    yield tag
    attempt("rmi", "--no-prune", tag)


def test_an_image_without_certificates_refuses_every_database(plain: str, make_task, account: Moto, authority):
    task = make_task("production")
    task.image = plain
    task.run_database(authority.certify(DATA["DatabaseHost"]))
    assert f'root certificate file "{BUNDLE}" does not exist' in refused_by_migrate(task, account)


def refused_by_migrate(task: Task, account: Moto) -> str:
    """The line with which `migrate` ends, so that no server is started."""
    migrate = task.run("migrate", account.url)
    assert migrate.wait_exited() == 3, migrate.logs()
    (line,) = migrate.logs().splitlines()
    assert line.startswith("bin/migrate: the database cannot be reached: ")
    assert PASSWORDS["DATABASE_PASSWORD"] not in line
    return line


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
