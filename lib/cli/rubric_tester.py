"""Measure how far grades agree with those of humans: `bin/rubric-tester`. `--help` says what it takes and gives."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gevent

from lib.assessment import measure
from lib.base import SettingsError
from lib.base.money import show
from lib.cli.ending import leave
from lib.cli.reading import read_settings
from lib.cli.tester_costs import Reckoner, Reckoning
from lib.cli.tester_graders import Wanted, Who, grader
from lib.cli.tester_options import Options, parse
from lib.cli.tester_output import comparison, summary, write_comparison, write_labels, write_results
from lib.cli.tester_progress import Watch, watch

MISSED, USAGE, INCOMPLETE, SIGINT = 1, 2, 3, 130


def main(argv: Sequence[str] | None = None, who: Who = grader) -> int:
    """Carry out the command line, graded by `who`; the exit status."""
    options = parse(argv)
    try:
        lessons = list(_lessons(options))
        _check(options, lessons)
        settings = read_settings()
        with who(settings, Wanted(options.url, options.key, options.dry_run)) as judge:
            for lesson in lessons:
                judge.check(lesson.experiment)
            _check_grader(options, judge)
            if options.dry_run:
                return _dry_run(options, lessons, judge, Reckoner(settings))
            if options.max_cost is not None:
                _check_prices(lessons, Reckoner(settings))
            return _finish(options, lessons, _measure(options, lessons, judge))
    except (measure.InputError, SettingsError) as error:
        print(f"bin/rubric-tester: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:  # before or after the run, which has a handler of its own
        return SIGINT
    except BrokenPipeError:  # of what is printed: `leave` knows
        raise
    except OSError as error:
        print(f"bin/rubric-tester: {error.filename}: {error.strerror}", file=sys.stderr)
        return USAGE


# ---- what is measured ----


def _lessons(options: Options) -> Iterator[measure.Lesson]:
    """Lesson by lesson, each with every experiment."""
    datasets = measure.Place(options.dataset_dir, anew=options.download)
    dataset = datasets.fetch(measure.only("dataset", options.dataset_name, datasets.names()))
    experiments = _experiments(options)
    for name in options.lesson_names or measure.lessons_of(experiments[0]):
        for experiment in experiments:
            yield _lesson(options, dataset, experiment, name)


def _experiments(options: Options) -> list[Path]:
    place = measure.Place(options.experiment_dir, anew=options.download)
    names = place.names()
    wanted = options.compare or (options.experiment_name,)
    return [place.fetch(measure.only("experiment", name, names)) for name in wanted]


def _lesson(options: Options, dataset: Path, experiment: Path, name: str) -> measure.Lesson:
    way = measure.changed(
        measure.read_experiment(experiment, name),
        model=options.llm_model,
        num_responses=options.num_responses,
        temperature=options.temperature,
        remove_comments=options.remove_comments or None,
        seed=options.seed,
    )
    programs = measure.read_dataset(dataset, name, None if options.new_labels else way.rubric.concepts)
    chosen = measure.students(programs, options.student_ids, options.max_num_students, options.seed)
    return measure.Lesson(way, programs, chosen)


def _check(options: Options, lessons: Sequence[measure.Lesson]) -> None:
    """See that there is something to measure, and thresholds when they are asked for."""
    if not lessons:
        raise measure.InputError(f"{options.experiment_dir}: the experiment has no lesson")
    if options.accuracy:
        thresholds = measure.read_thresholds(Path(options.thresholds))
        for lesson in lessons:
            measure.check_thresholds(thresholds, lesson.experiment.lesson, lesson.experiment.rubric.concepts)


def _check_grader(options: Options, judge: measure.Grader) -> None:
    """Grades of before must be this grader's, and confidence must come from a model. Raises `InputError`."""
    if options.use_cached and judge.identity() is None:
        raise measure.InputError(
            "--use-cached: the proxy at --url does not say by what it grades (/assessment/fingerprint), so grades of "
            "before could be those of another version or model"
        )
    if options.generate_confidence and judge.rehearsed():
        raise measure.InputError(
            "--generate-confidence: with MOCK_MODEL_RESPONSES the echo answers at random; confidence needs a model"
        )


# ---- what it costs ----


