"""The commands of `bin/live-client`: lines that begin with a slash."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from lib.cli.live_families import Fault, Talk
from lib.cli.live_screen import Screen

HELP = (
    ("/help", "these lines"),
    ("/model [NAME]", "another model; without a name, from a list"),
    ("/system [TEXT]", "what the model is told first; without a text, nothing"),
    ("/rubric FILE", "what programs are graded against (assessment)"),
    ("/clear", "forget the conversation"),
    ("/save FILE", "write the conversation to a new file, as JSON"),
    ("/quit", "end; so does Ctrl-D. Ctrl-C ends an answer"),
)


class Commands:
    """Carries out commands on a conversation."""

    def __init__(self, screen: Screen, talk: Talk, models: Sequence[str]) -> None:
        self._screen = screen
        self._talk = talk
        self._models = models
        self._known: dict[str, Callable[[str], bool]] = {
            "/help": self._help,
            "/model": self._model,
            "/system": self._system,
            "/rubric": self._rubric,
            "/clear": self._clear,
            "/save": self._save,
            "/quit": lambda _rest: False,
        }

    def run(self, line: str) -> bool:
        """Carry out a line; whether to go on. Raises `Fault`."""
        name, _, rest = line.partition(" ")
        if name not in self._known:
            raise Fault(f"no such command: {name[:40]}; /help lists them")
        return self._known[name](rest.strip())

    def _help(self, _rest: str) -> bool:
        self._screen.table(HELP)
        return True

    def _model(self, rest: str) -> bool:
        self._talk.model = rest or self._screen.choose("model", self._models)
        self._screen.note(f"model: {self._talk.model}")
        return True

    def _system(self, rest: str) -> bool:
        self._talk.system = rest
        self._screen.note("system: set" if rest else "system: nothing")
        return True

    def _rubric(self, rest: str) -> bool:
        path = Path(rest).expanduser()
        if not rest or not path.is_file():
            raise Fault("/rubric needs the path of a file")
        self._talk.rubric = path
        self._screen.note(f"rubric: {path}")
        return True

    def _clear(self, _rest: str) -> bool:
        self._talk.turns.clear()
        self._screen.note("forgotten")
        return True

    def _save(self, rest: str) -> bool:
        if not rest:
            raise Fault("/save needs the path of a new file")
        path = Path(rest).expanduser()
        value = {"model": self._talk.model, "system": self._talk.system, "messages": self._talk.turns}
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(value, file, indent=2, ensure_ascii=False)
        except OSError as error:
            raise Fault(f"{path}: {error.strerror}") from None
        self._screen.note(f"saved: {path}")
        return True
