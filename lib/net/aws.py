"""AWS through boto3; nothing else imports it.

boto3 and the client of one service cost about 0.3 s and 20 MB, so both wait
for the first call that needs them: importing this module imports neither.

boto3 brings its own sockets. They yield to other greenlets when the process
was monkey-patched by gevent, as the server is; in a plain process a call
blocks the thread until the vendor says something.

Sources: Amazon Bedrock API Reference, "Converse" and "ConverseStream" (errors
of both, and the exceptions inside a stream); AWS Signature Version 4,
"Common errors".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent
from gevent.lock import BoundedSemaphore

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
from lib.wire import TOO_LONG, is_too_long

if TYPE_CHECKING:
    import boto3.session
    from botocore.exceptions import ClientError, ParamValidationError
    from types_boto3_bedrock_runtime import BedrockRuntimeClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient

# ---- clients ----


class RuntimeOptions(NamedTuple):
    """How Bedrock's runtime is reached. Timeouts are in seconds; `read_timeout` runs between two reads.

    Without `endpoint_url` boto3 looks at AWS_ENDPOINT_URL_BEDROCK_RUNTIME, then
    AWS_ENDPOINT_URL, then takes the region's own. `pool` is the number of idle
    connections that are kept; there may be more calls than that.
    """

    region: str
    endpoint_url: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 300.0
    pool: int = 1024


_POINTERS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)


def is_pointed_at(environ: Mapping[str, str], endpoint_url: str | None = None) -> bool:
    """Whether anything says that AWS shall be used, without asking boto3, which would look around the network."""
    if endpoint_url or any(environ.get(name) for name in _POINTERS):
        return True
    home = environ.get("HOME", "")
    return bool(home) and any(Path(home, ".aws", name).is_file() for name in ("credentials", "config"))


_making = BoundedSemaphore(1)
_sessions: list[boto3.session.Session] = []
_clients: dict[RuntimeOptions, BedrockRuntimeClient] = {}


def bedrock_runtime(options: RuntimeOptions) -> BedrockRuntimeClient:
    """The process's client for `options`: made by the first call, shared by all others.

    It never repeats a request: attempts are the gateway's business. Raises
    `VendorRejectedUs` when there are no credentials; as these may turn up
    later (a role, a mounted file), the next call looks again.
    """
    client = _clients.get(options)
    if client is None:
        with _making:  # not threading.Lock: making a client lets other greenlets run
            client = _clients.get(options) or _make(options)
            _clients[options] = client
    return client


def _make(options: RuntimeOptions) -> BedrockRuntimeClient:
    import botocore.config  # noqa: PLC0415 - see the module's docstring

    session = _session()
    gevent.sleep(0)  # what follows takes a tenth of a second: let the others have their turn first
    return session.client(
        "bedrock-runtime",
        region_name=options.region,
        endpoint_url=options.endpoint_url,
        config=botocore.config.Config(
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            max_pool_connections=options.pool,
            retries={"total_max_attempts": 1, "mode": "standard"},
            tcp_keepalive=True,
            user_agent_extra="aiproxy",
        ),
    )


def s3() -> S3Client:
    """A client for reading from S3, in whatever region AWS's own settings name. Raises `VendorRejectedUs`."""
    with _making:
        return _session().client("s3")


def secrets_manager(region: str | None, endpoint_url: str | None, pool: int) -> SecretsManagerClient:
    """A client of Secrets Manager that repeats nothing by itself. Without `region` boto3 looks for one.

    Raises `VendorRejectedUs` without credentials, and as botocore does without a region.
    """
    import botocore.config  # noqa: PLC0415

    config = botocore.config.Config(
        connect_timeout=3,
        read_timeout=5,
        max_pool_connections=pool,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent_extra="aiproxy",
    )
    with _making:
        return _session().client("secretsmanager", region_name=region, endpoint_url=endpoint_url, config=config)


def _session() -> boto3.session.Session:
    """The one session. Raises `VendorRejectedUs` as long as it finds neither credentials nor a Bedrock key."""
    import botocore.session  # noqa: PLC0415

    gevent.sleep(0)
    import boto3.session  # noqa: PLC0415

    if not _sessions:
        core = botocore.session.get_session()
        identity: object = core.get_auth_token(signing_name="bedrock")  # type: ignore[call-arg]  # stubs lag behind
        if identity is None:
            identity = core.get_credentials()
        if identity is None:
            raise VendorRejectedUs(detail="no AWS credentials were found")
        _sessions.append(boto3.session.Session(botocore_session=core))
    return _sessions[0]


# ---- failures ----


class AwsFault(Exception):
    """A call to AWS failed. `code` is AWS's word for why, or the name of botocore's exception when it said nothing;
    `status` is 0 then."""

    def __init__(self, code: str, words: str, status: int) -> None:
        super().__init__(code)
        self.code, self.words, self.status = code, words, status


