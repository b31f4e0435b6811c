"""Grades one program: what needs no model first, then the models, then their votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from lib.assessment.graded import Graded, Row
from lib.assessment.grading.answers import grades
from lib.assessment.grading.asking import CHAT, Answer, Asker, Door, Heard, Question, ask, bodies
from lib.assessment.grading.books import fold, openai_shape, total_cost, total_usage
from lib.assessment.grading.evidence import tidy
from lib.assessment.grading.failures import is_passing, shown, worst
from lib.assessment.grading.fields import Values
from lib.assessment.grading.prompt import messages
from lib.assessment.grading.request import Request, read_request
from lib.assessment.grading.unusable import Unusable
from lib.assessment.grading.votes import consensus
from lib.assessment.labels import NO
from lib.assessment.program import Decision, Trees, is_blank, without_comments
from lib.base.errors import AIProxyError, BodyTooLarge, UnusableAnswer
from lib.gateway import Record
from lib.net import Aside, Does
from lib.telemetry import get_logger
from lib.wire import JsonBody

log = get_logger("aiproxy.assessment")

TIMEOUT = 504
STATIC = "static"
EXTRACTED = ", code feature extractor"
BLANK = "The program is empty."


@dataclass(frozen=True, slots=True)
class GradingTerms:
    """What the operator decides: `deadline` in seconds from a request's start, the model of requests that name none,
    and how providers' names are written.

    `fingerprint` is another when grades may be (`lib.assessment.grading.fingerprint`). `rehearsed`: the echo answers
    in the place of every vendor.
    """

    deadline: float
    default_model: str | None
    titles: Mapping[str, str]
    fingerprint: str = ""
    rehearsed: bool = False


class Grader:
    """Grades programs against rubrics, through the gateway alone. `aside` does what takes long."""

    def __init__(self, door: Door, trees: Trees, terms: GradingTerms) -> None:
        self._door = door
        self._trees = trees
        self._terms = terms
        self.aside: Does = Aside().run

    @property
    def deadline(self) -> float:
        """Seconds from a request's start after which there is an answer or a failure."""
        return self._terms.deadline

    @property
    def fingerprint(self) -> str:
        """See `GradingTerms`."""
        return self._terms.fingerprint

    @property
    def rehearsed(self) -> bool:
        """See `GradingTerms`."""
        return self._terms.rehearsed

    def read(self, values: Values) -> Request:
        """The request that these fields make. Raises `BadRequest` that names the field at fault, `BodyTooLarge`."""
        return read_request(values, self._trees)

    def grade(self, request: Request, asker: Asker) -> Graded:
        """Grade a program. Raises `BadRequest`, `UnusableAnswer`, `BodyTooLarge`, and what `shown` makes of others."""
        code, decided = self.aside(
            lambda: (_shown_code(request), self._decided(request)),
            len(request.code) if request.remove_comments or request.goals else 0,
            asker.record.started + self.deadline,
        )
        if is_blank(code):
            return self._static(request, asker, {concept: _blank(concept) for concept in request.rubric.concepts}, "")
        if len(decided) == len(request.rubric.concepts):
            return self._static(request, asker, decided, EXTRACTED)
        return self._asked(request, asker, code, decided)

    def bodies(self, request: Request) -> list[JsonBody]:
        """What would be sent to grade it: nothing when no model need be asked. Raises `UnknownModel` and the like."""
        code = _shown_code(request)
        if is_blank(code) or len(request.goals) == len(request.rubric.concepts):
            return []
        return bodies(self._door, self._question(request, monotonic(), code))

    def _decided(self, request: Request) -> dict[str, Row]:
        """What the decision trees say. They read the program as it came: its line numbers are the student's."""
        if not request.goals or is_blank(request.code):
            return {}
        found = self._trees.decide_each(request.lesson or "", request.goals, request.code)
        return {concept: _decided_row(request, concept, decision) for concept, decision in found.items()}

    def _static(self, request: Request, asker: Asker, rows: Mapping[str, Row], how: str) -> Graded:
        """Grades that no model gave."""
        found = tuple(rows[concept] for concept in request.rubric.concepts)
        return Graded(found, STATIC + how, monotonic() - asker.record.started, cost=0)

    def _asked(self, request: Request, asker: Asker, code: str, decided: Mapping[str, Row]) -> Graded:
        question = self._question(request, asker.record.started, code)
        heard = Heard()
        try:
            heard = ask(self._door, question, asker)
            voted = consensus(self._usable(heard, request, asker.record), asker.record.request_id)
        except AIProxyError as error:
            raise self._shown(error, question, asker.record) from None
        finally:
            fold(asker.record, heard.records)
        usage = total_usage(heard.records)
        return Graded(
            rows=tuple(decided.get(row.concept) or _tidied(row) for row in voted),
            agent=self._maker(question, heard.records) + (EXTRACTED if decided else ""),
            seconds=monotonic() - asker.record.started,
            usage=openai_shape(usage) if usage else None,
            cost=total_cost(heard.records),
            more={"request": question.shown()} if request.include_request else {},
        )

    def _question(self, request: Request, started: float, code: str) -> Question:
        model = self._door.chooser.model_name(request.model or self._terms.default_model)
        return Question(
            model=model,
            messages=messages(request, code),
            temperature=request.temperature,
            count=request.num_responses,
            deadline=started + self._terms.deadline,
            seed=request.seed,
            credential=request.api_key,
        )

    def _usable(self, heard: Heard, request: Request, record: Record) -> list[tuple[Row, ...]]:
        """The gradings in the answers. Raises what is to be told when there is none."""
        found: list[tuple[Row, ...]] = []
        faults: list[tuple[Answer, str]] = []
        for number, answer in enumerate(heard.answers):
            try:
                found.append(grades(answer.text, request.rubric))
            except Unusable as fault:
                faults.append((answer, fault.reason))
                log.info("unusable answer", request_id=record.request_id, choice=number, cut=answer.cut)
        if found:
            return found
        if heard.failures and (not faults or is_passing(worst(heard.failures))):
            raise worst(heard.failures)
        raise _unusable(faults)

    def _shown(self, error: AIProxyError, question: Question, record: Record) -> AIProxyError:
        try:
            places = self._door.chooser.places(question.model, CHAT, own_key=question.credential is not None)
        except AIProxyError:
            places = []
        name = error.provider or next((place.provider.name for place in places), "")
        own = any(place.own_key for place in places if place.provider.name == name)
        told = shown(error, self._terms.titles.get(name) or name or "The model provider", own_key=own)
        if told.status == TIMEOUT:
            seconds = round(monotonic() - record.started, 3)
            log.warning("no grades in time", request_id=record.request_id, provider=name, seconds=seconds)
        return told

    def _maker(self, question: Question, records: list[Record]) -> str:
        """Who made the model that answered."""
        places = self._door.chooser.places(question.model, CHAT, own_key=question.credential is not None)
        served = {(record.provider, record.model_served) for record in records if record.status == 200}
        answered = (place for place in places if (place.provider.name, place.model) in served)
        return next(answered, places[0]).maker


