"""A start loads no slow library, and needs nothing that only the checks' packages bring along."""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.house.test_requirements import normal, pins
from tests.house.tree import ROOT

# seconds and megabytes that a start need not pay
SLOW = {"boto3", "botocore", "openai", "requests", "tree_sitter", "tree_sitter_javascript"}
PROGRAM = """
import json, sys

sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))  # importing any of these fails

import src.worker
from src import create_app
create_app()
print(json.dumps(sorted({name.partition(".")[0] for name, module in sys.modules.items() if module})))
"""


def foreign() -> list[str]:
    """The importable names that are installed here and would not be installed with the server."""
    server = {*pins("requirements"), *pins("requirements-fast")}
    owners = packages_distributions()
    return sorted(name for name, owned_by in owners.items() if not {normal(each) for each in owned_by} & server)


@pytest.fixture(scope="module")
def loaded():
    """The top-level modules that a worker holds when it is ready, started without what is foreign."""
    program = [sys.executable, "-c", PROGRAM, json.dumps(foreign())]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_slow_libraries_wait_for_their_first_use(loaded):
    assert loaded & SLOW == set()


def test_the_checks_packages_are_not_needed(loaded):
    assert {"pytest", "mypy", "hypothesis"} <= set(foreign())
    assert {"flask", "gevent", "gunicorn"} <= loaded
