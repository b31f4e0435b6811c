"""Tokens of a client of its own (RFC 6749, 4.4: client credentials), kept in a file until they expire."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

SECONDS = 10.0  # for the issuer to answer
MARGIN = 60.0  # a token that ends sooner than this is not used any more


class TokenError(Exception):
    """The issuer gave no token. Names no secret."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The file of one environment's token; its folder is made when it is needed."""

    path: Path

    def get(self, known: Mapping[str, str], *, fresh: bool = False) -> str:
        """A token for what is known of an environment (`token_url`, `client_id`, ...), the cached one while it is
        good. Raises `TokenError`."""
        whose = _whose(known)
        if not fresh and (token := self._kept(whose)):
            return token
        answer = _ask(known)
        token, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise TokenError("the issuer's answer has no access_token")
        if isinstance(lives, int | float) and lives > MARGIN:
            self._keep({"whose": whose, "token": token, "until": time.time() + lives - MARGIN})
        return token

    def _kept(self, whose: str) -> str | None:
        """What an earlier run kept, if it is for the same client, still good, and nobody else's to read."""
        try:
            if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                return None
            kept = json.loads(self.path.read_text())
            good = kept["whose"] == whose and kept["until"] > time.time()
            return str(kept["token"]) if good else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, value: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(value, file)
        made.replace(self.path)


def _whose(known: Mapping[str, str]) -> str:
    """What a cached token must have been asked for."""
    words = [known.get(name, "") for name in ("url", "token_url", "client_id", "client_secret", "audience")]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _ask(known: Mapping[str, str]) -> dict[str, Any]:
    body = {name: known[name] for name in ("client_id", "client_secret", "audience") if known.get(name)}
    body["grant_type"] = known.get("grant_type") or "client_credentials"
    try:
        answer = requests.post(known["token_url"], json=body, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise TokenError(f"the issuer cannot be reached ({type(error).__name__})") from None
    if answer.status_code != 200:
        raise TokenError(f"the issuer answered {answer.status_code}")
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TokenError("the issuer's answer is no JSON object")
    return value
