"""What a run may cost, and what it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Purse:
    """Counts nano-USD over a whole run. `most` is where it ends; None: nowhere.

    What is in flight is taken to cost what the others did on average, so that the last programs seldom go beyond.
    """

    most: int | None = None
    spent: int = 0
    paid: int = 0
    in_flight: int = 0

    def begin(self) -> None:
        """One program is asked about."""
        self.in_flight += 1

    def end(self, cost: int | None) -> None:
        """Its answer has come, or it failed; None when nobody says what it cost."""
        self.in_flight -= 1
        if cost:
            self.spent += cost
            self.paid += 1

    @property
    def is_empty(self) -> bool:
        """Whether no other program may be asked about."""
        if self.most is None:
            return False
        each = self.spent / self.paid if self.paid else 0
        return self.spent + self.in_flight * each >= self.most
