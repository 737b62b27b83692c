"""The tables of the books, made final by triggers (migration 0002).

An entry and its lines are written once, in one transaction, and never change. `seq` has no gap:
the single row of `ledger_head` is locked by whoever posts. The database refuses an entry that does
not balance in every currency, a line that is added later, and a date in a closed period.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from fulfillment.kernel.db import Base, EnumText, Minor
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account, AccountKind

Seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""On SQLite the primary key must be the row's own number: two keys could be replaced through the other."""


class LedgerAccount(Base):
    """The codes of `accounts.py`, for the database to check against and for reports in SQL."""

    __tablename__ = "ledger_account"

    code: Mapped[Account] = mapped_column(EnumText(Account), primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(EnumText(AccountKind))
    en: Mapped[str]
    zh: Mapped[str]


class LedgerHead(Base):
    """The last entry, in a single row: the lock that puts all entries in one line."""

    __tablename__ = "ledger_head"
    __table_args__ = (sa.CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))


class Entry(Base):
    """What one event did to the books."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        sa.UniqueConstraint("kind", "source", name="uq_ledger_entry_kind_source"),
        sa.CheckConstraint("seq > 0", name="seq_positive"),
        sa.CheckConstraint("line_count >= 2", name="two_lines"),
        sa.CheckConstraint("reverses < seq", name="reverses_earlier"),
        sa.Index("ix_ledger_entry_effective", "effective", "seq"),
    )

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(sa.String(64))
    """The posting rule."""
    source: Mapped[str] = mapped_column(sa.String(200))
    """Which event it was: a rule is applied to an event once."""
    document: Mapped[str] = mapped_column(sa.String(200), index=True)
    """The paper a reader looks for: an order, an invoice, a work order."""
    memo: Mapped[str]
    effective: Mapped[date]
    """The day it belongs to."""
    posted_at: Mapped[datetime]
    """The moment it was written."""
    reverses: Mapped[int | None] = mapped_column(sa.ForeignKey("ledger_entry.seq"), unique=True)
    """The entry it takes back, whole and at most once."""
    line_count: Mapped[int] = mapped_column(sa.SmallInteger)
    content: Mapped[str] = mapped_column(sa.String(64))
    """Hash of what the event booked: the same event with another content is a conflict."""
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    """Of the serialisation that `hash` is made over."""
    hash: Mapped[str] = mapped_column(sa.String(64))
    unsealed: Mapped[int | None] = mapped_column(sa.ForeignKey("ledger_head.id", deferrable=True, initially="DEFERRED"))
    """SQLite has no check at commit, so there an entry begins with 0 and is set to null, once, when its
    lines are complete and balance. There is no head 0: a transaction that forgets to seal cannot commit."""

    lines: Mapped[list[EntryLine]] = relationship(lazy="raise", order_by="EntryLine.position", viewonly=True)


class EntryLine(Base):
    """One account's part of an entry."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        sa.CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        sa.CheckConstraint("side IN ('D', 'C')", name="side_known"),
        sa.Index("ix_ledger_line_account", "account", "entry_seq"),
        {"sqlite_with_rowid": False},
    )

    entry_seq: Mapped[int] = mapped_column(sa.ForeignKey("ledger_entry.seq"), primary_key=True)
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    account: Mapped[Account] = mapped_column(EnumText(Account), sa.ForeignKey("ledger_account.code"))
    side: Mapped[str] = mapped_column(sa.String(1))
    """The column of the journal: a negative debit is red ink, not a credit."""
    amount_minor: Mapped[Minor]
    """Debit positive, credit negative."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[Money] = composite("amount_minor", "currency")


class PeriodClose(Base):
    """A day up to which the books are closed, and the head they were closed with."""

    __tablename__ = "ledger_close"

    until: Mapped[date] = mapped_column(primary_key=True)
    """The last closed day: nothing dated on it or before is accepted any more."""
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]
