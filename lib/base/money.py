"""Money as the stores keep it: whole nano-USD (1e-9 USD), so that sums are exact and every database can add them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

NANO = 1_000_000_000  # nano-USD in a dollar
MOST = 1_000_000_000  # USD that an amount given by a person may be

_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ONE = Decimal(1)


def to_nano(usd: Decimal) -> int:
    """An amount of USD in nano-USD, rounded half to even. Raises `ValueError` when it is not finite or beyond reach."""
    if not usd.is_finite() or abs(usd) > NANO * MOST:
        raise ValueError("an amount must be finite and within reach")
    return int(_EXACT.scaleb(usd, 9).quantize(_ONE, context=_EXACT))


def parse_usd(text: str) -> Decimal:
    """An amount of USD that a person wrote, such as `12.50`: above 0, at most a billion, at most nine decimals.

    Raises `ValueError`, whose text does not repeat the input.
    """
    if not _PLAIN.fullmatch(text):
        raise ValueError("an amount must be a plain number of USD with at most 9 decimals, such as 12.50")
    amount = Decimal(text)
    if not 0 < amount <= MOST:
        raise ValueError("an amount must be above 0 and at most 1000000000 USD")
    return amount


def show(nano: int) -> str:
    """An amount of nano-USD as USD for a person: at least two decimals, no more than it takes, no exponent."""
    whole, rest = divmod(abs(nano), NANO)
    decimals = f"{rest:09}".rstrip("0").ljust(2, "0")
    return f"{'-' if nano < 0 else ''}{whole}.{decimals}"
