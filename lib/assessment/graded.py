"""What grading one program gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FINGERPRINT = "X-Assessment-Fingerprint"  # the header in which a proxy says by what it grades


@dataclass(frozen=True, slots=True)
class Row:
    """One concept's grade. `label` is one of `LABELS`, never empty. `evidence` names lines: `Lines 3-5: ...`."""

    concept: str
    label: str
    observations: str = ""
    evidence: str = ""
    reason: str = ""

    def shown(self) -> dict[str, str]:
        """As clients get it."""
        return {
            "Key Concept": self.concept,
            "Observations": self.observations,
            "Evidence": self.evidence,
            "Label": self.label,
            "Reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Graded:
    """The grades of one program, in the rubric's order, and how they came about.

    `agent` is `static`, or the vendor's family with `, code feature extractor` where that decided a concept.
    `usage` is in OpenAI's shape, None when no model was asked. `cost` is in nano-USD, None without a price.
    `seconds` is how long it took. `fingerprint` is what a proxy elsewhere said by what it grades.
    """

    rows: tuple[Row, ...]
    agent: str
    seconds: float
    usage: dict[str, int] | None = None
    cost: int | None = None
    more: dict[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
