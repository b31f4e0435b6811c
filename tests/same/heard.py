"""What a vendor was asked, read out of its own dialect: so that nothing is lost on the way, and nothing added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tests.same.asked import Asked, Result, Tool, ToolCall
from tests.upstream import Call


def heard(call: Call) -> Asked:
    """The question in a vendor's request. Fails for a field that this reader does not know."""
    reader = next(read for ending, read in _READERS.items() if call.route.endswith(ending))
    return reader(dict(call.json), call.route.endswith("/converse-stream"))


def _openai(body: dict[str, Any], _: bool) -> Asked:
    messages = body.pop("messages")
    system = [m["content"] for m in messages if m["role"] == "system"]
    asking = [_parts(m["content"]) for m in messages if m["role"] == "user"]
    calls = [call for m in messages if m["role"] == "assistant" for call in m["tool_calls"]]
    pictures = [part["image_url"]["url"] for parts in asking for part in parts if part["type"] == "image_url"]
    tools = [tool["function"] for tool in body.pop("tools", [])]
    choice = body.pop("tool_choice", "")
    wanted = body.pop("response_format", {"json_schema": {"schema": None}})
    stop = body.pop("stop", [])
    asked = Asked(
        text="".join(part["text"] for parts in asking for part in parts if part["type"] == "text"),
        system="".join(system),
        image="".join(url.removeprefix("data:image/png;base64,") for url in pictures),
        tools=tuple(Tool(tool["name"], tool["description"], tool["parameters"]) for tool in tools),
        choice=choice if isinstance(choice, str) else choice["function"]["name"],
        parallel=body.pop("parallel_tool_calls", True),
        calls=tuple(
            ToolCall(c["id"], c["function"]["name"], msgspec.json.decode(c["function"]["arguments"])) for c in calls
        ),
        results=tuple(Result(m["tool_call_id"], m["content"]) for m in messages if m["role"] == "tool"),
        max_tokens=body.pop("max_completion_tokens", None) or body.pop("max_tokens"),
        temperature=body.pop("temperature", None),
        top_p=body.pop("top_p", None),
        stops=tuple([stop] if isinstance(stop, str) else stop),
        schema=wanted["json_schema"]["schema"],
        user=body.pop("user", ""),
        stream=body.pop("stream", False),
    )
    assert set(body) <= {"model", "stream_options"}
    return asked


def _anthropic(body: dict[str, Any], _: bool) -> Asked:
    blocks = [block for turn in body.pop("messages") for block in _parts(turn["content"])]
    choice = body.pop("tool_choice", {"type": ""})
    config = body.pop("output_config", {"format": {"schema": None}})
    asked = Asked(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        system="".join(block["text"] for block in _parts(body.pop("system", ""))),
        image="".join(block["source"]["data"] for block in blocks if block["type"] == "image"),
        tools=tuple(Tool(t["name"], t["description"], t["input_schema"]) for t in body.pop("tools", [])),
        choice=_choice(choice),
        parallel=not choice.get("disable_parallel_tool_use", False),
        calls=tuple(ToolCall(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"),
        results=tuple(
            Result(block["tool_use_id"], "".join(part["text"] for part in _parts(block["content"])))
            for block in blocks
            if block["type"] == "tool_result"
        ),
        max_tokens=body.pop("max_tokens"),
        temperature=body.pop("temperature", None),
        top_p=body.pop("top_p", None),
        stops=tuple(body.pop("stop_sequences", ())),
        schema=config["format"]["schema"],
        user=body.pop("metadata", {}).get("user_id", ""),
        stream=body.pop("stream", False),
    )
    assert set(body) <= {"model"}
    return asked


def _converse(body: dict[str, Any], stream: bool) -> Asked:
    blocks = [block for message in body.pop("messages") for block in message["content"]]
    config = body.pop("toolConfig", {"tools": []})
    more = body.pop("additionalModelRequestFields", {})
    inference = body.pop("inferenceConfig")
    form = body.pop("outputConfig", None)
    schema = msgspec.json.decode(form["textFormat"]["structure"]["jsonSchema"]["schema"]) if form else None
    specs = [tool["toolSpec"] for tool in config["tools"]]
    chosen = config.get("toolChoice", {})
    choice = {"type": next(iter(chosen), ""), **next(iter(chosen.values()), {})}
    choice = more.pop("tool_choice", choice)
    asked = Asked(
        text="".join(block.get("text", "") for block in blocks),
        system="".join(block["text"] for block in body.pop("system", [])),
        image="".join(block["image"]["source"]["bytes"] for block in blocks if "image" in block),
        tools=tuple(Tool(spec["name"], spec["description"], spec["inputSchema"]["json"]) for spec in specs),
        choice=_choice(choice),
        parallel=not choice.get("disable_parallel_tool_use", False),
        calls=tuple(
            ToolCall(b["toolUse"]["toolUseId"], b["toolUse"]["name"], b["toolUse"]["input"])
            for b in blocks
            if "toolUse" in b
        ),
        results=tuple(
            Result(b["toolResult"]["toolUseId"], "".join(part["text"] for part in b["toolResult"]["content"]))
            for b in blocks
            if "toolResult" in b
        ),
        max_tokens=inference.pop("maxTokens"),
        temperature=inference.pop("temperature", None),
        top_p=inference.pop("topP", None),
        stops=tuple(inference.pop("stopSequences", ())),
        schema=schema,
        stream=stream,
    )
    assert (body, more, inference) == ({}, {}, {})
    return asked


def _choice(choice: dict[str, Any]) -> str:
    names: dict[str, str] = {"any": "required", "tool": choice.get("name", "")}
    kind: str = choice["type"]
    return names.get(kind, kind)


def _parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    parts: list[dict[str, Any]] = content
    return parts


_READERS: dict[str, Callable[[dict[str, Any], bool], Asked]] = {
    "/chat/completions": _openai,
    "/messages": _anthropic,
    "/converse": _converse,
    "/converse-stream": _converse,
}
