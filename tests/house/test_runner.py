"""bin/test.sh in a copy of the tree, with stand-ins for the tools it calls: what runs, where, and its exit code."""

import shutil
import subprocess

import pytest

from tests.house.tree import ROOT

CHECKS = [
    "python -m ruff check .",
    "python -m ruff format --check .",
    "python -m mypy",
    "python .venv/bin/lint-imports",
    "check-delivery.sh ",
]
PYTEST = "python -m pytest -n auto"
NOTE = (
    '#!/usr/bin/env bash\ncall="$(basename "$0") $*"\necho "$call" >>calls\necho "said by $call"\n'
    "case $call in ${FAKE_FAILURE:-nothing}) exit 3 ;; esac\n"
)


@pytest.fixture
def call(tmp_path):
    """Run the copy's bin/test.sh; returns what finished and the calls it made."""
    for name in ("bin/setup.sh", "bin/docker", "bin/check-delivery.sh", ".venv/bin/python"):
        tool = tmp_path / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(NOTE)
        tool.chmod(0o755)
    shutil.copy(ROOT / "bin/test.sh", tmp_path / "bin")

    def run(*arguments, **environ):
        environ = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", **environ}
        script = [tmp_path / "bin/test.sh", *arguments]
        done = subprocess.run(script, cwd="/", env=environ, capture_output=True, text=True, timeout=60, check=False)
        return done, (tmp_path / "calls").read_text().splitlines()

    return run


def test_local_runs_every_check(call):
    done, calls = call("--local", "-k", "two words")
    assert done.returncode == 0, done.stderr
    assert calls[:2] == ["setup.sh --dev", "setup.sh --cicd"]
    assert sorted(calls[2:-1]) == sorted(CHECKS)  # which run beside each other
    assert calls[-1] == f"{PYTEST} -k two words"


def test_lint_runs_every_check_but_the_tests(call):
    done, calls = call("--lint")
    assert done.returncode == 0, done.stderr
    assert sorted(calls[2:]) == sorted(CHECKS)


def test_each_check_says_its_own_below_its_name(call):
    done, _ = call("--lint")
    names = ["lint", "format", "types", "imports", "delivery"]
    shown = [line for name, check in zip(names, CHECKS, strict=True) for line in (f"== {name}", f"said by {check}")]
    assert done.stdout.splitlines()[2:] == shown


@pytest.mark.parametrize(
    "step", ["*ruff?check*", "*format*", "*mypy*", "*lint-imports*", "check-delivery*", "*pytest*"]
)
def test_one_failure_fails_the_run_after_all_checks(call, step):
    done, calls = call("--local", FAKE_FAILURE=step)
    assert done.returncode == 1
    assert len(calls) == 8
    assert done.stderr.startswith("failed: ")


def test_a_failed_installation_ends_the_run(call):
    done, calls = call("--local", FAKE_FAILURE="*--dev")
    assert done.returncode == 3
    assert calls == ["setup.sh --dev"]


def test_an_engine_that_answers_gets_the_run(call):
    done, calls = call("-x", DOCKER_BUILD_FLAGS="--network host")
    assert done.returncode == 0, done.stderr
    assert calls == [
        "docker info",
        "docker build --target test --tag aiproxy-test --network host .",
        "docker run --rm --init aiproxy-test bin/test.sh --local -x",
    ]


def test_the_packages_index_is_passed_on(call):
    _, calls = call("--container", PIP_INDEX_URL="https://index.example/simple", PIP_TRUSTED_HOST="")
    assert calls[0] == "docker build --target test --tag aiproxy-test --build-arg PIP_INDEX_URL ."


def test_the_image_is_built_by_itself(call):
    done, calls = call("--build")
    assert done.returncode == 0, done.stderr
    assert calls == ["docker build --target test --tag aiproxy-test ."]


def test_no_engine_means_local(call):
    _, calls = call(FAKE_FAILURE="*info")
    assert calls[:2] == ["docker info", "setup.sh --dev"]


def test_container_fails_when_its_run_does(call):
    done, calls = call("--container", FAKE_FAILURE="docker run*")
    assert done.returncode == 3
    assert [each.split()[1] for each in calls] == ["build", "run"]
