"""The commands of a document, as it has them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"(?:^|\n\n)((?: {4,}.*\n(?:\n(?= {4}))?)+)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CONNECTION = "arn:aws:codeconnections:us-east-1:123456789012:connection/0a1b2c3d"
PLACES = {  # what a reader fills in
    "<connection's ARN>": CONNECTION,
    "arn:aws:codeconnections:...": f"{CONNECTION}-0000-4000-8000-000000000000",
    "Z...": "Z0123456789ABC",
    " ID": " 0a1b2c3d-0000-4000-8000-000000000000",
    " ...": " something",
}


def blocks(document: Path) -> list[str]:
    """The blocks of commands, without their indentation and with what a reader fills in."""
    return [_filled_in(textwrap.dedent(found)).strip() for found in BLOCK.findall(document.read_text())]


def block(document: Path, word: str) -> str:
    """The one block with this word in it."""
    (found,) = [each for each in blocks(document) if word in each]
    return found


def spans(document: Path, begin: str) -> Iterator[str]:
    """What stands between backticks in the running text and begins so."""
    text = FENCED.sub("", BLOCK.sub("\n\n", document.read_text()))
    for found in re.findall(r"`([^`]+)`", text):
        if found.startswith(begin):
            yield _filled_in(" ".join(found.split()))


def _filled_in(text: str) -> str:
    for place, value in PLACES.items():
        text = text.replace(place, value)
    return text
