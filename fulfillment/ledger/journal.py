"""The books, read from end to end without holding them in memory, and looked up by paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from fulfillment.kernel.money import Money
from fulfillment.ledger import chain
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.models import Entry, EntryLine, LedgerHead


class ReadLine(NamedTuple):
    """A line of an entry that was read."""

    account: Account
    side: str
    amount: Money


class ReadEntry(NamedTuple):
    """An entry with its lines, as it stands in the database."""

    seq: int
    kind: str
    source: str
    document: str
    memo: str
    effective: date
    posted_at: datetime
    reverses: int | None
    content: str
    line_count: int
    version: int
    hash: str
    sealed: bool
    lines: Sequence[ReadLine]

    def record(self) -> chain.Record:
        """What its hash covers."""
        lines = [chain.Line(line.account.code, line.side, line.amount.minor, line.amount.currency) for line in self.lines]
        return chain.Record(
            self.seq, self.kind, self.source, self.document, self.memo, self.effective, self.posted_at, self.reverses, self.content, lines,
        )


def consistent(session: Session) -> None:
    """Let the whole transaction see the books of one moment. To be called first, in a reading session.

    A reader on SQLite sees one moment anyhow.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def head(session: Session) -> tuple[int, str]:
    """The number and hash of the last entry; number 0 while the books are empty."""
    seq, chained = session.execute(sa.select(LedgerHead.seq, LedgerHead.hash)).one()
    return seq, chained


def stream_entries(session: Session, *, by_date: bool = False) -> Iterator[ReadEntry]:
    """Every entry with its lines, in order of number, or of the day it belongs to."""
    order = (Entry.effective, Entry.seq) if by_date else (Entry.seq,)
    statement = (
        sa.select(
            Entry.seq, Entry.kind, Entry.source, Entry.document, Entry.memo, Entry.effective, Entry.posted_at, Entry.reverses,
            Entry.content, Entry.line_count, Entry.version, Entry.hash, Entry.unsealed.is_(None),
            EntryLine.account, EntryLine.side, EntryLine.amount_minor, EntryLine.currency,
        )
        .outerjoin(EntryLine, EntryLine.entry_seq == Entry.seq)
        .order_by(*order, EntryLine.position)
    )
    rows = session.execute(statement, execution_options={"yield_per": 2000})
    for _, group in groupby(rows, key=lambda row: row[0]):
        lines = list(group)
        booked = [ReadLine(row[13], row[14], Money(row[15], row[16])) for row in lines if row[13] is not None]
        yield ReadEntry._make((*lines[0][:13], booked))


def entries_about(session: Session, *documents: str) -> list[Entry]:
    """What an order, an invoice, a work order did to the books: its entries with their lines, oldest first."""
    statement = sa.select(Entry).where(Entry.document.in_(documents)).order_by(Entry.seq).options(joinedload(Entry.lines))
    return list(session.scalars(statement).unique())


def latest_entries(session: Session, *, limit: int = 50, account: Account | None = None, before: int | None = None) -> list[Entry]:
    """A page of the journal with its lines, newest first: of one account, before an entry's number, when given."""
    statement = sa.select(Entry).order_by(Entry.seq.desc()).limit(limit).options(selectinload(Entry.lines))
    if before is not None:
        statement = statement.where(Entry.seq < before)
    if account is not None:
        statement = statement.where(Entry.seq.in_(sa.select(EntryLine.entry_seq).where(EntryLine.account == account)))
    return list(session.scalars(statement))
