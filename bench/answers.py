"""What the upstream sends, made once: OpenAI's chat completions, after its API reference, framed for HTTP/1.1."""

from __future__ import annotations

import msgspec

MARK = "Lorem ipsum"  # in every whole answer: how the generator knows one
_USAGE = {"prompt_tokens": 120, "completion_tokens": 100, "total_tokens": 220}
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"


def _whole(body: object) -> bytes:
    data = msgspec.json.encode(body)
    return _HEAD % (b"application/json", b"Content-Length: %d" % len(data)) + data


def _event(data: bytes) -> bytes:
    """One server-sent event as one HTTP chunk."""
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


def _chunk(**changes: object) -> bytes:
    same = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    return _event(msgspec.json.encode(same | changes))


def _choice(delta: object, finish: str | None = None) -> list[dict[str, object]]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]


_MESSAGE = {"role": "assistant", "content": f"{MARK} dolor sit amet. " * 20, "refusal": None}
ANSWER = _whole(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench",
        "choices": [{"index": 0, "message": _MESSAGE, "logprobs": None, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
)
MODELS = _whole({"object": "list", "data": [{"id": "bench", "object": "model", "owned_by": "bench"}]})
STREAM_HEAD = _HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked")
EVENT = _chunk(choices=_choice({"content": " ipsum"}))
FINISH = _chunk(choices=_choice({}, "stop"))
USAGE = _chunk(choices=[], usage=_USAGE)
DONE = _event(b"[DONE]") + b"0\r\n\r\n"
