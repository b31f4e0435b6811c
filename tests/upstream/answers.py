"""Which right answer belongs to which path."""

from __future__ import annotations

from collections.abc import Callable

from tests.upstream import anthropic_messages, openai_chat, openai_others, openai_responses
from tests.upstream.errors import error
from tests.upstream.recipe import Recipe
from tests.upstream.record import Call
from tests.upstream.steps import Answer

# By the end of the path, so that any base URL will do; the first that fits wins.
MAKERS: tuple[tuple[str, Callable[[Call, Recipe], Answer]], ...] = (
    ("/chat/completions", openai_chat.chat),
    ("/completions", openai_chat.completion),
    ("/responses", openai_responses.response),
    ("/embeddings", openai_others.embeddings),
    ("/embed", openai_others.embed),
    ("/moderations", openai_others.moderations),
    ("/images/generations", openai_others.images),
    ("/audio/speech", openai_others.speech),
    ("/audio/transcriptions", openai_others.transcription),
    ("/messages", anthropic_messages.message),
    ("/messages/count_tokens", anthropic_messages.count_tokens),
)


def right(call: Call, recipe: Recipe = Recipe()) -> Answer:
    """The right answer in the dialect of the path; a vendor's 404 or 400 when there is none."""
    if call.method == "GET":
        if "/models" not in call.route:
            return error(call, 404, "Unknown request URL.")
        return anthropic_messages.models(call) if call.anthropic else openai_others.models(call)
    maker = next((make for ending, make in MAKERS if call.route.endswith(ending)), None)
    if maker is None or call.method != "POST":
        return error(call, 404, "Unknown request URL.")
    if not call.json and not call.parts:
        return error(call, 400, "We could not parse the body of your request.")
    return maker(call, recipe)
