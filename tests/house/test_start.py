"""A start loads no slow library, and nothing that only the checks' packages bring along."""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.house.test_requirements import normal, pins
from tests.house.tree import ROOT

SLOW = {"boto3", "botocore", "openai", "requests"}  # seconds and megabytes that a start need not pay
PROGRAM = """
import json, sys
import src.worker
from src import create_app
create_app()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture(scope="module")
def loaded():
    """The top-level modules that a worker holds when it is ready."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_slow_libraries_wait_for_their_first_use(loaded):
    assert loaded & SLOW == set()


def test_nothing_comes_from_the_checks_packages(loaded):
    owners = packages_distributions()
    server = {*pins("requirements"), *pins("requirements-fast"), "pip", "setuptools"}
    foreign = {module for module in loaded & owners.keys() if not {normal(name) for name in owners[module]} & server}
    assert {"flask", "gevent", "gunicorn"} <= loaded
    assert foreign == set(), "add what brings these to requirements.in"
