"""Processes that are started, waited for, and ended by their ids, however the block around them is left."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.proc import tree

ROOT = Path(__file__).resolve().parents[1]
_START, _END = 30.0, 5.0  # seconds that starting and ending may take
_STOPS = (signal.SIGINT, signal.SIGTERM)
_KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")  # of the environment; no settings, no keys


class NotStartedError(Exception):
    """A server ended at once or did not answer. The message holds the last it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that was started at `began`, a time of `time.monotonic`; what it says goes to the file `log`."""

    name: str
    process: subprocess.Popen[bytes]
    began: float
    log: Path


@contextmanager
def started(name: str, command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Start `command` in `folder` with an environment of little more than `settings`. It ends with the block."""
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    environment |= {"PYTHONPATH": str(ROOT), **settings}
    log = folder / f"{name}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = running(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for this program to hear
        )
        with process as server:
            yield Server(name, server, began, log)


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start `command` and end it with its descendants when the block is left.

    A signal that comes while it is being started waits until it can be ended.
    """
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _: heard.append(number)) for number in _STOPS}
    try:
        process = subprocess.Popen(command, **options)
    except BaseException:
        _restore(before)
        raise
    with _ended(process):
        _restore(before)
        if heard:
            raise KeyboardInterrupt
        yield process


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # a second Ctrl-C must not leave anything behind
        try:
            _end(process)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    members = tree(process.pid)
    process.terminate()
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        for member in members:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(member, signal.SIGKILL)
        process.wait()


def await_answer(server: Server, url: str) -> float:
    """Wait until a GET of `url` says 200; the seconds since the start. Raises `NotStartedError`."""
    while not _says_200(url):
        if server.process.poll() is not None or time.monotonic() - server.began > _START:
            said = server.log.read_text(errors="replace")[-2000:]
            raise NotStartedError(f"{server.name} did not start:\n{said}")
        time.sleep(0.005)
    return time.monotonic() - server.began


def _says_200(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=1)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False  # not yet
    finally:
        connection.close()


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
