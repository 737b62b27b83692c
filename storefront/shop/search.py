"""Finding machines, options and accessories by words, in both languages at once.

Pure. A text is split into words of letters (found by how they begin), numbers (found whole, so that
"32GB" finds "32 GB" and not "320 GB") and runs of Chinese characters (found anywhere inside). Every
word asked for has to be found, and where it is found decides the order: a name counts more than a
tagline, a tagline more than technical data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["machine", "option", "accessory"]

_WORD = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?|[\u3400-\u9fff]+")
LONGEST_QUESTION = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found. `texts` are (weight, text), the weightier the more telling."""

    kind: Kind
    key: str
    """A model id, an option's name, or the SKU of an accessory."""
    texts: tuple[tuple[int, str], ...]


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...]:
    """Split into words, full-width and accented letters made plain; the texts of the catalogue are split once."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found = _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    return tuple(word.removesuffix(".0") for word in found)


def both(text: Mapping[str, str]) -> str:
    """The English and the Chinese version as one text to search."""
    return " ".join(text.values())


def _found(asked: str, word: str) -> bool:
    if asked[0].isdigit():
        return asked == word
    return word.startswith(asked) if asked.isascii() else asked in word


def score(entry: Entry, asked: Iterable[str]) -> int:
    """How well an entry answers: 0 unless every word asked for is found; whole words count double."""
    indexed = [(weight, words(text)) for weight, text in entry.texts]
    points = 0
    for want in asked:
        best = max((weight * (2 if want == word else 1) for weight, found in indexed for word in found if _found(want, word)), default=0)
        if not best:
            return 0
        points += best
    return points


def search(question: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that answer the question, the best first; none for a question without words."""
    asked = words(question[:LONGEST_QUESTION])
    if not asked:
        return []
    scored = [(score(entry, asked), place, entry) for place, entry in enumerate(entries)]
    return [entry for points, _, entry in sorted(scored, key=lambda s: (-s[0], s[1])) if points]
