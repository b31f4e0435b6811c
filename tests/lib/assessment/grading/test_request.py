"""The parameters of a grading: what is taken, and every bad one refused by its name."""

from __future__ import annotations

import json
from contextlib import suppress
from time import perf_counter
from typing import Any

import pytest

from lib.assessment import Request, Trees
from lib.assessment.grading import Example, read_request
from lib.assessment.grading.fields import Fields
from lib.base.errors import BadRequest, BodyTooLarge
from tests.lib.assessment.grading.sheets import CONCEPTS, FORMS, RUBRIC_TEXT, as_json, as_tsv

TREES = Trees.load()
LESSON, CONCEPT = next(pair for pair in TREES.pairs() if "," not in pair[1])
OTHER = "A concept, that no tree knows"
TREE_RUBRIC = f'Key Concept,No Evidence\n{CONCEPT},n\n"{OTHER}",n\n'
NEEDED = {"code": "var a;", "prompt": "Grade it.", "rubric": RUBRIC_TEXT}


def read(**fields: Any) -> Request:
    """The request of these fields; a list is a repeated field, `_` stands for `-`, None for nothing."""
    given = {**NEEDED, **{name.replace("_", "-"): value for name, value in fields.items()}}
    values = {name: value if type(value) is list else [value] for name, value in given.items() if value is not None}
    return read_request(values, TREES)


def refused(**fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    return caught.value


def test_the_defaults() -> None:
    request = read()
    assert (request.code, request.prompt, request.rubric.concepts) == ("var a;", "Grade it.", CONCEPTS)
    assert (request.model, request.api_key, request.lesson, request.seed) == (None, None, None, None)
    assert (request.examples, request.goals, request.response_type) == ((), (), "tsv")
    assert (request.num_responses, request.temperature) == (1, 0.2)
    assert (request.remove_comments, request.include_request) == (False, False)


def test_everything_at_once() -> None:
    request = read(
        rubric=TREE_RUBRIC,
        examples=json.dumps([["c", json.dumps([{"Key Concept": CONCEPT}, {"Key Concept": OTHER}])]]),
        model="gpt-4o",
        api_key="sk-own",
        remove_comments="1",
        num_responses=" 3 ",
        temperature="1e-1",
        seed="7",
        response_type="json",
        code_feature_extractor=json.dumps([CONCEPT]),
        lesson=LESSON,
        include_request="1",
        num_passing_labels="2",
    )
    assert (request.model, request.api_key, request.seed, request.goals) == ("gpt-4o", "sk-own", 7, (CONCEPT,))
    assert (request.num_responses, request.temperature, request.response_type) == (3, 0.1, "json")
    assert (request.remove_comments, request.include_request, len(request.examples)) == (True, True, 1)
    assert "sk-own" not in repr(request)


@pytest.mark.parametrize("name", ["code", "prompt", "rubric"])
def test_what_must_be_there(name: str) -> None:
    error = refused(**{name: None})
    assert (error.status, error.message, error.param) == (400, f"`{name}` is required", name)


def test_they_are_asked_for_in_order() -> None:
    assert refused(code=None, prompt=None, rubric=None).param == "code"
    assert refused(prompt=None, rubric=None, temperature="x").param == "prompt"


def test_an_empty_text_is_there_or_not() -> None:
    assert read(code="", prompt="").code == ""
    request = read(model="", lesson="", examples="", temperature="", num_responses="", remove_comments="", api_key="")
    assert request == read()


def test_of_a_repeated_field_the_first_counts() -> None:
    assert read(temperature=["1", "x"], code=["a", "b"]).code == "a"


def test_json_values_are_taken_as_such() -> None:
    examples = [["var b;", as_tsv()], ["", as_json()]]
    request = read(num_responses=2, temperature=1, remove_comments=True, examples=[examples], seed=0)
    assert (request.num_responses, request.temperature, request.remove_comments, request.seed) == (2, 1.0, True, 0)
    assert request.examples == (Example("var b;", as_tsv()), Example("", as_json()))


NUMBERS = [("num_responses", "x"), ("num_responses", "1.5"), ("num_responses", "9" * 30), ("num_responses", "1_0")]
NUMBERS += [("temperature", "x"), ("temperature", "1,5"), ("temperature", "0x1"), ("temperature", "٣"), ("seed", "z")]


@pytest.mark.parametrize(("name", "value"), NUMBERS)
def test_what_is_no_number(name: str, value: str) -> None:
    field = name.replace("_", "-")
    error = refused(**{name: value})
    assert (error.message, error.param) == (f"One of the arguments is not parseable as a number: `{field}`", field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("num_responses", value) for value in ("0", "11", "-1", "99999", 0, 11, 10**400, -(10**400))),
        *(("temperature", value) for value in ("nan", "inf", "-Infinity", "-0.1", "2.01", "1e999", 3, float("nan"))),
        *(("temperature", value) for value in (10**400, True, [[1]], {"a": 1})),
        *(("num_responses", value) for value in (1.5, True, {"a": 1})),
        *(("remove_comments", value) for value in ("maybe", "2", 7, {"a": 1}, "x" * 200)),
        *(("response_type", value) for value in ("csv", "JSON", 1, "x" * 200)),
        *(("model", value) for value in (1, True, {"a": 1}, "m" * 300, "a\0")),
        *(("lesson", value) for value in (1, "l" * 300)),
        *(("api_key", value) for value in (1, "with space", "k" * 600, "kéy", "a\r\nb", "a\x7f")),
        *(("include_request", value) for value in ("perhaps", 5)),
        *(("seed", value) for value in ("-1", str(2**31), 1.5)),
        *(("code", value) for value in (1, {"a": 1}, "\udcff\udcfe", "a\0b", "\ud800")),
        *(("prompt", value) for value in (1, "p" * 300_000, "\udc80")),
        *(("rubric", value) for value in (1, "r" * 300_000, "\udc80")),
    ],
)
def test_every_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    error = refused(**{name: value})
    field = name.replace("_", "-")
    assert (error.status, error.param) == (400, field)
    assert f"`{field}`" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    "rubric",
    ["", "   ", "Concept,No Evidence\na,b\n", "Key Concept\n", "Key Concept,No Evidence\n,x\n", "{}", '"Key Concept\n'],
)
def test_a_rubric_that_is_none(rubric: str) -> None:
    error = refused(rubric=rubric)
    assert (error.param, error.message.startswith("`rubric` ")) == ("rubric", True)


