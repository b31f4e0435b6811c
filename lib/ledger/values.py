"""The values of a query's parameters. Each reader raises ValueError with the rule that was broken, and nothing else."""

from __future__ import annotations

import re
from typing import get_args

from lib.base import is_run_name, parse_moment
from lib.ledger.entry import Exactness
from lib.ledger.report import Grouping
from lib.stores import GROUPS, LOST

MOST = 5000  # rows or groups of one answer
MOST_GROUPINGS = 4
EXACTNESS = (*get_args(Exactness), LOST)
_LATEST = 4_102_444_800_000  # the beginning of 2100
# letters and digits of any script, and the signs of names, addresses and model names; an apostrophe inside a word
_TEXT = re.compile(r"(?:[\w .,:@/+=|~#-]|(?<=\w)'(?=\w)){1,256}")
_ID = re.compile(r"[0-9a-f]{32}")
_TAG_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,6}")


def text(given: str) -> str:
    """A name, or another value of a column."""
    if not _TEXT.fullmatch(given):
        raise ValueError("must be 1 to 256 letters, digits, spaces and signs such as . : @ / + = | -")
    return given


def run(given: str) -> str:
    """The name of a run, as `X-Run-ID` has it."""
    if not is_run_name(given):
        raise ValueError("must be 1 to 256 printable characters")
    return given


def row_id(given: str) -> str:
    """The id of a row."""
    if not _ID.fullmatch(given):
        raise ValueError("must be what `next` said in the answer before")
    return given


def limit(given: str) -> int:
    """How many rows or groups."""
    if not _NUMBER.fullmatch(given) or not 1 <= int(given) <= MOST:
        raise ValueError(f"must be a whole number from 1 to {MOST}")
    return int(given)


def status(given: str) -> int:
    """An HTTP status."""
    if not _NUMBER.fullmatch(given) or not 100 <= int(given) <= 599:
        raise ValueError("must be an HTTP status from 100 to 599")
    return int(given)


def exactness(given: str) -> str:
    """How well a cost is known."""
    if given not in EXACTNESS:
        raise ValueError(f"must be one of {', '.join(EXACTNESS)}")
    return given


def is_csv(given: str) -> bool:
    """Whether CSV is asked for."""
    if given not in ("json", "csv"):
        raise ValueError("must be json or csv")
    return given == "csv"


def tag(given: str) -> tuple[str, str]:
    """A tag's name and its value."""
    name, equals, value = given.partition("=")
    if not equals or not _TAG_NAME.fullmatch(name) or not _TEXT.fullmatch(value):
        raise ValueError("must be a tag's name, `=` and its value, such as team=blue")
    return name, value


def by(given: str) -> Grouping:
    """What to sum by."""
    words = ["tags" if word == "tag" else word for word in given.split(",", MOST_GROUPINGS)]
    tags = [word.removeprefix("tag:") for word in words if word.startswith("tag:")]
    by = tuple("tag" if word.startswith("tag:") else word for word in words)
    plain = all(name == "tag" or name in GROUPS for name in by) and all(_TAG_NAME.fullmatch(tag) for tag in tags)
    if not plain or len(set(by)) < len(by) or len(by) > MOST_GROUPINGS:
        raise ValueError(f"must be up to {MOST_GROUPINGS} of {', '.join(GROUPS)} and tag:NAME, separated by commas")
    return Grouping(by, tags[0] if tags else None)


def time(given: str) -> int:
    """A date or time, in milliseconds since 1970."""
    try:
        moment = parse_moment(given)
    except ValueError as error:
        raise ValueError(f"{error} (a + is written %2B)") from None
    if not 0 <= moment <= _LATEST:
        raise ValueError("must lie between 1970 and 2100")
    return moment
