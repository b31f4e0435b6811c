"""The inference gateway's contract: runs are UUIDs, answers hold `content` and `tool_calls`, faults have a status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from lib.access import Caller
from lib.agents import tools
from lib.agents.asking import UNSUPPORTED, Agents, Asker, chat, embed
from lib.agents.fields import EmbeddingRequest, InferenceRequest, UsageQuery, read, read_query
from lib.agents.models import chat_row, embedding_row
from lib.agents.spending import at_cap, over_limit, usage
from lib.agents.vectors import first_vector
from lib.base.errors import (
    AIProxyError,
    InvalidFields,
    RunSpent,
    UnknownModel,
    VendorProtocolError,
)

NONE_WITH_TOOLS = "If you specify a tool mode of NONE, you must not specify any tools."
REQUIRED_WITHOUT_TOOLS = "If you specify a tool mode of REQUIRED, you must specify at least one tool."
Json = dict[str, Any]


class Evaluation:
    """`/api/inference`, `/api/embedding`, `/api/usage` and the two lists of models."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    def inference(self, asker: Asker, raw: bytes) -> Json:
        """`{"content", "tool_calls"}`. Raises `InvalidFields`, `RunSpent`, `UnknownModel` and what the gateway does."""
        asked = read(InferenceRequest, raw)
        _check_tools(asked)
        run = str(asked.evaluation_run_id)
        with self._faults("Inference", asker, run, asked.model):
            if not self._agents.models.chat.allows(asked.model, asker.caller):
                raise UnknownModel
            answer = chat(self._agents, asker, run, _body(asked))
        return {"content": answer.content, "tool_calls": [tools.shown(call) for call in answer.calls]}

    def embedding(self, asker: Asker, raw: bytes) -> Mapping[str, msgspec.Raw]:
        """`{"embedding": [...]}`. Raises likewise."""
        asked = read(EmbeddingRequest, raw)
        run = str(asked.evaluation_run_id)
        with self._faults("Embedding", asker, run, asked.model):
            if not self._agents.models.embedding.allows(asked.model, asker.caller):
                raise UnknownModel
            reply = embed(self._agents, asker, run, asked.model, asked.input)
            if not isinstance(reply.body, bytes):
                reply.body.close()
                raise VendorProtocolError(detail="a stream that nobody asked for")
            return {"embedding": first_vector(reply.body)}

    def usage(self, caller: Caller, query: Mapping[str, Any]) -> Json:
        """What a run has used, and what is left of its cap. Raises `InvalidFields`, `StoreUnavailable`."""
        run = str(read_query(UsageQuery, query).evaluation_run_id)
        return usage(self._agents.gateway.run_spending(caller, run))

    def inference_models(self, caller: Caller) -> list[Json]:
        """The chat models that a caller can name."""
        return [chat_row(offer) for offer in self._agents.models.chat.offers(caller)]

    def embedding_models(self, caller: Caller) -> list[Json]:
        """The embedding models that a caller can name."""
        return [embedding_row(offer) for offer in self._agents.models.embedding.offers(caller)]

    @contextmanager
    def _faults(self, kind: str, asker: Asker, run: str, model: str) -> Iterator[None]:
        """Turn what goes wrong into the contract's own words. A run at its cap comes before an unknown model."""
        try:
            yield
        except UNSUPPORTED as error:
            spending = self._agents.gateway.run_spending(asker.caller, run)
            if at_cap(spending):
                raise over_limit(spending) from None
            message = f"The model {model} is not supported by Ridges for {kind.lower()}."
            raise UnknownModel(message, detail=error.detail) from None
        except RunSpent:
            raise over_limit(self._agents.gateway.run_spending(asker.caller, run)) from None
        except AIProxyError as error:
            if error.provider is not None:  # else it is a fault of ours, or a limit of ours
                error.message = f"{kind} External Error {error.provider}:{asker.record.model_served}: {error.message}"
            raise


def _check_tools(asked: InferenceRequest) -> None:
    if asked.tools and asked.tool_mode in (None, "none"):
        raise _wrong(NONE_WITH_TOOLS)
    if asked.tool_mode == "required" and not asked.tools:
        raise _wrong(REQUIRED_WITHOUT_TOOLS)


def _wrong(text: str) -> InvalidFields:
    error = InvalidFields()
    error.message, error.param = text, "tool_mode"
    return error


def _body(asked: InferenceRequest) -> Json:
    body: Json = {
        "model": asked.model,
        "messages": [{"role": message.role, "content": message.content} for message in asked.messages],
        "temperature": asked.temperature,
    }
    if asked.tools:  # a choice without tools is refused by some vendors
        body |= {"tools": tools.described(asked.tools), "tool_choice": asked.tool_mode}
    return body
