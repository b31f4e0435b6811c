"""What Secrets Manager held when it was last asked, in memory that the master shares with its workers."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec


class Vault:
    """Values by setting. Made before the workers are forked: they see what the master keeps later.

    The memory has no name in any file system. Programs that are started do not inherit it.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._file = _unnamed_file()
        self.keep(values)

    @property
    def kept(self) -> Mapping[str, str]:
        """What this process kept last. For its threads, which the lock does not keep apart."""
        return self._kept

    def keep(self, values: Mapping[str, str]) -> None:
        """Hold these from now on."""
        self._kept = dict(values)
        data = msgspec.json.encode(values)
        with self._locked(fcntl.LOCK_EX):
            os.pwrite(self._file, data, 0)
            os.ftruncate(self._file, len(data))

    def values(self) -> dict[str, str]:
        """All that is held, whichever process kept it."""
        with self._locked(fcntl.LOCK_SH):
            data = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return msgspec.json.decode(data, type=dict[str, str])

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Between processes: nobody reads half of what is written."""
        fcntl.lockf(self._file, how)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("aiproxy-secrets")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
