"""Measure the gateway of this checkout beside nginx and any other. bin/bench.sh --help lists the options."""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.figures import Report
from bench.measure import FIRST_MS, GAP_MS, Bench, Plan
from bench.proc import tree
from bench.processes import NotStartedError, free_port
from bench.servers import CHAT, Setting, Target, gateway, nginx, upstream
from bench.table import table

_OWN = ("aiproxy", "nginx")
_OTHER_FILES = 1024


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench.sh", description=__doc__)
    parser.add_argument("--seconds", type=_seconds, default=5, metavar="N")
    parser.add_argument("--streams", type=_numbers, default=(100, 1000), metavar="N,N")
    parser.add_argument("--url", type=_unnamed, dest="peers", action="append", default=[], metavar="URL")
    parser.add_argument("--peer", type=_peer, dest="peers", action="append", metavar="NAME=URL[=PID]")
    parser.add_argument("--upstream-port", type=int, default=0, metavar="PORT")
    parser.add_argument("--key", default="sk-key-of-the-benchmark")
    parser.add_argument("--model", default="gpt-4o-mini")
    parser.add_argument("--no-nginx", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def _seconds(text: str) -> float:
    if (seconds := float(text)) <= 0:
        raise ValueError
    return seconds


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in text.split(","))
    if min(numbers) < 1:
        raise ValueError
    return numbers


def _unnamed(text: str) -> Target:
    return _peer(f"{urlsplit(text).netloc}={text}")


def _peer(text: str) -> Target:
    """`NAME=URL` or `NAME=URL=PID`; the URL may end before /v1, after it, or be that of the chat completions."""
    name, _, rest = text.partition("=")
    url, _, pid = rest.rpartition("=") if rest.rpartition("=")[2].isdigit() else (rest, "", "")
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.netloc or name in _OWN:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=http://HOST:PORT or NAME=http://HOST:PORT=PID")
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path = path.removesuffix("/v1") + CHAT
    if pid and not tree(int(pid)):
        raise argparse.ArgumentTypeError(f"{text}: there is no process {pid}")
    return Target(name, f"http://{parts.netloc}{path}", int(pid) if pid else None)


def measured(asked: argparse.Namespace, folder: Path) -> Report:
    """Start everything, measure, end everything. Raises `NotStartedError`."""
    setting = Setting(folder, asked.upstream_port or free_port(), asked.key, asked.model)
    plan = Plan(asked.seconds, asked.streams)
    pace = (f"--first={FIRST_MS}", f"--gap={GAP_MS}", f"--chunks={plan.events}")
    with ExitStack() as stack:
        direct = stack.enter_context(upstream(setting, *pace))
        bench = Bench(plan, setting, direct, _say)
        servers = [stack.enter_context(gateway(setting))]
        if not asked.no_nginx and shutil.which("nginx"):
            servers.append(stack.enter_context(nginx(setting)))
        elif not asked.no_nginx:
            bench.report.notes.append("nginx is not installed, so there is nothing to compare with but the peers")
        return bench.run([*servers, *asked.peers])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _allow_open_files(streams: int) -> bool:
    """Allow the processes of this run as many open files as they need: a stream takes two sockets in the gateway."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * streams + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return True
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit status: 0, 1 when a server did not start, 2 for wrong options, 130 after Ctrl-C."""
    parser = options()
    asked = parser.parse_args(arguments)
    if len({peer.name for peer in asked.peers}) < len(asked.peers):
        parser.error("two peers have the same name")
    if not sys.platform.startswith("linux"):
        _say("The benchmark reads /proc and needs Linux.")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not _allow_open_files(max(asked.streams)):
        _say(f"{max(asked.streams)} streams take more open files than `ulimit -Hn` allows.")
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="aiproxy-bench-") as folder:
            report = measured(asked, Path(folder))
    except NotStartedError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("interrupted; everything that was started has been ended")
        return 130
    print(msgspec.json.encode(report).decode() if asked.json else table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
