"""The generated documents: made from the settings table, left alone when they are up to date."""

from __future__ import annotations

import re

import pytest
from dotenv import dotenv_values

from lib.base import Settings, load, setting_names
from lib.cli import documents

README = f"# Title\n\n{documents.BEGIN}\nold\n{documents.END}\n\nMore.\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def test_writes_both_and_then_finds_nothing_to_do(root, capsys):
    assert documents.main([], root) == 0
    assert capsys.readouterr().out.split() == ["config.txt.sample", "written", "README.md", "written"]
    assert documents.main(["--check"], root) == 0
    assert documents.main([], root) == 0
    assert capsys.readouterr().out == ""


def test_a_check_writes_nothing(root, capsys):
    assert documents.main(["--check"], root) == 1
    assert (root / "README.md").read_text() == README
    assert not (root / "config.txt.sample").exists()
    assert [line.partition(" ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "config.txt.sample",
        "README.md",
    ]


def test_the_rest_of_the_readme_is_left_alone(root):
    documents.main([], root)
    text = (root / "README.md").read_text()
    assert text.startswith("# Title\n\n" + documents.BEGIN)
    assert text.endswith(documents.END + "\n\nMore.\n")
    assert "old" not in text


@pytest.mark.parametrize("text", ["", documents.BEGIN, documents.END, documents.END + documents.BEGIN])
def test_a_readme_without_its_markers_is_refused(root, text):
    (root / "README.md").write_text(text)
    with pytest.raises(ValueError, match="markers"):
        documents.main([], root)


def test_unknown_arguments_are_refused(root):
    with pytest.raises(SystemExit) as ended:
        documents.main(["--force"], root)
    assert ended.value.code == 2


def test_the_table_has_a_row_for_each_setting_that_comes_first():
    rows = [line.split("|") for line in documents.table().splitlines()[2:]]
    assert [row[1].strip() for row in rows] == [name for name in setting_names() if name in documents.FIRST]
    assert all(len(row) == 5 and row[3].strip() for row in rows)


def test_the_sample_changes_nothing_as_it_is(tmp_path):
    (tmp_path / "config.txt").write_text(documents.sample())
    assert dotenv_values(tmp_path / "config.txt") == {}


def test_the_sample_with_every_line_taken_in_is_the_default(tmp_path):
    text = re.sub(r"^# (?=[A-Z_]+=)", "", documents.sample(), flags=re.M)
    (tmp_path / "config.txt").write_text(text)
    assert list(dotenv_values(tmp_path / "config.txt"))[:-1] == setting_names()
    assert load({}, tmp_path / "config.txt") == load({}, tmp_path / "absent.txt")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("port", "5000"),
        ("mock_model_responses", "false"),
        ("models_file", "models.toml"),
        ("ping_seconds", "15"),
        ("web_concurrency", ""),
        ("openai_api_key", ""),
        ("allowed_origins", ""),
    ],
)
def test_a_default_is_written_as_it_would_be_set(name, expected):
    assert documents.default(Settings.model_fields[name]) == expected


def test_lines_of_the_sample_fit():
    assert max(len(line) for line in documents.sample().splitlines()) <= 120
