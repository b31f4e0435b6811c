"""JavaScript through tree-sitter; nothing else imports it.

The library costs some 10 ms and waits for the first program. Every text has a tree: what cannot be read is in it as
`ERROR` nodes, and the rest keeps its place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

__all__ = ["Node", "Tree", "parse", "walk"]

# The parser counts its work in hundreds of steps. A program of 200 lines takes 30 of these, 150 KB of sound code
# 3,000, and no measure of time is as even: the same text has the same tree on a busy machine.
MOST_WORK = 3_000
HEAD = 50_000  # bytes
CHUNK = 65_536  # bytes


def parse(code: str) -> Tree:
    """The tree of any text, by bytes of UTF-8. Of one that takes more than `MOST_WORK`, the tree of its head."""
    source = code.encode("utf-8", "surrogatepass")
    try:
        return _tree(source, MOST_WORK)
    except ValueError:  # the work was stopped
        return _tree(source[:HEAD], math.inf)


def walk(tree: Tree) -> Iterator[tuple[Node, int]]:
    """Every node and its depth, a parent before its children, in the order of the text."""
    cursor, depth = tree.walk(), 0
    while node := cursor.node:
        yield node, depth
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def _tree(source: bytes, most: float) -> Tree:
    """Raises `ValueError` when it takes more work than `most`."""
    from tree_sitter import Parser  # noqa: PLC0415

    work = itertools.count(1)
    return Parser(_language()).parse(
        lambda at, _: source[at : at + CHUNK], progress_callback=lambda _at, _failed: next(work) > most
    )


@cache
def _language() -> Language:
    import tree_sitter_javascript  # noqa: PLC0415
    from tree_sitter import Language  # noqa: PLC0415

    return Language(tree_sitter_javascript.language())
