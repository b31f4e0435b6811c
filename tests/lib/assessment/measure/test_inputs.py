"""Datasets and experiments: what is read, and what is said about what cannot be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lib.assessment import LIMITED, NO
from lib.assessment.measure import (
    InputError,
    changed,
    lessons_of,
    only,
    read_dataset,
    read_experiment,
    students,
)
from lib.assessment.measure.params import parse_params
from tests.house.tree import ROOT
from tests.lib.assessment.measure.shared import PARAMS, RUBRIC, dataset_folder, experiment_folder, write

CONCEPTS = ("Loops", "If, else")
SAMPLES = ROOT / "examples"


# ---- params.json ----


def test_values_are_mostly_strings() -> None:
    found = parse_params(
        PARAMS | {"num-responses": "3", "temperature": "0", "remove-comments": "1", "num-passing-grades": "2"}
    )
    assert (found.num_responses, found.temperature, found.remove_comments, found.response_type) == (3, 0.0, True, "tsv")


def test_the_extractor_is_a_list_or_one_name() -> None:
    given = PARAMS | {"lesson": "L1", "code-feature-extractor": "Loops"}
    assert parse_params(given).extractor == ("Loops",)
    assert parse_params(given | {"code-feature-extractor": ["Loops", "If, else"]}).extractor == CONCEPTS


@pytest.mark.parametrize(("change", "words"), [
    ({"modle": "x"}, "unknown: modle"),
    ({"model": ""}, "model must be set"),
    ({"model": 3}, "model must be a string"),
    ({"num-responses": "0"}, "from 1 to 10"),
    ({"num-responses": "99999"}, "from 1 to 10"),
    ({"num-responses": 1.5}, "from 1 to 10"),
    ({"temperature": "nan"}, "from 0 to 2"),
    ({"temperature": "warm"}, "from 0 to 2"),
    ({"temperature": "-1"}, "from 0 to 2"),
    ({"temperature": None}, "temperature must be set"),
    ({"remove-comments": "maybe"}, "0 or 1"),
    ({"response-type": "xml"}, "tsv or json"),
    ({"code-feature-extractor": ["Loops"]}, "needs lesson"),
    ({"lesson": "L1", "code-feature-extractor": {"a": 1}}, "a list of concepts"),
])  # fmt: skip
def test_params_that_cannot_be_meant(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_params(PARAMS | change)


# ---- an experiment ----


def test_an_experiment(tmp_path: Path) -> None:
    folder = experiment_folder(tmp_path / "exp", response_type="json")
    write(folder / "L1/examples/b.js", "b()")
    write(folder / "L1/examples/b.json", "[]")
    write(folder / "L1/examples/a.js", "a()")
    write(folder / "L1/examples/a.json", "[{}]")
    found = read_experiment(folder, "L1")
    assert (found.name, found.lesson, found.prompt) == ("exp", "L1", "Grade it.")
    assert found.rubric.concepts == CONCEPTS
    assert found.examples == (("a()", "[{}]"), ("b()", "[]"))
    assert lessons_of(folder) == ["L1"]


def test_hashes_tell_inputs_apart(tmp_path: Path) -> None:
    one = read_experiment(experiment_folder(tmp_path / "one"), "L1").sha256()
    two = read_experiment(experiment_folder(tmp_path / "two", rubric=RUBRIC + "More,,,,\n"), "L1").sha256()
    assert one["prompt"] == two["prompt"] == hashlib.sha256(b"Grade it.").hexdigest()
    assert one["rubric"] != two["rubric"]


@pytest.mark.parametrize(("name", "content", "words"), [
    ("params.json", "{", "not JSON"),
    ("params.json", "[]", "an object"),
    ("params.json", json.dumps(PARAMS | {"lesson": "x", "code-feature-extractor": ["Ifs"]}), "rubric has not: Ifs"),
    ("standard_rubric.csv", "Concept\nx\n", "needs a header row"),
    ("examples/a.js", "a()", "answer a.tsv is missing"),
])  # fmt: skip
def test_experiments_that_cannot_be_used(tmp_path: Path, name: str, content: str, words: str) -> None:
    folder = experiment_folder(tmp_path / "exp")
    write(folder / "L1" / name, content)
    with pytest.raises(InputError, match=words):
        read_experiment(folder, "L1")


def test_a_lesson_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lessons of exp: L1"):
        read_experiment(experiment_folder(tmp_path / "exp"), "L2")


@pytest.mark.parametrize("name", ["system_prompt.txt", "standard_rubric.csv", "params.json"])
def test_files_that_are_not_there(tmp_path: Path, name: str) -> None:
    folder = experiment_folder(tmp_path / "exp")
    (folder / "L1" / name).unlink()
    with pytest.raises(InputError, match=f"{name}: there is no such file"):
        read_experiment(folder, "L1")


# ---- a dataset ----


def test_a_dataset(tmp_path: Path) -> None:
    found = read_dataset(dataset_folder(tmp_path / "data", {"b": "LN", "a": "NN"}), "L1", CONCEPTS)
    assert list(found.programs) == ["a", "b"]
    assert found.labels["b"] == {"Loops": LIMITED, "If, else": NO}


def test_labels_may_have_students_without_a_program(tmp_path: Path) -> None:
    folder = dataset_folder(tmp_path / "data", {"a": "LN", "b": "LN"})
    (folder / "L1/b.js").unlink()
    assert list(read_dataset(folder, "L1", CONCEPTS).programs) == ["a"]


def test_line_ends_and_a_byte_order_mark_stay_out_of_the_way(tmp_path: Path) -> None:
    folder = dataset_folder(tmp_path / "data", {"a": "LN"})
    labels = folder / "L1/actual_labels.csv"
    labels.write_bytes(b"\xef\xbb\xbf" + labels.read_bytes().replace(b"\n", b"\r\n"))
    (folder / "L1/a.js").write_bytes(b"x\r\ny\r\n")
    found = read_dataset(folder, "L1", CONCEPTS)
    assert found.labels["a"]["Loops"] == LIMITED
    assert found.programs["a"] == "x\r\ny\r\n"


@pytest.mark.parametrize(("content", "words"), [
    ("", "must name the column `student`"),
    ("name,Loops\n", "must name the column `student`"),
    ('student,Loops,Loops,"If, else"\n', "a column twice"),
    ("student,Loops\n", "no column for the rubric's If, else"),
    ('student,Loops,"If, else",Style\n', "does not have its Style"),
    ('student,Loops,"If, else"\nb,No Evidence,No Evidence\n', "no labels for a"),
    ('student,Loops,"If, else"\na,No Evidence,no evidence\n', "line 2: 'no evidence' is no label"),
    ('student,Loops,"If, else"\na,No Evidence\n', "line 2: '' is no label"),
    ('student,Loops,"If, else"\n,No Evidence,No Evidence\n', "line 2: names no student"),
    ('student,Loops,"If, else"\na,No Evidence,No Evidence\na,No Evidence,No Evidence\n', "line 3: a is there twice"),
    ('student,Loops,"If, else"\n"a,No Evidence', "unexpected end"),
])  # fmt: skip
def test_labels_that_cannot_be_used(tmp_path: Path, content: str, words: str) -> None:
    folder = dataset_folder(tmp_path / "data", {"a": "LN"})
    write(folder / "L1/actual_labels.csv", content)
    with pytest.raises(InputError, match=words):
        read_dataset(folder, "L1", CONCEPTS)


def test_programs_that_cannot_be_used(tmp_path: Path) -> None:
    folder = dataset_folder(tmp_path / "data", {"a": "LN"})
    (folder / "L1/a.js").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"a\.js: is not UTF-8"):
        read_dataset(folder, "L1", CONCEPTS)
    (folder / "L1/a.js").unlink()
    with pytest.raises(InputError, match="no program"):
        read_dataset(folder, "L1", CONCEPTS)


def test_without_concepts_no_labels_are_read(tmp_path: Path) -> None:
    folder = dataset_folder(tmp_path / "data", {"a": "LN"})
    (folder / "L1/actual_labels.csv").unlink()
    assert read_dataset(folder, "L1", None).labels == {}


# ---- choosing ----


def test_students(tmp_path: Path) -> None:
    found = read_dataset(dataset_folder(tmp_path / "data", dict.fromkeys("dcba", "LN")), "L1", CONCEPTS)
    assert students(found, [], 3, None) == ("a", "b", "c")
    assert students(found, ["d", "b", "d"], 1, None) == ("d", "b")
    drawn = students(found, [], 3, 7)
    assert drawn == students(found, [], 3, 7)
    assert len(set(drawn)) == 3
    with pytest.raises(InputError, match="no program of e"):
        students(found, ["e"], 3, None)


def test_the_only_one_needs_no_name() -> None:
    assert only("dataset", None, ["a"]) == only("dataset", "a", ["a", "b"]) == "a"
    with pytest.raises(InputError, match="name the dataset: a, b"):
        only("dataset", None, ["a", "b"])
    with pytest.raises(InputError, match="no dataset c; there are: a"):
        only("dataset", "c", ["a"])


def test_changes(tmp_path: Path) -> None:
    found = read_experiment(experiment_folder(tmp_path / "exp"), "L1")
    other = changed(found, model="gpt-x", temperature=0.0, num_responses=None)
    assert (other.params.model, other.params.temperature, other.params.num_responses) == ("gpt-x", 0.0, 1)


# ---- the samples ----


@pytest.mark.parametrize("name", ["baseline", "extractor"])
def test_the_bundled_samples(name: str) -> None:
    folder = SAMPLES / "experiments" / name
    for lesson in lessons_of(folder):
        experiment = read_experiment(folder, lesson)
        dataset = read_dataset(SAMPLES / "datasets/samples", lesson, experiment.rubric.concepts)
        assert len(dataset.programs) == 12
        assert len(experiment.examples) == 1
    assert len(lessons_of(folder)) == 3
