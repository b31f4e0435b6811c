"""Grading through a real gateway, with vendors that answer as they are told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
import pytest

from lib.access import Caller
from lib.assessment import LABELS, NO, Asker, Example, Graded, Grader, GradingTerms, Request, Rubric, Trees
from lib.base.errors import AIProxyError, BadRequest, BodyTooLarge, ClientGone, UnusableAnswer
from lib.gateway import Record
from tests.lib.assessment.grading.sheets import CONCEPTS, GIVEN, ROWS, RUBRIC, as_json, as_tsv, labels
from tests.lib.gateway.door import Door, Visitor
from tests.upstream import Answer, Behaviour, Call, Upstream, deliver

CODE = "rect(1, 2, 3, 4); // a shape"
OPENAI, CLAUDE = "openai/gpt-4o", "anthropic/claude"
GRADES = ("Limited Evidence", "No Evidence", "Extensive Evidence")
EXTENSIVE, LIMITED = LABELS[0], LABELS[2]
CALLER = Caller("tester", frozenset({"assessment"}))


def openai_body(*texts: str | None, finish: str = "stop", **more: Any) -> bytes:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        for at, text in enumerate(texts)
    ]
    used = {"prompt_tokens": 100, "completion_tokens": 10 * len(texts), "total_tokens": 100 + 10 * len(texts)}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": choices, "usage": used, **more}).encode()


def claude_body(text: str, stop: str = "end_turn") -> bytes:
    used = {"input_tokens": 90, "cache_read_input_tokens": 10, "output_tokens": 10}
    content = [{"type": "text", "text": text}]
    said = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": content}
    return json.dumps({**said, "stop_reason": stop, "stop_sequence": None, "usage": used}).encode()


def says(*texts: str | None, **more: Any) -> Behaviour:
    """Choices of a chat completion."""
    return _whole(lambda call: openai_body(*texts, **more))


def claude_says(text: str, stop: str = "end_turn") -> Behaviour:
    """A message."""
    return _whole(lambda call: claude_body(text, stop))


def refuses(status: int, **error: Any) -> Behaviour:
    """An error in OpenAI's dialect."""
    return _whole(
        lambda call: json.dumps({"error": {"message": "m", "type": "t", "code": None, **error}}).encode(), status
    )


def _whole(body: Callable[[Call], bytes], status: int = 200) -> Behaviour:
    return Behaviour("whole", lambda call: deliver(Answer((body(call),), status=status)))


