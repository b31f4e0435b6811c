"""Parcels that leave later, without making anybody wait and without a thread.

A process that forks, as gunicorn's master does, must not speak TLS in a thread: OpenSSL's locks would be
inherited as they are in that moment, and a worker that found them taken could never open a connection. So
such a process starts another one for each parcel. A worker, whose sockets gevent has patched, uses a greenlet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import gevent
import msgspec
from gevent.monkey import is_module_patched

from lib.telemetry.courier import Parcel, deliver

WAITING = 100  # parcels, in a worker
COURIERS = 4  # processes at a time, elsewhere
STEP = 0.02  # seconds between two looks at whether all is delivered
_COMMAND = (sys.executable, "-c", "from lib.telemetry.courier import main; main()")
_ROOT = Path(__file__).parents[2]


class Outbox:
    """Delivers parcels in the background. `dropped` counts those for which there was no room.

    A forked process begins with an empty one.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def put(self, parcel: Parcel) -> None:
        """Deliver it soon. Does not wait, and raises nothing."""
        if is_module_patched("socket"):
            self._to_greenlet(parcel)
        else:
            self._to_process(parcel)

    def flush(self, seconds: float) -> bool:
        """Wait until all is delivered, but no longer than this. Whether it is."""
        until = time.monotonic() + seconds
        while self._sending or any(courier.poll() is None for courier in self._couriers):
            if time.monotonic() >= until:
                return False
            time.sleep(STEP)
        return True

    def _begin(self) -> None:
        self._waiting: deque[Parcel] = deque()
        self._sending = False
        self._couriers: list[subprocess.Popen[bytes]] = []

    def _to_greenlet(self, parcel: Parcel) -> None:
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            return
        self._waiting.append(parcel)
        # A thread of gevent's pool has no loop that would run a greenlet: the next parcel will take this one along.
        if not self._sending and gevent.get_hub().main_hub:
            self._sending = True
            gevent.spawn(self._deliver)

    def _deliver(self) -> None:
        try:
            while self._waiting:
                deliver(self._waiting.popleft())
        finally:
            self._sending = False

    def _to_process(self, parcel: Parcel) -> None:
        self._couriers = [courier for courier in self._couriers if courier.poll() is None]
        if len(self._couriers) >= COURIERS:
            self.dropped += 1
            return
        try:
            with tempfile.TemporaryFile() as file:  # not a pipe, which may fill up; not an argument, which all can read
                file.write(msgspec.json.encode(parcel))
                file.seek(0)
                self._couriers.append(subprocess.Popen(_COMMAND, stdin=file, cwd=_ROOT))  # noqa: S603
        except OSError:  # no disk, no process: whoever logs an error must not get another one
            self.dropped += 1
