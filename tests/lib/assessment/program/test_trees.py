"""The file of the trees: read once, checked whole, and easy to add to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib.assessment.labels import CONVINCING, EXTENSIVE, LIMITED, NO
from lib.assessment.program import Decision, Trees, UnknownTree
from lib.assessment.program.evidence import EVIDENCE, MOST
from lib.assessment.program.measures import MEASURES
from lib.assessment.program.trees import BUILT_IN
from lib.base import SettingsError

PAIRS = [
    ("csd3-2023-L7", "Position - Shapes"),
    ("csd3-2023-L11", "Position - Elements and the Coordinate System"),
    ("csd3-2023-L14", "Modularity - Sprites and Sprite Properties"),
    ("csd3-2023-L14", "Position and Movement"),
    ("csd3-2023-L18", "Algorithms and Control - Conditionals"),
    ("csd3-2023-L18", "Modularity - Multiple Sprites"),
    ("csd3-2023-L18", "Position and Movement"),
    ("csd3-2023-L21", "Modularity - Multiple Sprites"),
    ("csd3-2023-L24", "Modularity - Multiple Sprites"),
    ("csd3-2023-L28", "Modularity - Use of Functions"),
]
TREES = Trees.load()
NEW = """
[[tree]]
lesson = "L1"
concept = "Drawing"
extensive = ["shapes > 2", "sprites == 0"]
convincing = ["shapes>=2"]
limited = ["shapes <= 1", "shapes > 0"]
evidence = []
"""


@pytest.fixture
def write(tmp_path: Path):
    """A file of trees with this text."""

    def written(text: str) -> Path:
        path = tmp_path / "trees.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def test_the_trees_there_are():
    assert list(TREES.pairs()) == PAIRS
    assert all(TREES.knows(*pair) for pair in PAIRS)


@pytest.mark.parametrize(
    ("lesson", "concept"),
    [
        ("csd3-2023-L7", "Position and Movement"),
        ("L7", "Position - Shapes"),
        ("csd3-2023-L7", "position - shapes"),
        ("csd3-2023-L7", "Position"),
        ("", ""),
    ],
)
def test_an_unknown_pair(lesson: str, concept: str):
    assert not TREES.knows(lesson, concept)
    with pytest.raises(UnknownTree) as raised:
        TREES.decide(lesson, concept, "rect(1);")
    assert isinstance(raised.value, KeyError)
    assert str(raised.value) == f"There is no decision tree for `{concept}` in lesson `{lesson}`."


@pytest.mark.parametrize(("lesson", "concept"), PAIRS)
@pytest.mark.parametrize("code", ["", "background('red');", "// createSprite(1, 2)", "\0", "var x;"])
def test_nothing_to_see(lesson: str, concept: str, code: str):
    assert TREES.decide(lesson, concept, code) == Decision(NO, ())


def test_a_new_tree_is_one_entry(write):
    trees = Trees.load(write(BUILT_IN.read_text("utf-8") + NEW))
    assert list(trees.pairs()) == [*PAIRS, ("L1", "Drawing")]
    labels = [trees.decide("L1", "Drawing", "rect(1);\n" * count).label for count in range(4)]
    assert labels == [NO, LIMITED, CONVINCING, EXTENSIVE]
    assert trees.decide("L1", "Drawing", "rect(1);" * 3 + "createSprite(1, 2);").label == CONVINCING


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("shapes>=2", "shape >= 2", "L1, Drawing: `shape >= 2`: there is no measure `shape`; there are shapes"),
        ("shapes>=2", "shapes => 2", "L1, Drawing: `shapes => 2` is not a condition such as `sprites >= 3`"),
        ("shapes>=2", "shapes >= two", "`shapes >= two` is not a condition"),
        ("shapes>=2", "shapes", "`shapes` is not a condition"),
        ('["shapes>=2"]', "[]", "L1, Drawing: Convincing Evidence has no condition"),
        ("evidence = []", 'evidence = ["shapes"]', "L1, Drawing: there is no evidence `shapes`; there are different_"),
        ("evidence = []", "", "Object missing required field `evidence` - at `$.tree[0]`"),
        ("evidence = []", "evidence = []\nexcellent = []", "unknown field `excellent`"),
        ('lesson = "L1"', "lesson = 1", "Expected `str`, got `int` - at `$.tree[0].lesson`"),
        ("[[tree]]", "[[trees]]", "unknown field `trees`"),
        ("[[tree]]", "[[tree", "line 2"),
    ],
)
def test_a_fault_is_named(write, old: str, new: str, words: str):
    path = write(NEW.replace(old, new))
    with pytest.raises(SettingsError) as raised:
        Trees.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert words in str(raised.value)


def test_every_fault_is_named(write):
    other = NEW.replace("L1", "L2").replace("shapes>=2", "colours >= 2")
    with pytest.raises(SettingsError) as raised:
        Trees.load(write(NEW + NEW + other))
    assert [line.partition(".toml: ")[2][:38] for line in str(raised.value).splitlines()] == [
        "L1, Drawing: there are two trees",
        "L2, Drawing: `colours >= 2`: there is ",
    ]


def test_no_file(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        Trees.load(tmp_path / "none.toml")


def test_a_file_in_no_encoding(tmp_path: Path):
    path = tmp_path / "trees.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="trees"):
        Trees.load(path)


def test_the_file_explains_every_measure_and_all_evidence():
    measures, _, kinds = BUILT_IN.read_text("utf-8").partition("\n[[tree]]")[0].partition("`evidence` says")
    assert sorted(re.findall(r"^# {3,5}(\w+)  ", measures, re.M)) == sorted(MEASURES)
    assert sorted(re.findall(r"^# {3}(\w+)(?:, (\w+))?  ", kinds, re.M)) == sorted(
        [(kind, "") for kind in EVIDENCE if kind not in {"animations", "velocities", "functions", "calls"}]
        + [("animations", "velocities"), ("functions", "calls")]
    )


def test_evidence_has_an_end():
    code = "rect(1);\n" * 5000
    assert len(TREES.decide("csd3-2023-L11", PAIRS[1][1], code).evidence) == MOST


def test_evidence_says_the_same_thing_once():
    assert TREES.decide("csd3-2023-L11", PAIRS[1][1], "rect(1); rect(2); rect(3);").evidence == (
        "Line 1: Code contains 3 shapes",
    )


def test_a_long_name_is_cut():
    name = "a" * 5000
    (line, *_) = TREES.decide("csd3-2023-L28", PAIRS[9][1], f"function {name}() {{}}").evidence
    assert line == f"Line 1: Function {'a' * 40}... is defined"
