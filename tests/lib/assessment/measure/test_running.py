"""A run: several at a time, what fails, what is remembered, where the money ends, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.assessment import EXTENSIVE, Graded
from lib.assessment.measure import (
    INTERRUPTED,
    Dataset,
    Experiment,
    GradedProgram,
    Measured,
    Purse,
    Run,
    Ungraded,
    changed,
    from_json,
    read_dataset,
    read_experiment,
    to_json,
)
from lib.assessment.measure.cache import key
from tests.lib.assessment.measure.shared import FakeGrader, dataset_folder, experiment_folder, grades

STUDENTS = tuple("abcdef")


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return read_experiment(experiment_folder(tmp_path / "exp"), "L1")


@pytest.fixture
def dataset(tmp_path: Path, experiment: Experiment) -> Dataset:
    return read_dataset(
        dataset_folder(tmp_path / "data", dict.fromkeys(STUDENTS, "EC")), "L1", experiment.rubric.concepts
    )


class Runs:
    """Runs of one lesson."""

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.experiment, self.dataset = experiment, dataset
        self.heard: list[GradedProgram] = []

    def prepared(self, grader: FakeGrader, jobs: int = 3, most: int | None = None, cached: bool = False) -> Run:
        return Run(grader, jobs, cached, Purse(most), self.heard.append)

    def __call__(self, grader: FakeGrader, *, jobs: int = 3, most: int | None = None, cached: bool = False) -> Measured:
        return self.prepared(grader, jobs, most, cached).measure(self.experiment, self.dataset, STUDENTS)


@pytest.fixture
def run(experiment: Experiment, dataset: Dataset) -> Runs:
    return Runs(experiment, dataset)


def failing(student: str) -> Callable[[str], Graded]:
    def answer(code: str) -> Graded:
        if student in code:
            raise Ungraded("502 upstream_error: away", cost=3)
        return grades("EE")

    return answer


def test_everything_is_graded_by_several_at_once(run: Runs) -> None:
    grader = FakeGrader(seconds=0.01)
    found = run(grader)
    assert [program.student for program in found.programs] == list(STUDENTS)
    assert sorted(grader.asked) == list(STUDENTS)
    assert grader.most_open == 3
    assert found.cost == 6 * 5
    assert found.programs[0].label("Loops") == EXTENSIVE
    assert found.programs[0].actual["Loops"] == EXTENSIVE
    assert (found.stopped, found.not_asked) == (None, ())
    assert set(found.sha256) == {"prompt", "rubric", "examples", "programs", "labels"}
    assert [each.student for each in run.heard] == grader.asked


def test_what_is_measured_survives_json(run: Runs) -> None:
    found = run(FakeGrader(failing("b")))
    assert from_json(to_json(found)) == found
    assert to_json(found).endswith(b"}\n")


def test_a_failure_is_written_down_and_ends_nothing(run: Runs) -> None:
    found = run(FakeGrader(failing("b")))
    assert [program.error for program in found.failed] == ["502 upstream_error: away"]
    assert len(found.answered) == 5
    assert found.cost == 5 * 5 + 3


def test_a_fault_of_ours_is_not_hidden(run: Runs) -> None:
    def broken(code: str) -> Graded:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(FakeGrader(broken))


# ---- the cache ----


def test_with_the_cache_only_what_is_missing_is_asked_for(run: Runs) -> None:
    run(FakeGrader(failing("b")))
    grader = FakeGrader()
    found = run(grader, cached=True)
    assert grader.asked == ["b"]
    assert [program.cached for program in found.programs] == [True, False, True, True, True, True]
    assert found.cost == 5


def test_without_being_told_so_nothing_is_taken_from_the_cache(run: Runs) -> None:
    run(FakeGrader())
    grader = FakeGrader()
    run(grader)
    assert len(grader.asked) == 6


def test_grades_are_the_same_from_the_cache(run: Runs) -> None:
    before, after = run(FakeGrader()), run(FakeGrader(), cached=True)
    assert [program.predicted for program in before.programs] == [program.predicted for program in after.programs]
    assert {(program.agent, program.seconds) for program in after.programs} == {("openai", 0.5)}


def test_another_grader_does_not_get_the_answers_of_the_first(run: Runs) -> None:
    run(FakeGrader())
    grader = FakeGrader(mark="another")
    run(grader, cached=True)
    assert len(grader.asked) == 6


def test_a_file_that_cannot_be_read_is_asked_for_again(run: Runs, experiment: Experiment) -> None:
    run(FakeGrader())
    for path in (experiment.folder / "cached_responses").iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    grader = FakeGrader()
    run(grader, cached=True)
    assert len(grader.asked) == 6


def test_everything_that_matters_is_in_the_key(experiment: Experiment) -> None:
    others = [
        replace(experiment, prompt="Grade it!"),
        replace(experiment, rubric=replace(experiment.rubric, text=experiment.rubric.text + "\n")),
        replace(experiment, examples=(("a", "b"),)),
        replace(experiment, examples=(("ab", ""),)),
        changed(experiment, model="another"),
        changed(experiment, temperature=0.3),
        changed(experiment, num_responses=2),
        changed(experiment, remove_comments=True),
        changed(experiment, response_type="json"),
        changed(experiment, lesson="L2"),
        changed(experiment, extractor=("Loops",)),
        changed(experiment, seed=1),
    ]
    keys = [key(each, "x", "code") for each in (experiment, *others)]
    keys += [key(experiment, "y", "code"), key(experiment, "x", "code ")]
    assert len(set(keys)) == len(keys)


def test_names_do_not_matter(experiment: Experiment) -> None:
    other = replace(experiment, name="other", folder=Path("elsewhere"))
    assert key(other, "x", "code") == key(experiment, "x", "code")


# ---- money ----


def test_no_more_is_asked_when_the_money_is_spent(run: Runs) -> None:
    grader = FakeGrader()
    found = run(grader, jobs=1, most=15)
    assert len(grader.asked) == 3
    assert found.stopped == "0.000000015 USD were spent"
    assert found.not_asked == ("d", "e", "f")


def test_what_is_in_flight_is_reckoned_with(run: Runs) -> None:
    grader = FakeGrader(seconds=0.01)
    run(grader, jobs=2, most=15)
    assert len(grader.asked) <= 4


def test_cached_answers_are_free(run: Runs) -> None:
    run(FakeGrader(failing("f")))
    found = run(FakeGrader(), cached=True, most=1)
    assert len(found.answered) == 6


@given(st.integers(1, 1000), st.lists(st.one_of(st.none(), st.integers(0, 100)), max_size=50))
def test_a_purse_is_empty_once_its_money_is_spent(most: int, costs: list[int | None]) -> None:
    purse = Purse(most)
    for cost in costs:
        purse.begin()
        purse.end(cost)
        assert purse.is_empty == (purse.spent >= most)
    assert purse.spent == sum(cost or 0 for cost in costs)


# ---- Ctrl-C ----


def test_an_interrupt_keeps_what_is_done(run: Runs) -> None:
    grader = FakeGrader(seconds=0.2)
    prepared = run.prepared(grader, jobs=2)
    gevent.spawn_later(0.3, prepared.interrupt)
    found = prepared.measure(run.experiment, run.dataset, STUDENTS)
    assert found.stopped == INTERRUPTED
    assert [program.student for program in found.programs] == ["a", "b"]
    assert found.not_asked == ("c", "d", "e", "f")
    assert grader.open == 0


def test_after_an_interrupt_no_other_lesson_is_begun(run: Runs) -> None:
    grader = FakeGrader()
    prepared = run.prepared(grader)
    prepared.interrupt()
    found = prepared.measure(run.experiment, run.dataset, STUDENTS)
    assert (grader.asked, found.programs, found.not_asked) == ([], (), STUDENTS)
