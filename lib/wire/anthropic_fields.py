"""Fields of a Messages request that every translation of one reads in the same way.

Source: Anthropic API reference, "Create a Message".
"""

from __future__ import annotations

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.reader import Reader

_TOOL = frozenset({"type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming"})
_TOOL_USE = frozenset({"type", "id", "name", "input", "caller", "cache_control"})
_DIRECT = ["direct"]


def check_tool(tool: Reader) -> None:
    """Refuse a tool that is not the caller's own, or that the model itself may not call."""
    if tool.raw.get("type") not in (None, "custom"):
        raise Untranslatable(tool.at("type"), "it has no tools of the vendor's own")
    plain = tool.raw.get("allowed_callers") == _DIRECT
    tool.only({*_TOOL, "allowed_callers"} if plain else _TOOL)


def check_tool_use(block: Reader) -> None:
    """Refuse a call that came from a vendor's own tool instead of the model."""
    block.only(_TOOL_USE)
    caller = block.maybe_object("caller")
    if caller and caller.text("type") != "direct":
        raise Untranslatable(caller.at("type"), "only the model itself can call a tool")


def check_citations(block: Reader) -> None:
    """Refuse a document that the answer shall cite."""
    citations = block.maybe_object("citations")
    if citations and citations.maybe_flag("enabled"):
        raise Untranslatable(citations.at("enabled"), "an answer cannot carry citations")


def read_tool_choice(reader: Reader, any_tools: bool) -> tuple[str, Reader] | None:
    """The kind of `tool_choice` and its fields; None for the default. Without tools, none can be demanded."""
    choice = reader.maybe_object("tool_choice")
    if choice is None:
        return None
    kind = choice.choice("type", {"auto", "any", "tool", "none"})
    choice.only({"type", "name", "disable_parallel_tool_use"})
    if not any_tools and kind in ("any", "tool"):
        raise BadRequest("`tool_choice` needs `tools`.", param="tool_choice")
    return kind, choice


def plain_tier(reader: Reader) -> bool:
    """Whether the request asks for the standard tier; by default the vendor chooses."""
    return reader.has("service_tier") and reader.choice("service_tier", {"auto", "standard_only"}) == "standard_only"