def metadata(graded: Graded, student: str = "student") -> dict[str, Any]:
    """What clients get beside the rows. `cost` is in nano-USD, absent when there is no price."""
    known = {"usage": graded.usage, "cost": graded.cost}
    told = {name: value for name, value in known.items() if value is not None}
    return {"agent": graded.agent, "student_id": student, "time": graded.seconds, **told, **graded.more}


def _shown_code(request: Request) -> str:
    """The program as a model sees it."""
    return without_comments(request.code) if request.remove_comments else request.code


def _decided_row(request: Request, concept: str, decision: Decision) -> Row:
    reason = request.rubric.reasons[concept][decision.label]
    return Row(concept, decision.label, evidence=tidy(" ".join(decision.evidence)), reason=reason)


def _blank(concept: str) -> Row:
    return Row(concept, NO, observations=BLANK, reason=BLANK)


def _tidied(row: Row) -> Row:
    return Row(row.concept, row.label, row.observations, tidy(row.evidence), row.reason)


def _unusable(faults: list[tuple[Answer, str]]) -> AIProxyError:
    """Answers that ended at the model's limit are too long; any other is what its model made of the question."""
    whole = [reason for answer, reason in faults if not answer.cut]
    if faults and not whole:
        return BodyTooLarge(f"student: the answer was cut off at the model's limit: {faults[0][1]}")
    return UnusableAnswer(f"InvalidResponseError: {whole[0] if whole else 'No valid responses'}")
