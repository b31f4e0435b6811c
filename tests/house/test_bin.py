"""Everything in bin can be run and explains itself."""

import os
import subprocess

import pytest

from tests.house.tree import ROOT, files

SCRIPTS = list(files(ROOT / "bin"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_is_executable(script):
    assert os.access(script, os.X_OK), f"chmod +x bin/{script.name}"
    assert script.read_text().startswith("#!/usr/bin/env ")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_explains_itself_from_anywhere(script, tmp_path):
    done = subprocess.run([script, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"bin/{script.name}" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.suffix == ".sh"], ids=lambda path: path.name)
def test_shell_scripts_stop_at_the_first_failure(script):
    assert "\nset -euo pipefail\n" in script.read_text()
