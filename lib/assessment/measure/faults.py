"""What is wrong with the folders that are measured, in words for the person who can mend them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class InputError(ValueError):
    """A dataset, an experiment or another input cannot be used; the text says where and why."""


def read_text(path: Path) -> str:
    """A file's text in UTF-8, line ends as they are. Raises `InputError`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 (at byte {error.start})") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def some(names: Sequence[str], most: int = 5) -> str:
    """A few of many names, for a message."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
