"""What a person meets who has not everything in place: a clear line, and the exit code that is documented."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cicd.console import FIRST_TIME, Console
from tests.cicd.door import Door
from tests.cicd.terminal import Terminal
from tests.cicd.test_changes import BASE, Deploy
from tests.house.tree import ROOT

DOMAIN = {
    "BASE_DOMAIN_NAME": FIRST_TIME["BaseDomainName"],
    "BASE_DOMAIN_HOSTED_ZONE_ID": FIRST_TIME["BaseDomainHostedZoneId"],
}
CONFIG = ("--environment", "dev", "--branch", "x1", "--image", "i:1", "--output", "/dev/null")
SCRIPTS = {
    "1-setup/deploy-cicd-dependencies.sh": (),
    "2-cicd/deploy-cicd.sh": (),
    "3-app/aiproxy/deploy-adhoc.sh": (),
    "3-app/aiproxy/empty-secrets.sh": ("test", "aiproxy-test.example.org"),
    "3-app/aiproxy/create-environment-config.sh": CONFIG,
    "rotate-password.sh": ("test", "cache"),
    "teardown.sh": ("aiproxy-x1",),
}
NAMES = DOMAIN | {"TARGET_BRANCH": "x1"}


def refused(account: Console, script: str, *words: str, **more: str) -> str:
    """What a script says that gets nowhere."""
    done = account.run(script, *words, environment=NAMES | more)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_usage_is_told(account: Console, script):
    done = account.run(script, "--help")
    assert done.returncode == 0
    assert "--" in done.stdout or "TYPE" in done.stdout
    wrong = account.run(script, "--colour")
    assert wrong.returncode == 2
    assert "--help" in wrong.stderr


# ---- programs that are not there ----


def path_without(folder: Path, name: str) -> str:
    """A PATH with what the system has, but for one program."""
    folder.mkdir()
    for place in ("/bin", "/usr/bin"):
        for program in Path(place).iterdir():
            if program.name != name and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    if name != "python3" and not (folder / "python3").exists():
        (folder / "python3").symlink_to(sys.executable)  # where Python is not the system's
    return str(folder)


NEEDED = [
    *((script, "aws") for script in SCRIPTS),
    *((script, "jq") for script in SCRIPTS if "deploy-c" not in script and "empty" not in script),
    ("1-setup/deploy-cicd-dependencies.sh", "python3"),
    ("3-app/aiproxy/deploy-adhoc.sh", "docker"),
]


@pytest.mark.parametrize(("script", "program"), NEEDED)
def test_a_program_that_is_missing_is_named(account: Console, tmp_path, script, program):
    path = path_without(tmp_path / "bin", program)
    for other in {"aws", "docker"} - {program}:
        (tmp_path / "bin" / other).unlink(missing_ok=True)
        (tmp_path / "bin" / other).symlink_to("/bin/true")
    said = refused(account, script, *SCRIPTS[script], PATH=path)
    assert f"{program} is needed and not on the PATH" in said
    assert len(said.splitlines()) == 1


# ---- AWS that says no ----


@pytest.mark.parametrize("script", SCRIPTS)
def test_credentials_that_have_expired(account: Console, tmp_path, script):
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho amd64\n")
    docker.chmod(0o755)
    path = f"{tmp_path}:{account.environment['PATH']}"
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        for action in ("GetCallerIdentity", "DescribeStacks", "DescribeSecret"):
            door.refuse(action, 5, "ExpiredToken", "The security token included in the request is expired")
        said = refused(account, script, *SCRIPTS[script], AWS_ENDPOINT_URL=door.url, PATH=path)
    assert "security token included in the request is expired" in said


def test_no_region(account: Console):
    said = refused(account, "2-cicd/deploy-cicd.sh", AWS_REGION="", AWS_DEFAULT_REGION="")
    assert "export AWS_REGION" in said


def test_another_region(account: Console):
    said = refused(account, "2-cicd/deploy-cicd.sh", AWS_REGION="eu-west-3", AWS_DEFAULT_REGION="eu-west-3")
    assert "No stack exports AiProxyRoles-production-PipelineRoleArn" in said


@pytest.fixture
def deploy(account: Console, tmp_path: Path) -> Deploy:
    made = Deploy(account, tmp_path)
    made.template.write_text(BASE)
    return made


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("ROLLBACK_FAILED", "teardown.sh removes it"),
        ("DELETE_FAILED", "teardown.sh removes it"),
        ("UPDATE_IN_PROGRESS", "wait until that is over"),
    ],
)
def test_a_stack_that_takes_no_change(account: Console, deploy, status, words):
    stack = status.lower().replace("_", "-")
    assert deploy(stack, "--yes")[0] == 0
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        door.say("DescribeStacks", CREATE_COMPLETE=status)
        said = refused(account, str(deploy.script), stack, "--yes", AWS_ENDPOINT_URL=door.url)
    assert status in said
    assert words in said
    assert account.change_sets(stack) == []


@pytest.mark.parametrize("action", ["DescribeStacks", "DescribeChangeSet"])
def test_a_call_that_is_throttled_while_it_waits_is_made_again(account: Console, deploy, action):
    before = {"DescribeStacks": "ExecuteChangeSet", "DescribeChangeSet": "CreateChangeSet"}[action]
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        door.hold(before)
        more = account.environment | {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
        with Terminal([deploy.script, f"throttled-{action}", "--yes"], more) as terminal:
            door.wait_held()
            door.refuse(action, 3)
            door.release()
            assert terminal.ended() == 0, terminal.said
    assert terminal.said.count("Rate exceeded") == 3
    assert "OUTPUT" in terminal.said


def test_a_wait_ends_when_nobody_answers_and_says_what_goes_on(account: Console, deploy):
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        door.hold("ExecuteChangeSet")
        more = account.environment | {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
        with Terminal([deploy.script, "unanswered", "--yes"], more) as terminal:
            door.wait_held()
            door.refuse("DescribeStacks", 100, "ExpiredToken", "It is expired")
            door.release()
            assert terminal.ended() == 1
    assert "CloudFormation goes on with unanswered" in terminal.said
    assert "What went wrong" not in terminal.said
    assert account.stacks()["unanswered"] == "CREATE_COMPLETE"


def test_a_change_set_that_cannot_be_deleted_is_named(account: Console, deploy):
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        more = account.environment | {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
        with Terminal([deploy.script, "kept", "--dry-run"], more) as terminal:
            terminal.wait_for("REPLACEMENT")
            door.refuse("DeleteChangeSet", 100)
            assert terminal.ended() == 0
    (name,) = account.change_sets("kept")
    assert f"delete-change-set --stack-name kept --change-set-name {name}" in terminal.said.replace("\n", "")


@pytest.mark.parametrize("action", ["ListExports", "ListStackResources", "DescribeStackResources", "GetTemplate"])
def test_nothing_is_deleted_while_it_cannot_be_looked_at(account: Console, deploy, action):
    stack = f"aiproxy-unseen-{action.lower()}"
    assert deploy(stack, "--yes")[0] == 0
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        door.refuse(action, 100)
        more = {"AWS_ENDPOINT_URL": door.url, "AWS_MAX_ATTEMPTS": "1"}
        done = account.run("teardown.sh", "--yes", stack, environment=more)
        asked = action in door.asked
    assert (done.returncode, stack in account.stacks()) == ((1, True) if asked else (0, False)), done.stderr


# ---- a deployment without a pipeline ----


class Checkout:
    """A copy of what delivers, in a repository of its own, with an engine that takes notes."""

    def __init__(self, account: Console, folder: Path) -> None:
        self.account, self.tree, self.notes = account, folder / "tree", folder / "notes"
        shutil.copytree(ROOT / "cicd", self.tree / "cicd")
        self.git("init", "--quiet", "--initial-branch", "x1")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")
        (folder / "temporary").mkdir()
        (folder / "bin").mkdir()
        docker = folder / "bin/docker"
        docker.write_text(
            "#!/usr/bin/env bash\n"
            f'echo "docker $*" >>{self.notes}\n'
            "case $1 in version) echo arm64 ;; login) cat >/dev/null ;; esac\n"
            "if [[ $1 == build ]]; then echo building; sleep ${BUILD_SECONDS:-0}; fi\n"
        )
        docker.chmod(0o755)
        self.environment = account.environment | DOMAIN | {"TMPDIR": str(folder / "temporary")}
        self.environment["PATH"] = f"{folder / 'bin'}:{account.environment['PATH']}"
        self.script = self.tree / "cicd/3-app/aiproxy/deploy-adhoc.sh"

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        subprocess.run(["git", *who, *words], cwd=self.tree, check=True)

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.account.run(str(self.script), *words, environment=self.environment | more)

    def declined(self, *words: str, **more: str) -> str:
        """What was said of an image that was built and pushed, and whose deployment nobody agreed to."""
        done = self.run(*words, **more)
        assert (done.returncode, "Not applied" in done.stderr) == (1, True), done.stdout + done.stderr
        return done.stdout

    def built(self) -> list[str]:
        """What the engine was asked to build and push."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line for line in lines if line.startswith(("docker build", "docker push"))]


