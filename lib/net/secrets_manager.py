"""Secrets in AWS Secrets Manager: what they hold, or why that is not known.

Source: AWS Secrets Manager API Reference, "BatchGetSecretValue", "GetSecretValue", "DescribeSecret".
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from lib.net import aws

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")
BATCH = 20  # secrets of one call, as the reference says
AT_ONCE = 8  # calls for one secret each
SECONDS = 30.0  # for everything, repetitions included
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds, of which a random part is waited

MISSING = "there is no such secret"
EMPTY = "it has no value yet"
DENIED = "access is denied"
SET = "set"
_CODES: Mapping[str, str] = {  # of one secret
    "AccessDeniedException": DENIED,
    "DecryptionFailure": "its key does not decrypt it",
    "InvalidRequestException": "it is marked for deletion",
}
_TROUBLES: Mapping[str, str] = {  # of all of them
    "NoCredentialsError": "no AWS credentials were found",
    "NoRegionError": "no region is known; set AWS_REGION",
    "UnrecognizedClientException": "AWS does not accept the credentials",
    "InvalidClientTokenId": "AWS does not accept the credentials",
    "InvalidSignatureException": "AWS does not accept the credentials",
    "ExpiredTokenException": "the credentials have expired",
    "ValueError": "its endpoint is no address",
}
_FINAL = frozenset({*_TROUBLES, "PartialCredentialsError", "ProfileNotFound", "InvalidRegionError"})
_SLOW_DOWN = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "InternalServiceError", "InternalFailure")


class Asked(msgspec.Struct, frozen=True):
    """Which secrets, and where. `seconds` bounds the whole."""

    names: Sequence[str]
    region: str | None = None
    endpoint_url: str | None = None
    seconds: float = SECONDS


class Answer(msgspec.Struct, frozen=True):
    """By name: what secrets hold, or why that is not known. `trouble` is why none could be asked for."""

    values: dict[str, str] = {}
    reasons: dict[str, str] = {}
    trouble: str | None = None


def fetch(asked: Asked) -> Answer:
    """The values of secrets, twenty with one call; one by one where that is refused."""
    answer = Answer()
    try:
        asking = _Asking(asked)
        for first in range(0, len(asked.names), BATCH):
            part = asking.values(asked.names[first : first + BATCH])
            answer.values.update(part.values)
            answer.reasons.update(part.reasons)
    except aws.AwsFault as fault:
        return Answer(trouble=_trouble(fault, asked.seconds))
    return answer


def look(asked: Asked) -> Answer:
    """Whether secrets have a value: `reasons` says so of each, and no value is asked for."""
    try:
        return Answer(reasons=_Asking(asked).states(asked.names))
    except aws.AwsFault as fault:
        return Answer(trouble=_trouble(fault, asked.seconds))


class _Asking:
    """Questions to one region. Raises `AwsFault` when no answer is to be had."""

    def __init__(self, asked: Asked) -> None:
        self._until = time.monotonic() + asked.seconds
        self._client: SecretsManagerClient = self._persist(  # credentials may come from a service that is busy
            lambda: aws.secrets_manager(asked.region, asked.endpoint_url, AT_ONCE)
        )

    def values(self, names: Sequence[str]) -> Answer:
        """What up to twenty secrets hold."""
        try:
            said = self._persist(lambda: self._client.batch_get_secret_value(SecretIdList=names))
        except aws.AwsFault as fault:
            if fault.code in _TROUBLES or _may_pass(fault.code, fault.status) or fault.status == 0:
                raise
            return self._one_by_one(names)  # the role may not ask for several, or they do not know how to answer
        answer = Answer()
        for found in said.get("SecretValues", []):
            _keep(answer, found.get("Name", ""), found.get("SecretString"))
        for error in said.get("Errors", []):
            reason = _reason(error.get("ErrorCode", ""), error.get("Message", ""))
            if not _may_pass(error.get("ErrorCode", ""), 0):
                answer.reasons[error.get("SecretId", "")] = reason
        left = [name for name in names if name not in answer.values and name not in answer.reasons]
        rest = self._one_by_one(left)
        return Answer(answer.values | rest.values, answer.reasons | rest.reasons)

    def states(self, names: Sequence[str]) -> dict[str, str]:
        """Of each secret: whether it has a value, or what is the matter with it."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(names, pool.map(self._state, names), strict=True))

    def _one_by_one(self, names: Sequence[str]) -> Answer:
        answer = Answer()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for part in pool.map(self._value, names):
                answer.values.update(part.values)
                answer.reasons.update(part.reasons)
        return answer

    def _value(self, name: str) -> Answer:
        answer = Answer()
        try:
            said = self._persist(lambda: self._client.get_secret_value(SecretId=name))
        except aws.AwsFault as fault:
            answer.reasons[name] = self._about_one(fault)
        else:
            _keep(answer, name, said.get("SecretString"))
        return answer

    def _state(self, name: str) -> str:
        try:
            said: Mapping[str, Any] = self._persist(lambda: self._client.describe_secret(SecretId=name))
        except aws.AwsFault as fault:
            return self._about_one(fault)
        if said.get("DeletedDate"):
            return _CODES["InvalidRequestException"]
        current = any("AWSCURRENT" in stages for stages in said.get("VersionIdsToStages", {}).values())
        return SET if current else EMPTY

    def _about_one(self, fault: aws.AwsFault) -> str:
        """The reason, when the fault concerns one secret alone. Raises it otherwise."""
        if fault.code in _TROUBLES or fault.status == 0:
            raise fault
        return _reason(fault.code, fault.words)

    def _persist(self, question: Callable[[], T]) -> T:
        """The answer, after as many repetitions as there is time for."""
        pause = FIRST_PAUSE
        while True:
            try:
                with aws.faults():
                    return question()
            except aws.AwsFault as fault:
                wait = random.uniform(pause / 2, pause)  # noqa: S311  jitter
                if not _may_pass(fault.code, fault.status) or time.monotonic() + wait > self._until:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)


def _may_pass(code: str, status: int) -> bool:
    """Whether the same question may be answered later. Without a status nobody has answered."""
    if status == 429 or status >= 500 or any(word in code for word in _SLOW_DOWN):
        return True
    return status == 0 and code.endswith(("Error", "Timeout")) and code not in _FINAL


def _keep(answer: Answer, name: str, value: str | None) -> None:
    """Keep the value of a secret as it is, but for the one newline that editors add."""
    text = None if value is None else value.removesuffix("\n").removesuffix("\r")
    if text is None:
        answer.reasons[name] = "it is binary, not text"
    elif not text.strip():
        answer.reasons[name] = EMPTY
    else:
        answer.values[name] = text


def _reason(code: str, words: str) -> str:
    if code == "ResourceNotFoundException":
        return EMPTY if "staging label" in words else MISSING
    return _CODES.get(code, code)


def _trouble(fault: aws.AwsFault, seconds: float) -> str:
    if fault.code in _TROUBLES:
        return _TROUBLES[fault.code]
    if _may_pass(fault.code, fault.status):
        return f"no answer within {seconds:g} seconds ({fault.code})"
    return fault.code
