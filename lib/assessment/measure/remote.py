"""Grading by a running proxy: `POST /assessment`, asked as the website asks it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import gevent
import msgspec

from lib.assessment.graded import FINGERPRINT, Graded, Row
from lib.assessment.labels import LABELS
from lib.assessment.measure.experiment import Experiment
from lib.assessment.measure.faults import InputError
from lib.assessment.measure.grading import Ungraded
from lib.assessment.rubric import CONCEPT
from lib.base.errors import AIProxyError, VendorProtocolError, VendorTimeout
from lib.net import HttpClient, HttpRequest, Origin

PATIENCE = 165.0  # seconds, as the website has
PAUSES = (3.0, 18.0)  # seconds before the second and the third attempt, unless the proxy names a time
AGAIN = frozenset({429, 503, 504})
MOST_BYTES = 16 * 1024 * 1024


class Refused(Exception):
    """The proxy answered with an error: its status and its words. `retry_after` is in seconds."""

    def __init__(self, status: int, words: str, retry_after: float | None) -> None:
        super().__init__(f"{status} refused: {words or 'without a word'}")
        self.status = status
        self.retry_after = retry_after


class Told(msgspec.Struct, frozen=True):
    """What a proxy says of itself at `/assessment/fingerprint`; nothing, when it does not know that path."""

    fingerprint: str | None = None
    rehearsed: bool = False


@dataclass(slots=True)
class RemoteGrader:
    """Grades at `url`, with the proxy's `key`. `cost` knows what a model's tokens cost, in nano-USD."""

    url: str
    key: str | None
    cost: Callable[[str, dict[str, int]], int | None] = lambda _model, _usage: None
    pauses: tuple[float, ...] = PAUSES
    _http: HttpClient = field(default_factory=HttpClient)
    _told: Told | None = None

    def check(self, experiment: Experiment) -> None:
        """See that the address is one. Raises `InputError`."""
        try:
            Origin.parse(self.url)
        except ValueError as error:
            raise InputError(f"--url: {error}") from None

    def identity(self) -> str | None:
        """What the proxy says of itself, once and for the whole run; None when it says nothing. Raises `InputError`."""
        return self._ask_once().fingerprint

    def rehearsed(self) -> bool:
        """Whether it says that no model is asked there. Raises `InputError`."""
        return self._ask_once().rehearsed

    def _ask_once(self) -> Told:
        if self._told is None:
            try:
                _, body = self._exchange("GET", "/assessment/fingerprint", b"")
                self._told = msgspec.json.decode(body, type=Told)
            except (Refused, msgspec.MsgspecError):  # an older one, or another's
                self._told = Told()
            except AIProxyError as error:
                raise InputError(f"--url: {error.message}") from None
        return self._told

    def grade(self, experiment: Experiment, code: str) -> Graded:
        """Ask, up to three times where it may help. Raises `Ungraded`."""
        try:
            return self._asked(experiment, code)
        except Refused as error:
            raise Ungraded(str(error)) from None
        except AIProxyError as error:
            raise Ungraded.of(error) from None

    def _asked(self, experiment: Experiment, code: str) -> Graded:
        body = urlencode(form(experiment, code)).encode()
        for pause in (*self.pauses, None):
            started = monotonic()
            try:
                headers, answer = self._exchange("POST", "/assessment", body)
                graded = read_answer(answer, experiment.rubric.concepts, monotonic() - started)
                said = headers.get(FINGERPRINT.lower())
                return replace(graded, cost=self._cost(experiment, graded), fingerprint=said)
            except Refused as error:
                if error.status not in AGAIN or pause is None:
                    raise
                gevent.sleep(pause if error.retry_after is None else error.retry_after)
        raise AssertionError("the last attempt returns or raises")

    def _cost(self, experiment: Experiment, graded: Graded) -> int | None:
        """What the tokens cost; nothing where no model was asked."""
        return self.cost(experiment.params.model, graded.usage) if graded.usage else 0

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[dict[str, str], bytes]:
        """The headers, by their names in lower case, and the body of a 200. Raises `Refused`, `AIProxyError`."""
        origin = Origin.parse(self.url)
        headers = [("content-type", "application/x-www-form-urlencoded"), ("user-agent", "rubric-tester")]
        if self.key:
            headers.append(("authorization", self.key))
        until = monotonic() + PATIENCE
        exchange = self._http.exchange(HttpRequest(origin, f"{origin.prefix}{path}", headers, body, method=method))
        try:
            if not exchange.start(PATIENCE):
                raise VendorTimeout("The proxy did not answer in time.")
            answer = bytearray()
            while block := exchange.read(max(0.0, until - monotonic())):
                answer += block
                if len(answer) > MOST_BYTES:
                    raise VendorProtocolError("The proxy's answer is too large.")
            if block is None:
                raise VendorTimeout("The proxy's answer did not come in time.")
            if exchange.status != 200:
                raise _refused(exchange.status, dict(exchange.headers), bytes(answer))
            return dict(exchange.headers), bytes(answer)
        finally:
            exchange.close()


def form(experiment: Experiment, code: str) -> dict[str, str]:
    """The fields of `POST /assessment`."""
    params = experiment.params
    fields = {
        "code": code,
        "prompt": experiment.prompt,
        "rubric": experiment.rubric.text,
        "examples": json.dumps(experiment.examples),
        "model": params.model,
        "num-responses": str(params.num_responses),
        "temperature": str(params.temperature),
        "remove-comments": str(int(params.remove_comments)),
        "response-type": params.response_type,
    }
    if params.extractor:
        fields["code-feature-extractor"] = json.dumps(params.extractor)
    if params.lesson is not None:
        fields["lesson"] = params.lesson
    if params.seed is not None:
        fields["seed"] = str(params.seed)
    return fields


def read_answer(body: bytes, concepts: tuple[str, ...], seconds: float) -> Graded:
    """The grades of a 200, in the order of `concepts`. Raises `VendorProtocolError` when they are none."""
    try:
        answer = msgspec.json.decode(body)
        metadata = answer.get("metadata") or {}
        rows = {row.concept: row for row in map(_row, answer["data"])}
        return Graded(
            rows=tuple(rows[concept] for concept in concepts),
            agent=str(metadata.get("agent", "")),
            seconds=float(metadata.get("time", seconds)),
            usage=metadata.get("usage"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise VendorProtocolError("The proxy's answer is not that of /assessment.", detail=repr(error)) from None


def _row(row: dict[str, Any]) -> Row:
    label = row.get("Grade", row.get("Label"))
    if label not in LABELS:
        raise ValueError(f"{label!r} is no label")
    others = (str(row.get(name) or "") for name in ("Observations", "Evidence", "Reason"))
    return Row(row[CONCEPT], label, *others)


def _refused(status: int, headers: dict[str, str], body: bytes) -> Refused:
    return Refused(status, body.decode(errors="replace").strip()[:500], _seconds(headers.get("retry-after", "")))


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return min(value, PATIENCE) if math.isfinite(value) and value >= 0 else None
