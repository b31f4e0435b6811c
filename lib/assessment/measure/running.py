"""Grading a lesson's programs, several at a time, until all are done, the money is spent or somebody interrupts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import gevent
from gevent.pool import Pool

from lib.assessment.graded import Graded
from lib.assessment.measure.cache import Cache
from lib.assessment.measure.dataset import Dataset
from lib.assessment.measure.experiment import Experiment
from lib.assessment.measure.grading import Grader, Ungraded
from lib.assessment.measure.outcome import GradedProgram, Measured
from lib.assessment.measure.purse import Purse
from lib.base.money import show

INTERRUPTED = "interrupted"


@dataclass(slots=True)
class Run:
    """One run over lessons and experiments. `watch` hears of each program that is done or failed.

    `stopped` says why nothing more is asked; the programs of later lessons are then not asked about either.
    """

    grader: Grader
    jobs: int
    use_cached: bool
    purse: Purse
    watch: Callable[[GradedProgram], None]
    stopped: str | None = None
    _pool: Pool | None = field(default=None, init=False)

    def measure(self, experiment: Experiment, dataset: Dataset, students: Sequence[str]) -> Measured:
        """Grade the programs of these students, asked about in this order."""
        started = datetime.now(UTC)
        programs = self._graded(experiment, dataset, students)
        return Measured(
            experiment=experiment.name,
            dataset=dataset.name,
            lesson=experiment.lesson,
            model=experiment.params.model,
            params=experiment.params.shown(),
            prompt=experiment.prompt,
            rubric=experiment.rubric.text,
            sha256=experiment.sha256() | dataset.sha256(),
            concepts=experiment.rubric.concepts,
            programs=tuple(programs[student] for student in sorted(programs)),
            started=started,
            finished=datetime.now(UTC),
            stopped=self.stopped,
            not_asked=tuple(sorted(set(students) - programs.keys())),
            rehearsed=self.grader.rehearsed() or any(program.is_echo for program in programs.values()),
        )

    def interrupt(self) -> None:
        """Ask nothing more, and give up what is asked; what is done stays."""
        self.stopped = INTERRUPTED
        if self._pool is not None:
            self._pool.kill(block=False)

    def _graded(self, experiment: Experiment, dataset: Dataset, students: Sequence[str]) -> dict[str, GradedProgram]:
        one = _Lesson(self, experiment, dataset, Cache.of(experiment, self.grader.identity()))
        pool = self._pool = Pool(self.jobs)
        asked = []
        for student in students:
            pool.wait_available()
            if self._is_over():
                break
            asked.append(pool.spawn(one.grade, student))
        gevent.joinall(asked, raise_error=True)
        self._pool = None
        return one.done

    def _is_over(self) -> bool:
        if self.stopped is None and self.purse.is_empty:
            self.stopped = f"{show(self.purse.spent)} USD were spent"
        return self.stopped is not None


@dataclass(slots=True)
class _Lesson:
    """The programs of one lesson, as they are done."""

    run: Run
    experiment: Experiment
    dataset: Dataset
    cache: Cache
    done: dict[str, GradedProgram] = field(default_factory=dict)

    def grade(self, student: str) -> None:
        """Grade one program, or find its grades in the cache."""
        code = self.dataset.programs[student]
        known = self.cache.get(code) if self.run.use_cached else None
        outcome = self._graded(student, known, cached=True) if known else self._ask(student, code)
        self.done[student] = outcome
        self.run.watch(outcome)

    def _ask(self, student: str, code: str) -> GradedProgram:
        started = monotonic()
        cost: int | None = None
        self.run.purse.begin()
        try:
            graded = self.run.grader.grade(self.experiment, code)
            cost = graded.cost
            self.cache.put(code, graded)
        except Ungraded as error:
            cost = error.cost
            return self._failed(student, error, monotonic() - started)
        finally:
            self.run.purse.end(cost)
        return self._graded(student, graded, cached=False)

    def _graded(self, student: str, graded: Graded, *, cached: bool) -> GradedProgram:
        return GradedProgram(
            student=student,
            source=self.dataset.programs[student],
            actual=self.dataset.labels.get(student, {}),
            predicted=graded.rows,
            agent=graded.agent,
            cost=0 if cached else graded.cost,
            seconds=graded.seconds,
            usage=graded.usage,
            cached=cached,
        )

    def _failed(self, student: str, error: Ungraded, seconds: float) -> GradedProgram:
        return GradedProgram(
            student=student,
            source=self.dataset.programs[student],
            actual=self.dataset.labels.get(student, {}),
            error=str(error),
            cost=error.cost,
            seconds=seconds,
        )
