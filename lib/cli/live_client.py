"""Talk with a deployment at a keyboard, or through a pipe: `bin/live-client`.

Exit status: 0 at the end, 1 when an answer failed and nobody was there to see it (in a pipe), 2 for a wrong argument or
no key, 3 when the deployment cannot be reached.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from lib.cli.ending import leave
from lib.cli.live_commands import Commands
from lib.cli.live_connection import Connection
from lib.cli.live_environments import FILE, LOCAL, Environment, Unusable, credential, find, keep_key, known
from lib.cli.live_families import FAMILIES, Count, Fault, Talk
from lib.cli.live_screen import Screen

FAILED, USAGE, UNREACHABLE = 1, 2, 3
ECHO = "echo"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    given = _parser().parse_args(argv)
    screen = Screen()
    try:
        environment = find(given.env or _environment(screen, given.url), given.url, os.environ)
        connection, models = _connect(screen, environment, given.key_file)
        family = given.family or screen.choose("family", list(FAMILIES))
        if family == "agents":
            models = connection.agents_models() or models
        talk = Talk(given.model or screen.choose("model", models), f"live-client-{secrets.token_hex(8)}", given.system)
        screen.note(f"{environment.url}, {family}, {talk.model}; /help lists the commands")
        return Client(screen, connection, family, talk, models).converse()
    except Unusable as error:
        return _fail(str(error), USAGE)
    except Fault as error:
        return _fail(str(error), FAILED)
    except requests.RequestException as error:
        return _fail(f"{environment.url}: nobody answers ({type(error).__name__})", UNREACHABLE)
    except (EOFError, KeyboardInterrupt):
        return 0


class Client:
    """A conversation, line by line."""

    def __init__(self, screen: Screen, connection: Connection, family: str, talk: Talk, models: Sequence[str]) -> None:
        self._screen = screen
        self._connection = connection
        self._family = FAMILIES[family]
        self._talk = talk
        self._commands = Commands(screen, talk, models)

    def converse(self) -> int:
        """Until the end; the exit status."""
        failed = False
        while True:
            try:
                line = self._screen.line().strip()
            except EOFError:
                return FAILED if failed and not self._screen.interactive else 0
            except KeyboardInterrupt:  # at the prompt: begin the line anew
                self._screen.note("")
                continue
            try:
                if self._is_command(line):
                    if not self._commands.run(line):
                        return FAILED if failed and not self._screen.interactive else 0
                elif line:
                    self._answer(line)
            except Fault as error:
                failed = True
                self._screen.fault(str(error))

    def _is_command(self, line: str) -> bool:
        """A line with a slash first is one, unless it is the path of a program to be graded."""
        return line.startswith("/") and not (self._family is FAMILIES["assessment"] and Path(line).is_file())

    def _answer(self, line: str) -> None:
        """One turn: the answer as it comes, then what it took. What failed is not kept in the conversation."""
        self._talk.turns.append({"role": "user", "content": line})
        count, text = Count(), ""
        try:
            with self._connection.turn(self._family, self._talk, count) as pieces:
                for piece in pieces:
                    text += piece
                    self._screen.piece(piece)
        except KeyboardInterrupt:
            self._screen.piece("\n")
            self._screen.note("stopped")
        except Fault:
            del self._talk.turns[-1]
            if text:
                self._screen.piece("\n")
            raise
        else:
            self._screen.piece("" if text.endswith("\n") else "\n")
        if text:
            self._talk.turns.append({"role": "assistant", "content": text})
        else:
            del self._talk.turns[-1]
        self._screen.note(self._took(count))

    def _took(self, count: Count) -> str:
        """Tokens and cost of the last turn, in one line."""
        try:
            charged = self._connection.charged()
        except KeyboardInterrupt:
            charged = None
        tokens_in = count.input if count.input is not None else charged and charged.input
        tokens_out = count.output if count.output is not None else charged and charged.output
        tokens = "tokens unknown" if tokens_in is None else f"{tokens_in} tokens in, {tokens_out or 0} out"
        return f"{tokens}, " + (f"{charged.cost:f} USD ({charged.exactness})" if charged else "cost unknown")


def _environment(screen: Screen, url: str | None) -> str:
    return LOCAL if url else screen.choose("environment", known(os.environ))


def _connect(screen: Screen, environment: Environment, key_file: Path | None) -> tuple[Connection, list[str]]:
    """A connection whose key is good, and the models it may ask for, the echo first. Raises `Unusable`, `Fault`."""
    key = credential(environment, key_file, os.environ)
    connection = Connection(environment.url, key)
    models = connection.models()
    if models is None and environment.fields.get("token_url"):
        connection = Connection(environment.url, credential(environment, key_file, os.environ, fresh=True))
        models = connection.models()
    if models is None and screen.interactive:
        connection, models = _ask_for_key(screen, environment, os.environ)
    if models is None:
        raise Unusable(f"{environment.url} refuses the key" if key else f"no key is known: see --help and {FILE}")
    if not models:
        raise Fault("no model is offered")
    return connection, sorted(models, key=lambda name: name != ECHO)


def _ask_for_key(
    screen: Screen, environment: Environment, environ: Mapping[str, str]
) -> tuple[Connection, list[str] | None]:
    """A key that is typed, and kept for the next time when it is good and that is wished."""
    key = screen.secret(f"key for {environment.url}: ").strip()
    connection = Connection(environment.url, key)
    models = connection.models()
    if models is not None and screen.line("keep it for the next time? [y/N] ").strip().lower().startswith("y"):
        screen.note(f"kept: {keep_key(environment.name, key, environ)}")
    return connection, models


def _fail(message: str, status: int) -> int:
    print(f"bin/live-client: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/live-client", description="Talk with a deployment.", allow_abbrev=False)
    add = parser.add_argument
    add("--env", metavar="NAME", help=f"local, test, production, or one of {FILE}; asked for on a terminal")
    add("--url", metavar="URL", help="its address, before every other that is known")
    add("--key-file", type=Path, metavar="FILE", help="a file (mode 0600) with the key")
    add("--family", choices=list(FAMILIES), help="OpenAI's chat, Anthropic's messages, agents, or grading of a file")
    add("--model", metavar="NAME", help="the model to begin with")
    add("--system", default="", metavar="TEXT", help="what the model is told first")
    return parser


if __name__ == "__main__":
    leave(main)
