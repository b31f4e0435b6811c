"""What decides grades besides the request itself: a hash that is another when anything of it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

LIB = Path(__file__).parents[2]
_CODE = ("assessment", "gateway", "providers", "wire")
_PARSERS = ("tree-sitter", "tree-sitter-javascript")  # what they see, decision trees decide by
_APART = frozenset({"measure", "report"})  # of `assessment`: they grade nothing


def fingerprint(terms: Iterable[bytes]) -> str:
    """A hash of the code that grades, and of these terms of the operator."""
    whole = hashlib.sha256(_code())
    for term in terms:
        whole.update(hashlib.sha256(term).digest())
    return whole.hexdigest()


@cache
def _code() -> bytes:
    """Of a process that runs on while its files are changed, the code that it began with."""
    whole = hashlib.sha256()
    for folder in _CODE:
        for path in sorted((LIB / folder).rglob("*")):
            if path.suffix in (".py", ".toml") and path.relative_to(LIB / folder).parts[0] not in _APART:
                whole.update(path.read_bytes())
    for package in _PARSERS:
        whole.update(version(package).encode())
    return whole.digest()
