"""What an operator sees on standard output, from a process of its own."""

from __future__ import annotations

import re
from base64 import b64encode

SECRET = "correct-horse-battery"
SHAPES = ["sk-ant-api03-abcdefgh", "AKIAIOSFODNN7EXAMPLE", "gsk_abcdefghijklmnop", "Bearer opaque-token-1"]
START = """
import logging, os, sys, threading, warnings
from lib.telemetry import add_secrets, configure_logs, get_logger
secret = os.environ["SECRET"]
log = get_logger("aiproxy.test")
configure_logs(os.environ.get("LEVEL", "INFO"), os.environ.get("FORMAT", "json"), [secret])
"""


def test_a_line_is_json_in_a_fixed_order(program):
    out = program(
        START + "log.info('something happened', status=200, none=None, nested={'a': [1, 2.5, True]})", SECRET=SECRET
    )
    (line,) = out.lines
    assert list(line) == ["timestamp", "level", "event", "logger", "status", "none", "nested"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "something happened",
        "logger": "aiproxy.test",
        "status": 200,
        "none": None,
        "nested": {"a": [1, 2.5, True]},
    }
    assert out.stderr == ""


def test_each_level_and_what_is_below_the_threshold(program):
    source = START + "for level in ('debug', 'info', 'warning', 'error', 'critical'): getattr(log, level)(level)"
    assert [line["level"] for line in program(source, SECRET=SECRET, LEVEL="WARNING").lines] == [
        "warning",
        "error",
        "critical",
    ]
    assert len(program(source, SECRET=SECRET, LEVEL="debug").lines) == 5


def test_a_bound_logger_adds_its_fields(program):
    (line,) = program(START + "log.bind(request_id='r1').info('x', a=1)", SECRET=SECRET).lines
    assert (line["request_id"], line["a"]) == ("r1", 1)


EVERYWHERE = """
import structlog

def fail(text):
    local_variable = "visible-local-value"
    raise ValueError(text)

for text in [secret, *os.environ["SHAPES"].split(",")]:
    log.info(text)
    log.warning("in a field", field=f"<{text}>", other={"deep": [text, {"k": (text, text.encode())}], text: 1})
    log.bind(bound=text).info("bound")
    logging.getLogger("library").warning("formatted %s and %r", text, {"k": text})
    structlog.get_logger("another").info(text, x=text)
    warnings.warn(f"warned of {text}", stacklevel=1)
    try:
        try:
            fail(text)
        except ValueError as error:
            raise RuntimeError(f"again {text}") from error
    except RuntimeError as error:
        error.add_note(f"noted {text}")
        log.exception("caught", value=error)
        log.error("caught as well", exc_info=error)
        logging.getLogger("library").exception("caught by a library")

class Finalized:
    def __del__(self):
        fail(text)

Finalized()
thread = threading.Thread(target=fail, args=(text,))
thread.start()
thread.join()
import gevent
gevent.spawn(fail, text).join()
fail(text)
"""


def test_no_secret_is_written_wherever_it_stands(program):
    out = program(START + EVERYWHERE, SECRET=SECRET, SHAPES=",".join(SHAPES))
    assert out.status == 1
    for text in [SECRET, *SHAPES]:
        token = text.removeprefix("Bearer ")
        assert token not in out.all
        assert b64encode(token.encode()).decode().rstrip("=") not in out.all
    assert out.all.count("[redacted]") > 100
    assert out.stderr == ""
    last = [line["event"] for line in out.lines[-4:]]
    assert last == ["exception in a finalizer", "a thread failed", "a greenlet failed", "uncaught exception"]


def test_exceptions_are_told_without_local_variables(program):
    out = program(START + EVERYWHERE, SECRET=SECRET, SHAPES=SHAPES[0])
    told = [line["exception"] for line in out.lines if "exception" in line]
    assert len(told) == 2 * 3 + 4
    assert all("Traceback (most recent call last)" in text and "ValueError: " in text for text in told)
    assert "The above exception was the direct cause" in told[0]
    assert "visible-local-value" not in out.all


def test_an_exception_may_be_given_in_every_way(program):
    source = """
try:
    1 / 0
except ZeroDivisionError as error:
    kept = error
    log.error("a", exc_info=True)
    log.error("b", exc_info=sys.exc_info())
log.error("c", exc_info=kept)
log.error("d", exc_info=None)
log.error("e", exc_info=True)
log.error("f", exc_info=(None, None, None))
"""
    lines = program(START + source, SECRET=SECRET).lines
    assert [line["event"] for line in lines if "exception" in line] == ["a", "b", "c"]
    assert not any("exc_info" in line for line in lines)