class Desk:
    """Asks for grades."""

    def __init__(self, door: Door, upstream: Upstream) -> None:
        self.upstream = upstream
        self.record = Record(request_id="the-id", route="/assessment")
        self.visitor = Visitor()
        self._door = door

    def grade(self, model: str = OPENAI, deadline: float = 30.0, **fields: Any) -> Graded:
        """Grades for a program."""
        terms = GradingTerms(deadline, None, {"openai": "OpenAI", "anthropic": "Anthropic"})
        grader = Grader(self._door.gateway, Trees.load(), terms)
        request = Request(**{"code": CODE, "prompt": "p", "rubric": RUBRIC, "model": model, **fields})
        return grader.grade(request, Asker(CALLER, self.visitor, self.record))

    def fails(self, model: str = OPENAI, deadline: float = 30.0, **fields: Any) -> AIProxyError:
        """The failure instead."""
        with pytest.raises(AIProxyError) as caught:
            self.grade(model, deadline, **fields)
        return caught.value

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies that the vendors got."""
        return [call.json for call in self.upstream.calls]


@pytest.fixture
def desk(upstream: Upstream, tmp_path: Path) -> Iterator[Desk]:
    door = Door(upstream, tmp_path)
    door.open("[defaults]\nattempts = 1\n[rest]\nfailures = 1000\n")
    yield Desk(door, upstream)
    door.http.close()


# ---- one answer ----


@pytest.mark.parametrize("text", [as_json(), as_tsv()])
def test_an_answer_becomes_grades(desk: Desk, text: str) -> None:
    desk.upstream.plan(says(text))
    graded = desk.grade()
    assert {row.concept: row.label for row in graded.rows} == GIVEN
    assert [row.concept for row in graded.rows] == list(CONCEPTS)
    assert (graded.agent, graded.cost is not None) == ("openai", True)
    assert graded.usage == {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    assert graded.more == {}


def test_what_a_vendor_is_sent(desk: Desk) -> None:
    desk.upstream.plan(says(as_json()))
    desk.grade(temperature=0.7, include_request=True)
    (body,) = desk.sent
    assert (body["model"], body["temperature"], "n" in body, "stream" in body) == ("gpt-4o", 0.7, False, False)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert "max_tokens" not in body


def test_the_request_is_told_when_it_is_asked_for(desk: Desk) -> None:
    desk.upstream.plan(says(as_json()))
    told = desk.grade(include_request=True, api_key="sk-own").more["request"]
    assert set(told) == {"model", "temperature", "messages", "n"}
    assert "sk-own" not in str(told)


def test_claude_gets_the_same_question(desk: Desk) -> None:
    desk.upstream.plan(claude_says(as_json()))
    graded = desk.grade(CLAUDE, temperature=0.7)
    (body,) = desk.sent
    assert (body["temperature"], body["max_tokens"]) == (0.7, 4096)
    assert "Key Concept" in str(body["system"])
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert (graded.agent, graded.usage) == (
        "anthropic",
        {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    )


def test_claude_gets_the_examples(desk: Desk) -> None:
    desk.upstream.plan(claude_says(as_tsv()))
    desk.grade(CLAUDE, examples=(Example("one();", as_tsv()), Example("two();", as_json())), response_type="tsv")
    (body,) = desk.sent
    said = [(message["role"], str(message["content"])) for message in body["messages"]]
    assert [role for role, _ in said] == ["user", "assistant"] * 2 + ["user"]
    assert ["one();" in said[0][1], "two();" in said[2][1], "rect(1" in said[4][1]] == [True] * 3
    assert ("tab-separated" in str(body["system"]), "JSON array" in str(body["system"])) == (True, False)


def test_comments_are_taken_out_when_asked(desk: Desk) -> None:
    for remove in (False, True):
        desk.upstream.plan(says(as_json()))
        desk.grade(remove_comments=remove)
    assert ["a shape" in body["messages"][-1]["content"] for body in desk.sent] == [True, False]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (says("I would rather not."), "no JSON array"),
        (says(""), "no JSON array"),
        (says(None), "no JSON array"),
        (says(as_json()[:-80]), "missing 'Loops'"),
        (says(as_tsv(labels("Some Evidence", "No Evidence", "No Evidence"))), "invalid label value"),
        (says(), "No valid responses"),
    ],
)
def test_an_unusable_answer_says_why(desk: Desk, behaviour: Behaviour, reason: str) -> None:
    desk.upstream.plan(behaviour)
    error = desk.fails()
    assert (type(error), error.status) == (UnusableAnswer, 400)
    assert error.message.startswith("InvalidResponseError: ")
    assert reason in error.message


@pytest.mark.parametrize("text", ["", "[", as_json()[:-80], as_tsv()[:-60]])
def test_an_answer_that_was_cut_off_is_too_large(desk: Desk, text: str) -> None:
    desk.upstream.plan(says(text, finish="length"), claude_says(text, "max_tokens"))
    for model in (OPENAI, CLAUDE):
        error = desk.fails(model)
        assert (type(error), error.status, error.message[:8]) == (BodyTooLarge, 413, "student:")


def test_an_answer_that_is_whole_though_it_was_cut_off_counts(desk: Desk) -> None:
    desk.upstream.plan(says(as_json(), finish="length"))
    assert desk.grade().agent == "openai"


# ---- several answers ----

FIRST, SECOND = as_json(labels(*GRADES)), as_json(labels(EXTENSIVE, "No Evidence", "Extensive Evidence"))


def test_several_answers_in_one_call(desk: Desk) -> None:
    desk.upstream.plan(says(FIRST, SECOND, SECOND))
    graded = desk.grade(num_responses=3)
    assert [body["n"] for body in desk.sent] == [3]
    assert graded.rows[0].label == EXTENSIVE
    assert graded.rows[0].reason.startswith(f"Votes: [{LIMITED}, {EXTENSIVE}, {EXTENSIVE}] ")
    assert not graded.rows[1].reason.startswith("Votes")
    assert graded.usage is not None
    assert graded.usage["total_tokens"] == 130


def test_several_answers_side_by_side(desk: Desk) -> None:
    desk.upstream.plan(claude_says(SECOND), claude_says(FIRST), claude_says(SECOND))
    graded = desk.grade(CLAUDE, num_responses=3)
    assert ["n" in body for body in desk.sent] == [False] * 3
    assert graded.rows[0].label == EXTENSIVE
    assert graded.usage == {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}
    assert (desk.record.attempts, desk.record.usage.prompt_tokens if desk.record.usage else 0) == (3, 300)


def test_they_are_asked_for_at_the_same_time(desk: Desk) -> None:
    begin = monotonic()
    desk.fails("anthropic/slow-0.4", num_responses=8)
    assert monotonic() - begin < 2
    assert len(desk.sent) == 8


@pytest.mark.parametrize("status", [400, 422])
def test_a_vendor_that_has_no_n_is_asked_one_by_one(desk: Desk, status: int) -> None:
    desk.upstream.plan(refuses(status, param="n"), says(FIRST), says(FIRST), says(SECOND))
    assert desk.grade(num_responses=3).rows[0].label in (LIMITED, EXTENSIVE)
    assert [body.get("n") for body in desk.sent] == [3, None, None, None]


def test_a_vendor_that_passes_over_n_is_asked_for_the_rest(desk: Desk) -> None:
    desk.upstream.plan(says(FIRST), says(FIRST), says(FIRST))
    graded = desk.grade(num_responses=3, seed=5)
    first, *others = [(body.get("n"), body["seed"]) for body in desk.sent]
    assert (first, sorted(others, key=str)) == ((3, 5), [(None, 6), (None, 7)])  # side by side: in any order
    assert graded.usage is not None
    assert graded.usage["total_tokens"] == 330


def test_a_seed_is_not_for_dialects_without_one(desk: Desk) -> None:
    desk.upstream.plan(claude_says(FIRST))
    desk.grade(CLAUDE, seed=5)
    assert "seed" not in desk.sent[0]


def test_one_usable_answer_is_enough(desk: Desk) -> None:
    desk.upstream.plan(says("no", FIRST, "", as_json()[:50]))
    assert {row.concept: row.label for row in desk.grade(num_responses=4).rows} == GIVEN
    desk.upstream.plan("error-500", "error-429", claude_says(FIRST), claude_says("no"))
    assert {row.concept: row.label for row in desk.grade(CLAUDE, num_responses=4).rows} == GIVEN


def test_of_several_unusable_answers_the_first_says_why(desk: Desk) -> None:
    desk.upstream.plan(says("no", as_tsv(ROWS[:2]), ""))
    error = desk.fails(num_responses=3)
    assert (type(error), "no JSON array" in error.message) == (UnusableAnswer, True)


def test_an_answer_without_usage_counts(desk: Desk) -> None:
    desk.upstream.plan(_whole(lambda call: json.dumps({"choices": json.loads(openai_body(FIRST))["choices"]}).encode()))
    assert {row.concept: row.label for row in desk.grade().rows} == GIVEN


def test_of_several_cut_off_answers_all_are_too_large_or_none(desk: Desk) -> None:
    desk.upstream.plan(says("[", "[", finish="length"))
    assert desk.fails(num_responses=2).status == 413
    desk.upstream.plan(claude_says("[", "max_tokens"), claude_says("no"))
    assert desk.fails(CLAUDE, num_responses=2).status == 400


def test_a_failure_that_may_pass_goes_before_an_unusable_answer(desk: Desk) -> None:
    desk.upstream.plan(claude_says("no"), "error-503")
    assert desk.fails(CLAUDE, num_responses=2).status == 503


# ---- failures ----


@pytest.mark.parametrize(("model", "title"), [("openai", "OpenAI"), ("anthropic", "Anthropic")])
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("error-429", 429), ("error-500", 503), ("error-502", 503), ("error-503", 503), ("error-529", 503), ("close", 503),
     ("cut-body", 503), ("not-json", 503), ("html", 503), ("error-504", 504), ("error-401", 502), ("error-403", 502),
     ("quota", 502), ("error-400", 400), ("error-404", 400), ("error-413", 413)],
)  # fmt: skip
def test_failures_by_status_and_name(desk: Desk, model: str, title: str, behaviour: str, status: int) -> None:
    desk.upstream.plan(behaviour)
    error = desk.fails(f"{model}/m")
    assert (error.status, title in error.message) == (status, True)
    assert (error.retry_after or 0) > 0 or status != 429


@pytest.mark.parametrize(
    ("behaviour", "model"),
    [
        (refuses(400, code="context_length_exceeded"), OPENAI),
        (refuses(400, message="prompt is too long: 210000 tokens > 200000 maximum"), CLAUDE),
    ],
)
def test_a_prompt_that_is_too_long_for_the_model(desk: Desk, behaviour: Behaviour, model: str) -> None:
    desk.upstream.plan(behaviour)
    error = desk.fails(model)
    assert (error.status, error.message[:8]) == (413, "student:")
    assert "210000" not in error.message


def test_a_deadline_for_everything(desk: Desk) -> None:
    begin = monotonic()
    for model, title in ((OPENAI, "OpenAI"), (CLAUDE, "Anthropic")):
        desk.record.started = monotonic()
        desk.upstream.plan("silent", *["silent"] * (model == CLAUDE))
        error = desk.fails(model, deadline=0.3, num_responses=2)
        assert (error.status, title in error.message) == (504, True)
    assert monotonic() - begin < 3


def test_what_came_before_the_deadline_counts(desk: Desk) -> None:
    desk.upstream.plan("silent", claude_says(FIRST))
    assert {row.concept: row.label for row in desk.grade(CLAUDE, deadline=1.0, num_responses=2).rows} == GIVEN


def test_who_leaves_ends_all_calls(desk: Desk) -> None:
    desk.upstream.plan(*["silent"] * 3)
    gevent.spawn_later(0.3, desk.visitor.leave)
    assert isinstance(desk.fails(CLAUDE, num_responses=3), ClientGone)
    desk.upstream.wait(lambda seen: len(seen.cancelled) == 3)
    assert desk.record.gone


@pytest.mark.parametrize("model", ["nobody/m", "lost-name"])
def test_an_unknown_model_is_a_400(desk: Desk, model: str) -> None:
    assert (desk.fails(model).status, desk.sent) == (400, [])


def test_without_any_default_a_model_must_be_named(desk: Desk) -> None:
    error = desk.fails(None)  # type: ignore[arg-type]
    assert (type(error), error.message) == (BadRequest, "`model` is required.")


def test_a_temperature_that_the_model_does_not_have_is_its_highest(desk: Desk) -> None:
    desk.upstream.plan(claude_says(as_json()))
    desk.grade(CLAUDE, temperature=1.5)
    assert [sent["temperature"] for sent in desk.sent] == [1.0]


# ---- without a model ----

LESSON, CONCEPT = Trees.load().pairs()[0]
TREES = Rubric.parse(f'Key Concept,Extensive Evidence,No Evidence\n"{CONCEPT}",much,nothing at all\n')
BOTH = Rubric.parse(f'Key Concept,Extensive Evidence,No Evidence\nOther,x,y\n"{CONCEPT}",much,nothing at all\n')


@pytest.mark.parametrize(("code", "remove"), [("", False), (" \n\t\r\n", False), ("// a\n/* b */", True)])
def test_a_blank_program(desk: Desk, code: str, remove: bool) -> None:
    graded = desk.grade(code=code, remove_comments=remove, rubric=TREES, goals=(CONCEPT,), lesson=LESSON)
    (row,) = graded.rows
    assert (row.label, row.observations, row.reason, row.evidence) == (
        NO,
        "The program is empty.",
        "The program is empty.",
        "",
    )
    assert (graded.agent, graded.usage, graded.cost, desk.sent) == ("static", None, 0, [])


def test_a_blank_program_has_a_row_for_each_concept(desk: Desk) -> None:
    graded = desk.grade(code="")
    assert [(row.concept, row.label) for row in graded.rows] == [(concept, NO) for concept in CONCEPTS]


def test_comments_alone_are_a_program_unless_they_are_removed(desk: Desk) -> None:
    desk.upstream.plan(says(as_json()))
    assert desk.grade(code="// a").agent == "openai"


def test_what_the_extractor_decides_alone_costs_nothing(desk: Desk) -> None:
    graded = desk.grade(rubric=TREES, goals=(CONCEPT,), lesson=LESSON)
    assert (graded.agent, graded.usage, desk.sent) == ("static, code feature extractor", None, [])
    assert graded.rows[0].label in LABELS


def test_the_extractor_overrides_the_model(desk: Desk) -> None:
    rows = [("Other", "o", "e", LIMITED, "r"), (CONCEPT, "o", "e", EXTENSIVE, "r")]
    desk.upstream.plan(says(as_json(rows)))
    graded = desk.grade(code="var x;", rubric=BOTH, goals=(CONCEPT,), lesson=LESSON)
    other, decided = graded.rows
    assert (other.label, decided.label, decided.reason, decided.observations) == (LIMITED, NO, "nothing at all", "")
    assert graded.agent == "openai, code feature extractor"


# ---- the books ----


def test_every_call_is_written_down(desk: Desk) -> None:
    desk.upstream.plan(claude_says(FIRST), claude_says("no"), "error-500")
    desk.grade(CLAUDE, num_responses=3)
    assert desk._door.tally.used["output"] == 20
    assert desk.record.settled, "the sum of its calls is not counted again"
    assert (desk.record.provider, desk.record.attempts) == ("anthropic", 3)
