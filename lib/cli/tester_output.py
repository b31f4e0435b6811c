"""What `bin/rubric-tester` leaves behind: reports, confidence files, labels, and a summary in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lib.assessment import measure, report
from lib.base.money import show
from lib.cli.tester_options import Options


def write_results(options: Options, folder: Path, measured: measure.Measured) -> Iterator[Path]:
    """Write what was asked for about one lesson; `folder` is the experiment's, of this lesson. The files' paths."""
    output = _output(options, folder, measured)
    yield _written(output / "report.html", report.render(measured).encode())
    if options.json:
        yield _written(output / "report.json", report.as_json(measured))
    if options.csv:
        yield _written(output / "report.csv", report.as_csv(measured))
    if options.generate_confidence:
        yield _written(folder / "confidence.json", measure.confidence_json(measure.pass_fail_confidence(measured)))
        yield _written(folder / "confidence-exact.json", measure.confidence_json(measure.exact_confidence(measured)))


def write_comparison(options: Options, folder: Path, first: measure.Measured, second: measure.Measured) -> Path:
    """Write what changed from the first experiment to the second, whose folder it is."""
    page = report.render_comparison(first, second).encode()
    return _written(_output(options, folder, second) / f"comparison-with-{first.experiment}.html", page)


def write_labels(folder: Path, measured: measure.Measured) -> Path:
    """Write labels into a lesson's folder of a dataset."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return _written(folder / f"{now}-new-labels.csv", measure.new_labels(measured))


def summary(measured: measure.Measured) -> Iterator[str]:
    """How it went, in lines."""
    done, failed = len(measured.answered), len(measured.failed)
    missing = f", {failed} failed" * bool(failed) + f", {len(measured.not_asked)} not asked" * bool(measured.not_asked)
    unknown = any(program.cost is None for program in measured.answered)
    cost = f"{show(measured.cost)} USD{' and what has no price' if unknown else ''}"
    yield f"{measured.lesson}, {measured.experiment}, {measured.model}: {done} graded{missing}; {cost}"
    if measured.rehearsed:
        yield "  rehearsed: the echo answered at random in a model's place, and these grades mean nothing"
    if not done:
        return
    exact, sides = measure.agreement(measured, measure.EXACT), measure.agreement(measured, measure.PASS_FAIL)
    width = max(map(len, (*measured.concepts, "overall")))
    yield f"  {'':{width}}  {'same label':21} {'same side of passing':21}"
    yield f"  {'overall':{width}}  {_share(exact.overall)} {_share(sides.overall)}"
    for concept in measured.concepts:
        yield f"  {concept:{width}}  {_share(exact.by_concept[concept])} {_share(sides.by_concept[concept])}"


def comparison(found: measure.Comparison) -> Iterator[str]:
    """What changed from the first experiment to the second, in lines."""
    yield f"{found.lesson}: from {found.first} to {found.second}, same label"
    changes = {"overall": found.overall, **found.by_concept}
    width = max(map(len, changes))
    for name, change in changes.items():
        shares = f"{_share(change.first)} -> {_share(change.second)}"
        yield f"  {name:{width}}  {shares} +{change.gained} -{change.lost}  p={change.p:.3f}  {change.verdict}"


def _output(options: Options, folder: Path, measured: measure.Measured) -> Path:
    given = options.output_dir
    output = Path(given, measured.experiment, measured.lesson) if given else folder / "output"
    output.mkdir(parents=True, exist_ok=True)
    return output


def _share(found: measure.Accuracy) -> str:
    if found.share is None or found.low is None or found.high is None:
        return f"{'-':21}"
    return f"{f'{found.share:.1%} ({found.low:.0%} to {found.high:.0%})':21}"


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
