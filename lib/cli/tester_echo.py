"""What the built-in echo says when it grades: a rehearsal of a run, offline and for nothing.

It knows no better than to judge a program by its length. A model that does not agree with humans more often than that
is not worth its price.
"""

from __future__ import annotations

import msgspec

from lib.assessment import CONVINCING, EXTENSIVE, LIMITED, NO, Rubric
from lib.gateway import Call, Chooser, Gateway, Reply
from lib.wire import JsonBody

ECHO = "echo"
_LINES = ((25, EXTENSIVE), (12, CONVINCING), (3, LIMITED))
"""From how many lines of code on a program gets which label."""


class Rehearsal:
    """The gateway; a call that leads to the echo alone, or `always`, tells it to give this `answer`."""

    def __init__(self, gateway: Gateway, answer: str, *, always: bool) -> None:
        self._gateway = gateway
        self._answer = answer
        self._always = always

    @property
    def chooser(self) -> Chooser:
        """The gateway's."""
        return self._gateway.chooser

    def call(self, call: Call) -> Reply:
        """Answer one call; see `lib.gateway.Gateway`."""
        body = call.body
        if isinstance(body, JsonBody) and self._is_echo(body, call):
            call.body = JsonBody(body.with_values({"echo": {"reply": self._answer}}))
        return self._gateway.call(call)

    def _is_echo(self, body: JsonBody, call: Call) -> bool:
        places = self.chooser.places(str(body.get("model")), call.path)
        return self._always or all(place.provider.name == ECHO for place in places)


def rehearsed(rubric: Rubric, code: str) -> str:
    """Grades as a model writes them."""
    lines = [number for number, line in enumerate(code.splitlines(), 1) if line.strip()]
    label = next((label for least, label in _LINES if len(lines) >= least), NO)
    evidence = f"Lines {lines[0]}-{lines[-1]}: the whole program" if len(lines) > 1 else ""
    rows = [
        {
            "Key Concept": concept,
            "Observations": f"The program has {len(lines)} lines that are not empty.",
            "Evidence": evidence,
            "Label": label,
            "Reason": "The echo judges by length alone.",
        }
        for concept in rubric.concepts
    ]
    return msgspec.json.encode(rows).decode()
