"""Why an answer holds no grades."""

from __future__ import annotations


class Unusable(Exception):
    """An answer that cannot be read without guessing. `reason` may be shown: it quotes names alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
