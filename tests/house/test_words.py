"""No file of the project names a place that only one machine knows."""

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files

PLACES = {
    "a home or scratch folder": re.compile(r"(?<![\w.~}])/(?:root|work|home/\w+|Users/\w+|tmp/\w+)(?:/|\b)"),
    "the host of a package registry": re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org"),
    "an unresolved conflict": re.compile(r"^(?:<{7}|>{7}) ", re.M),
}


def texts():
    """Every text file of the project but this one."""
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content and path != Path(__file__):
            yield path.relative_to(ROOT), content.decode(errors="replace")


@pytest.mark.parametrize("place", PLACES)
def test_no_file_names(place):
    found = [f"{path}: {hit.group()}" for path, text in texts() for hit in PLACES[place].finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", ["cd /root/x", "ls '/tmp/x'", "PYTHONPATH=/home/ada/proxy"])
def test_such_a_name_is_noticed(text):
    assert PLACES["a home or scratch folder"].search(text)


@pytest.mark.parametrize("text", ["https://example.org/work/x", "tmpfs: [/tmp]", "~/work/x"])
def test_others_are_let_through(text):
    assert not PLACES["a home or scratch folder"].search(text)