@pytest.mark.parametrize(
    "rubric",
    [
        "Key Concept,No Evidence\na,1\na,2\n",
        "Key Concept,No Evidence,No Evidence\na,1,2\n",
        "Key Concept, Key Concept\na,b",
    ],
)
def test_a_rubric_that_names_something_twice(rubric: str) -> None:
    assert "twice" in refused(rubric=rubric).message


def test_empty_columns_of_a_rubric_say_nothing() -> None:
    assert read(rubric="Key Concept,No Evidence,,\na,1,,\n").rubric.reasons["a"]["No Evidence"] == "1"


@pytest.mark.parametrize("more", [1, 4_000_000])
def test_a_program_that_is_too_long_is_the_students(more: int) -> None:
    with pytest.raises(BodyTooLarge) as caught:
        read(code="x" * (1_000_000 + more))
    assert (caught.value.status, caught.value.message[:8]) == (413, "student:")
    assert len(read(code="x" * 1_000_000).code) == 1_000_000


# ---- examples ----


@pytest.mark.parametrize(
    "examples",
    ["{", "nonsense", "{}", '"a"', "1", "[1]", "[[]]", '[["a"]]', '[["a", "b", "c"]]', '[{"a": 1}]', '[["a", 1]]',
     "[null]", '[["a", null]]', "[" * 100_000, json.dumps([["a", "prose"]]), json.dumps([["a\0", as_tsv()]]),
     "x" * 2_000_000, json.dumps([["a", as_tsv()]] * 21)],
)  # fmt: skip
def test_bad_examples(examples: str) -> None:
    error = refused(examples=examples)
    assert (error.status, error.param) == (400, "examples")
    assert "`examples`" in error.message


