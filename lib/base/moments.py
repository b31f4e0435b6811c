"""Times as people write them: dates, RFC 3339 date-times, and lengths such as `24h`. Milliseconds since 1970 inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)
_LENGTH = re.compile(r"(\d{1,9})([smhd])|0", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def parse_moment(text: str) -> int:
    """`2027-01-31` (its beginning, in UTC) or `2027-01-31T12:00:00Z`. Raises ValueError; echoes nothing."""
    try:
        if _DATE.fullmatch(text):
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        elif _DATE_TIME.fullmatch(text):
            moment = datetime.fromisoformat(_MICROSECONDS.sub(r"\1", text.upper()))
        else:
            raise ValueError  # noqa: TRY301
        return (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        raise ValueError("must be a date such as 2027-01-31 or 2027-01-31T12:00:00Z") from None


def show_moment(moment: int | None) -> str | None:
    """A moment in RFC 3339, to the second."""
    if moment is None:
        return None
    return (_EPOCH + moment * _MILLISECOND).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_length(text: str) -> int:
    """`30s`, `15m`, `24h`, `7d` or `0`, in milliseconds. Raises ValueError; echoes nothing."""
    found = _LENGTH.fullmatch(text)
    if not found:
        raise ValueError("must be a length of time such as 24h (s, m, h or d), or 0")
    return int(found[1]) * _SECONDS[found[2]] * 1000 if found[1] else 0
