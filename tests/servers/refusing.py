"""A Secrets Manager that refuses in the ways in which moto does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.servers.serving import Handler, Serving
from tests.upstream.ports import LOOPBACK

Reply = tuple[int, dict[str, Any]]
Answer = Callable[[str, dict[str, Any]], Reply]


def refusal(code: str, status: int = 400) -> Reply:
    """How AWS refuses (JSON 1.1)."""
    return status, {"__type": code, "message": "as the test wants it"}


class Refusing(Serving):
    """Answers each operation with what `answer(operation, fields)` gives. `operations` are those that were asked."""

    def __init__(self, answer: Answer, host: str = LOOPBACK) -> None:
        super().__init__(self._handler(), host)
        self.answer = answer
        self.operations: list[str] = []
        self.url = f"http://{host}:{self.port}"

    def _handler(self) -> type[Handler]:
        outer = self

        class Operations(Handler):
            def do_POST(self) -> None:  # noqa: N802  the name that the library calls
                operation = self.headers["X-Amz-Target"].partition(".")[2]
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.operations.append(operation)
                status, body = outer.answer(operation, fields)
                self.reply(status, json.dumps(body).encode(), Content_Type="application/x-amz-json-1.1")

        return Operations
