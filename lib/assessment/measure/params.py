"""params.json: how an experiment asks about one lesson.

The fields are aiproxy's, where values are mostly strings: `model`, `num-responses` and `temperature` are needed,
`remove-comments`, `response-type`, `lesson` and `code-feature-extractor` may be there. `num-passing-grades` and
`num-passing-labels` are left over from older releases and mean nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib.assessment.measure.faults import InputError, read_text

MOST_RESPONSES = 10
HIGHEST_TEMPERATURE = 2.0
RESPONSE_TYPES = ("tsv", "json")
_NEEDED = ("model", "num-responses", "temperature")
_IDLE = ("num-passing-grades", "num-passing-labels")
_KNOWN = (*_NEEDED, "remove-comments", "response-type", "lesson", "code-feature-extractor", *_IDLE)
_SWITCH = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True, slots=True)
class Params:
    """How programs are graded. `extractor` are the concepts that the static analyser decides by the tree of `lesson`.

    `seed` goes to vendors that know one.
    """

    model: str
    num_responses: int = 1
    temperature: float = 0.2
    remove_comments: bool = False
    response_type: str = "tsv"
    lesson: str | None = None
    extractor: tuple[str, ...] = ()
    seed: int | None = None

    def shown(self) -> dict[str, Any]:
        """As the report and the cache hold them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def read_params(path: Path) -> Params:
    """What a params.json says. Raises `InputError`."""
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not JSON (line {error.lineno})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: must be an object")
    try:
        return parse_params(found)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def parse_params(found: dict[str, Any]) -> Params:
    """Check the fields of a params.json. Raises `InputError`."""
    unknown = sorted(found.keys() - set(_KNOWN))
    if unknown:
        raise InputError(f"unknown: {', '.join(unknown)}; known are {', '.join(_KNOWN)}")
    missing = [name for name in _NEEDED if found.get(name) in (None, "")]
    if missing:
        raise InputError(f"{', '.join(missing)} must be set")
    extractor = _names(found.get("code-feature-extractor"))
    lesson = found.get("lesson")
    if extractor and not lesson:
        raise InputError("code-feature-extractor needs lesson, which says by which trees to decide")
    return Params(
        model=_text("model", found["model"]),
        num_responses=parse_responses(found["num-responses"]),
        temperature=parse_temperature(found["temperature"]),
        remove_comments=_switch(found.get("remove-comments", "0")),
        response_type=_response_type(found.get("response-type", "tsv")),
        lesson=None if lesson is None else _text("lesson", lesson),
        extractor=extractor,
    )


def parse_responses(value: object) -> int:
    """A number of responses. Raises `InputError`."""
    text = str(value)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_RESPONSES):
        raise InputError(f"num-responses must be a whole number from 1 to {MOST_RESPONSES}")
    return int(text)


def parse_temperature(value: object) -> float:
    """A temperature. Raises `InputError`."""
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number <= HIGHEST_TEMPERATURE:
        raise InputError(f"temperature must be a number from 0 to {HIGHEST_TEMPERATURE:g}")
    return number


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} must be a string")
    return value


def _switch(value: object) -> bool:
    try:
        return _SWITCH[str(value).lower()]
    except KeyError:
        raise InputError("remove-comments must be 0 or 1") from None


def _response_type(value: object) -> str:
    if value not in RESPONSE_TYPES:
        raise InputError(f"response-type must be {' or '.join(RESPONSE_TYPES)}")
    return str(value)


def _names(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value or []
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InputError("code-feature-extractor must be a list of concepts")
    return tuple(dict.fromkeys(names))
