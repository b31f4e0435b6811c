"""The command line of `bin/rubric-tester`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.assessment import measure
from lib.base.money import parse_usd, to_nano

DATASETS, EXPERIMENTS = "examples/datasets", "examples/experiments"
THRESHOLDS = "examples/accuracy_thresholds.json"
MOST_JOBS = 64
EPILOG = """exit status:
  0    every program has been graded, and every threshold was reached
  1    a threshold was missed (with --accuracy)
  2    wrong arguments, or a dataset, an experiment or a setting that cannot be used; nothing was asked
  3    some programs have no grades: they failed, or --max-cost was reached
  130  interrupted; what was done is in the report

Settings, vendors' keys among them, are those of the server: the environment, else config.txt."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; names are those of the flags. `max_cost` is in nano-USD."""

    lesson_names: list[str]
    dataset_dir: str
    dataset_name: str | None
    experiment_dir: str
    experiment_name: str | None
    compare: list[str]
    student_ids: list[str]
    max_num_students: int
    llm_model: str | None
    num_responses: int | None
    temperature: float | None
    remove_comments: bool
    seed: int | None
    use_cached: bool
    download: bool
    workers: int
    max_cost: int | None
    dry_run: bool
    url: str | None
    key: str | None
    accuracy: bool
    thresholds: str
    generate_confidence: bool
    new_labels: bool
    output_dir: str | None
    json: bool
    csv: bool


def parse(argv: Sequence[str] | None) -> Options:
    """Read the arguments. Leaves with status 2 when one is wrong."""
    parser = _parser()
    given = vars(parser.parse_args(argv))
    start = given.pop("start")
    options = Options(**{name: _placed(start, value) for name, value in given.items()})
    if options.compare and options.experiment_name:
        parser.error("--compare names the experiments: leave --experiment-name out")
    if options.compare and (options.new_labels or len(set(options.compare)) < 2):
        parser.error("--compare takes two experiments, and labels of humans")
    if options.new_labels and (options.accuracy or options.generate_confidence):
        parser.error("--new-labels measures nothing: leave --accuracy and --generate-confidence out")
    if options.url and options.dry_run:
        parser.error("--dry-run: the prices of the proxy at --url are not known here")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/rubric-tester",
        description="Grade the programs of a dataset as an experiment says, and measure how far the grades agree with "
        "those of humans. The bundled samples are the default.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--start", type=Path, default=Path(), help=argparse.SUPPRESS)  # bin/rubric-tester's caller
    _what(parser.add_argument_group("what is graded"))
    _how(parser.add_argument_group("how it is graded"))
    _running(parser.add_argument_group("how it runs"))
    _results(parser.add_argument_group("what comes out"))
    return parser


def _what(group: Any) -> None:
    place = "a folder, or s3://bucket/prefix"
    group.add_argument("--lesson-names", type=_names, default=[], metavar="A,B", help="default: all there are")
    group.add_argument(
        "--dataset-dir", type=_Given, default=Path(DATASETS), metavar="DIR", help=f"{place}; default {DATASETS}"
    )
    group.add_argument("--dataset-name", metavar="NAME", help="default: the only one there is")
    group.add_argument(
        "--experiment-dir", type=_Given, default=Path(EXPERIMENTS), metavar="DIR", help="of experiments or releases"
    )
    group.add_argument("--experiment-name", metavar="NAME", help="default: the only one there is")
    group.add_argument(
        "--compare", nargs=2, default=[], metavar=("A", "B"), help="two experiments on the same programs"
    )
    group.add_argument("--student-ids", type=_names, default=[], metavar="A,B")
    group.add_argument(
        "-s", "--max-num-students", type=_whole(1), default=100, metavar="N", help="a lesson; default 100"
    )
    group.add_argument("-d", "--download", action="store_true", help="fetch all of s3:// again, not only what changed")


def _how(group: Any) -> None:
    group.add_argument("-l", "--llm-model", metavar="MODEL", help="instead of that of params.json")
    group.add_argument(
        "-n", "--num-responses", type=_checked(measure.parse_responses), metavar="N", help="votes, 1 to 10"
    )
    group.add_argument("-t", "--temperature", type=_checked(measure.parse_temperature), metavar="T", help="0 to 2")
    group.add_argument("-r", "--remove-comments", action="store_true")
    group.add_argument(
        "--seed", type=_whole(0), metavar="N", help="for vendors that take one; also draws and orders the students"
    )


def _running(group: Any) -> None:
    group.add_argument(
        "-c",
        "--use-cached",
        action="store_true",
        help="what was graded before, all the same; --url must say what it is",
    )
    group.add_argument("-w", "--workers", "--jobs", type=_whole(1, MOST_JOBS), default=7, metavar="N", help="default 7")
    group.add_argument("--max-cost", type=_usd, metavar="USD", help="ask no more when so much is spent")
    group.add_argument("--dry-run", action="store_true", help="ask nothing; say what it would cost at most")
    group.add_argument("--url", metavar="URL", help="grade with the proxy there; default: in this process")
    group.add_argument("--key", metavar="KEY", help="of the proxy at --url; `ps` shows it: better set AIPROXY_API_KEY")


def _results(group: Any) -> None:
    group.add_argument("-a", "--accuracy", action="store_true", help="compare exact agreement with the thresholds")
    group.add_argument(
        "--thresholds", type=_Given, default=Path(THRESHOLDS), metavar="FILE", help=f"JSON; default {THRESHOLDS}"
    )
    group.add_argument("-g", "--generate-confidence", action="store_true", help="write the two confidence files")
    group.add_argument("--new-labels", action="store_true", help="write labels for a dataset instead of measuring")
    group.add_argument(
        "--output-dir", type=_Given, metavar="DIR", help="of the reports; default: output/ in the experiment's folder"
    )
    group.add_argument("--json", action="store_true", help="the figures of the report as report.json, too")
    group.add_argument("--csv", action="store_true", help="a row for each grade as report.csv, too")


class _Given(str):
    """A path that was given: it begins where the caller is. Defaults are paths from the project's folder."""

    __slots__ = ()


def _placed(start: Path, value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return str(start / value) if isinstance(value, _Given) and not value.startswith("s3://") else value


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) and (most is None or int(text) <= most)):
            raise argparse.ArgumentTypeError(f"must be a whole number, {least} {f'to {most}' if most else 'or more'}")
        return int(text)

    return parse


def _checked(parse: Callable[[object], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        try:
            return parse(text)
        except measure.InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _usd(text: str) -> int:
    try:
        return to_nano(parse_usd(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
