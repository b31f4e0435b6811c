"""An issuer that publishes keys, and tokens of it that are verified at a time of the test's choosing."""

from __future__ import annotations

from typing import Any

import pytest

from lib.access import AccessFile, IssuerRow, TokenIdentity, Tokens
from lib.base.errors import Unauthorized
from tests.lib.access.issuer import Issuer
from tests.lib.access.signing import ec_key, jwk, rsa_key, sign

NOW = 1_790_000_000.0
KEY, OTHER, EC = rsa_key("a"), rsa_key("b"), ec_key("e")
HEADER = {"alg": "RS256", "typ": "JWT", "kid": "a"}
EC_HEADER = {"alg": "ES256", "typ": "JWT", "kid": "e"}


class World:
    """An issuer that publishes keys, and tokens that are verified at a time of the test's choosing."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.now, self.clock = issuer, NOW, 1000.0
        issuer.keys = [jwk(KEY, "a"), jwk(EC, "e")]
        self.tokens = self.build()

    def build(self, **row: Any) -> Tokens:
        first = {"issuer": "https://acme.example/", "audience": "api", "jwks_url": self.issuer.jwks_url}
        issuer = IssuerRow(**{**first, "algorithms": ("RS256", "ES256"), **row})
        return Tokens(AccessFile({"acme": issuer}), lambda: self.now, lambda: self.clock)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Good claims; None takes one out."""
        first = {"iss": "https://acme.example/", "aud": "api", "sub": "ada", "iat": NOW, "exp": NOW + 3600}
        return {name: value for name, value in {**first, **changed}.items() if value is not None}

    def token(self, **changed: Any) -> str:
        return sign(KEY, HEADER, self.claims(**changed))

    def verify(self, token: str) -> TokenIdentity:
        return self.tokens.verify(token)

    def refused(self, token: str) -> str:
        """The code of a refusal that says nothing to the caller."""
        with pytest.raises(Unauthorized) as caught:
            self.tokens.verify(token)
        error = caught.value
        assert (error.message, error.param, error.retry_after) == (Unauthorized.message, None, None)
        assert error.detail is not None
        assert error.detail.startswith("token: ")
        assert not any(part in error.detail for part in token.split(".") if len(part) > 9)
        return error.detail.removeprefix("token: ")
