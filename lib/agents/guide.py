"""The migration guide's contract: an answer is a JSON string, or an object with an `error`, both with status 200."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lib.agents.asking import UNSUPPORTED, Agents, Asker, chat, embed
from lib.agents.fields import GuideEmbedding, GuideInference, read
from lib.agents.spending import EMBEDDING_CAP, INFERENCE_CAP, at_cap
from lib.base.errors import BudgetExceeded, RunSpent, UnknownModel
from lib.gateway import Reply

MAX_TOKENS = 1024
TEMPERATURE = 0.7
NO_CONTENT = "No response content received from the model"
_JSON = [("content-type", "application/json")]


class Guide:
    """`POST /agents/inference` and `/agents/embedding`."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    def inference(self, asker: Asker, raw: bytes) -> Reply:
        """The text of an answer. Raises `InvalidFields`, and what the gateway raises."""
        asked = read(GuideInference, raw)
        models = self._agents.models
        model = asked.model or models.default_model(asker.caller) or ""
        try:
            if not models.chat.allows(model, asker.caller):
                raise UnknownModel
            answer = chat(self._agents, asker, asked.run_id, _body(asked, model))
        except UNSUPPORTED:
            return self._unsupported(asker, asked.run_id, model, models.chat.names(asker.caller), INFERENCE_CAP)
        except BudgetExceeded as error:
            return _error(INFERENCE_CAP if isinstance(error, RunSpent) else error.message)
        return _answer(answer.content or NO_CONTENT)

    def embedding(self, asker: Asker, raw: bytes) -> Reply:
        """The vendor's own answer, byte for byte. Raises likewise."""
        asked = read(GuideEmbedding, raw)
        models = self._agents.models
        model = models.default_embedding_model(asker.caller) or ""
        try:
            if not models.embedding.allows(model, asker.caller):
                raise UnknownModel
            return embed(self._agents, asker, asked.run_id, model, asked.input, bare=True)
        except UNSUPPORTED:
            return self._unsupported(asker, asked.run_id, model, models.embedding.names(asker.caller), EMBEDDING_CAP)
        except BudgetExceeded as error:
            return _error(EMBEDDING_CAP if isinstance(error, RunSpent) else error.message)

    def _unsupported(self, asker: Asker, run: str, model: str, names: Sequence[str], cap: str) -> Reply:
        """A model that may not be called; of a run that is at its cap, that is said first."""
        spending = self._agents.gateway.run_spending(asker.caller, run)
        if at_cap(spending):
            return _error(cap)
        return _error(f"Model {model} not supported. Please use one of the following models: {list(names)}")


def _body(asked: GuideInference, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in asked.messages],
        "max_tokens": MAX_TOKENS,
        "temperature": TEMPERATURE if asked.temperature is None else asked.temperature,
    }


def _answer(value: Any) -> Reply:
    return Reply(200, _JSON, msgspec.json.encode(value))


def _error(text: str) -> Reply:
    return _answer({"error": text})
