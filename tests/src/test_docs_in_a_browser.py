"""The page of the documents in a real browser, where there is one (see conftest.py): it shows every operation."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lib.wire import PATHS
from tests.src.conftest import BROWSER
from tests.upstream import Gateway

PATIENCE_MS = 8000  # of the browser's own clock, which runs ahead while the page is idle


@pytest.fixture(scope="module")
def shown(server: Gateway, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The page's document once its scripts have run, and what the browser complained about."""
    home: Path = tmp_path_factory.mktemp("browser")
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
        f"--user-data-dir={home}", f"--virtual-time-budget={PATIENCE_MS}", "--dump-dom", f"{server.url}/docs",
    ]  # fmt: skip
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env={"HOME": str(home)})
    return run.stdout, run.stderr


def test_every_path_is_shown(shown: tuple[str, str]) -> None:
    text = shown[0].replace("\u200b", "").replace("<wbr>", "")
    missing = [path.route for path in PATHS if f'data-path="{path.route}"' not in text]
    assert missing == []


def test_the_policy_was_not_broken(shown: tuple[str, str]) -> None:
    console = [line for line in shown[1].splitlines() if "CONSOLE" in line]
    assert [line for line in console if "Content Security Policy" in line or "Error" in line] == []