@contextmanager
def faults() -> Iterator[None]:
    """Raise boto3's failures as `AwsFault`: for services that are no vendor of models."""
    import botocore.parsers  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        said: Mapping[str, Any] = error.response
        status = int(said.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(said["Error"].get("Code") or status)
        raise AwsFault(code, str(said["Error"].get("Message", "")), status) from error
    except VendorRejectedUs as error:
        raise AwsFault("NoCredentialsError", error.detail or "", 0) from error
    except (BotoCoreError, botocore.parsers.ResponseParserError, ValueError) as error:  # ValueError: a bad endpoint
        raise AwsFault(type(error).__name__, str(error), 0) from error


# By the code of an AWS error, in small letters and without "exception". What the vendor calls a
# failure says more than its status: ModelNotReadyException is a 429, ServiceQuotaExceededException a 400.
_BY_CODE: Mapping[str, type[AIProxyError]] = {
    "throttling": RateLimited,
    "throttled": RateLimited,
    "toomanyrequests": RateLimited,
    "requestlimitexceeded": RateLimited,
    "servicequotaexceeded": RateLimited,
    "validation": VendorRefused,
    "resourcenotfound": VendorRefused,
    "accessdenied": VendorRejectedUs,
    "unrecognizedclient": VendorRejectedUs,
    "expiredtoken": VendorRejectedUs,
    "invalidclienttokenid": VendorRejectedUs,
    "invalidsignature": VendorRejectedUs,
    "incompletesignature": VendorRejectedUs,
    "signaturedoesnotmatch": VendorRejectedUs,
    "missingauthenticationtoken": VendorRejectedUs,
    "optinrequired": VendorRejectedUs,
    "modelnotready": VendorOverloaded,
    "serviceunavailable": VendorOverloaded,
    "modelerror": VendorError,
    "modelstreamerror": VendorError,
    "internalserver": VendorError,
    "internalfailure": VendorError,
    "modeltimeout": VendorTimeout,
}

# By status, for codes that are not above. Any other 4xx concerns the request, anything else is the vendor's.
_BY_STATUS: Mapping[int, type[AIProxyError]] = {
    401: VendorRejectedUs,
    402: VendorRejectedUs,
    403: VendorRejectedUs,
    408: VendorTimeout,
    424: VendorError,
    429: RateLimited,
    503: VendorOverloaded,
    504: VendorTimeout,
    529: VendorOverloaded,
}

# By the name of an exception of botocore's, or of urllib3's underneath it, or of one of their parents.
_BY_CLASS: Mapping[str, type[AIProxyError]] = {
    "ReadTimeoutError": VendorTimeout,
    "ConnectTimeoutError": VendorTimeout,
    "ConnectionError": VendorUnreachable,
    "ConnectionClosedError": VendorUnreachable,
    "HTTPClientError": VendorUnreachable,
    "NoCredentialsError": VendorRejectedUs,
    "PartialCredentialsError": VendorRejectedUs,
    "CredentialRetrievalError": VendorRejectedUs,
    "MetadataRetrievalError": VendorRejectedUs,
    "NoAuthTokenError": VendorRejectedUs,
    "TokenRetrievalError": VendorRejectedUs,
    "ProfileNotFound": VendorRejectedUs,
    "SSOError": VendorRejectedUs,
    "LoginError": VendorRejectedUs,
    "ResponseParserError": VendorProtocolError,
    "ParserError": VendorProtocolError,
    "ProtocolError": VendorProtocolError,
    "BotoCoreError": VendorError,
    "HTTPError": VendorError,
}

_STATUS_OF_CODE = {"validation": 400, "resourcenotfound": 404}
_CODE_OF_STATUS = {404: "model_not_found", 413: "request_too_large"}
_PARAMETER = re.compile(r"parameter ([\w.\[\]]+)")


@contextmanager
def vendor_errors(provider: str) -> Iterator[None]:
    """Raise boto3's failures as the gateway's own, naming `provider`.

    Also those of a stream that is being read: exceptions that the vendor sends
    as events, broken framing, a lost connection.
    """
    import botocore.eventstream  # noqa: PLC0415 - see the module's docstring
    import botocore.parsers  # noqa: PLC0415
    import urllib3.exceptions  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _answered(error, provider) from error
    except ParamValidationError as error:
        raise _unfit(error, provider) from error
    except (
        BotoCoreError,
        botocore.eventstream.ParserError,
        botocore.parsers.ResponseParserError,
        urllib3.exceptions.HTTPError,
    ) as error:
        names = (cls.__name__ for cls in type(error).__mro__)
        kind = next(_BY_CLASS[name] for name in names if name in _BY_CLASS)
        raise kind(detail=f"{type(error).__name__}: {error}", provider=provider) from error


def _answered(error: ClientError, provider: str) -> AIProxyError:
    """What the vendor said: in an answer, or in an event of a stream, which has no status of its own."""
    response: Mapping[str, Any] = error.response
    code, words = str(response["Error"].get("Code", "")), str(response["Error"].get("Message", ""))
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    name = code.casefold().removesuffix("exception")
    kind = _BY_CODE.get(name) or _BY_STATUS.get(status) or (VendorRefused if 400 <= status < 500 else VendorError)
    if kind is VendorRefused:
        return _refused(words, status or _STATUS_OF_CODE.get(name, 400), provider)
    detail = f"{code} ({status or 'in the stream'}): {words}"
    message = "The model provider is rate limiting requests." if kind is RateLimited else None
    return kind(message, detail=detail, retry_after=_retry_after(metadata), provider=provider)


def _refused(words: str, status: int, provider: str) -> VendorRefused:
    code = TOO_LONG if status == 400 and is_too_long(words) else _CODE_OF_STATUS.get(status)
    message = words or "The model provider refused the request."
    return VendorRefused(message, status=status, code=code, provider=provider)


def _unfit(error: ParamValidationError, provider: str) -> BadRequest:
    """boto3 checks a request before it is sent. Its report quotes values, so only the place is taken from it."""
    place = _PARAMETER.search(str(error))
    where = f" at `{place[1]}`" if place else ""
    return BadRequest(f"The request does not fit the model provider's API{where}.", provider=provider)


def _retry_after(metadata: Mapping[str, Any]) -> float | None:
    """Retry-After in seconds. Bedrock sends no dates, which RFC 9110 section 10.2.3 would allow."""
    try:
        seconds = float(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
