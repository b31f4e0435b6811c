"""Lengths of time as OpenAI writes them: `120ms`, `1.5s`, `6m0s`."""

from __future__ import annotations

from math import ceil


def duration(seconds: float) -> str:
    """A length of time, rounded up to a millisecond."""
    milliseconds = ceil(round(seconds * 1000, 3))  # 0.001 * 1000 may be a little more than 1
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds > 0 else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail
