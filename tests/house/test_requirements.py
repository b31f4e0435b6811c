"""The pinned files match what is asked for: exact versions, each with its hashes, and no address of an index."""

import re

import pytest

from tests.house.tree import ROOT

ASKED = sorted(path.stem for path in ROOT.glob("requirements*.in"))
APART = "requirements-cicd"  # in an environment of its own
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(name: str) -> set[str]:
    asked = (ROOT / f"{name}.in").read_text().splitlines()
    return {normal(re.split(r"[\[<>=!~; ]", line)[0]) for line in asked if line and line[0] not in "#-"}


def lines(name: str) -> list[str]:
    """The pinned requirements, each with its marker and hashes on one line."""
    joined = (ROOT / f"{name}.txt").read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def pins(name: str) -> dict[str, str]:
    found = [PIN.match(line) for line in lines(name)]
    return {pin["name"]: pin["version"] for pin in found if pin}


def test_there_are_pinned_files():
    assert {"requirements", "requirements-dev"} <= set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_everything_asked_for_is_pinned(name):
    assert asked_for(name) <= pins(name).keys(), "run bin/lock.sh"


@pytest.mark.parametrize("name", ASKED)
def test_every_line_is_one_version_with_its_hashes(name):
    assert [line for line in lines(name) if not PIN.match(line) or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", ASKED)
def test_no_index_is_named(name):
    assert not re.search(r"^-|://|file:| @ ", "\n".join(lines(name)), re.M)


@pytest.mark.parametrize("name", [name for name in ASKED if name not in {"requirements", APART}])
def test_the_same_package_has_the_same_version_everywhere(name):
    server, other = pins("requirements"), pins(name)
    differing = {each for each in server.keys() & other.keys() if server[each] != other[each]}
    assert not differing, "run bin/lock.sh"


def test_setup_installs_every_file():
    script = (ROOT / "bin/setup.sh").read_text()
    assert [name for name in ASKED if f"{name}.txt" not in script] == []
