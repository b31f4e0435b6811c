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

VERSION = 2  # of the files' form and of what the hash is taken of
FOLDER = "cached_responses"


@dataclass(frozen=True, slots=True)
class Cache:
    """The grades that one experiment gave in one lesson. `identity` is the grader's (`Grader.identity`); without one
    nothing is found, and nothing kept."""

    folder: Path
    experiment: Experiment
    identity: str | None

    @classmethod
    def of(cls, experiment: Experiment, identity: str | None) -> Cache:
        """The cache in the experiment's own folder."""
        return cls(experiment.folder / FOLDER, experiment, identity)

    def get(self, code: str) -> Graded | None:
        """The grades of a program; None when there are none, or none that can be read."""
        if self.identity is None:
            return None
        try:
            return msgspec.json.decode(self._path(self.identity, code).read_bytes(), type=Graded)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, code: str, graded: Graded) -> None:
        """Keep grades, unless who gave them is another by now. A file is whole or not there."""
        if self.identity is None or graded.fingerprint not in (None, self.identity):
            return
        self.folder.mkdir(exist_ok=True)
        path = self._path(self.identity, code)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(graded)), indent=2))
        half.replace(path)

    def _path(self, identity: str, code: str) -> Path:
        return self.folder / f"{key(self.experiment, identity, code)}.json"


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
