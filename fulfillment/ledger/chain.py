"""The chain: each entry's hash covers its content and the hash before it.

Whoever changes a figure, a memo or a date afterwards breaks every hash that follows. The
serialisation is frozen: a change of form is a new version with a function of its own beside the
old ones, since the old entries keep the form they were hashed in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from fulfillment.ledger.draft import Draft

VERSION = 1
GENESIS = "0" * 64
"""The hash before the first entry."""


class Line(NamedTuple):
    """A line as it is hashed."""

    account: str
    side: str
    amount_minor: int
    currency: str


class Record(NamedTuple):
    """An entry as it is hashed."""

    seq: int
    kind: str
    source: str
    document: str
    memo: str
    effective: date
    posted_at: datetime
    reverses: int | None
    content: str
    lines: Sequence[Line]


def lines_of(draft: Draft) -> list[Line]:
    """The lines a draft will have, in order."""
    return [Line(account.code, draft.side(amount), amount.minor, amount.currency) for account, amount in draft.legs]


def content_hash(draft: Draft) -> str:
    """What the event booked, apart from words: the same event again must say the same.

    The day counts when the event names it, not when it is just the day of posting.
    """
    day = draft.effective.isoformat() if draft.effective else None
    return _sha256(_json([draft.kind, draft.source, day, draft.reverses, lines_of(draft)]))


def serialised_v1(record: Record) -> str:
    """Version 1, frozen: a JSON array in ASCII, moments in UTC to the microsecond."""
    return _json([
        1, record.seq, record.kind, record.source, record.document, record.memo, record.effective.isoformat(),
        record.posted_at.astimezone(UTC).isoformat(timespec="microseconds"), record.reverses, record.content, record.lines,
    ])


SERIALISED = {1: serialised_v1}


def chain_hash(previous: str, record: Record, version: int = VERSION) -> str:
    """The hash of an entry, given the hash of the one before it."""
    return _sha256(f"{previous}\n{SERIALISED[version](record)}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
