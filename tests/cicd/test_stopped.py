"""Scripts that are stopped, at every stage: nothing half-made is left without words.

From a real terminal: Ctrl-C reaches the script and the AWS CLI that it waits for, and a window that is closed both as
well. A signal to the script alone is the third way.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cicd.console import Console
from tests.cicd.door import Door
from tests.cicd.terminal import Terminal
from tests.cicd.test_changes import BASE, Deploy
from tests.house.tree import ROOT

BUSY = {"CREATE_COMPLETE": "CREATE_IN_PROGRESS", "UPDATE_COMPLETE": "UPDATE_IN_PROGRESS"}
GOES_ON = "CloudFormation goes on"
Stop = Callable[[Terminal], None]


def ctrl_c(terminal: Terminal) -> None:
    terminal.press_ctrl_c()


def terminate(terminal: Terminal) -> None:
    os.kill(terminal.process.pid, signal.SIGTERM)


def hang_up(terminal: Terminal) -> None:
    terminal.hang_up()


CODES: dict[Stop, int] = {ctrl_c: 130, terminate: 143, hang_up: 129}
STOPS = pytest.mark.parametrize("stop", CODES, ids=lambda stop: stop.__name__)


@pytest.fixture
def door(account: Console) -> Iterator[Door]:
    with Door(account.environment["AWS_ENDPOINT_URL"]) as door:
        yield door


class Session:
    """A script in a terminal, its calls by way of the door, its temporary files in a folder of its own."""

    def __init__(self, account: Console, door: Door, folder: Path) -> None:
        self.account, self.door = account, door
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.environment = account.environment | {"AWS_ENDPOINT_URL": door.url, "TMPDIR": str(self.temporary)}

    @contextmanager
    def running(self, *command: str | Path, **more: str) -> Iterator[Terminal]:
        with Terminal(command, self.environment | more) as terminal:
            yield terminal

    def ended(self, terminal: Terminal, stop: Stop) -> str:
        """What it said; all that must be true of a script that was stopped is."""
        assert terminal.ended() == CODES[stop], terminal.said
        terminal.wait_until_alone()
        assert list(self.temporary.iterdir()) == [], terminal.said
        return terminal.said


@pytest.fixture
def session(account: Console, door: Door, tmp_path: Path) -> Session:
    return Session(account, door, tmp_path)


@pytest.fixture
def deploy(account: Console, tmp_path: Path) -> Deploy:
    made = Deploy(account, tmp_path)
    made.template.write_text(BASE)
    return made


def name_of(stop: Stop, action: str) -> str:
    return f"{stop.__name__}-{action}".replace("_", "-")


BEFORE = ["GetCallerIdentity", "DescribeStacks", "ValidateTemplate", "CreateChangeSet", "DescribeChangeSet"]


@pytest.mark.parametrize(
    ("stop", "action"),
    [*((ctrl_c, action) for action in BEFORE), (terminate, "CreateChangeSet"), (hang_up, "CreateChangeSet")],
)
def test_before_the_question_nothing_is_left(session, deploy, stop, action):
    stack = name_of(stop, action)
    session.door.hold(action)
    with session.running(deploy.script, stack) as terminal:
        session.door.wait_held()
        stop(terminal)
        session.door.release()
        said = session.ended(terminal, stop)
    assert GOES_ON not in said
    assert stack not in session.account.stacks()


@STOPS
def test_at_the_question_nothing_is_left(session, deploy, stop):
    stack = name_of(stop, "question")
    with session.running(deploy.script, stack) as terminal:
        terminal.wait_for_question("[y/N]")
        assert session.account.stacks()[stack] == "REVIEW_IN_PROGRESS"
        stop(terminal)
        session.ended(terminal, stop)
    assert stack not in session.account.stacks()


@STOPS
def test_a_change_that_was_sent_is_carried_out_and_said_to_go_on(session, deploy, stop):
    stack = name_of(stop, "execute")
    session.door.hold("ExecuteChangeSet")
    with session.running(deploy.script, stack, "--yes") as terminal:
        session.door.wait_held()
        stop(terminal)
        session.door.release()
        said = session.ended(terminal, stop)
    assert session.account.stacks()[stack] == "CREATE_COMPLETE"
    assert session.account.change_sets(stack) == []
    if stop is not hang_up:  # when there is somebody to read it
        assert f"{GOES_ON} with {stack}" in said
        assert f"describe-stack-events --stack-name {stack}" in said
        assert f"cancel-update-stack --stack-name {stack}" in said


@STOPS
def test_while_it_waits_it_says_what_goes_on(session, deploy, stop):
    stack = name_of(stop, "wait")
    session.door.say("DescribeStacks", **BUSY)
    with session.running(deploy.script, stack, "--yes") as terminal:
        terminal.wait_for("CREATE_IN_PROGRESS")
        stop(terminal)
        said = session.ended(terminal, stop)
    assert session.account.stacks()[stack] == "CREATE_COMPLETE"
    if stop is not hang_up:
        assert f"{GOES_ON} with {stack}" in said


def test_a_change_that_was_refused_is_not_said_to_go_on(session, deploy):
    session.door.refuse("ExecuteChangeSet", 1, "ValidationError", "No, not this")
    with session.running(deploy.script, "not-executed", "--yes") as terminal:
        assert terminal.ended() == 1
    assert "No, not this" in terminal.said
    assert GOES_ON not in terminal.said
    assert "not-executed" not in session.account.stacks()


@STOPS
def test_a_stack_that_is_there_keeps_no_change_set(session, deploy, stop):
    stack = name_of(stop, "there")
    assert deploy(stack, "--yes")[0] == 0
    session.door.hold("CreateChangeSet")
    with session.running(deploy.script, stack, "--parameter", "Size=large") as terminal:
        session.door.wait_held()
        stop(terminal)
        session.door.release()
        session.ended(terminal, stop)
    assert session.account.change_sets(stack) == []
    assert session.account.stacks()[stack] == "CREATE_COMPLETE"


def test_the_real_cli_is_stopped_the_same(session, deploy):
    """As above, with the AWS CLI itself in the foreground, which ends with a code of its own at Ctrl-C."""
    path = f"{ROOT}/.venv-cicd/bin:{os.environ['PATH']}"
    for action, left in (
        ("ValidateTemplate", None),
        ("CreateChangeSet", None),
        ("ExecuteChangeSet", "CREATE_COMPLETE"),
    ):
        stack = f"real-{action}"
        session.door.hold(action)
        with session.running(deploy.script, stack, "--yes", PATH=path) as terminal:
            session.door.wait_held()
            terminal.press_ctrl_c()
            session.door.release()
            said = session.ended(terminal, ctrl_c)
        assert session.account.stacks().get(stack) == left, said
        assert (GOES_ON in said) == (left is not None)


def test_who_reads_along_may_leave(session, deploy):
    """`deploy ... | head -n 1`: a change set is not left behind because nobody reads any more."""
    script = f"set -o pipefail; {deploy.script} unread --dry-run 2>&1 | head -n 1"
    with session.running("bash", "-c", script) as terminal:
        assert terminal.ended() in (0, 1, 141), terminal.said
        terminal.wait_until_alone()
    assert "unread" not in session.account.stacks()
    assert list(session.temporary.iterdir()) == []


# ---- a stack that is deleted ----


@pytest.fixture
def doomed(session, deploy, request) -> str:
    stack = f"aiproxy-{abs(hash(request.node.name)) % 10**8}"
    assert deploy(stack, "--yes")[0] == 0
    return stack


TEARDOWN = ROOT / "cicd/teardown.sh"


@pytest.mark.parametrize("action", ["DescribeStacks", "ListExports", "GetTemplate", "ListStackResources"])
def test_a_deletion_that_was_not_asked_for_does_not_happen(session, doomed, action):
    session.door.hold(action)
    with session.running(TEARDOWN, "--yes", doomed) as terminal:
        session.door.wait_held()
        terminal.press_ctrl_c()
        session.door.release()
        said = session.ended(terminal, ctrl_c)
    assert GOES_ON not in said
    assert doomed in session.account.stacks()


@STOPS
def test_a_deletion_is_stopped_at_the_question(session, doomed, stop):
    with session.running(TEARDOWN, doomed) as terminal:
        terminal.wait_for_question("Type the stack's name")
        stop(terminal)
        session.ended(terminal, stop)
    assert doomed in session.account.stacks()


@STOPS
def test_a_deletion_that_was_sent_is_said_to_go_on(session, doomed, stop):
    session.door.hold("DeleteStack")
    with session.running(TEARDOWN, "--yes", doomed, "aiproxy-not-looked-at") as terminal:
        session.door.wait_held()
        stop(terminal)
        session.door.release()
        said = session.ended(terminal, stop)
    assert doomed not in session.account.stacks()
    assert "not-looked-at" not in said
    if stop is not hang_up:
        assert f"{GOES_ON} deleting {doomed}" in said


def test_a_deletion_that_is_watched_is_said_to_go_on(session, doomed):
    session.door.say("DescribeStacks", DELETE_COMPLETE="DELETE_IN_PROGRESS")
    with session.running(TEARDOWN, "--yes", doomed) as terminal:
        terminal.wait_for("DELETE_IN_PROGRESS")
        terminal.press_ctrl_c()
        said = session.ended(terminal, ctrl_c)
    assert f"{GOES_ON} deleting {doomed}" in said


# ---- one machine ----


@pytest.mark.parametrize("stop", [ctrl_c, terminate], ids=lambda stop: stop.__name__)
def test_an_installation_that_is_stopped_says_so(tmp_path, stop):
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\necho fetching >&2\nexec sleep 2\n")
    git.chmod(0o755)
    environment = {"PATH": f"{git.parent}:/usr/sbin:/usr/bin:/sbin:/bin"}
    words = ("--root", str(tmp_path / "root"), "--domain", "none", "--yes")
    with Terminal([ROOT / "cicd/single-host/install.sh", *words], environment) as terminal:
        terminal.wait_for("fetching")
        stop(terminal)
        assert terminal.ended() == CODES[stop], terminal.said
        terminal.wait_until_alone()
    assert "run it again" in terminal.said
