"""Which concept of a rubric a name means. Only its spelling is forgiven, never its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_AROUND = " \t\r\n\"'*_`\u201c\u201d\u2018\u2019\ufeff"
_SPELLINGS = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2014": "-"})
_ESCAPED = re.compile(r"\\(?=[\"'])")


def bare(text: str) -> str:
    """A name without the quotes, the emphasis and the spaces around it."""
    stripped = text.strip()
    return stripped.strip(_AROUND) or stripped


class Names:
    """Finds concepts by their names, whatever the quotes, dashes and spaces that a model writes."""

    def __init__(self, concepts: Iterable[str]) -> None:
        self._exact = frozenset(concepts)
        spelled: dict[str, list[str]] = {}
        for concept in self._exact:
            spelled.setdefault(_spelling(concept), []).append(concept)
        self._spelled = {name: found[0] for name, found in spelled.items() if len(found) == 1}

    def find(self, name: str) -> str | None:
        """The concept of that name; None when there is none, or more than one."""
        stripped = name.strip()
        return stripped if stripped in self._exact else self._spelled.get(_spelling(stripped))


def _spelling(name: str) -> str:
    plain = _ESCAPED.sub("", unicodedata.normalize("NFC", name)).translate(_SPELLINGS)
    return " ".join(bare(plain).split())
