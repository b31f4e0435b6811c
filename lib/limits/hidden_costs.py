"""What a request may ask for whose cost neither a price nor the vendor's usage tells: not for a caller with a budget.

Sources: OpenAI API reference ("Create a model response": `background`, `service_tier`, `tools`), Anthropic's "Fast
mode" (`speed`), OpenRouter API reference ("Model Fallbacks": `models`, "Plugins": `plugins`).
"""

from __future__ import annotations

from typing import Any

from lib.base.errors import Unpriced
from lib.limits.price import Price
from lib.wire import Form, JsonBody, Path, Shape

_DEARER = {"service_tier": ("priority", "performance"), "speed": ("fast",)}
_OTHERS = ("models", "plugins", "web_search_options")  # another model may answer than was priced, or others may help
_TOOLS = ("image_generation", "web_search", "file_search", "code_interpreter")  # sold apart, not in the usage


def refuse_hidden_costs(path: Path, body: JsonBody | Form) -> None:
    """Raise `Unpriced`, with the field's name, when a request could cost more than anybody is told."""
    if isinstance(body, Form):
        return
    for name, dear in _DEARER.items():
        if name in body and body.get(name) in dear:
            raise _refusal(name)
    for name in _OTHERS:
        if name in body and body.get(name):
            raise _refusal(name)
    if path.shape is Shape.RESPONSE:
        _refuse_hidden_responses(body)


def tells_all(path: Path, body: JsonBody | Form, price: Price) -> bool:
    """Whether a price holds for what is asked for: the lists give some models that speak a price for text alone."""
    if isinstance(body, Form) or path.shape is not Shape.CHAT:
        return True
    modalities = body.get("modalities") if body.kind("modalities") == "list" else ()
    return price.knows("output_audio") or not ("audio" in modalities or body.get("audio"))


def _refuse_hidden_responses(body: JsonBody) -> None:
    if body.get("background"):  # the vendor goes on when it has answered, and never says what it used
        raise _refusal("background")
    tools = body.get("tools") if body.kind("tools") == "list" else ()
    if any(_kind(tool).startswith(_TOOLS) for tool in tools):
        raise _refusal("tools")


def _kind(tool: Any) -> str:
    """What a tool is; vendors put dates behind the names of their own."""
    kind = tool.get("type") if isinstance(tool, dict) else None
    return kind if isinstance(kind, str) else ""


def _refusal(name: str) -> Unpriced:
    return Unpriced(f"What `{name}` asks for has no price here, so a key with a budget cannot have it.", param=name)
