"""Calls of one worker that come to SQLite at the same time: one transaction, and yet each has its own outcome."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.lib.providers.patched import Patched
from tests.upstream.gateway import ROOT

SCENARIOS = "tests.lib.stores.sqlite_scenarios"
DIE = f"from gevent import monkey; monkey.patch_all(); import sys, {SCENARIOS} as s; s.dies_in_the_middle(sys.argv[1])"


@pytest.fixture(scope="module")
def patched() -> Iterator[Patched]:
    """A process that gevent has patched."""
    with Patched(SCENARIOS) as child:
        yield child


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a.db")


def test_calls_that_come_together_share_a_transaction(patched: Patched, path: str):
    assert patched.run("together", path) == {"told": ["changed 1"], "ends": ["COMMIT"], "held": 20}


def test_calls_that_come_one_at_a_time_do_not_wait_for_others(patched: Patched, path: str):
    assert patched.run("one_at_a_time", path) == {"rounds": [1, 0, 0, 0, 0], "held": 5}


def test_a_call_that_fails_takes_back_what_it_did_alone(patched: Patched, path: str):
    assert patched.run("one_fails", path) == {
        "told": ["changed 1", "ValueError not 2", "StoreFault", "changed 1"],
        "ends": ["ROLLBACK", "COMMIT"],
        "held": [1, 3],
    }


def test_what_cannot_be_committed_fails_for_all(patched: Patched, path: str):
    assert patched.run("commit_fails", path) == {
        "told": ["StoreUnavailable"] * 3,
        "held": [],
        "later": ["changed 1"],
    }


def test_what_was_asked_is_done_when_the_asker_is_killed(patched: Patched, path: str):
    assert patched.run("asker_is_killed", path) == {"doomed": "GreenletExit", "other": 1, "held": [1, 2]}


@pytest.mark.parametrize("calls", [1, 3])
def test_a_call_that_asks_for_more_while_it_is_carried_out_is_refused_and_waits_for_nobody(
    patched: Patched, path: str, calls: int
):
    assert patched.run("asks_while_asked", path, calls) == {
        "told": ["changed RuntimeError", *["changed 1"] * (calls - 1)],
        "held": [*range(1, calls)],
    }


def test_calls_join_those_that_wait_for_another_process(patched: Patched, path: str):
    assert patched.run("joined_while_held", path, 5.0, 0.2) == {
        "told": ["changed 1"] * 4,
        "ends": ["COMMIT"],
        "held": [1, 2, 3, 4],
    }


def test_a_file_that_others_hold_too_long_fails_for_all_that_wait(patched: Patched, path: str):
    seen = patched.run("joined_while_held", path, 0.2, 1.0)
    assert (seen["told"], seen["held"]) == (["StoreUnavailable"] * 4, [])


def test_a_process_that_dies_in_the_middle_leaves_nothing_of_it(path: str):
    died = subprocess.run([sys.executable, "-c", DIE, path], cwd=ROOT, check=False)
    assert died.returncode == -9
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (0,)
