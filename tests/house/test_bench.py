"""The benchmark measures what it says, notices what goes wrong, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from bench.figures import Report
from bench.job import Job
from bench.load import Load
from bench.proc import tree
from bench.processes import free_port
from bench.run import options
from bench.table import table
from tests.house.tree import ROOT

QUICK = ("--seconds", "0.2", "--streams", "3", "--no-nginx")


@contextmanager
def bench(folder: Path, *arguments: str):
    """`bin/bench.sh`, without making .venv; its files go below `folder`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.run", *QUICK, *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def running(process: subprocess.Popen[str], command: bytes) -> list[int]:
    """The process tree, once a process of this command is in it."""
    while process.poll() is None:
        members = tree(process.pid)
        if any(command in said_by(member, "cmdline") for member in members):
            return members
    raise AssertionError(process.stderr.read())


def said_by(pid: int, name: str) -> bytes:
    """A file of /proc; empty when the process has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def test_measures_the_gateway_and_a_peer(tmp_path):
    port = free_port()
    peer = f"peer=http://127.0.0.1:{port}={os.getpid()}"  # the upstream itself
    with bench(tmp_path, "--json", "--upstream-port", str(port), "--peer", peer) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    report = msgspec.json.decode(out, type=Report)
    assert set(report.servers) == {"aiproxy", "peer"}
    for figures in report.servers.values():
        assert (figures.failed_requests, figures.streams[0].lost) == (0, 0), report.notes
        assert figures.requests_per_second > 0
        assert figures.idle_mb > 1
        assert figures.streams[0].events_per_second > 0
    gateway = report.servers["aiproxy"]
    assert gateway.ready_seconds > 0
    assert gateway.cpu_us_per_request > 0
    assert gateway.p99_ms >= gateway.p50_ms > report.direct.p50_ms > 0
    assert "aiproxy/peer" in table(report)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ends_everything_when_it_is_stopped(tmp_path, stop):
    with bench(tmp_path, "--seconds", "30") as process:
        while "1 call at a time" not in process.stderr.readline():
            assert process.poll() is None
        members = running(process, b"bench.load")
        process.send_signal(stop)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert len(members) >= 5  # itself, the upstream, gunicorn and its worker, the generator
    end = time.monotonic() + 30.0  # a generator that had just been forked ends by itself, and is reaped by another
    while (left := [member for member in members if tree(member)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == []
    assert list(tmp_path.iterdir()) == []


def test_says_what_kept_a_server_from_starting(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with bench(tmp_path, "--upstream-port", port) as process:
            _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "upstream did not start" in err
    assert "Address already in use" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--seconds", "0"),
        ("--streams", "0"),
        ("--streams", "many"),
        ("--url", "https://x"),
        ("--peer", "nginx=http://x"),
    ],
)
def test_refuses_options_that_make_no_sense(option, value, capsys):
    with pytest.raises(SystemExit, match="2"):
        options().parse_args([option, value])
    assert option in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/chat/completions"]
)
def test_takes_a_base_url_in_any_form(url):
    (peer,) = options().parse_args(["--url", url]).peers
    assert (peer.name, peer.url, peer.pid) == ("h:1", "http://h:1/v1/chat/completions", None)


def test_help_names_every_option():
    text = (ROOT / "bin/bench.sh").read_text()
    assert set(re.findall(r"--[a-z-]+", options().format_usage())) <= set(re.findall(r"--[a-z-]+", text))


OK = b"HTTP/1.1 200 OK\r\n"
EVENTS = b"data: 1\n\ndata: 2\n\ndata: [DONE]\n\n"


def answered(*parts: bytes, events: int = 0):
    """What the generator makes of a server that sends these parts, each on its own, and hangs up."""

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in parts:
                connection.sendall(part)
                threading.Event().wait(0.02)  # so that it is read on its own
            connection.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"
        result = Load(Job(url, "{}", "key", connections=1, limit=10, events=events, mark="Lorem")).run()
        server.join()
    return result


@pytest.mark.parametrize(
    ("parts", "events", "fault"),
    [
        ([OK + b"Content-Length: 5\r\n\r\n", b"Lorem"], 0, None),
        ([OK + b"Content-Length: 5\r\n\r\n", b"Ipsum"], 0, "not the whole answer"),
        ([OK + b"Content-Length: 9\r\n\r\n", b"Ipsum"], 0, "closed early"),
        ([b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nLorem"], 0, "status 503"),
        ([b"Lorem"], 0, "not HTTP"),
        ([], 0, "closed early"),
        ([OK + b"\r\n", EVENTS], 2, None),
        ([OK + b"\r\n", EVENTS], 4, "closed early"),
        ([OK + b"\r\n", EVENTS.removesuffix(b"data: [DONE]\n\n")], 1, "closed early"),
        (
            [OK + b"Transfer-Encoding: chunked\r\n\r\n", b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"],
            1,
            "not the whole answer",
        ),
    ],
)
def test_knows_a_good_answer_from_a_bad_one(parts, events, fault):
    result = answered(*parts, events=events)
    assert (result.answers, result.faults) == ((0, {fault: 1}) if fault else (1, {}))


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
@pytest.mark.parametrize("cut", range(7, 13))
def test_counts_events_wherever_they_are_cut(cut, line):
    events = EVENTS.replace(b"\n", line)
    assert answered(OK + b"\r\n", events[:cut], events[cut:], events=3).events == 3


def test_notices_that_nobody_listens():
    job = Job(f"http://127.0.0.1:{free_port()}/v1", "{}", "key", connections=2, limit=10, events=1)
    assert Load(job).run().faults == {"Connection refused": 2}
