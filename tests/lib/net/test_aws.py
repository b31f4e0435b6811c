"""AWS: when boto3 is loaded, what its client does, and what its failures become."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import botocore.eventstream
import botocore.exceptions
import botocore.parsers
import pytest
import urllib3.exceptions

from lib.base.errors import (
    AIProxyError,
    BadRequest,
    RateLimited,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorRejectedUs,
    VendorTimeout,
    VendorUnreachable,
)
from lib.net import aws
from tests.upstream.aws_environment import CREDENTIALS
from tests.upstream.bedrock import BedrockUpstream
from tests.upstream.gateway import ROOT
from tests.upstream.record import Call

MODEL = "anthropic.claude-x-v1:0"
MESSAGES: Any = [{"role": "user", "content": [{"text": "How many gulls?"}]}]

environment = pytest.mark.usefixtures("aws_environment")


def call(endpoint_url: str | None, region: str = "us-east-1") -> None:
    """One Converse call."""
    with aws.vendor_errors("bedrock"):
        aws.bedrock_runtime(aws.RuntimeOptions(region, endpoint_url)).converse(modelId=MODEL, messages=MESSAGES)


def authorization(seen: Call) -> str:
    return seen.header("authorization") or ""


# ---- clients ----


def test_importing_the_module_does_not_load_boto3() -> None:
    code = "import sys, lib.net.aws; print([m for m in sys.modules if m.partition('.')[0] in ('boto3', 'botocore')])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@environment
def test_one_client_for_each_set_of_options() -> None:
    options = aws.RuntimeOptions("us-east-1", "http://127.0.0.1:9")
    assert aws.bedrock_runtime(options) is aws.bedrock_runtime(options)
    assert aws.bedrock_runtime(options._replace(connect_timeout=2.0)) is not aws.bedrock_runtime(options)


@environment
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"])
def test_the_endpoint_may_come_from_the_environment(
    bedrock: BedrockUpstream, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, bedrock.url)
    call(None)
    assert len(bedrock.seen) == 1


@environment
def test_an_endpoint_that_was_set_wins(bedrock: BedrockUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock.refuse)
    call(bedrock.url)
    assert len(bedrock.seen) == 1


@environment
def test_requests_are_signed_for_the_region(bedrock: BedrockUpstream) -> None:
    call(bedrock.url, "eu-west-1")
    assert authorization(bedrock.seen[0]).startswith("AWS4-HMAC-SHA256 Credential=AKIDTESTS/")
    assert "/eu-west-1/bedrock/aws4_request" in authorization(bedrock.seen[0])
    assert "aiproxy" in (bedrock.seen[0].header("user-agent") or "")


@environment
def test_a_bedrock_key_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 sends such a key over TLS alone, so it is not sent here."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    options = aws.RuntimeOptions("us-east-1", "https://127.0.0.1:9")
    with pytest.raises(VendorRejectedUs):
        aws.bedrock_runtime(options)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key-of-the-tests")
    assert aws.bedrock_runtime(options).meta.endpoint_url == "https://127.0.0.1:9"


@environment
def test_credentials_that_turn_up_later_are_found(bedrock: BedrockUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(VendorRejectedUs):
        call(bedrock.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLATER")
    call(bedrock.url)
    assert "AKIDLATER" in authorization(bedrock.seen[0])


@environment
@pytest.mark.parametrize(
    "settings", [{"AWS_PROFILE": "nobody"}, {"AWS_SECRET_ACCESS_KEY": ""}], ids=["profile", "half a pair"]
)
def test_unusable_credentials_are_ours_to_mend(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(VendorRejectedUs):
        call("http://127.0.0.1:9")


@environment
def test_nothing_is_repeated(bedrock: BedrockUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    bedrock.plan("error-500")
    with pytest.raises(VendorError):
        call(bedrock.url)
    assert len(bedrock.seen) == 1


# ---- failures ----


def translated(error: Exception) -> AIProxyError:
    with pytest.raises(AIProxyError) as raised, aws.vendor_errors("bedrock"):
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def answered(code: str, status: int, words: str = "words", **headers: str) -> botocore.exceptions.ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {k.replace("_", "-"): v for k, v in headers.items()}}
    response: Any = {"Error": {"Code": code, "Message": words}, "ResponseMetadata": metadata}
    return botocore.exceptions.ClientError(response, "Converse")


ANSWERS: list[tuple[str, int, type[AIProxyError], int]] = [
    ("ThrottlingException", 429, RateLimited, 429),
    ("TooManyRequestsException", 429, RateLimited, 429),
    ("ServiceQuotaExceededException", 400, RateLimited, 429),
    ("ValidationException", 400, VendorRefused, 400),
    ("ResourceNotFoundException", 404, VendorRefused, 404),
    ("AccessDeniedException", 403, VendorRejectedUs, 502),
    ("UnrecognizedClientException", 403, VendorRejectedUs, 502),
    ("ExpiredTokenException", 403, VendorRejectedUs, 502),
    ("ExpiredToken", 400, VendorRejectedUs, 502),
    ("InvalidSignatureException", 403, VendorRejectedUs, 502),
    ("ModelNotReadyException", 429, VendorOverloaded, 503),
    ("ServiceUnavailableException", 503, VendorOverloaded, 503),
    ("ModelErrorException", 424, VendorError, 502),
    ("InternalServerException", 500, VendorError, 502),
    ("ModelTimeoutException", 408, VendorTimeout, 504),
    ("NobodyKnowsThis", 400, VendorRefused, 400),
    ("NobodyKnowsThis", 413, VendorRefused, 413),
    ("NobodyKnowsThis", 401, VendorRejectedUs, 502),
    ("NobodyKnowsThis", 403, VendorRejectedUs, 502),
    ("NobodyKnowsThis", 429, RateLimited, 429),
    ("NobodyKnowsThis", 500, VendorError, 502),
    ("503", 503, VendorOverloaded, 503),
    ("504", 504, VendorTimeout, 504),
    ("", 502, VendorError, 502),
]


@pytest.mark.parametrize(("code", "status", "kind", "shown"), ANSWERS)
def test_answers(code: str, status: int, kind: type[AIProxyError], shown: int) -> None:
    error = translated(answered(code, status))
    assert type(error) is kind
    assert (error.status, error.provider) == (shown, "bedrock")


IN_STREAM: list[tuple[str, type[AIProxyError]]] = [
    ("internalServerException", VendorError),
    ("modelStreamErrorException", VendorError),
    ("validationException", VendorRefused),
    ("throttlingException", RateLimited),
    ("serviceUnavailableException", VendorOverloaded),
    ("modelTimeoutException", VendorTimeout),
    ("nobodyKnowsThis", VendorError),
    ("", VendorError),
]


@pytest.mark.parametrize(("code", "kind"), IN_STREAM)
def test_exceptions_inside_a_stream(code: str, kind: type[AIProxyError]) -> None:
    response: Any = {"Error": {"Code": code, "Message": "words"}}
    assert type(translated(botocore.exceptions.EventStreamError(response, "ConverseStream"))) is kind


@pytest.mark.parametrize(
    "words",
    [
        "Input is too long for requested model.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
        "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "This model's maximum context length is 8192 tokens.",
    ],
)
def test_a_prompt_that_is_too_long_has_a_code_of_its_own(words: str) -> None:
    error = translated(answered("ValidationException", 400, words))
    assert (error.status, error.code, error.message) == (400, "context_length_exceeded", words)


def test_words_mean_nothing_against_the_code() -> None:
    error = translated(answered("ThrottlingException", 429, "Too many tokens; your context length is fine."))
    assert (type(error), error.code) == (RateLimited, "rate_limit_exceeded")


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-1", None), ("nan", None), ("inf", None), ("soon", None)]
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert translated(answered("ThrottlingException", 429, retry_after=value)).retry_after == seconds


URL = "https://bedrock.invalid"
POOL: Any = None
BEFORE_AN_ANSWER: list[tuple[Exception, type[AIProxyError]]] = [
    (botocore.exceptions.ReadTimeoutError(endpoint_url=URL), VendorTimeout),
    (botocore.exceptions.ConnectTimeoutError(endpoint_url=URL), VendorTimeout),
    (botocore.exceptions.EndpointConnectionError(endpoint_url=URL), VendorUnreachable),
    (botocore.exceptions.SSLError(endpoint_url=URL, error="bad certificate"), VendorUnreachable),
    (botocore.exceptions.ProxyConnectionError(proxy_url=URL), VendorUnreachable),
    (botocore.exceptions.ConnectionClosedError(endpoint_url=URL), VendorUnreachable),
    (botocore.exceptions.HTTPClientError(error="odd"), VendorUnreachable),
    (botocore.exceptions.NoCredentialsError(), VendorRejectedUs),
    (botocore.exceptions.CredentialRetrievalError(provider="iam-role", error_msg="odd"), VendorRejectedUs),
    (botocore.exceptions.UnauthorizedSSOTokenError(), VendorRejectedUs),
    (botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="odd"), VendorRejectedUs),
    (botocore.parsers.ResponseParserError("junk"), VendorProtocolError),
    (botocore.eventstream.ChecksumMismatch(1, 2), VendorProtocolError),
    (urllib3.exceptions.ProtocolError("cut"), VendorProtocolError),
    (urllib3.exceptions.ReadTimeoutError(POOL, URL, "silent"), VendorTimeout),
    (urllib3.exceptions.DecodeError("odd"), VendorError),
    (botocore.exceptions.UnknownEndpointError(service_name="bedrock", region_name="x"), VendorError),
]


@pytest.mark.parametrize(("error", "kind"), BEFORE_AN_ANSWER, ids=[type(row[0]).__name__ for row in BEFORE_AN_ANSWER])
def test_failures_without_an_answer(error: Exception, kind: type[AIProxyError]) -> None:
    assert type(translated(error)) is kind


def test_a_request_that_boto3_refuses_quotes_no_value() -> None:
    report = "Invalid type for parameter messages[0].role, value: my secret, type: <class 'int'>"
    error = translated(botocore.exceptions.ParamValidationError(report=report))
    assert type(error) is BadRequest
    assert "messages[0].role" in error.message
    assert "secret" not in f"{error.message} {error.detail}"


def test_faults_of_ours_pass_through() -> None:
    with pytest.raises(KeyError), aws.vendor_errors("bedrock"):
        raise KeyError("ours")
