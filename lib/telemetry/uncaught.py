"""Exceptions that nobody caught become log lines instead of raw text on standard error."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any, Protocol

from gevent.hub import Hub


class Log(Protocol):
    """A logger, as far as it is needed here."""

    def error(self, event: str, **fields: Any) -> None:
        """Write an error."""

    def critical(self, event: str, **fields: Any) -> None:
        """Write a critical error."""


def catch_uncaught(log: Log) -> None:
    """Log what ends the process, a thread or a greenlet, and what a finalizer raises."""

    def in_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("uncaught exception", exc_info=error)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):
            log.error("a thread failed", exc_info=args.exc_value)

    def in_finalizer(args: Any) -> None:
        if not sys.is_finalizing():  # at the very end, what finalizers need may be gone already
            log.error("exception in a finalizer", exc_info=args.exc_value)

    def in_greenlet(
        hub: Hub,
        context: object,
        kind: type[BaseException] | None,
        error: BaseException | str | None,
        trace: TracebackType | None,
    ) -> None:
        """Says nothing of `context`: it shows the arguments of the greenlet's function."""
        del hub, context, trace
        if isinstance(error, BaseException):
            log.error("a greenlet failed", exc_info=error)
        else:
            log.error("a greenlet failed", kind=kind.__name__ if kind else None, detail=error)

    sys.excepthook = in_process
    threading.excepthook = in_thread
    sys.unraisablehook = in_finalizer
    Hub.print_exception = in_greenlet  # type: ignore[method-assign, assignment]
