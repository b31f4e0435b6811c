"""Builds of pull requests: who defines them, what they may do, and that the definition does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT


class Loader(yaml.SafeLoader):
    """Reads short forms of CloudFormation's functions as what stands in them."""


Loader.add_multi_constructor(
    "!",
    lambda loader, tag, node: {
        tag: getattr(loader, f"construct_{node.id}")(node, *([True] if node.id != "scalar" else []))
    },
)
CICD = yaml.load((ROOT / "cicd/2-cicd/cicd.template.yml").read_text(), Loader)["Resources"]
SETUP = yaml.load((ROOT / "cicd/1-setup/cicd-dependencies.template.yml").read_text(), Loader)["Resources"]
RUNNER = ROOT / "cicd/lib/run_buildspec.py"


def statements(role: str) -> list[dict[str, Any]]:
    """What a role of the first stage may do."""
    policies = SETUP[role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def run(spec: dict[str, Any] | str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "buildspec.yml"
    file.write_text(spec if isinstance(spec, str) else yaml.safe_dump(spec))
    command = [sys.executable, RUNNER, file]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_role_can_write_its_log_and_nothing_else():
    (only,) = statements("PullRequestBuildRole")
    assert only["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert only["Resource"]["Sub"].endswith(":log-group:/aws/codebuild/aiproxy-*-pull-request:*")
    assert "ManagedPolicyArns" not in SETUP["PullRequestBuildRole"]["Properties"]


def test_nobody_lets_the_role_in():
    assert "PullRequestBuildRole" not in str(CICD["Key"])
    users = [name for name, each in CICD.items() if "AiProxyPullRequestBuildRoleArn" in str(each)]
    assert users == ["PullRequestBuild"]


def test_the_project_hands_out_nothing():
    project = CICD["PullRequestBuild"]["Properties"]
    (flags,) = project["Environment"]["EnvironmentVariables"]
    assert flags == {"Name": "DOCKER_BUILD_FLAGS", "Value": {"Sub": "--build-arg BASE_IMAGES=${BaseImages}"}}
    assert project["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    assert "Cache" not in project
    assert "VpcConfig" not in project
    assert "Auth" not in project["Source"]


def test_the_build_is_that_of_the_target_branch(tmp_path):
    """The inline definition runs as it stands, but for the installation of PyYAML, on two trees that disagree."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for tree, word in ((theirs, "theirs"), (ours, "ours")):
        (tree / "cicd/3-app/aiproxy").mkdir(parents=True)
        (tree / "cicd/lib").mkdir()
        (tree / "cicd/lib/run_buildspec.py").write_text(RUNNER.read_text() if word == "ours" else "raise SystemExit(9)")
        spec = {"version": 0.2, "phases": {"build": {"commands": [f"echo definition of {word}", "cat code"]}}}
        (tree / "cicd/3-app/aiproxy/pr-buildspec.yml").write_text(yaml.safe_dump(spec))
        (tree / "code").write_text(f"code of {word}\n")
        (tree / "requirements-dev.txt").write_text((ROOT / "requirements-dev.txt").read_text())
    inline = CICD["PullRequestBuild"]["Properties"]["Source"]["BuildSpec"]
    phases = yaml.safe_load(inline)["phases"]
    commands = [each for phase in ("install", "build") for each in phases[phase]["commands"]]
    offline = [each for each in commands if "-m venv" not in each and "bin/pip" not in each]
    assert len(offline) == len(commands) - 2
    script = "\n".join(["set -e", *offline]).replace('"$run/venv/bin/python"', sys.executable)
    done = subprocess.run(
        ["bash", "-c", script + '\ncp "$run/pinned.txt" ..'],
        cwd=theirs,
        env=os.environ | {"CODEBUILD_SRC_DIR_target": str(ours), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "== build\ndefinition of ours\ncode of theirs\n"
    pinned = (tmp_path / "pinned.txt").read_text()
    assert pinned.startswith("pyyaml==")
    assert pinned.count("==") == 1
    assert "--hash=sha256:" in pinned
    assert not pinned.rstrip().endswith("\\")


def test_the_second_source_is_the_target_branch():
    project = CICD["PullRequestBuild"]["Properties"]
    assert project["SecondarySourceVersions"] == [
        {"SourceIdentifier": "target", "SourceVersion": {"Sub": "refs/heads/${Branch}"}}
    ]
    assert project["SecondarySources"][0]["Location"] == project["Source"]["Location"]


def test_phases_share_a_shell_and_stop_at_the_first_failure(tmp_path):
    phases = {
        "post_build": {"commands": ["echo after"]},
        "install": {"commands": ["mkdir sub && cd sub", "export WORD=kept"]},
        "build": {"commands": ['echo "$WORD in ${PWD##*/} with $GIVEN"', "exit 7", "echo never"]},
    }
    done = run({"version": 0.2, "env": {"variables": {"GIVEN": 1}}, "phases": phases}, tmp_path)
    assert (done.returncode, done.stdout) == (7, "== install\n== build\nkept in sub with 1\n")


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "- a list",
        "version: 0.2",
        "phases: {deploy: {commands: [ls]}}",
        "phases: {build: {commands: [], finally: [ls]}}",
    ],
)
def test_what_is_no_buildspec_is_refused(tmp_path, spec):
    assert run(spec, tmp_path).returncode == 2


def test_the_real_definition_can_be_run():
    from cicd.lib import run_buildspec

    spec = yaml.safe_load((ROOT / "cicd/3-app/aiproxy/pr-buildspec.yml").read_text())
    assert "docker build" in run_buildspec.script(spec["phases"])
    assert not any("finally" in phase for phase in spec["phases"].values())
