"""What a process may do, tried out: a JSON object of `ok`, or the error's name, for each attempt.

It runs on a machine of `tests.containers.machine`, where nothing of ours but Python is found.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER = 0x10000000  # CLONE_NEWUSER
FOLDERS = (
    "/",
    "/etc/aiproxy",
    "/opt/aiproxy",
    "/usr/local",
    "/var/lib",
    "/var/log",
    "/var/lib/aiproxy",
    "/tmp",
    "/dev/shm",
)
STATUS = {"CapBnd", "CapEff", "NoNewPrivs", "Seccomp"}


def tried(attempt: Callable[[], object]) -> str:
    """How it went."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def call(name: str, *arguments: object) -> None:
    """A function of the C library."""
    if getattr(LIBC, name)(*arguments):
        raise OSError(ctypes.get_errno(), name)


def write(folder: str) -> None:
    """A file, which goes again."""
    path = Path(folder, f".probe-{os.getpid()}")
    path.touch()
    path.unlink()


def make_setuid() -> None:
    """A program that would run as its owner, whoever starts it."""
    path = Path("/tmp", f"probe-{os.getpid()}")
    path.touch()
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def in_a_child(attempt: Callable[[], object]) -> Callable[[], None]:
    """The same in a process of its own, as it would change this one."""

    def forked() -> None:
        if (child := os.fork()) == 0:
            with suppress(OSError):
                attempt()
                os._exit(0)
            os._exit(1)
        if os.waitpid(child, 0)[1]:
            raise OSError(errno.EPERM, "in the child")

    return forked


def strangers() -> int:
    """How many processes of others can be seen."""
    seen = 0
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            seen += path.stat().st_uid != os.getuid()
    return seen


def status() -> dict[str, str]:
    """The kernel's view of this process."""
    pairs = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: value.strip().lstrip("0") for name, value in pairs if name in STATUS}


ATTEMPTS: dict[str, Callable[[], object]] = {
    **{f"write {folder}": lambda folder=folder: write(folder) for folder in FOLDERS},
    "read /etc/shadow": lambda: Path("/etc/shadow").read_text(),
    "write a control group": lambda: Path("/sys/fs/cgroup/probe").mkdir(),
    "write a setting of the kernel": lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "new user namespace": in_a_child(lambda: call("unshare", NEW_USER)),
    "name the machine": lambda: socket.sethostname("probe"),
    "become root": lambda: os.setuid(0),
    "signal process 1": lambda: os.kill(1, 0),
    "setuid program": make_setuid,
    "memory to write and execute": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "real-time scheduling": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "internet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
}

if __name__ == "__main__":
    done = {name: tried(attempt) for name, attempt in ATTEMPTS.items()}
    told = {
        "strangers": strangers(),
        "devices": sorted(path.name for path in Path("/dev").iterdir()),
        "status": status(),
    }
    print(json.dumps({**done, **told}))
