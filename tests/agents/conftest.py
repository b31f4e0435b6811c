"""One server for the folder, an agent that speaks to it, and upstream answers written out."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.upstream import Answer, Behaviour, Call, Gateway, Gateways, Upstream, deliver
from tests.upstream.ports import LOOPBACK

SECONDS = 30.0
DEFAULT = "deepseek-ai/DeepSeek-V3-0324"
EMBEDDER = "BAAI/bge-large-en-v1.5"
HELLO = [{"role": "user", "content": "Grüezi"}]
MODELS = f"""
[defaults]
attempts = 1
[rest]
failures = 1000
[providers.openai]
prefixes = ["gpt-", "text-embedding-"]
[providers.anthropic]
kind = "anthropic"
prefixes = ["claude-"]
[providers.chutes]
prefixes = ["deepseek-ai/"]
[providers.chutes-embed]
address = "CHUTES_EMBED_URL"
key = "CHUTES_API_KEY"
prefixes = ["BAAI/"]
shapes = ["embed"]
timeouts = {{ first_byte = 1, total = 2 }}
[agents]
models = ["{DEFAULT}", "gpt-*", "claude-sonnet-4-5", "deepseek-ai/unpriced"]
default_model = "{DEFAULT}"
embedding_models = ["{EMBEDDER}", "text-embedding-3-small"]
default_embedding_model = "{EMBEDDER}"
[prices."chutes/{DEFAULT}"]
input = 0.27
output = 0.27
context_window = 131072
"""


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded; it must be said to be JSON."""
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


class Agent:
    """Calls a server with a key."""

    def __init__(self, gateway: Gateway, key: str | None = None) -> None:
        self.gateway = gateway
        self._key = gateway.key if key is None else key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """One request; bytes go as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(LOOPBACK, int(self.gateway.settings["PORT"]), timeout=SECONDS)
        try:
            connection.request(method, path, raw, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Said(answer.status, fields, answer.read())
        finally:
            connection.close()

    def guide(self, run: str, **fields: Any) -> Said:
        """`POST /agents/inference`."""
        return self.ask("POST", "/agents/inference", {"run_id": run, "messages": HELLO, **fields})

    def guide_embedding(self, run: str, text: str = "Grüezi") -> Said:
        """`POST /agents/embedding`."""
        return self.ask("POST", "/agents/embedding", {"run_id": run, "input": text})

    def infer(self, run: str, model: str = DEFAULT, **fields: Any) -> Said:
        """`POST /api/inference`."""
        usual = {"evaluation_run_id": run, "model": model, "temperature": 0.5, "messages": HELLO}
        return self.ask("POST", "/api/inference", {**usual, **fields})

    def embed(self, run: str, model: str = EMBEDDER) -> Said:
        """`POST /api/embedding`."""
        return self.ask("POST", "/api/embedding", {"evaluation_run_id": run, "model": model, "input": "Grüezi"})

    def usage(self, run: str) -> dict[str, float]:
        """`GET /api/usage`."""
        answer = self.ask("GET", f"/api/usage?evaluation_run_id={run}")
        assert answer.status == 200
        found: dict[str, float] = answer.json
        return found


def settings(upstream: Upstream) -> dict[str, str]:
    """What sends Chutes' calls to the upstream."""
    return {
        "CHUTES_API_KEY": "cpk-vendor-chutes-0123456789",
        "CHUTES_BASE_URL": upstream.openai_url,
        "CHUTES_EMBED_URL": f"{upstream.url}/deep/embed",
    }


def events(*chunks: Any, done: bool = True) -> Behaviour:
    """A stream of these chunks: a string is a line as it stands, anything else an event's JSON."""
    pieces = [f"{each}\n\n".encode() if isinstance(each, str) else b"data: " + json.dumps(each).encode() + b"\n\n"
              for each in chunks]  # fmt: skip
    body = tuple(pieces + ([b"data: [DONE]\n\n"] if done else []))
    return Behaviour("events", lambda call: deliver(Answer(body, "text/event-stream", streamed=True)))


def whole(body: Any, status: int = 200, content_type: str = "application/json") -> Behaviour:
    """This body in one piece."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Behaviour("whole", lambda call: deliver(Answer((raw,), content_type, status=status)))


def delta(content: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk with one delta."""
    return {"choices": [{"index": 0, "delta": {"content": content, **more}}]}


def used(prompt: int, completion: int = 0) -> dict[str, Any]:
    """The chunk with the usage."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"choices": [], "usage": usage}


def sent(call: Call) -> dict[str, Any]:
    """What an upstream was asked, without what a stream needs."""
    return {name: value for name, value in call.json.items() if name not in ("stream", "stream_options")}


@pytest.fixture(scope="package")
def vendor() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running
        assert running.complaints == []


@pytest.fixture(scope="package")
def server(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateways = Gateways(tmp_path_factory.mktemp("agents"))
    yield gateways(vendor, models=MODELS, **settings(vendor))
    gateways.stop()


@pytest.fixture
def agent(server: Gateway) -> Agent:
    return Agent(server)


@pytest.fixture
def chutes(vendor: Upstream) -> Iterator[Upstream]:
    """The upstream, with nothing recorded; every plan must be used."""
    vendor.forget()
    yield vendor
    assert vendor.planned == []


@pytest.fixture
def run() -> str:
    """A run that nobody has heard of."""
    return str(uuid4())


@pytest.fixture
def started(vendor: Upstream, gateway: Gateways) -> Callable[..., Agent]:
    """`started(**settings)`: an agent before a server of its own."""
    return lambda **more: Agent(gateway(vendor, models=MODELS, **{**settings(vendor), **more}))
