"""`bin/rubric-tester`: what it asks, what it writes, and how it ends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.assessment import Graded
from lib.assessment.measure import Grader, Ungraded
from lib.base import Settings, setting_names
from lib.cli import rubric_tester
from lib.cli.tester_graders import Wanted
from tests.house.tree import ROOT
from tests.lib.assessment.measure.shared import FakeGrader, dataset_folder, experiment_folder, grades, write

LABELS = {"a": "EE", "b": "EE", "c": "EL", "d": "NN"}
THRESHOLDS = {"L1": {"overall": 0.5, "key_concepts": {"Loops": 0.7}}}


@dataclass
class Shown:
    """How it ended, and what it wrote."""

    status: int
    out: str
    err: str


Tester = Callable[..., Shown]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset with one lesson, two experiments that grade it."""
    dataset_folder(tmp_path / "datasets/data", LABELS)
    experiment_folder(tmp_path / "experiments/one")
    experiment_folder(tmp_path / "experiments/two", temperature="0")
    write(tmp_path / "thresholds.json", json.dumps(THRESHOLDS))
    return tmp_path


@pytest.fixture
def tester(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tester:
    """`tester("--flag", grader=...)`, with the experiment `one` unless another is named."""
    monkeypatch.chdir(folder)
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODELS_FILE", str(ROOT / "models.toml"))

    def run(*argv: str, grader: FakeGrader | None = None, experiment: str | None = "one") -> Shown:
        judge = grader or FakeGrader()

        @contextmanager
        def who(settings: Settings, wanted: Wanted) -> Iterator[Grader]:
            yield judge

        places = ["--dataset-dir", "datasets", "--experiment-dir", "experiments"]
        places += ["--experiment-name", experiment] if experiment and "--compare" not in argv else []
        return Shown(rubric_tester.main([*places, *argv], who), *capsys.readouterr())

    return run


def failing(student: str) -> FakeGrader:
    def answer(code: str) -> Graded:
        if student in code:
            raise Ungraded("502 upstream_error: away", cost=3)
        return grades("EE")

    return FakeGrader(answer)


# ---- what it writes ----


def test_a_report_for_each_lesson(tester: Tester, folder: Path) -> None:
    shown = tester()
    assert shown.status == 0
    assert "L1, one, echo: 4 graded; 0.00000002 USD" in shown.out
    assert "overall   62.5% (31% to 86%)" in shown.out
    assert shown.err == ""
    output = folder / "experiments/one/L1/output"
    assert [path.name for path in output.iterdir()] == ["report.html"]
    assert "<html" in (output / "report.html").read_text()


def test_json_and_csv(tester: Tester, folder: Path) -> None:
    tester("--json", "--csv", "--output-dir", "out")
    output = folder / "out/one/L1"
    assert json.loads((output / "report.json").read_text())["exact"]["overall"]["right"] == 5
    rows = list(csv.DictReader(io.StringIO((output / "report.csv").read_text())))
    assert len(rows) == 8


def test_confidence_files(tester: Tester, folder: Path) -> None:
    tester("-g")
    place = folder / "experiments/one/L1"
    assert json.loads((place / "confidence.json").read_text()) == {"Loops": "LOW", "If, else": "LOW"}
    assert set(json.loads((place / "confidence-exact.json").read_text())) == {"Loops", "If, else"}


def test_two_experiments_side_by_side(tester: Tester, folder: Path) -> None:
    shown = tester("--compare", "one", "two")
    assert shown.status == 0
    assert "L1: from one to two, same label" in shown.out
    assert "no difference shown" in shown.out
    assert (folder / "experiments/two/L1/output/comparison-with-one.html").exists()
    assert (folder / "experiments/one/L1/output/report.html").exists()


def test_new_labels(tester: Tester, folder: Path) -> None:
    (folder / "datasets/data/L1/actual_labels.csv").unlink()
    shown = tester("--new-labels", grader=failing("b"))
    assert shown.status == 3
    (path,) = (folder / "datasets/data/L1").glob("*-new-labels.csv")
    assert str(path.relative_to(folder)) in shown.out
    assert path.read_text().splitlines() == [
        'student,Loops,"If, else"',
        *(f"{student},Extensive Evidence,Extensive Evidence" for student in "acd"),
    ]


# ---- what it asks ----


def test_some_students(tester: Tester) -> None:
    grader = FakeGrader()
    tester("--student-ids", "d,b", grader=grader)
    assert sorted(grader.asked) == ["b", "d"]
    grader = FakeGrader()
    tester("-s", "2", grader=grader)
    assert grader.asked == ["a", "b"]


def test_a_seed_orders_the_students(tester: Tester) -> None:
    one, two = FakeGrader(), FakeGrader()
    tester("--seed", "3", "-w", "1", grader=one)
    tester("--seed", "3", "--jobs", "1", grader=two)
    assert one.asked == two.asked != sorted(one.asked)


def test_what_the_command_line_changes_is_in_the_report(tester: Tester, folder: Path) -> None:
    tester("-l", "gpt-x", "-n", "3", "-t", "0", "-r", "--json")
    found = json.loads((folder / "experiments/one/L1/output/report.json").read_text())
    params = found["params"]
    assert (found["model"], params["num_responses"], params["temperature"], params["remove_comments"]) == (
        "gpt-x",
        3,
        0,
        True,
    )


def test_the_cache(tester: Tester) -> None:
    tester(grader=failing("b"))
    grader = FakeGrader()
    assert tester("-c", grader=grader).status == 0
    assert grader.asked == ["b"]


def test_no_grades_of_before_from_who_does_not_say_what_it_is(tester: Tester, folder: Path) -> None:
    nobody = FakeGrader(mark=None)
    assert tester(grader=nobody).status == 0
    assert not (folder / "experiments/one/L1/cached_responses").exists()
    shown = tester("-c", grader=(again := FakeGrader(mark=None)))
    assert (shown.status, again.asked) == (2, [])
    assert "--use-cached: the proxy at --url does not say by what it grades" in shown.err


def test_a_rehearsal_says_so_and_gives_no_confidence(tester: Tester, folder: Path) -> None:
    shown = tester("--json", grader=FakeGrader(is_rehearsal=True))
    assert "rehearsed" in shown.out
    output = folder / "experiments/one/L1/output"
    assert "A rehearsal." in (output / "report.html").read_text()
    assert json.loads((output / "report.json").read_text())["rehearsed"] is True
    refused = tester("-g", grader=(asked := FakeGrader(is_rehearsal=True)))
    assert (refused.status, asked.asked) == (2, [])
    assert "--generate-confidence: with MOCK_MODEL_RESPONSES" in refused.err
    tester("--json")
    assert "A rehearsal." not in (output / "report.html").read_text()


def test_a_dry_run_asks_nothing(tester: Tester, folder: Path) -> None:
    grader = FakeGrader()
    shown = tester("--dry-run", grader=grader)
    assert (shown.status, grader.asked) == (0, [])
    assert "L1, one, echo: 4 of 4 programs to ask about, about 0.00 USD, at most 0.00 USD" in shown.out
    assert not (folder / "experiments/one/L1/output").exists()
    tester("--student-ids", "a,b")
    assert "2 of 4 programs to ask about" in tester("--dry-run", "-c").out


def test_a_dry_run_without_prices(tester: Tester) -> None:
    assert "no price is known" in tester("--dry-run", "-l", "openai/unheard-of").out


# ---- how it ends ----


def test_programs_that_failed(tester: Tester) -> None:
    shown = tester(grader=failing("b"))
    assert shown.status == 3
    assert "3 graded, 1 failed" in shown.out
    assert "b: 502 upstream_error" in shown.err


def test_the_money_is_spent(tester: Tester) -> None:
    shown = tester("--max-cost", "0.00000001", "-w", "1")
    assert shown.status == 3
    assert "2 graded, 2 not asked" in shown.out
    assert "L1: stopped: 0.00000001 USD were spent" in shown.err


def test_no_limit_without_a_price(tester: Tester) -> None:
    grader = FakeGrader()
    shown = tester("--max-cost", "1", "-l", "openai/unheard-of", grader=grader)
    assert (shown.status, grader.asked) == (2, [])
    assert "has no price" in shown.err


@pytest.mark.parametrize(("letters", "status"), [("EE", 0), ("EN", 0), ("NN", 1)])
def test_the_gate(tester: Tester, letters: str, status: int) -> None:
    shown = tester("-a", "--thresholds", "thresholds.json", grader=FakeGrader(lambda code: grades(letters)))
    assert shown.status == status
    assert ("missed: L1: Loops: 0.250, wanted 0.7" in shown.err) == (status == 1)


def test_the_gate_is_not_passed_by_failing(tester: Tester) -> None:
    assert tester("-a", "--thresholds", "thresholds.json", grader=failing("d")).status == 3


@pytest.mark.parametrize(("argv", "words"), [
    (["--lesson-names", "L9"], "there is no such folder; lessons of one: L1"),
    (["--student-ids", "z"], "no program of z"),
    (["--dataset-name", "other"], "no dataset other; there are: data"),
    (["--dataset-dir", "absent"], "absent: there is no such folder"),
    (["-a", "--thresholds", "absent.json"], "no such file"),
])  # fmt: skip
def test_what_cannot_be_used(tester: Tester, argv: list[str], words: str) -> None:
    shown = tester(*argv)
    assert shown.status == 2
    assert words in shown.err
    assert "Traceback" not in shown.err


def test_an_experiment_must_be_named_when_there_are_two(tester: Tester) -> None:
    shown = tester(experiment=None)
    assert (shown.status, shown.err) == (2, "bin/rubric-tester: name the experiment: one, two\n")


@pytest.mark.parametrize("argv", [
    ["-n", "0"],
    ["-n", "11"],
    ["-t", "nan"],
    ["-w", "0"],
    ["--max-cost", "free"],
    ["--dry-run", "--url", "http://x"],
    ["--compare", "one"],
    ["--compare", "one", "one"],
    ["--compare", "one", "two", "--new-labels"],
    ["--new-labels", "-g"],
    ["--nonsense"],
])  # fmt: skip
def test_wrong_arguments(tester: Tester, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        tester(*argv)
    assert left.value.code == 2
