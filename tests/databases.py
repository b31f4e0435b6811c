"""Databases with tables in them, as tests need them: SQLite files, quickly made."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

from lib.stores import migrate, migration_url

_numbers = count(1)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="aiproxy-databases-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder / 'empty.db'}")
    return folder


def new_sqlite() -> str:
    """The URL of a database of its own, with the tables and nothing in them. It goes with the process."""
    made = _folder() / f"{next(_numbers)}.db"
    shutil.copy(_folder() / "empty.db", made)
    return f"sqlite:///{made}"


def prepared(url: str) -> str:
    """The same URL, of a database that has the tables by now."""
    migrate(migration_url(url))
    return url