def test_examples_that_are_no_text_have_the_same_limit() -> None:
    assert len(read(examples=[[["a" * 500_000, as_tsv()]]]).examples) == 1
    error = refused(examples=[[["a" * 500_000, as_tsv()]] * 2])
    assert (error.param, "longer" in error.message) == ("examples", True)


@pytest.mark.parametrize("form", FORMS)
def test_an_example_may_have_any_form(form: str) -> None:
    assert len(read(examples=json.dumps([["a", FORMS[form]]])).examples) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_examples_have_the_concepts_in_any_order(order: tuple[int, ...]) -> None:
    rows = json.loads(as_json())
    answer = json.dumps([{"Key Concept": rows[at]["Key Concept"]} for at in order])
    assert len(read(examples=json.dumps([["a", answer]])).examples) == 1


@pytest.mark.parametrize("drop", [0, 2])
def test_examples_of_another_rubric(drop: int) -> None:
    rows = json.loads(as_json())
    del rows[drop]
    assert "example 2" in refused(examples=json.dumps([["a", as_tsv()], ["b", json.dumps(rows)]])).message


# ---- the static analyser ----


def goals(value: Any) -> tuple[str, ...]:
    return read(rubric=TREE_RUBRIC, lesson=LESSON, code_feature_extractor=value).goals


@pytest.mark.parametrize(
    "value",
    [CONCEPT, f" {CONCEPT} ", json.dumps([CONCEPT]), f"['{CONCEPT}']", [CONCEPT, CONCEPT], f"{CONCEPT},{CONCEPT},",
     json.dumps([CONCEPT] * 3), [json.dumps([CONCEPT]), CONCEPT], [[CONCEPT]]],
)  # fmt: skip
def test_goals_in_every_form(value: Any) -> None:
    assert goals(value) == (CONCEPT,)


@pytest.mark.parametrize("value", [None, "", "[]", [""], [[]], "  ", ","])
def test_no_goals(value: Any) -> None:
    assert goals(value) == ()


def test_a_goal_that_holds_commas_is_told_by_the_rubric() -> None:
    values = {"goals": [" a, b ,c,, a ,b, a, b x "]}
    assert Fields(values).names("goals", ("a", "a, b", "b")) == ("a, b", "c", "a", "b", "b x")


@pytest.mark.parametrize(
    "value",
    ["," * 20_000, ", " * 10_000, ",a" * 10_000, "[" + " " * 19_990 + "x]", ["," * 20_000] * 1000, "a" * 20_001,
     [["a"] * 20_001]],
)  # fmt: skip
def test_a_list_of_goals_takes_little_time(value: Any) -> None:
    rubric = "Key Concept\n" + "".join(f'"a{"," * number}"\n' for number in range(1, 50))
    begin = perf_counter()
    with suppress(BadRequest):
        read(rubric=rubric, code_feature_extractor=value)
    assert perf_counter() - begin < 0.5


@pytest.mark.parametrize("value", [OTHER, f"{CONCEPT},{OTHER}", [CONCEPT, OTHER], json.dumps([OTHER])])
def test_a_goal_without_a_tree(value: Any) -> None:
    error = refused(rubric=TREE_RUBRIC, lesson=LESSON, code_feature_extractor=value)
    assert f"no decision tree for `{OTHER}`" in error.message
    assert error.param == "code-feature-extractor"


@pytest.mark.parametrize("value", [CONCEPT[:-1], CONCEPT.lower(), f"{CONCEPT} and more", "[1]", "[", '["a",]', "{}", 5])
def test_a_goal_that_the_rubric_does_not_have(value: Any) -> None:
    assert refused(rubric=TREE_RUBRIC, lesson=LESSON, code_feature_extractor=value).param == "code-feature-extractor"


def test_goals_need_a_lesson_that_has_their_trees() -> None:
    assert refused(rubric=TREE_RUBRIC, code_feature_extractor=CONCEPT).param == "lesson"
    assert "no decision tree" in refused(rubric=TREE_RUBRIC, code_feature_extractor=CONCEPT, lesson="L0").message
