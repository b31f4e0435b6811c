"""What the documents tell an operator to type, typed: from their own text, in their order."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cicd.console import Console
from tests.cicd.documents import block, blocks, spans
from tests.cicd.door import Door
from tests.cicd.terminal import Terminal
from tests.cicd.test_rotation import stores
from tests.house.tree import ROOT

README = ROOT / "cicd/README.md"
SINGLE_HOST = ROOT / "cicd/single-host/README.md"
DOCUMENTS = [README, SINGLE_HOST, ROOT / "cicd/3-app/aiproxy/README.md"]
EVERYTHING = [  # in the order in which it goes
    "aiproxy-cicd",
    "aiproxy-data-test",
    "aiproxy-data-production",
    "aiproxy-network",
    "aiproxy-roles-development",
    "aiproxy-roles-production",
    "aiproxy-cicd-deps",
]


def typed(account: Console, command: str, *answers: str) -> str:
    """A command in a shell, and what is answered when it asks; it has to succeed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=account.environment,
        input="".join(f"{answer}\n" for answer in answers),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_account_from_its_first_day_to_its_last(account: Console):
    said = typed(account, block(README, "--with-network"), *"yyyyyy")
    assert said.count("CREATE_COMPLETE") >= 6
    typed(account, block(README, "GitHubOwner"), "y")
    assert sorted(account.stacks()) == sorted(EVERYTHING)

    (words,) = spans(README, "--network-parameter Nat")
    said = typed(account, f"cicd/1-setup/deploy-cicd-dependencies.sh --with-network {words}", "y")
    assert "UPDATE_COMPLETE" in said
    (words,) = spans(README, "--with-data production --data-parameter")
    said = typed(account, f"cicd/1-setup/deploy-cicd-dependencies.sh {words}", "y")
    assert "UPDATE_COMPLETE" in said

    said = typed(account, "TARGET_BRANCH=try-it " + block(README, "deploy-adhoc") + " --dry-run")
    assert "Add     Service" in said

    secrets_are_set(account)

    stores(account)
    for command in spans(README, "cicd/rotate-password.sh"):
        assert "Done." in typed(account, command.replace("production", "test"), "y")

    said = typed(account, block(README, "aiproxy-feature-x-cicd"))
    assert said.count("There is no such stack.") == 3
    typed(account, block(README, "aiproxy-data-test aiproxy-data-production"), *EVERYTHING[:3])
    assert sorted(account.stacks()) == sorted(EVERYTHING[3:])
    last = block(README, "--delete-images aiproxy-network").replace(" aiproxy-network", "")
    typed(account, last, *EVERYTHING[4:])
    assert list(account.stacks()) == ["aiproxy-network"]  # moto would delete it before what is in it


def secrets_are_set(account: Console) -> None:
    """As the document says: typed, and in no command."""
    vault = account.client("secretsmanager")
    command = block(README, "--secret-id production")
    name = "production/aiproxy.example.org/openai_api_key"
    assert name in command
    vault.create_secret(Name=name)
    (look,) = spans(README, "cicd/3-app/aiproxy/empty-secrets.sh")
    assert name in typed(account, look).splitlines()
    said = typed(account, command, "sk-of-the-test $x 'y'")
    assert "sk-of" not in said
    assert vault.get_secret_value(SecretId=name)["SecretString"] == "sk-of-the-test $x 'y'"
    assert name not in typed(account, look).splitlines()
    all_of_them_are_set(account)


def all_of_them_are_set(account: Console) -> None:
    """One after the other, in a terminal."""
    vault = account.client("secretsmanager")
    command = block(README, "while read")
    names = typed(account, command.partition("|")[0]).splitlines()
    for name in names:
        vault.create_secret(Name=name)
    with Terminal(["bash", "-c", command], account.environment) as terminal:
        for name in names:
            terminal.wait_for_secret_question(f"{name}: ")
            terminal.type("a-key-of-the-test\n" if name.endswith("aiproxy_api_key") else "\n")
        assert terminal.ended() == 0, terminal.said
    assert "of-the-test" not in terminal.said
    values = {name: vault.get_secret_value(SecretId=name)["SecretString"] for name in names}
    assert len(values) >= 10
    assert {name for name, value in values.items() if value != "none"} == {
        "test/aiproxy-test.example.org/aiproxy_api_key"
    }


# ---- what moto does not know, or would need a pipeline for ----


@pytest.fixture(scope="module")
def door(account: Console) -> Iterator[Door]:
    """Nobody is let in: what arrives has been accepted by the AWS CLI."""
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        door.closed = True
        yield door


BY_HAND = [line for line in block(README, "delete-db-instance").splitlines() if line.startswith("aws ")]
NAMED = {command for document in DOCUMENTS for command in spans(document, "aws ")}
COMMANDS = sorted(NAMED | {line for line in BY_HAND if " wait " not in line and "$(" not in line})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_cli_takes_what_is_written(account: Console, door: Door, command):
    _, _, operation, *words = command.split()
    environment = account.environment | {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
    before = len(door.asked)
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if words or len(door.asked) > before:
        assert [action.lower() for action in door.asked[before:]] == [operation.replace("-", "")], done.stderr
    else:  # only named, and the rest is the reader's
        assert "the following arguments are required" in done.stderr


def test_the_token_of_github_is_typed_and_in_no_command(account: Console, door: Door):
    environment = account.environment | {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
    command = ["bash", "-c", block(README, "import-source-credentials")]
    done = subprocess.run(
        command, env=environment, input="github_pat_1\n", capture_output=True, text=True, timeout=120, check=False
    )
    assert door.asked[-1:] == ["ImportSourceCredentials"], done.stderr
    assert "github_pat_1" not in done.stdout + done.stderr


def test_commands_were_found():
    assert len(COMMANDS) >= 12
    assert len(blocks(README)) >= 6


# ---- one machine ----


def test_the_commands_of_one_machine(tmp_path: Path):
    install = next(line for line in block(SINGLE_HOST, "install.sh").splitlines() if "install.sh" in line)
    done = subprocess.run(
        ["bash", "-c", install.removeprefix("sudo ") + " --dry-run"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "server_name ai.example.org" in done.stdout

    keys = next(line for line in block(SINGLE_HOST, "bin/keys").splitlines() if "bin/keys" in line)
    command = keys.replace("sudo -u aiproxy /opt/aiproxy/bin/keys", f"{ROOT}/bin/keys")
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": f"sqlite:///{tmp_path}/aiproxy.db"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "web-shop" in done.stdout + done.stderr
