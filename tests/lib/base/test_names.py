"""What runs may be called."""

from __future__ import annotations

import pytest

from lib.base import is_run_name


@pytest.mark.parametrize(("name", "good"), [
    ("r", True), ("run 7/Ä #1", True), ("x" * 256, True), ("'; DROP TABLE calls", True),
    ("x" * 257, False), ("", False), ("a\tb", False), ("\ud800", False), ("a\ufffd", False),
])  # fmt: skip
def test_names_of_runs(name: str, good: bool) -> None:
    assert is_run_name(name) is good
