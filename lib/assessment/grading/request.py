"""What is asked for: every parameter of a grading, checked before any money is spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.assessment.grading.answers import concepts_named
from lib.assessment.grading.fields import Fields, Values, clean_text
from lib.assessment.grading.unusable import Unusable
from lib.assessment.rubric import Rubric
from lib.base.errors import BadRequest, BodyTooLarge

MOST_CODE = 1_000_000  # characters of a program
MOST_PROMPT = 200_000
MOST_RUBRIC = 200_000
MOST_EXAMPLES = 1_000_000  # of all examples together
MOST_EXAMPLE_COUNT = 20
MOST_NAME = 256
MOST_KEY = 512
MOST_RESPONSES = 10
MOST_TEMPERATURE = 2.0
MOST_SEED = 2**31 - 1
FORMATS = ("tsv", "json")
EXTRACTOR = "code-feature-extractor"


class Trees(Protocol):
    """Knows for which concepts of which lessons there is a decision tree."""

    def knows(self, lesson: str, concept: str) -> bool:
        """Whether it can decide a concept."""


@dataclass(frozen=True, slots=True)
class Example:
    """A program, and the answer that is wanted for it."""

    code: str
    answer: str


@dataclass(frozen=True, slots=True)
class Request:
    """One program to be graded. `goals` are the concepts that decision trees of `lesson` decide.

    `model` is None for the default; `api_key` is the caller's own with the vendor, for this request alone; `seed` goes
    to vendors whose dialect has one.
    """

    code: str
    prompt: str
    rubric: Rubric
    examples: tuple[Example, ...] = ()
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    remove_comments: bool = False
    num_responses: int = 1
    temperature: float = 0.2
    seed: int | None = None
    response_type: str = "tsv"
    goals: tuple[str, ...] = ()
    lesson: str | None = None
    include_request: bool = False


def read_request(values: Values, trees: Trees) -> Request:
    """Read and check the parameters. Raises `BadRequest` that names the first at fault, `BodyTooLarge`."""
    fields = Fields(values)
    code = _code(fields)
    prompt = fields.required("prompt", MOST_PROMPT)
    rubric = Rubric.parse(fields.required("rubric", MOST_RUBRIC))
    lesson = fields.text("lesson", MOST_NAME)
    return Request(
        code=code,
        prompt=prompt,
        rubric=rubric,
        examples=_examples(fields.listed("examples", MOST_EXAMPLES), rubric),
        model=fields.text("model", MOST_NAME),
        api_key=api_key(values),
        remove_comments=fields.flag("remove-comments"),
        num_responses=fields.whole("num-responses", 1, MOST_RESPONSES, 1),
        temperature=fields.number("temperature", 0.0, MOST_TEMPERATURE, 0.2),
        seed=fields.maybe_whole("seed", 0, MOST_SEED),
        response_type=fields.word("response-type", FORMATS, "tsv"),
        goals=_goals(fields.names(EXTRACTOR, rubric.concepts), lesson, rubric, trees),
        lesson=lesson,
        include_request=fields.flag("include-request"),
    )


def _code(fields: Fields) -> str:
    """The program. One that is too long is the student's, and not malformed: clients tell the teacher so."""
    code = fields.required("code", 1 << 62)
    if len(code) > MOST_CODE:
        raise BodyTooLarge(f"student: `code` is longer than {MOST_CODE} characters", param="code")
    return code


def api_key(values: Values) -> str | None:
    """The caller's own key with a vendor. Raises `BadRequest`."""
    key = Fields(values).text("api-key", MOST_KEY)
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadRequest("`api-key` has characters that no key can have", param="api-key")
    return key


def _examples(pairs: list[Any], rubric: Rubric) -> tuple[Example, ...]:
    if len(pairs) > MOST_EXAMPLE_COUNT:
        raise BadRequest(f"`examples` has more than {MOST_EXAMPLE_COUNT} examples", param="examples")
    if (
        sum(len(text) for pair in pairs if isinstance(pair, list) for text in pair if isinstance(text, str))
        > MOST_EXAMPLES
    ):
        raise BadRequest(f"`examples` is longer than {MOST_EXAMPLES} characters", param="examples")
    return tuple(_example(number, pair, rubric) for number, pair in enumerate(pairs, 1))


def _example(number: int, pair: Any, rubric: Rubric) -> Example:
    if not isinstance(pair, list) or len(pair) != 2:
        raise BadRequest("`examples` must be a JSON array of pairs: a program, and the answer for it", param="examples")
    code, answer = (clean_text("examples", each) for each in pair)
    try:
        graded = concepts_named(answer, rubric)
    except Unusable:
        graded = []
    if set(rubric.concepts) not in graded:
        found = f"it has {_listed(graded[0])}" if graded else "it has none that can be read"
        raise BadRequest(
            f"`examples`: the answer of example {number} must have the key concepts of the rubric; {found}",
            param="examples",
        )
    return Example(code, answer)


def _listed(concepts: set[str]) -> str:
    return ", ".join(sorted(concept[:100] for concept in concepts)[:10])


def _goals(names: tuple[str, ...], lesson: str | None, rubric: Rubric, trees: Trees) -> tuple[str, ...]:
    for name in names:
        if name not in rubric.concepts:
            raise BadRequest(f"`{EXTRACTOR}`: `{name[:200]}` is no key concept of the rubric", param=EXTRACTOR)
        if lesson is None:
            raise BadRequest(f"`lesson` is required when there is a `{EXTRACTOR}`", param="lesson")
        if not trees.knows(lesson, name):
            raise BadRequest(
                f"`{EXTRACTOR}`: there is no decision tree for `{name}` in the lesson `{lesson}`", param=EXTRACTOR
            )
    return tuple(concept for concept in rubric.concepts if concept in names)
