"""A run in several processes: who gets which file, what its end shows, and its exit code."""

import os
import re
import subprocess
import sys

import pytest

from tests.house.tree import ROOT
from tests.sharing import in_turn

FILE = """
import os
import pytest
from tests.summary import show

@pytest.mark.parametrize("number", range(10))
def test_a_line(request, number):
    show(request.config, "told", f"{__name__} in {os.environ['PYTEST_XDIST_WORKER']}", "by all")

def test_an_end():
    assert __name__ != "test_bad", "words of the failure"
"""


@pytest.fixture
def run(tmp_path):
    """`run("good", "bad")`: pytest in two processes over files of these names; what finished."""

    def call(*names):
        for name in names:
            (tmp_path / f"test_{name}.py").write_text(FILE)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.summary",
            "-p",
            "tests.sharing",
            "-n",
            "2",
            "-c",
            os.devnull,
        ]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [*command, "--rootdir", tmp_path, tmp_path],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_each_file_is_for_one_process_and_the_end_shows_what_all_told(run):
    done = run("one", "two", "three")
    assert done.returncode == 0, done.stdout
    (told,) = re.findall(r"^=+ told =+$\n((?:.*\n)*?)=", done.stdout, re.M)
    lines = told.splitlines()
    assert sorted(line.partition(" in ")[0] for line in lines) == ["by all", "test_one", "test_three", "test_two"]
    assert {line.partition(" in ")[2] for line in lines} == {"", "gw0", "gw1"}


def test_a_failure_is_told_and_decides(run):
    done = run("good", "bad")
    assert done.returncode == 1
    assert "FAILED test_bad.py::test_an_end - AssertionError: words of the failure" in done.stdout
    assert "1 failed, 21 passed" in done.stdout


def test_long_files_and_others_take_turns():
    house, drill, cicd = "tests/house/test_a.py", "tests/drills/test_a.py", "tests/cicd/test_a.py"
    others = [f"tests/lib/test_{number}.py" for number in range(5)]
    assert in_turn([house, *others, drill, cicd]) == [
        *(drill, others[0]),
        *(cicd, others[1]),
        *(house, others[2]),
        *others[3:],
    ]
    assert in_turn([drill, cicd]) == [drill, cicd]
