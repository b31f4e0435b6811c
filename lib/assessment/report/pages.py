"""Pages from templates: one file each, that asks the network for nothing and runs no script."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lib.assessment.labels import LABELS
from lib.assessment.report import words

TEMPLATES = Path(__file__).parent / "templates"
WORDS = (
    *("chance", "count", "day", "distance", "duration", "lasted", "level", "percent", "plain", "points", "quoted"),
    *("short", "usd"),
)
BLOCK = 500  # pieces of a page that are written at once, so that other calls of the worker have their turn


def page(template: str, **values: Any) -> str:
    """A template with its values, all of them escaped."""
    pieces = _environment().get_template(template).generate(values)
    return "".join(_blocks(pieces))


def _blocks(pieces: Iterator[str]) -> Iterator[str]:
    while block := list(islice(pieces, BLOCK)):
        yield "".join(block)
        time.sleep(0)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=words.seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "report.css").read_text()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    made.globals.update({name: getattr(words, name) for name in WORDS}, LABELS=LABELS, style=style, digest=digest)
    return made
