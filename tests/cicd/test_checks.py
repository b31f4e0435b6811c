"""bin/check-delivery.sh finds what it is there to find, in a copy with one fault."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.house.tree import ROOT

BUCKET = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {{ {property} }}
"""


@pytest.fixture
def check(tmp_path):
    """Run one check in a folder that holds these files; its exit status and output."""
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin/check-delivery.sh", tmp_path / "bin")
    for name in (".hadolint.yaml", ".shellcheckrc"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv-cicd").symlink_to(ROOT / ".venv-cicd")

    def run(what, **files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_yml", ".yml").replace("_sh", ".sh")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [tmp_path / "bin/check-delivery.sh", what]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_property_that_does_not_exist(check):
    status, said = check("templates", cicd__x__template_yml=BUCKET.format(property="BucketNane: x"))
    assert (status, "E3002" in said) == (1, True)


def test_a_resource_that_is_not_safe(check):
    status, said = check("templates", cicd__x__template_yml=BUCKET.format(property="BucketName: x"))
    assert (status, "CKV_AWS_18" in said) == (1, True)


def test_a_script_with_a_fault(check):
    status, said = check("scripts", cicd__x_sh="#!/usr/bin/env bash\nrm -rf $1/var\n")
    assert (status, "SC2086" in said) == (1, True)


def test_a_dockerfile_with_a_fault(check):
    status, said = check("dockerfile", Dockerfile="FROM debian:latest\n")
    assert (status, "DL3007" in said) == (1, True)


def test_a_check_that_there_is_not(check):
    assert check("everything")[0] == 2


def test_no_rule_of_cfn_lint_is_turned_off():
    """Neither in a template nor in a file of settings, nor for the command."""
    places = [*(ROOT / "cicd").rglob("*template.yml"), ROOT / "bin/check-delivery.sh"]
    assert [path.name for path in places if "ignore_checks" in (text := path.read_text()) or "--ignore" in text] == []
    assert not (ROOT / ".cfnlintrc").exists()


def test_every_skip_of_checkov_says_why():
    for path in (ROOT / "cicd").rglob("*template.yml"):
        for line in path.read_text().splitlines():
            if "checkov:skip=" in line:
                assert len(line.partition("checkov:skip=")[2].partition(":")[2].split()) >= 5, f"{path.name}: {line}"
