"""One experiment's way of grading one lesson: params.json, system_prompt.txt, standard_rubric.csv, examples.

An experiment, or a release, is a folder with one such folder for each lesson.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib.assessment.measure.faults import InputError, read_text
from lib.assessment.measure.params import Params, read_params
from lib.assessment.rubric import Rubric
from lib.base.errors import BadRequest

PARAMS = "params.json"


@dataclass(frozen=True, slots=True)
class Experiment:
    """What programs of one lesson are graded by. An example is a program and the answer that it should get."""

    name: str
    lesson: str
    folder: Path
    params: Params
    prompt: str
    rubric: Rubric
    examples: tuple[tuple[str, str], ...]

    def sha256(self) -> dict[str, str]:
        """Hashes of the texts, by name."""
        examples = [text for example in self.examples for text in example]
        return {"prompt": digest([self.prompt]), "rubric": digest([self.rubric.text]), "examples": digest(examples)}


def read_experiment(folder: Path, lesson: str) -> Experiment:
    """Read one lesson of an experiment. Raises `InputError`."""
    place = folder / lesson
    if not place.is_dir():
        there = ", ".join(lessons_of(folder)) or "none"
        raise InputError(f"{place}: there is no such folder; lessons of {folder.name}: {there}")
    rubric = _rubric(place / "standard_rubric.csv")
    params = read_params(place / PARAMS)
    foreign = [concept for concept in params.extractor if concept not in rubric.concepts]
    if foreign:
        raise InputError(f"{place / PARAMS}: code-feature-extractor names what the rubric has not: {foreign[0]}")
    prompt = read_text(place / "system_prompt.txt")
    return Experiment(
        folder.name, lesson, place, params, prompt, rubric, _examples(place / "examples", params.response_type)
    )


def lessons_of(folder: Path) -> list[str]:
    """The lessons that an experiment has, by name."""
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    return sorted(path.parent.name for path in folder.glob(f"*/{PARAMS}"))


def digest(texts: Iterable[str]) -> str:
    """The SHA-256 of texts, in hexadecimal; of one text it is that of its bytes in UTF-8."""
    encoded = [text.encode() for text in texts]
    whole = hashlib.sha256()
    for text in encoded:
        if len(encoded) != 1:  # what ends one text must not pass for the beginning of the next
            whole.update(b"%d:" % len(text))
        whole.update(text)
    return whole.hexdigest()


def _rubric(path: Path) -> Rubric:
    try:
        return Rubric.parse(read_text(path))
    except BadRequest as error:
        raise InputError(f"{path}: {error.message}") from None


def _examples(folder: Path, response_type: str) -> tuple[tuple[str, str], ...]:
    """The examples in order of their names. One has its answer in the form that the experiment asks for."""
    found = []
    for code in sorted(folder.glob("*.js")):
        answer = code.with_suffix(f".{response_type}")
        if not answer.is_file():
            raise InputError(f"{code}: its answer {answer.name} is missing")
        found.append((read_text(code), read_text(answer)))
    return tuple(found)
