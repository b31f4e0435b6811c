"""How the scripts change a stack: seen first, asked for, watched, and nothing left behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from tests.cicd.console import Console
from tests.house.tree import ROOT

BASE = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${AWS::StackName}-${Size}"}
Outputs:
  TopicArn: {Value: !Ref Topic}
"""
BROKEN = "  Broken: {Type: AWS::SNS::Topic, Metadata: {Broken: true}}\n"


class Deploy:
    """`deploy_stack` on small templates, as a script would call it."""

    def __init__(self, account: Console, folder: Path) -> None:
        self.account = account
        self.template = folder / "template.yml"
        self.script = folder / "deploy.sh"
        self.script.write_text(
            textwrap.dedent(f"""\
            #!/usr/bin/env bash
            set -euo pipefail
            source {ROOT}/cicd/lib/deploy.sh
            stack=$1; shift
            while (($#)); do take_option "$@"; shift "$taken"; done
            check_account
            deploy_stack "$stack" {self.template} --tag Application=test ${{given[@]+"${{given[@]}}"}}
            """)
        )
        self.script.chmod(0o755)

    def __call__(self, stack: str, *words: str, template: str = BASE, typed: str = "") -> tuple[int, str]:
        self.template.write_text(template)
        done = self.account.run(str(self.script), stack, *words, typed=typed)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def deploy(account: Console, tmp_path: Path) -> Deploy:
    return Deploy(account, tmp_path)


def test_shows_asks_and_applies(account, deploy):
    code, said = deploy("shown", typed="y\n")
    assert code == 0, said
    assert "Add     Topic     AWS::SNS::Topic  -" in said
    assert "CREATE_IN_PROGRESS" in said
    assert ":shown-small" in said.partition("OUTPUT")[2]
    assert account.stacks()["shown"] == "CREATE_COMPLETE"

    code, said = deploy("shown", "--yes")
    assert (code, "No changes." in said) == (0, True), said
    code, said = deploy("shown", "--yes", "--parameter", "Size=large")
    assert code == 0, said
    assert "Modify  Topic" in said
    code, said = deploy("shown", "--yes")  # what is not given stays as it is
    assert (code, "No changes." in said) == (0, True), said
    assert account.change_sets("shown") == []


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_left_of_what_was_declined(account, deploy, answer):
    code, said = deploy("declined", typed=answer)
    assert (code, "nothing was changed" in said) == (1, True), said
    assert "declined" not in account.stacks()


def test_a_dry_run_changes_nothing(account, deploy):
    code, said = deploy("dry", "--dry-run")
    assert (code, "Dry run" in said) == (0, True), said
    assert "dry" not in account.stacks()
    assert deploy("dry", "--yes")[0] == 0
    code, said = deploy("dry", "--dry-run", "--parameter", "Size=large")
    assert (code, "Modify" in said) == (0, True), said
    assert account.change_sets("dry") == []
    (stack,) = account.client("cloudformation").describe_stacks(StackName="dry")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"].endswith(":dry-small")


def test_a_failure_is_explained_and_its_remains_can_be_cleared(account, deploy):
    code, said = deploy("failing", "--yes", template=BASE.replace("Outputs:", BROKEN + "Outputs:"))
    assert code == 1
    assert "cannot be made: Broken" in said.partition("What went wrong")[2]
    assert account.stacks()["failing"] == "ROLLBACK_COMPLETE"
    code, said = deploy("failing", "--yes")
    assert code == 0, said
    assert account.stacks()["failing"] == "CREATE_COMPLETE"
    code, said = deploy("failing", "--yes", template=BASE.replace("Outputs:", BROKEN + "Outputs:"))
    assert code == 1
    assert "cannot be made: Broken" in said.partition("What went wrong")[2]
    assert account.stacks()["failing"] == "UPDATE_ROLLBACK_COMPLETE"


def test_the_cause_is_found_behind_the_many_events_of_a_rollback(deploy):
    many = "".join(f"  Topic{number}: {{Type: AWS::SNS::Topic}}\n" for number in range(120))
    code, said = deploy("large", "--yes", template=BASE.replace("Outputs:", many + BROKEN + "Outputs:"))
    assert code == 1
    assert "cannot be made: Broken" in said.partition("What went wrong")[2]


@pytest.mark.parametrize(
    ("template", "words", "reason"),
    [
        ("Resources: {}\n", (), "At least one Resources member"),
        (BASE, ("--parameter", "Colour=red"), "no parameter Colour"),
        (BASE, ("--parameter", "Size=huge"), "must be one of AllowedValues"),
        (BASE.replace("!Sub ", "!ImportValue "), (), "No export named"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(account, deploy, template, words, reason):
    code, said = deploy("refused", "--yes", *words, template=template)
    assert code != 0
    assert reason in said
    assert "refused" not in account.stacks()


def test_an_empty_stack_that_was_left_is_cleared_away(account, deploy):
    named = {"StackName": "left", "ChangeSetName": "somebodys"}
    account.client("cloudformation").create_change_set(**named, ChangeSetType="CREATE", TemplateBody=BASE)
    code, said = deploy("left", "--yes")
    assert (code, "somebodys" in said) == (1, True), said  # not ours to delete
    account.client("cloudformation").delete_change_set(**named)
    assert account.stacks()["left"] == "REVIEW_IN_PROGRESS"
    code, said = deploy("left", "--yes")
    assert code == 0, said
    assert account.stacks()["left"] == "CREATE_COMPLETE"


def test_a_large_template_goes_by_way_of_the_bucket(account, deploy):
    account.client("s3").create_bucket(Bucket="large-templates")
    holder = BASE.replace("Value: !Ref Topic", "Value: large-templates, Export: {Name: AiProxyArtifactBucket}")
    assert deploy("holder", "--yes", template=holder)[0] == 0
    code, said = deploy("large", "--yes", template=BASE + "# filled up\n" * 5000)
    assert code == 0, said
    assert account.stacks()["large"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_at_the_question_it_leaves_no_change_set(account, deploy, stop):
    deploy.template.write_text(BASE)
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [deploy.script, "stopped"],
        env=account.environment,
        stdin=other,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said = b""
        while b"Apply these changes" not in said and b"REPLACEMENT" not in said:
            read = os.read(process.stdout.fileno(), 4096)
            assert read, said
            said += read
        assert account.stacks()["stopped"] == "REVIEW_IN_PROGRESS"
        time.sleep(0.5)  # it is at the question, or on its way there: both must end the same
        os.killpg(process.pid, stop)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.stdout.close()
        os.close(terminal)
        os.close(other)
    assert process.returncode == 128 + stop
    assert "stopped" not in account.stacks()
