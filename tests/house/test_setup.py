"""bin/setup.sh and bin/run.sh in a copy of the tree, with a Python that only notes what it is asked to do."""

import shutil
import subprocess

import pytest

from tests.house.tree import ROOT

# It passes as any version, makes an environment that holds itself, and notes what pip and gunicorn are called with.
PYTHON = """#!/usr/bin/env bash
case "$*" in
  -V) echo "Python ${FAKE_VERSION:-3.12.1}" ;;
  -c*) exit "${FAKE_UNFIT:-0}" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo venv >>calls ;;
  *) echo "$*" >>calls; exit "${FAKE_FAILURE:-0}" ;;
esac
"""


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    for path in ROOT.glob("requirements*.txt"):
        (tmp_path / path.name).write_text(f"pinned by {path.name}\n")
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


@pytest.fixture
def call(copy):
    """Run a script of the copy from another folder; returns what finished and the calls it made."""

    def run(script, *arguments, **environ):
        (copy / "calls").unlink(missing_ok=True)
        environ = {"PATH": "/usr/bin:/bin", "PYTHON": str(copy / "python"), **environ}
        done = subprocess.run(
            [copy / "bin" / script, *arguments],
            cwd="/",
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        calls = (copy / "calls").read_text().splitlines() if (copy / "calls").exists() else []
        return done, calls

    return run


def installed(calls):
    return {word for call in calls for word in call.split() if word.startswith("requirements")}


def test_first_use_installs_and_says_so(call):
    done, calls = call("setup.sh")
    assert done.returncode == 0, done.stderr
    assert calls[0] == "venv"
    assert "requirements.txt" in installed(calls)
    assert "requirements-dev.txt" not in installed(calls)
    assert all("--require-hashes" in each for each in calls[1:])
    assert "Installing" in done.stderr


def test_second_use_does_nothing(call):
    call("setup.sh")
    done, calls = call("setup.sh")
    assert (done.returncode, calls, done.stderr) == (0, [], "")


def test_checks_add_to_what_the_server_has(call):
    call("setup.sh")
    _, calls = call("setup.sh", "--dev")
    assert "venv" not in calls
    assert {"requirements.txt", "requirements-dev.txt"} <= installed(calls)
    assert call("setup.sh", "--dev")[1] == []
    assert call("setup.sh")[1] == []


def test_tools_of_the_delivery_live_by_themselves(call, copy):
    call("setup.sh", "--dev")
    done, calls = call("setup.sh", "--cicd")
    assert done.returncode == 0, done.stderr
    assert installed(calls) == {"requirements-cicd.txt"}
    assert (copy / ".venv-cicd/bin/python").exists()
    assert call("setup.sh", "--cicd")[1] == call("setup.sh", "--dev")[1] == []


def test_changed_requirements_are_installed(call, copy):
    call("setup.sh")
    (copy / "requirements.txt").write_text("another pin\n")
    _, calls = call("setup.sh")
    assert "venv" not in calls
    assert "requirements.txt" in installed(calls)


def test_an_interrupted_installation_starts_anew(call):
    done, _ = call("setup.sh", FAKE_FAILURE="1")
    assert done.returncode != 0
    _, calls = call("setup.sh")
    assert calls[0] == "venv"


@pytest.mark.parametrize("harm", ["python is gone", "another version"])
def test_a_broken_environment_is_made_anew(call, copy, harm):
    call("setup.sh")
    if harm == "python is gone":
        (copy / ".venv/bin/python").unlink()
        _, calls = call("setup.sh")
    else:
        _, calls = call("setup.sh", FAKE_VERSION="3.13.9")
    assert calls[0] == "venv"


def test_no_fitting_python_is_explained(call, copy):
    done, calls = call("setup.sh", FAKE_UNFIT="1")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert calls == []
    assert not (copy / ".venv").exists()


def test_run_hands_arguments_to_gunicorn(call):
    call("run.sh")
    done, calls = call("run.sh", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert calls == [".venv/bin/gunicorn --config gunicorn.conf.py --workers 1"]


def test_run_check_prints_settings_instead(call):
    call("run.sh", "--check")
    assert call("run.sh", "--check")[1] == ["-m lib.cli.check"]
