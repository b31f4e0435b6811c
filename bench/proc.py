"""What a process and its descendants have used, read from Linux's /proc (the manual page proc(5))."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time in a second
_PPID, _UTIME, _CSTIME = 1, 11, 14  # places in a stat line, counted from behind the name


def tree(pid: int) -> list[int]:
    """The process and its descendants, itself first; empty when it does not exist."""
    children: dict[int, list[int]] = defaultdict(list)
    found = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    for child in found:
        if fields := _stat(child):
            children[int(fields[_PPID])].append(child)
    members = [pid] if pid in found else []
    for member in members:
        members.extend(children[member])
    return members


def cpu_seconds(pid: int) -> float:
    """CPU time of the tree so far, user and system, with that of children which have ended."""
    ticks = 0
    for member in tree(pid):
        ticks += sum(int(value) for value in _stat(member)[_UTIME : _CSTIME + 1])
    return ticks / _TICKS


def memory_mb(pid: int) -> float | None:
    """Memory of the tree in MB of 2**20 bytes, shared pages divided among those who share them (PSS).

    None: this user may not read it.
    """
    kilobytes = 0
    for member in tree(pid):
        try:
            text = (_PROC / str(member) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        except PermissionError:
            return None
        kilobytes += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the name, which may hold anything; empty when it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
