"""A deployment without a pipeline, all the way: the engine builds, a real registry takes, moto's account deploys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cicd.console import FIRST_TIME, Console
from tests.cicd.door import Door
from tests.containers.docker import BUILD_PATIENCE, PIP, attempt, docker, inspect
from tests.containers.registry import Registry
from tests.house.tree import ROOT

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
STACK = "aiproxy-dev-try-it"
REPOSITORY = "aiproxy-dev-adhoc"
PREFIX = f"development/{STACK}.example.org/"
GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=try-it")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Operator:
    """Somebody with a checkout, an engine, and credentials."""

    def __init__(self, folder: Path, account: Console, door: Door, registry: Registry) -> None:
        kept = shutil.ignore_patterns(".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
        self.tree = shutil.copytree(ROOT, folder / "tree", ignore=kept)
        self.account, self.registry = account, registry
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "All")):
            subprocess.run([*GIT, *words], cwd=self.tree, check=True)
        flags = [f"--build-arg {name}" for name in PIP if name in os.environ]
        for name in ("home", "temporary"):
            (folder / name).mkdir()
        self.temporary = folder / "temporary"
        self.environment = account.environment | {
            "AWS_ENDPOINT_URL": door.url,
            "BASE_DOMAIN_NAME": FIRST_TIME["BaseDomainName"],
            "BASE_DOMAIN_HOSTED_ZONE_ID": FIRST_TIME["BaseDomainHostedZoneId"],
            "DOCKER_BUILD_FLAGS": " ".join([*flags, os.environ.get("DOCKER_BUILD_FLAGS", "")]),
            "HOME": str(folder / "home"),  # what `docker login` keeps is kept there
            "TMPDIR": str(self.temporary),
        }

    def deploy(self, *words: str, code: int = 0) -> str:
        """What the script said."""
        done = subprocess.run(
            [self.tree / "cicd/3-app/aiproxy/deploy-adhoc.sh", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_PATIENCE,
            check=False,
        )
        assert done.returncode == code, done.stdout
        assert list(self.temporary.iterdir()) == []
        return done.stdout

    def deployed(self, name: str) -> str:
        """A parameter that the stack has."""
        (stack,) = self.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}[name]

    def pushed(self) -> list[str]:
        """The tags in the registry, which moto's ECR is told of, as it does not see it."""
        url = f"http://{self.registry.address}/v2/{REPOSITORY}/tags/list"
        with urllib.request.urlopen(url, timeout=5) as answer:
            tags: list[str] = sorted(json.load(answer)["tags"])
        ecr = self.account.client("ecr")
        known = {tag for each in ecr.list_images(repositoryName=REPOSITORY)["imageIds"] for tag in each.values()}
        for tag in set(tags) - known:
            manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "tag": tag})
            ecr.put_image(repositoryName=REPOSITORY, imageTag=tag, imageManifest=manifest)
        return tags

    def fill_secrets(self) -> None:
        """What the document says to do."""
        vault = self.account.client("secretsmanager")
        for page in vault.get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                if secret["Name"].startswith(PREFIX):
                    vault.put_secret_value(SecretId=secret["Name"], SecretString="none")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Console]:
    """An account after the first stage."""
    with Console(tmp_path).open() as console:
        console.did("1-setup/deploy-cicd-dependencies.sh", "--yes", "--with-network")
        yield console


@pytest.fixture
def operator(tmp_path: Path, account: Console) -> Iterator[Operator]:
    registry = Registry(tmp_path)
    try:
        registry.start()
        with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
            door.say("ListExports", **{ECR: registry.address})
            yield Operator(tmp_path, account, door, registry)
        for tag in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split():
            if tag.startswith(registry.address):
                attempt("rmi", "--no-prune", tag)
    finally:
        registry.stop()


def test_it_builds_pushes_and_deploys_and_again(operator: Operator):
    said = operator.deploy("--yes")
    (tag,) = operator.pushed()
    image = f"{operator.registry.address}/{REPOSITORY}:{tag}"
    commit = subprocess.check_output(["git", "rev-parse", "--short=12", "HEAD"], cwd=operator.tree, text=True).strip()
    processor = docker("version", "--format", "{{.Server.Arch}}")
    assert tag == f"try-it-{commit}-{processor}"
    assert inspect(image)["Architecture"] == processor
    assert operator.deployed("AppImageUri") == image
    assert operator.deployed("CpuArchitecture") == {"amd64": "X86_64", "arm64": "ARM64"}[processor]
    assert operator.deployed("DesiredTasks") == "0"
    assert f"https://{STACK}.example.org" in said.partition("OUTPUT")[2]
    assert f"{PREFIX}openai_api_key" in said  # which is to be set

    operator.fill_secrets()
    said = operator.deploy("--yes", "--parameter", "LogLevel=INFO")
    assert f"{image} is there already." in said
    assert "Modify" in said
    assert (operator.deployed("DesiredTasks"), operator.deployed("LogLevel")) == ("1", "INFO")
    assert operator.pushed() == [tag]

    with (operator.tree / "models.toml").open("a") as models:
        models.write("# changed and not committed\n")
    operator.deploy("--yes")
    assert len(operator.pushed()) == 2
    (dirty,) = set(operator.pushed()) - {tag}
    assert dirty.startswith(f"try-it-{commit}-2")
    assert operator.deployed("AppImageUri").endswith(dirty)
    changed = docker("run", "--rm", f"{operator.registry.address}/{REPOSITORY}:{dirty}", "tail", "-n1", "models.toml")
    assert changed == "# changed and not committed"
