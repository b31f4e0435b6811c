"""What is written down when an attempt, a call or a request is over, on every exit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from time import monotonic

from lib.base.errors import AIProxyError
from lib.base.money import NANO, show
from lib.gateway.call import Record
from lib.providers import ECHO
from lib.telemetry import Finished, Metrics, get_logger

log = get_logger("aiproxy.gateway")
access = get_logger("aiproxy.access")

_OUR_LIMITS = (402, 429)  # statuses of calls that a budget or a rate kept from any vendor
MAX_SERVED = 50  # models of one provider that are counted by name, beside those of the models file


class Settler:
    """Turns records into metrics, log lines and rows of the ledger.

    `served` is the set of models that metrics name: it grows by those that a provider answered for,
    up to `MAX_SERVED` each, so that no caller can make labels without end, and by those that `know` is told.
    """

    def __init__(self, metrics: Metrics, served: set[str]) -> None:
        self._metrics = metrics
        self._served = served
        self._found: Counter[str] = Counter()  # by provider

    def know(self, models: Iterable[str]) -> None:
        """These are counted by name, whoever serves them."""
        self._served.update(models)

    def entered(self) -> None:
        """A request has arrived. `finished` must follow."""
        self._metrics.entered()

    def stream_opened(self) -> None:
        """A streamed answer begins. `stream_closed` must follow."""
        self._metrics.stream_opened()

    def stream_closed(self) -> None:
        """A streamed answer is over."""
        self._metrics.stream_closed()

    def attempt_failed(self, error: AIProxyError, record: Record) -> None:
        """One attempt failed by the vendor's fault; another may follow."""
        provider = error.provider or "none"
        self._metrics.attempt_failed(provider, error.code)
        log.warning(
            "attempt failed",
            request_id=record.request_id,
            provider=provider,
            code=error.code,
            status=error.status,
            detail=error.detail,
        )

    def store_failed(self, store: str) -> None:
        """A store of ours was down or slow: `database` or `rates`."""
        self._metrics.store_failed(store)

    def place_rests(self, place: str, seconds: float) -> None:
        """A place has failed too often in a row and is left alone for a while."""
        log.warning("provider rests after repeated failures", place=place, seconds=seconds)

    def settle(self, record: Record) -> None:
        """The call is over; what it used is known. Does nothing the second time."""
        if record.settled:
            return
        record.settled = True
        if record.admission is not None:
            record.admission.settle(record)
        if record.attempts == 0 and record.status in _OUR_LIMITS and record.error:
            self._metrics.refused(record.error)
        provider, model, usage = record.provider, _model(record), record.usage
        if provider is None or model is None:
            return
        if record.status == 200 and model not in self._served and self._found[provider] < MAX_SERVED:
            self._found[provider] += 1
            self._served.add(model)
        if record.cost:
            self._metrics.cost(provider, model, record.exactness, record.cost / NANO)
        if usage is not None:
            self._metrics.tokens(provider, model, "input", usage.input_tokens)
            self._metrics.tokens(provider, model, "output", usage.output_tokens)
            self._metrics.tokens(provider, model, "cache_read", usage.cache_read_tokens)
            self._metrics.tokens(provider, model, "cache_write", usage.cache_write_tokens + usage.cache_write_1h_tokens)

    def finished(self, request_id: str, method: str, route: str, record: Record) -> None:
        """The request is over: one access line, and the counters."""
        seconds = monotonic() - record.started
        metrics = self._metrics
        metrics.left()
        metrics.finished(
            Finished(
                route=route,
                method=method,
                status=record.status,
                seconds=seconds,
                provider=record.provider,
                model=_model(record),
                first_byte=record.first_byte,
            )
        )
        if record.gone:
            metrics.client_gone(route)
        access.info("request", **access_fields(request_id, method, route, record, seconds))


def access_fields(request_id: str, method: str, route: str, record: Record, seconds: float) -> dict[str, object]:
    """The fields of the access line. Absent ones are left out; times are in milliseconds."""
    fields: dict[str, object] = {
        "request_id": request_id,
        "method": method,
        "route": route,
        "status": record.status,
        "caller": record.caller,
        "duration_ms": round(seconds * 1000, 3),
    }
    if record.model_asked is None:
        return fields
    fields["model"] = record.model_asked
    fields["model_served"] = record.model_served
    fields["provider"] = record.provider
    fields["attempts"] = record.attempts
    fields["stream"] = record.stream
    fields["client_gone"] = record.gone
    if record.first_byte is not None:
        fields["first_byte_ms"] = round(record.first_byte * 1000, 3)
    usage = record.usage
    if usage is not None:
        fields["input_tokens"] = usage.input_tokens
        fields["output_tokens"] = usage.output_tokens
        fields["cache_read_tokens"] = usage.cache_read_tokens
        fields["cache_write_tokens"] = usage.cache_write_tokens + usage.cache_write_1h_tokens
    if record.run is not None:
        fields["run"] = record.run
    if record.cost is not None:
        fields["cost_usd"] = show(record.cost)
    if record.error is not None:
        fields["error"] = record.error
    return fields


def _model(record: Record) -> str | None:
    """The model as metrics name it: without the knobs that stand in an echo's name."""
    return ECHO if record.provider == ECHO else record.model_served
