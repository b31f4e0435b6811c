"""Several workers, one set of numbers: real processes, forked as gunicorn forks them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

# The master of a server with three workers. `act(worker, line)` tells a worker what to do and waits until it is done.
MASTER = """
import os, signal, socket, sys, urllib.request
from lib.telemetry import Finished, Metrics, child_exit, configure_logs, prepare_multiprocess_dir, serve_metrics
assert "prometheus_client" not in sys.modules

configure_logs("INFO", "json")
folder = prepare_multiprocess_dir()
server = serve_metrics("127.0.0.1", int(os.environ["PORT"]))
workers = {}

def work(tasks, done):
    metrics = Metrics({"m"})
    metrics.entered()
    for line in tasks:
        exec(line)
        done.write("\\n")
        done.flush()

def fork():
    tasks, done = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        work(os.fdopen(tasks[0]), os.fdopen(done[1], "w"))
        os._exit(0)
    os.close(tasks[0])
    os.close(done[1])
    workers[pid] = os.fdopen(tasks[1], "w"), os.fdopen(done[0])
    return pid

def act(worker, line):
    workers[worker][0].write(line + "\\n")
    workers[worker][0].flush()
    workers[worker][1].readline()

def end(worker):
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    child_exit(worker)

def scrape():
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}

CALL = "metrics.finished(Finished(route='/r', method='POST', status=200, seconds={0}, provider='p', model='m'))"
COUNT = 'aiproxy_requests_total{method="POST",model="m",provider="p",route="/r",status="200"}'
SUM = 'aiproxy_request_duration_seconds_sum{provider="p",route="/r"}'
BUCKET = 'aiproxy_request_duration_seconds_bucket{le="1.0",provider="p",route="/r"}'
"""


@pytest.fixture
def port():
    """One that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def test_all_workers_are_summed_and_ended_ones_keep_their_counts(program, port):
    source = """
first, second, third = fork(), fork(), fork()
for worker, times in ((first, 1), (second, 2), (third, 3)):
    for _ in range(times):
        act(worker, CALL.format(times / 2))
seen = scrape()
assert seen[COUNT] == 6, seen
assert seen[SUM] == 0.5 + 2 * 1 + 3 * 1.5, seen
assert seen[BUCKET] == 3, seen
assert seen["aiproxy_requests_in_flight"] == 3, seen

end(second)
seen = scrape()
assert (seen[COUNT], seen[SUM], seen[BUCKET]) == (6, 7, 3), seen
assert seen["aiproxy_requests_in_flight"] == 2, seen
assert not list(folder.glob(f"*{second}*"))

fourth = fork()
act(fourth, CALL.format(1))
end(first)
end(third)
seen = scrape()
assert (seen[COUNT], seen[SUM], seen[BUCKET]) == (7, 8, 4), seen
assert seen["aiproxy_requests_in_flight"] == 1, seen
end(fourth)
assert scrape()[COUNT] == 7
assert sorted(path.name for path in folder.iterdir()) == ["counter_0.db", "histogram_0.db"]
"""
    out = program(MASTER + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")
    assert out.events("aiproxy.metrics") == ["metrics are served"]


def test_a_worker_that_died_while_it_began_does_not_spoil_the_rest(program, port):
    source = """
worker = fork()
act(worker, CALL.format(1))
(folder / "counter_999999.db").touch()
(folder / "histogram_999999.db").touch()
assert scrape()[COUNT] == 1
child_exit(999999)
assert scrape()[COUNT] == 1
end(worker)
"""
    out = program(MASTER + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")


def test_the_folder_is_private_and_goes_with_the_master(program, port):
    source = """
assert folder.stat().st_mode & 0o777 == 0o700
assert prepare_multiprocess_dir() == folder
worker = fork()
act(worker, "sys.exit(0)")
os.waitpid(worker, 0)
assert folder.is_dir()
print(folder)
"""
    out = program(MASTER + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")
    assert not Path(out.stdout.splitlines()[-1]).exists()


def test_a_forked_worker_does_not_keep_the_port(program, port):
    source = """
worker = fork()
act(worker, "pass")
server.stop()
socket.create_server(("127.0.0.1", int(os.environ["PORT"]))).close()
end(worker)
"""
    out = program(MASTER + source, PORT=port)
    assert (out.status, out.stderr) == (0, "")


def test_a_port_in_use_is_said_and_the_server_runs_on(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out = program(MASTER + "assert server is None", PORT=str(port))
    assert (out.status, out.stderr) == (0, "")
    (line,) = out.lines
    assert (line["level"], line["event"], line["port"]) == ("error", "metrics are not served", port)
    assert "in use" in line["reason"]


def test_port_zero_means_off_and_loads_nothing(program):
    source = """
import sys
from lib.telemetry import NoMetrics, serve_metrics
assert serve_metrics("127.0.0.1", 0) is None
NoMetrics().entered()
assert "prometheus_client" not in sys.modules
"""
    out = program(source)
    assert (out.status, out.stdout, out.stderr) == (0, "", "")


def test_a_folder_of_the_operator_is_emptied_once_and_kept(program, tmp_path):
    folder = tmp_path / "given" / "here"
    folder.mkdir(parents=True)
    (folder / "counter_1.db").write_bytes(b"old")
    (folder / "notes.txt").write_text("mine")
    source = """
from lib.telemetry import prepare_multiprocess_dir
folder = prepare_multiprocess_dir()
(folder / "counter_2.db").touch()
assert prepare_multiprocess_dir() == folder
assert sorted(path.name for path in folder.iterdir()) == ["counter_2.db", "notes.txt"]
"""
    out = program(source, PROMETHEUS_MULTIPROC_DIR=str(folder))
    assert (out.status, out.stderr) == (0, "")
    assert (folder / "notes.txt").exists()


def test_a_server_that_replaces_another_leaves_its_folder_alone(program, tmp_path):
    theirs = tmp_path / "aiproxy-metrics-theirs"
    theirs.mkdir()
    (theirs / "counter_1.db").touch()
    source = "from lib.telemetry import prepare_multiprocess_dir; print(prepare_multiprocess_dir())"
    out = program(source, PROMETHEUS_MULTIPROC_DIR=str(theirs))
    assert out.stdout.strip() != str(theirs)
    assert (theirs / "counter_1.db").exists()


def test_too_late_is_refused(program):
    out = program("import prometheus_client, lib.telemetry as t; t.prepare_multiprocess_dir()")
    assert out.status == 1
    assert "must be prepared before prometheus_client is imported" in out.stderr


def test_without_a_folder_nothing_happens_when_a_worker_ends(program):
    out = program("from lib.telemetry import child_exit; child_exit(1)", PROMETHEUS_MULTIPROC_DIR="")
    assert (out.status, out.stderr) == (0, "")


def test_ipv6(program, port):
    source = """
import os, urllib.request
from lib.telemetry import prepare_multiprocess_dir, serve_metrics
prepare_multiprocess_dir()
server = serve_metrics("::1", int(os.environ["PORT"]))
if server is not None:
    urllib.request.urlopen(f"http://[::1]:{server.server_port}/metrics", timeout=10).close()
"""
    out = program(source, PORT=port)
    assert (out.status, out.stderr) == (0, "")
    assert len(out.lines) == 1


def test_what_was_made_before_the_fork_counts_for_each_process_alone(program):
    source = """
import os
from lib.telemetry import Metrics, prepare_multiprocess_dir
folder = prepare_multiprocess_dir()
metrics = Metrics({"m"})
metrics.tokens("p", "m", "input", 1)
for _ in range(2):
    if not (pid := os.fork()):
        metrics.tokens("p", "m", "input", 10)
        os._exit(0)
    os.waitpid(pid, 0)
metrics.tokens("p", "m", "input", 1)
from lib.telemetry.metrics_files import collect
samples = [sample for family in collect(folder) for sample in family.samples]
print([sample.value for sample in samples if sample.name == "aiproxy_tokens_total"])
"""
    out = program(source)
    assert (out.stdout, out.stderr) == ("[22.0]\n", "")
