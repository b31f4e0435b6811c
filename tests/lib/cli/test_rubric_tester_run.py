"""`bin/rubric-tester` and `bin/test_accuracy.sh` from end to end: the bundled samples, the echo, no network."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.base import setting_names
from tests.house.tree import ROOT
from tests.upstream import Gateways

LESSONS = ("csd3-2023-L11", "csd3-2023-L18", "csd3-2023-L24")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the experiments of the samples, to write into."""
    shutil.copytree(
        ROOT / "examples/experiments",
        tmp_path / "experiments",
        ignore=shutil.ignore_patterns("output", "cached_responses", "confidence*"),
    )
    return tmp_path


Starts = Callable[..., subprocess.Popen[str]]
Runs = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start(home: Path) -> Starts:
    """`start("--flag", name="test_accuracy.sh")`, from a folder that is not the project's."""
    clean = {name: value for name, value in os.environ.items() if name not in setting_names()}
    environment = clean | {"DATABASE_URL": f"sqlite:///{home}/books.db", "AIPROXY_API_KEY": "key-of-this-test"}

    def start(
        *argv: str, name: str = "rubric-tester", folder: str | None = "experiments", **more: str
    ) -> subprocess.Popen[str]:
        place = ["--experiment-dir", folder] if folder else []
        command = [str(ROOT / "bin" / name), *place, *argv]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=home, env=environment | more, text=True, **pipes)

    return start


@pytest.fixture
def run(start: Starts) -> Runs:
    """The same, to its end."""

    def run(*argv: str, **more: Any) -> subprocess.CompletedProcess[str]:
        running = start(*argv, **more)
        out, err = running.communicate(timeout=60)
        return subprocess.CompletedProcess(argv, running.returncode, out, err)

    return run


def calls(home: Path) -> int:
    """How many calls are in the books."""
    with sqlite3.connect(home / "books.db") as database:
        found = database.execute("SELECT count(*) FROM calls").fetchone()
    database.close()
    return int(found[0])


def figures(home: Path, lesson: str, experiment: str = "extractor") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / f"experiments/{experiment}/{lesson}/output/report.json").read_text())
    return found


def test_the_samples_from_end_to_end(run: Runs, home: Path) -> None:
    done = run("--experiment-name", "extractor", "-l", "echo", "--json", "--csv", "-g")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("12 graded; 0.00 USD") == 3
    for lesson in LESSONS:
        folder = home / "experiments/extractor" / lesson
        rows = list(csv.DictReader(io.StringIO((folder / "output/report.csv").read_text())))
        agents = {row["student"]: row["agent"] for row in rows}
        assert len(agents) == 12
        assert agents["student_01"] == "static"
        assert agents["student_08"] == "echo, code feature extractor"
        right = sum(row["human"] == row["ai"] for row in rows)
        exact = figures(home, lesson)["exact"]["overall"]
        assert (exact["right"], exact["total"]) == (right, len(rows))
        assert "<html" in (folder / "output/report.html").read_text()
        assert set(json.loads((folder / "confidence.json").read_text())) == {row["concept"] for row in rows}
    written = calls(home)
    again = run("--experiment-name", "extractor", "-l", "echo", "--json", "-c")
    assert again.returncode == 0
    assert calls(home) == written > 0


def test_two_experiments(run: Runs, home: Path) -> None:
    done = run("--compare", "baseline", "extractor", "-l", "echo", "--lesson-names", "csd3-2023-L18")
    assert done.returncode == 0, done.stderr
    assert "from baseline to extractor" in done.stdout
    page = home / "experiments/extractor/csd3-2023-L18/output/comparison-with-baseline.html"
    assert "McNemar" in page.read_text()


@pytest.mark.parametrize(("least", "status"), [(0.3, 0), (1, 1)])
def test_the_gate(run: Runs, home: Path, least: float, status: int) -> None:
    (home / "thresholds.json").write_text(json.dumps({"csd3-2023-L18": {"overall": least}}))
    lesson = ("--lesson-names", "csd3-2023-L18", "--thresholds", "thresholds.json")
    done = run("-l", "echo", "--experiment-name=extractor", *lesson, name="test_accuracy.sh")
    assert done.returncode == status, done.stderr
    assert ("missed: csd3-2023-L18: overall" in done.stderr) == (status == 1)


