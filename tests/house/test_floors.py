"""A package of lib is entered by its front door: `from lib.wire import x`, not `from lib.wire.sse import x`.

A module that the front door itself offers, such as `lib.base.errors`, may be named in full.
Which floor may see which is import-linter's part (pyproject.toml, `bin/test.sh`).
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import ROOT, python_files

MODULES = list(python_files("lib", "src"))


def imported(source: str) -> Iterator[str]:
    """The dotted names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@cache
def offered(package: str) -> frozenset[str]:
    """What the front door of `lib.<package>` offers: its `__all__`."""
    for node in ast.parse((ROOT / "lib" / package / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def side_doors(package: str, source: str) -> list[str]:
    """What `source`, a module of `lib.<package>` (or of none), imports from the inside of another package."""
    deep = (name.split(".") for name in imported(source) if name.startswith("lib."))
    inside = (parts for parts in deep if len(parts) > 2 and parts[1] != package)
    return [".".join(parts) for parts in inside if len(parts) > 3 or parts[2] not in offered(parts[1])]


def test_a_side_door_is_noticed():
    source = (
        "from lib.wire.sse import x\nimport lib.net.http\nfrom lib.base.errors import z\nfrom lib.access.keys import y"
    )
    assert side_doors("access", source) == ["lib.wire.sse", "lib.net.http"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_uses_front_doors(module: Path):
    parts = module.relative_to(ROOT).parts
    package = parts[1] if parts[0] == "lib" and len(parts) > 2 else ""
    assert side_doors(package, module.read_text()) == []


def test_imports_are_absolute():
    relative = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
