"""How every command line program ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

CLOSED_PIPE = 128 + signal.SIGPIPE  # as a shell says of a program that SIGPIPE ended


def leave(main: Callable[[], int]) -> NoReturn:
    """Carry out a command line and leave with its exit status; with 141, in silence, when whoever read has left.

    SIGPIPE itself stays ignored: it would also come from a vendor that closes its connection.
    """
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        status = CLOSED_PIPE
        with Path(os.devnull).open("w") as nowhere:  # for what is still in the buffers when the interpreter ends
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
    sys.exit(status)