def test_the_gate_takes_the_extractor_by_itself(run: Runs) -> None:
    done = run("--dry-run", name="test_accuracy.sh", folder=None)
    assert done.returncode == 0, done.stderr
    assert "csd3-2023-L18, extractor, claude-sonnet-4-5: 12 of 12 programs" in done.stdout


def test_a_dry_run_needs_no_key_and_writes_nothing(run: Runs, home: Path) -> None:
    done = run("--experiment-name", "baseline", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "together: about 0." in done.stdout
    assert not (home / "books.db").exists()


def test_a_model_that_is_not_there(run: Runs, home: Path) -> None:
    done = run("--experiment-name", "baseline", "-l", "unheard-of")
    assert done.returncode == 2
    assert done.stderr.startswith("bin/rubric-tester: ")
    assert "bin/run.sh --check" in done.stderr


def test_programs_that_fail(run: Runs) -> None:
    done = run("--experiment-name", "baseline", "-l", "echo/error=400", "--student-ids", "student_01,student_08")
    assert done.returncode == 3
    assert done.stdout.count("1 graded, 1 failed") == 3
    assert "student_08: 400" in done.stderr


def test_a_rehearsal(run: Runs, home: Path) -> None:
    lesson = ("--experiment-name", "baseline", "--lesson-names", "csd3-2023-L18")
    done = run(*lesson, "--json", MOCK_MODEL_RESPONSES="1")
    assert done.returncode == 0, done.stderr
    assert figures(home, "csd3-2023-L18", "baseline")["rehearsed"] is True
    refused = run(*lesson, "-g", MOCK_MODEL_RESPONSES="1")
    assert (refused.returncode, "MOCK_MODEL_RESPONSES" in refused.stderr) == (2, True)
    assert not (home / "experiments/baseline/csd3-2023-L18/confidence.json").exists()


def test_ctrl_c_keeps_what_is_done(start: Starts, home: Path) -> None:
    lesson = home / "experiments/baseline/csd3-2023-L11"
    running = start("--experiment-name", "baseline", "-l", "echo/delay=60", "--json")
    until = time.monotonic() + 30
    while len(list((lesson / "cached_responses").glob("*.json"))) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    assert "stopped: interrupted" in err
    assert "Traceback" not in err
    found = figures(home, "csd3-2023-L11", "baseline")
    assert [program["student"] for program in found["programs"]] == ["student_01"]
    assert "1 graded, 11 not asked" in out
    assert (lesson / "output/report.html").exists()


def test_against_a_running_proxy(run: Runs, home: Path, gateway: Gateways) -> None:
    server = gateway(AIPROXY_API_KEY="key-of-this-test")
    arguments = ("--experiment-name", "extractor", "-l", "echo", "--lesson-names", "csd3-2023-L18", "--json")
    here = run(*arguments)
    there = run(*arguments, "--url", server.url)
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert there.stdout == here.stdout
    again = run(*arguments, "--url", server.url, "--use-cached")
    assert again.returncode == 0, again.stderr
    assert figures(home, "csd3-2023-L18")["counts"]["cached"] == 12
    other = gateway(AIPROXY_API_KEY="key-of-this-test", models='[models.gpt-4o]\ntargets = ["echo"]\n')
    assert run(*arguments, "--url", other.url, "--use-cached").returncode == 0
    assert figures(home, "csd3-2023-L18")["counts"]["cached"] == 0, "its names lead elsewhere"


def test_a_proxy_that_does_not_know_the_key(run: Runs, gateway: Gateways) -> None:
    server = gateway(AIPROXY_API_KEY="another")
    done = run("--experiment-name", "baseline", "-l", "echo", "--student-ids", "student_08", "--url", server.url)
    assert done.returncode == 3
    assert "401" in done.stderr