@pytest.fixture
def checkout(account: Console, tmp_path: Path) -> Checkout:
    return Checkout(account, tmp_path)


@pytest.fixture(scope="module")
def _ready(account: Console) -> None:
    account.did("1-setup/deploy-cicd-dependencies.sh", "--yes", "--with-network")


@pytest.mark.parametrize("words", [("checkout", "--quiet", "--detach"), ("checkout", "--quiet", "-b", "feature/x")])
def test_a_checkout_after_which_nothing_can_be_named(checkout: Checkout, words):
    checkout.git(*words)
    done = checkout.run("--dry-run")
    assert done.returncode == 2
    assert "TARGET_BRANCH" in done.stderr


@pytest.mark.usefixtures("_ready")
def test_an_image_for_another_processor_has_a_tag_of_its_own(checkout: Checkout):
    own = checkout.declined()
    assert "emulation" not in own
    other = checkout.declined("--architecture", "X86_64")
    assert "binfmt --install amd64" in other
    builds = checkout.built()
    assert [line.split()[1] for line in builds] == ["build", "push"] * 2
    assert "--platform linux/arm64" in builds[0]
    assert "--platform linux/amd64" in builds[2]
    assert builds[1].endswith("-arm64")
    assert builds[3].endswith("-amd64")
    shutil.rmtree(checkout.tree / ".git")  # an archive, not a checkout
    checkout.declined(TARGET_BRANCH="x1")
    assert re.search(r"aiproxy-dev-adhoc:x1-20\d{12}-arm64$", checkout.built()[-1])


@pytest.mark.usefixtures("_ready")
def test_stopped_while_it_builds_nothing_is_deployed(checkout: Checkout):
    checkout.git("checkout", "--quiet", "-b", "x2")
    more = checkout.environment | {"BUILD_SECONDS": "60"}
    with Terminal([checkout.script, "--yes"], more) as terminal:
        terminal.wait_for("building")
        terminal.press_ctrl_c()
        assert terminal.ended() == 130
        terminal.wait_until_alone()
    assert len(checkout.built()) == 1
    assert "aiproxy-dev-x2" not in checkout.account.stacks()
    assert list(Path(checkout.environment["TMPDIR"]).iterdir()) == []


@pytest.mark.usefixtures("_ready")
def test_a_repository_that_cannot_be_asked_is_not_built_for(checkout: Checkout):
    with Door(checkout.account.environment["AWS_ENDPOINT_URL"]) as door:
        door.refuse("DescribeImages", 100, "AccessDeniedException", "You may not")
        done = checkout.run("--yes", AWS_ENDPOINT_URL=door.url)
    assert done.returncode == 1
    assert checkout.built() == []
