"""Several gradings of one program made one: the label that most of them have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lib.assessment.graded import Row
from lib.telemetry import get_logger

log = get_logger("aiproxy.assessment")


def consensus(gradings: Sequence[Sequence[Row]], request_id: str | None = None) -> tuple[Row, ...]:
    """One row for each concept; all gradings have the same concepts in the same order.

    Of labels with as many votes the one that was given first wins. Observations and evidence are those of the first
    grading that agrees, the reason is the last one's. Where not all agree, it begins with the votes.
    """
    return tuple(_elected(rows, request_id) for rows in zip(*gradings, strict=True))


def _elected(rows: tuple[Row, ...], request_id: str | None) -> Row:
    votes = [row.label for row in rows]
    label = Counter(votes).most_common(1)[0][0]  # in the order in which they came, where counts are equal
    agreeing = [row for row in rows if row.label == label]
    if label != votes[0]:
        log.info("outvoted", request_id=request_id, label=votes[0], by=label, votes=len(votes))
    told = f"Votes: [{', '.join(votes)}] " if len(set(votes)) > 1 else ""
    return replace(agreeing[0], reason=told + agreeing[-1].reason)
