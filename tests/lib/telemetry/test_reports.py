"""Notices as Honeybadger receives them: on a local server, from a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from textwrap import dedent
from typing import Any

import pytest

from lib.telemetry import configure_reports
from lib.telemetry.outbox import COURIERS, WAITING
from lib.telemetry.reports import MAX_BYTES
from tests.lib.telemetry.conftest import ROOT

SECRET = "correct-horse-battery"
KEY = "hbp_abcdefgh"
START = """
import logging, os, sys, threading, time
from lib.telemetry import configure_logs, configure_reports, get_logger
configure_logs("INFO", "json", [os.environ["SECRET"]])
secret = os.environ["SECRET"]
log = get_logger("aiproxy.test")
reports = configure_reports(os.environ["KEY"], "production", os.environ["ENDPOINT"])
"""
PATCHED = "from gevent import monkey; monkey.patch_all()\n"


class _Server(ThreadingHTTPServer):
    request_queue_size = 100


class Vendor:
    """Stands in for Honeybadger. `notices` are what came, `status` is what it answers, when it `may_answer`."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.status = 201
        self.location = ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Vendor:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(vendor) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                vendor.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                vendor.notices.append(json.loads(body))
                vendor.may_answer.wait(30)
                self.send_response(vendor.status)
                if vendor.location:
                    self.send_header("Location", vendor.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        return Handler


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def report(program, vendor: Vendor):
    """`report(source)` runs a program that reports to the vendor."""

    def run(source: str, start: str = START, **environ: str):
        return program(start + dedent(source), SECRET=SECRET, KEY=KEY, ENDPOINT=vendor.url, **environ)

    return run


@pytest.mark.parametrize("start", [START, PATCHED + START], ids=["processes", "greenlets"])
def test_grave_lines_are_reported_once_each(report, vendor: Vendor, start: str):
    out = report("log.warning('not this'); log.error('this', count=3); log.critical('and this')", start)
    assert (out.status, out.stderr) == (0, "")
    vendor.notices.sort(key=lambda notice: notice["error"]["message"] == "and this")  # processes overtake each other
    contexts = [notice["request"]["context"] for notice in vendor.notices]
    assert contexts == [
        {"level": "error", "event": "this", "logger": "aiproxy.test", "count": 3},
        {"level": "critical", "event": "and this", "logger": "aiproxy.test"},
    ]
    path, headers = vendor.requests[0]
    assert path == "/v1/notices"
    assert headers["x-api-key"] == KEY
    assert headers["content-type"] == headers["accept"] == "application/json"
    error = vendor.notices[0]["error"]
    assert (error["class"], error["message"]) == ("aiproxy.test", "this")
    assert [frame["method"] for frame in error["backtrace"]] == ["<module>"]


@pytest.mark.parametrize("start", [START, PATCHED + START], ids=["processes", "greenlets"])
def test_an_exception_is_one_notice_however_often_it_is_seen(report, vendor: Vendor, start: str):
    source = """
    def fail():
        try:
            {}["missing"]
        except KeyError as error:
            raise ValueError("not there") from error

    try:
        fail()
    except ValueError as error:
        log.exception("caught here")
        log.error("caught there", exc_info=error)
        logging.getLogger("library").exception("caught by a library")
        raise
    """
    out = report(source, start)
    assert out.status == 1
    assert len(out.lines) == 4
    (notice,) = vendor.notices
    error = notice["error"]
    assert (error["class"], error["message"]) == ("ValueError", "not there")
    assert [frame["method"] for frame in error["backtrace"]] == ["fail", "<module>"]
    (cause,) = error["causes"]
    assert (cause["class"], cause["message"]) == ("KeyError", "'missing'")
    assert notice["request"]["context"]["event"] == "caught here"


def test_what_nobody_caught_is_reported(report, vendor: Vendor):
    source = """
    def fail(text):
        raise ValueError(text)

    thread = threading.Thread(target=fail, args=("in a thread",))
    thread.start()
    thread.join()
    import gevent
    gevent.spawn(fail, "in a greenlet").join()
    fail("in the process")
    """
    for start in (START, PATCHED + START):
        report(source, start)
    messages = [notice["error"]["message"] for notice in vendor.notices]
    assert sorted(messages) == sorted(["in a thread", "in a greenlet", "in the process"] * 2)


def test_a_notice_says_nothing_it_need_not(report, vendor: Vendor):
    source = """
    def fail(password):
        local = "visible-local-value"
        raise ValueError(f"with {secret} and Bearer abcdefgh")

    headers = {"Authorization": "raw-key", "X-Api-Key": "abc", "Cookie": "a=b", "accept": "text/visible"}
    try:
        fail("visible-argument")
    except ValueError:
        log.exception(f"failed with {secret}", headers=headers, params={"password": "pw", "x": [secret]}, api_key="k")
    """
    report(source, ENVIRONMENT_ONLY="visible-environment", HONEYBADGER_REPORT_LOCAL_VARIABLES="1")
    (notice,) = vendor.notices
    assert notice["request"] == {
        "context": {
            "level": "error",
            "event": "failed with [redacted]",
            "logger": "aiproxy.test",
            "headers": dict.fromkeys(("Authorization", "X-Api-Key", "Cookie"), "[redacted]")
            | {"accept": "text/visible"},
            "params": {"password": "[redacted]", "x": ["[redacted]"]},
            "api_key": "[redacted]",
        }
    }
    assert notice["error"]["message"] == "with [redacted] and Bearer [redacted]"
    assert notice["server"].keys() == {"environment_name", "time"}
    text = json.dumps(notice)
    for hidden in (
        SECRET,
        KEY,
        "visible-local",
        "visible-argument",
        "visible-environment",
        os.uname().nodename,
        str(ROOT),
    ):
        assert hidden not in text


def test_files_of_the_project_are_named_from_its_root(report, vendor: Vendor):
    report(
        "from lib.telemetry.redaction import Redactor\ntry: Redactor([1])\nexcept AttributeError: log.exception('x')"
    )
    (notice,) = vendor.notices
    assert notice["error"]["backtrace"][0]["file"] == "[PROJECT_ROOT]/lib/telemetry/redaction.py"


@pytest.mark.parametrize(
    ("start", "least", "most"),
    [(START, COURIERS, COURIERS), (PATCHED + START, WAITING, WAITING + 1)],
    ids=["processes", "greenlets"],
)
def test_a_slow_vendor_holds_up_nobody_and_is_not_overrun(vendor: Vendor, start: str, least: int, most: int):
    vendor.may_answer.clear()
    source = """
    for number in range(300):
        log.error("number", number=number)
        time.sleep(0)
    print("all logged", threading.active_count(), flush=True)
    sys.stdin.read()
    print(reports.flush(30))
    """
    running = subprocess.Popen(
        [sys.executable, "-c", start + dedent(source)],
        cwd=ROOT,
        env={**os.environ, "SECRET": SECRET, "KEY": KEY, "ENDPOINT": vendor.url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdin
    assert running.stdout
    with running:
        lines = iter(running.stdout.readline, "")
        logged = list(takewhile(lambda line: not line.startswith("all logged"), lines))
        vendor.may_answer.set()
        running.stdin.close()
        assert list(lines)[-1] == "True\n"
    numbers = {notice["request"]["context"]["number"] for notice in vendor.notices}
    assert len(numbers) == len(vendor.notices)
    assert least <= len(numbers) <= most
    dropped = [line["count"] for line in map(json.loads, logged) if line["event"] == "error reports were dropped"]
    assert sum(dropped) == 300 - len(numbers)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_refusal_is_a_line_in_the_log_and_no_report(report, vendor: Vendor, status: int):
    vendor.status = status
    out = report("log.error('x')")
    assert out.status == 0
    assert len(vendor.notices) == 1
    assert [(line["level"], line["status"]) for line in out.lines if line["logger"] == "aiproxy.reports"] == [
        ("warning", status)
    ]


def test_the_key_is_not_carried_elsewhere(report, vendor: Vendor):
    with Vendor() as elsewhere:
        vendor.status, vendor.location = 302, elsewhere.url
        report("log.error('x')")
        assert elsewhere.requests == []
    assert len(vendor.requests) == 1


def test_a_vendor_that_is_not_there_does_no_harm(program):
    out = program(START + "log.error('x')", SECRET=SECRET, KEY=KEY, ENDPOINT="http://127.0.0.1:9")
    assert out.status == 0
    assert out.events("aiproxy.reports") == ["an error report could not be sent"]


def test_a_notice_that_would_be_too_large_loses_its_context(report, vendor: Vendor):
    report("log.error('x', **{f'field{number}': f'{number} ' * 5000 for number in range(40)})")
    (notice,) = vendor.notices
    assert len(json.dumps(notice)) < MAX_BYTES
    assert notice["request"]["context"] == {"level": "error", "cut": True}
    assert notice["error"]["message"] == "x"


@pytest.mark.parametrize("patch", ["", "from gevent import monkey; monkey.patch_all()"], ids=["plain", "patched"])
def test_a_forked_worker_reports_for_itself(report, vendor: Vendor, patch: str):
    source = """
    for child in range(3):
        log.error("master", child=child)
        if not os.fork():
            exec(os.environ["PATCH"])
            log.error("worker", child=child)
            sys.exit(0)
    for child in range(3):
        os.waitpid(-1, 0)
    reports.flush(30)
    """
    report(source, PATCH=patch)
    seen = sorted((n["request"]["context"]["event"], n["request"]["context"]["child"]) for n in vendor.notices)
    assert seen == [(event, child) for event in ("master", "worker") for child in range(3)]


def test_a_master_that_waits_for_any_child_is_not_confused(report, vendor: Vendor):
    source = """
    for number in range(6):
        log.error("master", number=number)
        os.waitpid(-1, 0)
    assert reports.flush(0)
    """
    out = report(source)
    assert (out.status, out.stderr) == (0, "")
    assert len(vendor.notices) == 6


def test_nowhere_to_put_a_parcel(report, vendor: Vendor):
    source = """
    import tempfile
    tempfile.tempdir = "/nowhere"
    log.error("x")
    """
    out = report(source)
    assert out.status == 0
    assert out.events("aiproxy.reports") == ["error reports were dropped"]


def test_without_a_key_there_are_no_reports(program):
    source = """
    import sys
    import lib.telemetry as t
    assert t.configure_reports(None, "production") is None
    assert t.configure_reports("", "production", "http://127.0.0.1:9") is None
    t.get_logger("x").error("nobody is told")
    """
    out = program(source)
    assert (out.status, len(out.lines)) == (0, 1)


def test_a_reload_without_a_key_ends_them(report, vendor: Vendor):
    report("configure_reports(None, 'production'); log.error('x')")
    assert vendor.notices == []


@pytest.mark.parametrize("endpoint", ["file:///etc/passwd", "api.honeybadger.io", "http://", "http://x:port"])
def test_an_address_that_is_none_is_refused(endpoint: str):
    with pytest.raises(ValueError, match=r"must begin with http|could not be cast"):
        configure_reports("some-key", "test", endpoint)


@pytest.mark.parametrize("key", ["two\nlines-of-key", "schl\u00fcssel"])
def test_a_key_that_no_header_can_carry_is_refused_unnamed(key: str):
    with pytest.raises(ValueError, match="no HTTP header") as refusal:
        configure_reports(key, "test")
    assert key not in str(refusal.value)
