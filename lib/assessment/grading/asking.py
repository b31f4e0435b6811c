"""How a model is asked: for several answers in one call where its dialect can, else side by side.

All calls of a request share its client, its deadline and, in the end, its record. One usable answer is enough, so a
call that fails is only a failure when no other brought anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from gevent.pool import Pool

from lib.access import Caller
from lib.assessment.grading.prompt import Message
from lib.assessment.grading.shared_client import SharedClient
from lib.base.errors import AIProxyError, VendorProtocolError, VendorRefused
from lib.gateway import Call, Chooser, Client, Record, Reply
from lib.wire import TOO_LONG, Dialect, JsonBody, Shape, path_of, read_error

CHAT = path_of(Shape.CHAT)
MOST_TEMPERATURE = 1.0  # of Anthropic's dialect; OpenAI's goes to 2
_NOT_SO_MANY = frozenset({400, 422})  # how vendors of the dialect refuse an `n` that they do not have


class Door(Protocol):
    """The gateway, as far as grading needs it."""

    @property
    def chooser(self) -> Chooser:
        """Knows where a model's name leads."""

    def call(self, call: Call) -> Reply:
        """Answer one call; see `lib.gateway.Gateway`."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The request in which a program is graded. `record` tells in the end what all of its calls did.

    `run` is the agent's run that they belong to, whose cost cap then holds.
    """

    caller: Caller
    client: Client
    record: Record
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `count` answers are wanted, before `deadline` on the monotonic clock.

    `seed` is for dialects that have one; answers that are asked for one by one get others in turn.
    """

    model: str
    messages: list[Message]
    temperature: float
    count: int
    deadline: float
    seed: int | None = None
    credential: str | None = field(default=None, repr=False)

    def shown(self) -> dict[str, Any]:
        """What was asked, for whoever asked."""
        return {**self.body(seed=self.seed), "n": self.count}

    def body(self, count: int = 1, seed: int | None = None) -> dict[str, Any]:
        """A chat completion for so many answers."""
        body = {"model": self.model, "messages": self.messages, "temperature": self.temperature}
        body |= {} if seed is None else {"seed": seed}
        return body | {"n": count} if count > 1 else body


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `cut`: it ended at the model's limit."""

    text: str
    cut: bool = False


@dataclass(slots=True)
class Heard:
    """What came of a question: the answers in their order, the failures, and the records of all calls."""

    answers: list[Answer] = field(default_factory=list)
    failures: list[AIProxyError] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


class _Message(msgspec.Struct):
    content: Any = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def ask(door: Door, question: Question, asker: Asker) -> Heard:
    """Ask, and wait for all answers. Raises `UnknownModel` and the like before anything is sent."""
    openai = _speaks_openai(door, question)
    heard = Heard()
    client = SharedClient(asker.client)

    def one(count: int) -> list[Answer] | AIProxyError:
        record = _record_like(asker.record)
        seed = None if question.seed is None or not openai else question.seed + len(heard.records)
        heard.records.append(record)
        body = question.body(count, seed)
        if not openai:
            body["temperature"] = min(question.temperature, MOST_TEMPERATURE)
        call = Call(CHAT, asker.caller, _json(body), (), client.part(), record, run=asker.run)
        call.deadline, call.credential = question.deadline, question.credential
        try:
            return _answers(door.call(call), record)
        except AIProxyError as error:
            error.provider = error.provider or record.provider
            return error

    if openai and question.count > 1:
        _together(heard, one, question.count)
    else:
        _side_by_side(heard, one, question.count)
    return heard


def bodies(door: Door, question: Question) -> list[JsonBody]:
    """What is sent when all goes well. Raises `UnknownModel` and the like."""
    if _speaks_openai(door, question):
        return [_json(question.body(question.count))]
    return [_json(question.body())] * question.count


def _speaks_openai(door: Door, question: Question) -> bool:
    """Whether one call can ask for several answers, and for the same ones another time."""
    places = door.chooser.places(question.model, CHAT, own_key=question.credential is not None)
    return all(place.dialect is Dialect.OPENAI for place in places)


def _together(heard: Heard, one: Callable[[int], list[Answer] | AIProxyError], count: int) -> None:
    """One call for all answers. What it does not bring is asked for side by side."""
    outcome = one(count)
    if isinstance(outcome, list):
        heard.answers += outcome[:count]
    elif not _is_for_n(outcome):
        heard.failures.append(outcome)
        return
    if len(heard.answers) < count:
        _side_by_side(heard, one, count - len(heard.answers))


def _side_by_side(heard: Heard, one: Callable[[int], list[Answer] | AIProxyError], count: int) -> None:
    """A call for each answer, at the same time."""
    if count == 1:
        outcomes = [one(1)]
    else:
        pool = Pool(count)
        try:
            outcomes = pool.map(one, [1] * count)
        finally:
            pool.kill()  # whoever waited was told to stop
    for outcome in outcomes:
        if isinstance(outcome, list):
            heard.answers += outcome[:1]
        else:
            heard.failures.append(outcome)


def _is_for_n(error: AIProxyError) -> bool:
    """Whether a call may have been refused for asking for several answers."""
    return isinstance(error, VendorRefused) and error.status in _NOT_SO_MANY and error.code != TOO_LONG


def _answers(reply: Reply, record: Record) -> list[Answer]:
    """The choices of a whole chat completion. Raises `VendorRefused`, `VendorProtocolError`."""
    if not isinstance(reply.body, bytes):
        reply.body.close()
        raise VendorProtocolError(detail="a stream that nobody asked for")
    if reply.status != 200:
        said = read_error(reply.body)
        raise VendorRefused(said.message, status=reply.status, code=said.code, provider=record.provider or "")
    try:
        choices = msgspec.json.decode(reply.body, type=_Completion).choices
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise VendorProtocolError(detail="not a chat completion") from None
    return [Answer(_text(choice.message.content), choice.finish_reason == "length") for choice in choices]


def _text(content: Any) -> str:
    """The text of a message: a string, or the texts of its parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _record_like(record: Record) -> Record:
    return Record(
        request_id=record.request_id, caller=record.caller, route=record.route, family=record.family or "assessment"
    )


def _json(body: dict[str, Any]) -> JsonBody:
    return JsonBody(msgspec.json.encode(body))
