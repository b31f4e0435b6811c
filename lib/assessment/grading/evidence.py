"""Evidence as the website reads it: on one line, with one range where several lines are named."""

from __future__ import annotations

import re

_SERIES = re.compile(r"\b(Lines?) (\d{1,7}(?:(?:\s*(?:,|&|-|\u2013|,?\s+and)\s*)\d{1,7})+)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_FENCE = re.compile(r"`{3,}")


def tidy(evidence: str) -> str:
    """Line ends as spaces, fences as single backquotes, `Line 3, 4, 5` as `Lines 3-5`."""
    return _SERIES.sub(_range, _FENCE.sub("`", " ".join(evidence.split())))


def _range(found: re.Match[str]) -> str:
    numbers = [int(number) for number in _NUMBER.findall(found[2])]
    least, most = min(numbers), max(numbers)
    return f"Line {least}" if least == most else f"Lines {least}-{most}"