def _dry_run(options: Options, lessons: Sequence[measure.Lesson], judge: measure.Grader, reckoner: Reckoner) -> int:
    """Say what each lesson would cost."""
    total: Reckoning | None = Reckoning()
    for lesson in lessons:
        asked = list(_to_ask(options, lesson, judge))
        found = _sum(reckoner.reckon(lesson.experiment, code) for code in asked)
        total = None if total is None or found is None else total + found
        name = f"{lesson.experiment.lesson}, {lesson.experiment.name}, {lesson.experiment.params.model}"
        print(f"{name}: {len(asked)} of {len(lesson.students)} programs to ask about, {_shown(found)}")
    print(f"together: {_shown(total)}")
    return 0


def _to_ask(options: Options, lesson: measure.Lesson, judge: measure.Grader) -> Iterator[str]:
    """The programs that are not in the cache."""
    cache = measure.Cache.of(lesson.experiment, judge.identity())
    for student in lesson.students:
        code = lesson.dataset.programs[student]
        if not options.use_cached or cache.get(code) is None:
            yield code


def _check_prices(lessons: Sequence[measure.Lesson], reckoner: Reckoner) -> None:
    """A limit on the cost needs prices. Raises `InputError`."""
    for lesson in lessons:
        if any(reckoner.reckon(lesson.experiment, lesson.dataset.programs[each]) is None for each in lesson.students):
            raise measure.InputError(f"--max-cost: {lesson.experiment.params.model} has no price; see bin/prices")


def _sum(amounts: Iterator[Reckoning | None]) -> Reckoning | None:
    total = Reckoning()
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _shown(amount: Reckoning | None) -> str:
    if amount is None:
        return "no price is known"
    return f"about {show(amount.likely)} USD, at most {show(amount.most)} USD"


# ---- the run ----


def _measure(options: Options, lessons: Sequence[measure.Lesson], judge: measure.Grader) -> list[measure.Measured]:
    with watch(sum(len(lesson.students) for lesson in lessons)) as shown:
        run = measure.Run(judge, options.workers, options.use_cached, measure.Purse(options.max_cost), shown.done)
        with _interrupts(run):
            return list(_measured(run, lessons, shown))


def _measured(run: measure.Run, lessons: Sequence[measure.Lesson], shown: Watch) -> Iterator[measure.Measured]:
    for lesson in lessons:
        shown.lesson(lesson.experiment.lesson)
        yield run.measure(lesson.experiment, lesson.dataset, lesson.students)


@contextmanager
def _interrupts(run: measure.Run) -> Iterator[None]:
    """Ctrl-C ends the run in good order; a second one ends the program."""

    def interrupt() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        run.interrupt()

    before = signal.getsignal(signal.SIGINT)
    handler = gevent.signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        handler.cancel()
        signal.signal(signal.SIGINT, before)


# ---- what comes of it ----


def _finish(options: Options, lessons: Sequence[measure.Lesson], found: Sequence[measure.Measured]) -> int:
    for lesson, measured in zip(lessons, found, strict=True):
        _leave(options, lesson, measured)
    for at in range(0, len(found) if options.compare else 0, 2):
        first, second = found[at : at + 2]
        print("\n".join(comparison(measure.compare(first, second, measure.EXACT))))
        print(f"  {write_comparison(options, lessons[at + 1].experiment.folder, first, second)}")
    missed = list(_missed(options, found)) if options.accuracy else []
    for miss in missed:
        print(f"missed: {miss}", file=sys.stderr)
    return _status(found, missed=bool(missed))


def _leave(options: Options, lesson: measure.Lesson, measured: measure.Measured) -> None:
    """Write the files of one lesson and say how it went."""
    if options.new_labels:
        print(write_labels(lesson.dataset.folder, measured))
        return
    files = list(write_results(options, lesson.experiment.folder, measured))
    print("\n".join(summary(measured)))
    print("\n".join(f"  {path}" for path in files))


def _missed(options: Options, found: Sequence[measure.Measured]) -> Iterator[measure.Miss]:
    thresholds = measure.read_thresholds(Path(options.thresholds))
    for measured in found:
        yield from measure.misses(measured, thresholds[measured.lesson])


def _status(found: Sequence[measure.Measured], *, missed: bool) -> int:
    for measured in found:
        if measured.stopped:
            print(f"{measured.lesson}: stopped: {measured.stopped}", file=sys.stderr)
    if any(measured.stopped == measure.INTERRUPTED for measured in found):
        return SIGINT
    if missed:
        return MISSED
    return INCOMPLETE if any(measured.failed or measured.not_asked for measured in found) else 0


if __name__ == "__main__":
    leave(main)
