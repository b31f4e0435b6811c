"""Secrets Manager is read again from time to time, by the master alone.

It is asked on a thread, by a process of its own; what has changed goes the way of a SIGHUP, on which master and
workers go over to new settings while calls are open. What cannot be read stays as it was.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

from lib.base import SettingsError
from lib.net import pull
from lib.telemetry import ServerCounts, get_logger
from src.vault import Vault

log = get_logger("aiproxy.secrets")


class Refresher:
    """Asks, and sends itself a SIGHUP when something is new, which `take` then gives, once."""

    def __init__(self, vault: Vault, counts: ServerCounts) -> None:
        self._vault = vault
        self._counts = counts
        self._woken = threading.Event()
        self._offered: Mapping[str, str] | None = None

    def start(self, seconds: float) -> None:
        """Ask from now on, every so many seconds; with 0 only when woken."""
        threading.Thread(target=self._run, args=(seconds,), name="secrets", daemon=True).start()

    def wake(self) -> None:
        """Ask now."""
        self._woken.set()

    def take(self) -> Mapping[str, str] | None:
        """What has changed, with all the rest; None when nothing has."""
        offered, self._offered = self._offered, None
        return offered

    def failed(self, *details: str) -> None:
        """What was read is not used, or was not there to be read. Says which secrets and why, and no value."""
        self._counts.secret_refresh_failures += 1
        log.error("secrets were not renewed: the old ones stay", detail="\n".join(details))

    def _run(self, seconds: float) -> None:
        while True:
            self._woken.wait(seconds or None)
            self._woken.clear()
            self._ask()

    def _ask(self) -> None:
        try:
            pulled = pull(had=self._vault.kept)
        except (SettingsError, OSError, ValueError) as error:  # the models file, config.txt
            self.failed(str(error))
            return
        if pulled.faults:
            self.failed(*pulled.faults)
        if pulled.values or pulled.to_come:  # they were told of
            self._counts.secrets_to_come = len(pulled.to_come)
        held = self._vault.kept
        changed = [name for name, value in pulled.values.items() if held.get(name) != value]
        if changed:
            log.info("secrets have changed", names=changed)
            self._offered = {**held, **pulled.values}
            os.kill(os.getpid(), signal.SIGHUP)
