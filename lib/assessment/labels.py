"""The four labels a concept can get, best first. Their words are the contract of every client."""

from __future__ import annotations

EXTENSIVE = "Extensive Evidence"
CONVINCING = "Convincing Evidence"
LIMITED = "Limited Evidence"
NO = "No Evidence"
LABELS = (EXTENSIVE, CONVINCING, LIMITED, NO)
PASSING = frozenset({EXTENSIVE, CONVINCING})