def test_other_libraries_never_write_debug_lines(program):
    source = """
library = logging.getLogger("library")
library.setLevel(logging.DEBUG)
library.debug("the whole request")
library.info("hello")
logging.getLogger("odd").log(25, "between")
log.debug("ours")
"""
    lines = program(START + source, SECRET=SECRET, LEVEL="DEBUG").lines
    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "hello"),
        ("info", "between"),
        ("debug", "ours"),
    ]
    assert program(START + source, SECRET=SECRET, LEVEL="ERROR").lines == []


def test_a_record_that_does_not_fit_its_arguments_is_written_without_them(program):
    source = """
logging.getLogger("library").warning("%d items", "not-a-number")
logging.getLogger("library").warning("%(x)s items", {"y": "hidden"})
"""
    out = program(START + source, SECRET=SECRET)
    assert [line["event"] for line in out.lines] == ["%d items", "%(x)s items"]
    assert out.stderr == ""


def test_a_key_that_was_rotated_in_is_redacted(program):
    source = "log.info('new-secret-value'); add_secrets(['new-secret-value']); log.info(f'new-secret-value {secret}')"
    assert program(START + source, SECRET=SECRET).events("aiproxy.test") == [
        "new-secret-value",
        "[redacted] [redacted]",
    ]


def test_text_of_others_can_be_redacted_without_being_logged(program):
    source = "from lib.telemetry import redact; log.info(len(redact(f'{secret}-' * 10_000)))"
    assert program(START + source, SECRET=SECRET).lines[0]["event"] == len("[redacted]-") * 10_000


def test_a_secret_too_short_to_be_redacted_is_announced(program):
    (line,) = program(START, SECRET="abc").lines
    assert (line["level"], line["event"], line["count"]) == ("warning", "secrets too short to be redacted", 1)


def test_lines_before_the_configuration_are_redacted_json_too(program):
    source = """
        from lib.telemetry import get_logger
        log = get_logger('early')
        log.info('sk-abcdefgh12345')
        log.debug('x')
    """
    assert program(source).events("early") == ["[redacted]"]


def test_text_that_json_cannot_hold_is_written_anyway(program):
    source = (
        START
        + "log.info('odd', lone='\\ud800', large=2**70, nan=float('nan'), bytes=b'\\xff', deep={'\\ud800': [2**70]})"
    )
    (line,) = program(source, SECRET=SECRET).lines
    assert line["large"] == str(2**70)
    assert line["lone"] == "?"
    assert line["nan"] is None
    assert line["bytes"] == "\N{REPLACEMENT CHARACTER}"
    assert line["deep"] == {"?": [str(2**70)]}


def test_a_line_is_one_line_whatever_is_in_it(program):
    out = program(START + "log.info('a\\nb\\r\\x1b[31m\\u2028', field='c\\nd')", SECRET=SECRET)
    assert out.stdout.count("\n") == 1
    assert out.lines[0]["event"] == "a\nb\r\x1b[31m\u2028"


def test_for_people_on_a_terminal(program):
    source = """
log.info("request", route="/v1/models", status=200, text='two words', x={"a": secret})
log.warning("sk-abcdefgh12345 \\x1b[31m")
try:
    raise ValueError(secret)
except ValueError:
    log.exception("failed")
"""
    out = program(START + source, SECRET=SECRET, FORMAT="console")
    lines = [re.sub(r"^\d\d:\d\d:\d\d\.\d{3}", "TIME", line) for line in out.stdout.splitlines()]
    assert lines[:4] == [
        'TIME info     request  logger=aiproxy.test route=/v1/models status=200 text="two words" x={"a":"[redacted]"}',
        "TIME warning  [redacted] \\x1b[31m  logger=aiproxy.test",
        "TIME error    failed  logger=aiproxy.test",
        "Traceback (most recent call last):",
    ]
    assert lines[-1] == "ValueError: [redacted]"
    assert SECRET not in out.all


def test_forked_processes_share_standard_output_line_by_line(program):
    source = """
children = []
for child in range(3):
    pid = os.fork()
    if not pid:
        for number in range(200):
            log.info("x" * 1000, child=child, number=number)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
"""
    lines = program(START + source, SECRET=SECRET).lines
    assert sorted((line["child"], line["number"]) for line in lines) == [(c, n) for c in range(3) for n in range(200)]


def test_an_interrupt_stays_what_python_makes_of_it(program):
    out = program(START + "raise KeyboardInterrupt", SECRET=SECRET)
    assert out.stdout == ""
    assert "KeyboardInterrupt" in out.stderr
