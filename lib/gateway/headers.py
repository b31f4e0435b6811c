"""Which headers travel on. Everything else stays here: credentials, cookies, hop-by-hop headers."""

from __future__ import annotations

from collections.abc import Iterable

UP = frozenset(
    {
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "idempotency-key",
        "openai-beta",
        "traceparent",
        "tracestate",
        "baggage",
        "user-agent",
        "x-client-request-id",
        "x-session-id",
    }
)
UP_PREFIXES = ("x-stainless-",)

DOWN = frozenset(
    {
        "content-type",
        "content-disposition",
        "content-language",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "x-amzn-requestid",
    }
)
RENAMED = {"x-request-id": "x-upstream-request-id"}  # our own id has that name


def upward(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The caller's headers that the vendor gets, names in lower case."""
    lowered = ((name.lower(), value) for name, value in headers)
    return [(name, value) for name, value in lowered if name in UP or name.startswith(UP_PREFIXES)]


def downward(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The vendor's headers that the caller gets."""
    kept = [(RENAMED.get(name, name), value) for name, value in headers if name in DOWN or name in RENAMED]
    return [(name, value) for name, value in kept if "\r" not in value and "\n" not in value]
