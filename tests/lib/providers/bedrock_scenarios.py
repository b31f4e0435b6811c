"""What test_bedrock_waiting.py lets a patched process do. Each function returns what its test looks at."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from lib.base.errors import AIProxyError, ClientGone
from lib.net import aws
from lib.providers.bedrock import BedrockProvider
from lib.providers.bedrock_answer import BedrockAnswer
from tests.lib.providers.bedrock_calls import PATIENCE, outgoing, rest_of

SLICE = 0.05  # seconds


def slices(url: str, stream: bool) -> dict[str, Any]:
    """How often a late answer was reported as silent, before it and within it."""
    answer = BedrockProvider(endpoint_url=url).send(outgoing(stream=stream))
    before = within = 0
    while not answer.start(SLICE):
        before += 1
    blocks = []
    while (block := answer.read(SLICE)) != b"":
        if block is None:
            within += 1
        else:
            blocks.append(block.decode())
    answer.close()
    return {"before": before, "within": within, "blocks": blocks}


def left(url: str, stream: bool, ending: str, until: str, asked: str) -> dict[str, Any]:
    """End a call from another greenlet once the file `asked` is there: `until` is where its reader waits, or `idle`
    when it does not."""
    answer = BedrockProvider(endpoint_url=url).send(outgoing(stream=stream))
    if until != "start":
        assert answer.start(PATIENCE)
    if until == "read":
        while answer.read(SLICE) is not None:
            pass
    ender = gevent.spawn(_end, getattr(answer, ending), Path(asked))
    if until == "idle":
        ender.join()
    raised = _raised(answer, until)
    ender.join()
    answer.close()
    return {"raised": raised, "greenlets": _running()}


def _end(ending: Callable[[], None], asked: Path) -> None:
    while not asked.exists():
        gevent.sleep(SLICE)
    gevent.sleep(SLICE)
    ending()


def _raised(answer: BedrockAnswer, until: str) -> str:
    try:
        answer.start(PATIENCE) if until == "start" else answer.read(PATIENCE)
    except ClientGone:
        return "ClientGone"
    return "nothing"


def together(url: str, number: int) -> list[int]:
    """So many streams at once, by clients that begin before there is one; the size of each answer."""
    provider = BedrockProvider(endpoint_url=url)

    def one() -> int:
        answer = provider.send(outgoing(stream=True))
        answer.start(PATIENCE)
        size = len(rest_of(answer))
        answer.close()
        return size

    tasks = [gevent.spawn(one) for _ in range(number)]
    return [task.get() for task in tasks]


def clients(url: str, number: int) -> int:
    """How many clients come of so many first calls at once."""
    options = aws.RuntimeOptions("us-east-1", url, pool=7)
    tasks = [gevent.spawn(aws.bedrock_runtime, options) for _ in range(number)]
    return len({id(task.get()) for task in tasks})


def failed(url: str, stream: bool, read_timeout: float) -> dict[str, Any]:
    """What a vendor that stays silent comes to, and what is left of it."""
    answer = BedrockProvider(endpoint_url=url, read_timeout=read_timeout).send(outgoing(stream=stream))
    try:
        answer.start(PATIENCE)
        rest_of(answer)
    except AIProxyError as error:
        return {"error": type(error).__name__, "greenlets": _running(answer)}
    return {"error": None}


def _running(answer: BedrockAnswer | None = None) -> int:
    """How many greenlets are alive, once the answer was closed."""
    if answer is not None:
        answer.close()
    return sum(isinstance(item, gevent.Greenlet) and bool(item) for item in gc.get_objects())
