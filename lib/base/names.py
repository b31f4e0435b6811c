"""What names may be that callers make up themselves."""

from __future__ import annotations

MAX_NAME = 256  # characters of a run's or a model's name
_LOST = "\ufffd"  # what stands where bytes were no text: two names could become one


def is_run_name(text: str) -> bool:
    """Whether a run may be called so, in a body, a header or a query: 1 to 256 printable characters."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and _LOST not in text
