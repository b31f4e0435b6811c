"""Grades that were paid for already, kept in the experiment's folder under a hash of everything that decides them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from lib.assessment.graded import Graded
from lib.assessment.measure.experiment import Experiment

VERSION = 1  # of the files' form and of what the hash is taken of
FOLDER = "cached_responses"


@dataclass(frozen=True, slots=True)
class Cache:
    """The grades that one experiment gave in one lesson. `identity` is the grader's (`Grader.identity`)."""

    folder: Path
    experiment: Experiment
    identity: str

    @classmethod
    def of(cls, experiment: Experiment, identity: str) -> Cache:
        """The cache in the experiment's own folder."""
        return cls(experiment.folder / FOLDER, experiment, identity)

    def get(self, code: str) -> Graded | None:
        """The grades of a program; None when there are none, or none that can be read."""
        try:
            return msgspec.json.decode(self._path(code).read_bytes(), type=Graded)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, code: str, graded: Graded) -> None:
        """Keep grades. A file is whole or not there."""
        self.folder.mkdir(exist_ok=True)
        path = self._path(code)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(graded)), indent=2))
        half.replace(path)

    def _path(self, code: str) -> Path:
        return self.folder / f"{key(self.experiment, self.identity, code)}.json"


def key(experiment: Experiment, identity: str, code: str) -> str:
    """The hash under which grades are kept. Names of folders and students do not matter to a grade."""
    everything: list[Any] = [
        VERSION,
        identity,
        experiment.params.shown(),
        experiment.prompt,
        experiment.rubric.text,
        experiment.examples,
        code,
    ]
    return hashlib.sha256(msgspec.json.encode(everything, order="sorted")).hexdigest()
