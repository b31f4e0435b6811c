"""Amazon Bedrock: requests and answers in Anthropic's dialect, Converse behind it.

Source: Amazon Bedrock API Reference, "Converse", "ConverseStream", "CountTokens".
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from lib.base.errors import BadRequest, UnknownModel, VendorProtocolError
from lib.net import aws
from lib.providers.base import Headers, Outgoing
from lib.providers.bedrock_answer import BedrockAnswer, Head
from lib.wire import ConverseStream, Dialect, Path, Shape, from_converse, to_converse

if TYPE_CHECKING:
    from types_boto3_bedrock_runtime import BedrockRuntimeClient

_SHAPES = frozenset({Shape.MESSAGE, Shape.CHAT, Shape.TOKEN_COUNT})

# What an id may consist of: a model's, an inference profile's, or an ARN with slashes.
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,2047}")

_MAKER = re.compile(r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?([a-z0-9]+)\.")

# The members of CountTokens' `converse` input; the others say how to answer, which costs no input.
_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


class BedrockProvider:
    """Bedrock in one region, with the credentials that boto3 finds.

    Chat completions come here as Anthropic messages: the gateway translates.
    `read_timeout` is the longest silence in seconds that boto3 sits through;
    the gateway's own timeouts are to be shorter.
    """

    asks_for_usage = False
    token_limit = "max_tokens"
    rests = True
    takes_callers_key = False

    def __init__(
        self,
        name: str = "bedrock",
        *,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        read_timeout: float = 900.0,
    ) -> None:
        self.name = name
        self._options = aws.RuntimeOptions(region, endpoint_url, read_timeout=read_timeout)

    def maker(self, model: str) -> str:
        """`anthropic` of `us.anthropic.claude-...`, also in an ARN; the provider's name when unclear."""
        found = _MAKER.match(model.rpartition("/")[2].removeprefix("bedrock."))
        return found[1] if found else self.name

    def dialect(self, path: Path) -> Dialect | None:
        """Anthropic's for messages, chat completions and token counts; None for everything else."""
        return Dialect.ANTHROPIC if path.shape in _SHAPES else None

    def send(self, outgoing: Outgoing) -> BedrockAnswer:
        """Prepare the call; see `lib.providers.base.Answer`.

        Raises `Untranslatable` for a field that Converse has no place for, `BadRequest`, `UnknownModel`.
        """
        request = {"modelId": model_id(outgoing.model), **to_converse(_with_betas(_body(outgoing), outgoing.headers))}
        if outgoing.path.shape is Shape.TOKEN_COUNT:
            return BedrockAnswer("application/json", lambda head: self._count(outgoing, request, head))
        if outgoing.stream:
            return BedrockAnswer("text/event-stream", lambda head: self._stream(outgoing, request, head))
        return BedrockAnswer("application/json", lambda head: self._whole(outgoing, request, head))

    def _whole(self, outgoing: Outgoing, request: dict[str, Any], head: Head) -> Generator[bytes, None, None]:
        with aws.vendor_errors(self.name):
            response: Any = self._client(outgoing).converse(**request)
        request_id = _request_id(response, head)
        if "message" not in response.get("output", {}):
            raise VendorProtocolError(detail="an answer without a message", provider=self.name)
        yield msgspec.json.encode(from_converse(response, outgoing.model, request_id))

    def _stream(self, outgoing: Outgoing, request: dict[str, Any], head: Head) -> Generator[bytes, None, None]:
        with aws.vendor_errors(self.name):
            response: Any = self._client(outgoing).converse_stream(**request)
            request_id = _request_id(response, head)
            with closing(response["stream"]) as events:
                yield from self._blocks(events, ConverseStream(outgoing.model, f"msg_{request_id}"))

    def _blocks(self, events: Iterable[dict[str, Any]], converter: ConverseStream) -> Generator[bytes, None, None]:
        """Server-sent events. A stream that was cut between two events looks whole to boto3: not to us."""
        stopped = False
        for event in events:
            stopped = stopped or "messageStop" in event
            yield converter.feed(event)
        if not stopped:
            raise VendorProtocolError("The model provider's answer ended early.", provider=self.name)
        yield converter.finish()

    def _count(self, outgoing: Outgoing, request: dict[str, Any], head: Head) -> Generator[bytes, None, None]:
        counted: Any = {name: request[name] for name in _COUNTED if name in request}
        with aws.vendor_errors(self.name):
            client = self._client(outgoing)
            response = client.count_tokens(modelId=request["modelId"], input={"converse": counted})
        _request_id(response, head)
        if "inputTokens" not in response:
            raise VendorProtocolError(detail="a token count without a number", provider=self.name)
        yield msgspec.json.encode({"input_tokens": response["inputTokens"]})

    def _client(self, outgoing: Outgoing) -> BedrockRuntimeClient:
        """The shared client. boto3 has one connect timeout for each client, so it is rounded up to a whole second."""
        seconds = max(1, math.ceil(outgoing.connect_timeout))
        return aws.bedrock_runtime(self._options._replace(connect_timeout=seconds))


def model_id(name: str) -> str:
    """Bedrock's own id: `name` without `bedrock/` or aiproxy's `bedrock.` before it. Raises `UnknownModel`."""
    name = name.removeprefix("bedrock/").removeprefix("bedrock.")
    if not _MODEL_ID.fullmatch(name):
        raise UnknownModel
    return name


def _body(outgoing: Outgoing) -> dict[str, Any]:
    body = outgoing.body if isinstance(outgoing.body, bytes) else b"".join(outgoing.body)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The request body must be a JSON object.") from error


def _with_betas(body: dict[str, Any], headers: Headers) -> dict[str, Any]:
    """What Anthropic's API takes as a header, Bedrock takes as a field: the names of beta features."""
    betas = [beta.strip() for name, value in headers if name == "anthropic-beta" for beta in value.split(",")]
    held = body.get("anthropic_beta") or []
    if betas and isinstance(held, list):
        body["anthropic_beta"] = held + [beta for beta in betas if beta not in held]
    return body


def _request_id(response: Mapping[str, Any], head: Head) -> str:
    """The vendor's id of the call, put into the answer's head as well. Empty when there is none."""
    request_id = str(response["ResponseMetadata"].get("RequestId", ""))
    if request_id:
        head.append(("x-amzn-requestid", request_id))
    return request_id
