"""The behaviours by name: `stream-20-0.1` is `stream(call, 20, 0.1)`.

A test queues a name with `Upstream.plan`, or asks for a model of that name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator

from tests.upstream import faults, good, refusals
from tests.upstream.record import Call
from tests.upstream.steps import Behaviour, Steps

ROWS: dict[str, Callable[..., Steps]] = {
    "ok": good.ok,
    "stream": good.stream,
    "big": good.big,
    "tools": good.tools,
    "cached": good.cached,
    "nousage": good.nousage,
    "length": good.length,
    "slow": good.slow,
    "slow-body": good.slow_body,
    "slow-middle": good.slow_middle,
    "gzip": good.gzip,
    "interim": good.interim,
    "early-hints": good.early_hints,
    "crlf": good.crlf,
    "multiline": good.multiline,
    "comments": good.comments,
    "one-write": good.one_write,
    "one-chunk": good.one_chunk,
    "split": good.split,
    "split-utf8": good.split_utf8,
    "bytewise": good.bytewise,
    "trailers": good.trailers,
    "last-close": good.last_close,
    "idle-close": good.idle_close,
    "no-length": good.no_length,
    "http10": good.http10,
    "silent": faults.silent,
    "silent-head": faults.silent_head,
    "silent-stream": faults.silent_stream,
    "silent-half": faults.silent_half,
    "close-half": faults.close_half,
    "cut": faults.cut,
    "close": faults.close,
    "cut-head": faults.cut_head,
    "close-head": faults.close_head,
    "cut-body": faults.cut_body,
    "close-body": faults.close_body,
    "cut-chunk": faults.cut_chunk,
    "close-chunk": faults.close_chunk,
    "no-end": faults.no_end,
    "close-end": faults.close_end,
    "no-done": faults.no_done,
    "long-length": faults.long_length,
    "short-length": faults.short_length,
    "two-lengths": faults.two_lengths,
    "junk-status": faults.junk_status,
    "junk-header": faults.junk_header,
    "junk-chunk": faults.junk_chunk,
    "junk-event": faults.junk_event,
    "endless-header": faults.endless_header,
    "endless-headers": faults.endless_headers,
    "endless-line": faults.endless_line,
    "endless-body": faults.endless_body,
    "false-ok": refusals.false_ok,
    "error-after": refusals.error_after,
    "error": refusals.error_status,
    "leak": refusals.leak,
    "retry-after": refusals.retry_after,
    "retry-date": refusals.retry_date,
    "retry-ms": refusals.retry_ms,
    "quota": refusals.quota,
    "html": refusals.html,
    "not-json": refusals.not_json,
    "empty": refusals.empty,
    "empty-stream": refusals.empty_stream,
    "redirect": refusals.redirect,
    "early": refusals.early,
    "early-cut": refusals.early_cut,
}
EARLY = frozenset({"early", "early-cut"})


def named(name: str) -> Behaviour:
    """The behaviour of that name. Raises `ValueError` when there is none, or for too many numbers."""
    found = _find(name)
    if found is None:
        raise ValueError(f"no behaviour is called {name!r}; see python -m tests.upstream --help")
    return found


def for_model(model: str) -> Behaviour:
    """The behaviour that a model's name asks for; the right answer for any other name.

    A vendor's prefix (`openai/slow-2`) is ignored.
    """
    found = _find(model.rpartition("/")[2])
    return Behaviour("ok", good.ok) if found is None or found.early else found


def usage_lines() -> Iterator[str]:
    """One line for each behaviour: its name, its numbers with their defaults, what it does."""
    for name, play in ROWS.items():
        parameters = list(inspect.signature(play).parameters.values())[1:]
        numbers = "".join(f"[-{parameter.name.upper()}={parameter.default:g}]" for parameter in parameters)
        yield f"  {name + numbers:<36} {play.__doc__}"


def _find(name: str) -> Behaviour | None:
    match = re.fullmatch(r"([a-z][a-z0-9-]*?)((?:-\d+(?:\.\d+)?)*)", name)
    base, numbers = (name, []) if name in ROWS or match is None else (match[1], match[2].split("-")[1:])
    play = ROWS.get(base)
    if play is None:
        return None
    arguments = [float(number) for number in numbers]
    if len(arguments) >= len(inspect.signature(play).parameters):
        raise ValueError(f"{base} takes fewer numbers than {name!r} has")

    def bound(call: Call) -> Steps:
        return play(call, *arguments)

    return Behaviour(name, bound, early=base in EARLY)
