"""Posting to the books, and reading balances from them.

All who post stand in one line: the row of `ledger_head` stays locked until their transaction ends.
So lock what else you need (orders, stock, numbers) before you post, always in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, make_transient_to_detached

from fulfillment.kernel.clock import now
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.kernel.refusals import Conflict, WrongStatus
from fulfillment.ledger import chain
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.models import Entry, EntryLine, LedgerHead, PeriodClose

log = structlog.get_logger()

S = TypeVar("S", bound=sa.Select[*tuple[Any, ...]])
Key = tuple[str, str]


class LedgerConflict(Conflict):
    """The event is in the books already, with another content: somebody has to look."""


class PeriodClosed(Conflict):
    """The day lies in a closed period; nothing is ever re-dated silently."""


class AlreadyReversed(WrongStatus):
    """An entry is taken back once, and a taking back is not taken back."""


def post(session: Session, draft: Draft) -> Entry:
    """Write the draft in the books, or find it there.

    The same event again gives the same entry. Raises LedgerConflict when it says something else
    now, PeriodClosed when its day is closed. Lines are not loaded on the entry returned.
    """
    return post_all(session, [draft])[0]


def post_all(session: Session, drafts: Sequence[Draft]) -> list[Entry]:
    """Write several drafts at once, in order: what one step does to the books. Raises as `post` does."""
    head = session.execute(sa.select(LedgerHead.seq, LedgerHead.hash).with_for_update()).one()
    known: dict[Key, Entry] = {(entry.kind, entry.source): entry for entry in session.scalars(_posted(drafts))}
    seq, previous = head.seq, head.hash
    rows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for draft in drafts:
        content = chain.content_hash(draft)
        if (draft.kind, draft.source) in known:
            _same_or_conflict(known[draft.kind, draft.source], content)
            continue
        seq += 1
        record = _record(seq, draft, content)
        previous = chain.chain_hash(previous, record)
        rows.append({
            **record._asdict(), "line_count": len(record.lines), "version": chain.VERSION, "hash": previous, "unsealed": None,
        })
        del rows[-1]["lines"]
        lines += [{"entry_seq": seq, "position": n, **line._asdict()} for n, line in enumerate(record.lines, 1)]
        known[draft.kind, draft.source] = _as_loaded(session, Entry(**rows[-1]))
    if rows:
        _write(session, rows, lines)
    return [known[draft.kind, draft.source] for draft in drafts]


def _posted(drafts: Sequence[Draft]) -> sa.Select[Entry]:
    if len(drafts) == 1:  # the plain form is cheaper to plan
        return sa.select(Entry).where(Entry.kind == drafts[0].kind, Entry.source == drafts[0].source)
    return sa.select(Entry).where(sa.tuple_(Entry.kind, Entry.source).in_([(draft.kind, draft.source) for draft in drafts]))


def _same_or_conflict(entry: Entry, content: str) -> None:
    if entry.content != content:
        log.error("ledger conflict", kind=entry.kind, source=entry.source, seq=entry.seq)
        raise LedgerConflict(
            "“{kind}” of {source} is in the books already (entry {seq}) with another content.",
            kind=entry.kind, source=entry.source, seq=entry.seq,
        )


def _record(seq: int, draft: Draft, content: str) -> chain.Record:
    moment = now()
    return chain.Record(
        seq=seq, kind=draft.kind, source=draft.source, document=draft.document, memo=draft.memo,
        effective=draft.effective or moment.date(), posted_at=moment, reverses=draft.reverses, content=content,
        lines=chain.lines_of(draft),
    )


def _as_loaded(session: Session, entry: Entry) -> Entry:
    """Make the session know the entry as if it had read it: the row is written by `_write`, in bulk."""
    make_transient_to_detached(entry)
    session.add(entry)
    return entry


def _write(session: Session, rows: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    first, last = rows[0], rows[-1]
    _refuse_closed(session, min(row["effective"] for row in rows))
    connection = session.connection()
    seals = connection.dialect.name == "sqlite"
    connection.execute(sa.insert(Entry), [{**row, "unsealed": 0} for row in rows] if seals else rows)
    connection.execute(sa.insert(EntryLine), lines)
    connection.execute(sa.update(LedgerHead).values(seq=last["seq"], hash=last["hash"]))
    if seals:
        connection.execute(sa.update(Entry).where(Entry.seq.between(first["seq"], last["seq"])).values(unsealed=None))


def _refuse_closed(session: Session, day: date) -> None:
    until = closed_until(session)
    if until is not None and day <= until:
        raise PeriodClosed("The books are closed up to {until}; {day} is not open any more.", until=until, day=day)


def closed_until(session: Session) -> date | None:
    """The last closed day; None while nothing is closed."""
    return session.scalar(sa.select(sa.func.max(PeriodClose.until)))


def find_entry(session: Session, kind: str, source: str) -> Entry | None:
    """The entry of an event, if it is in the books."""
    return session.scalars(sa.select(Entry).filter_by(kind=kind, source=source)).first()


def reverse(session: Session, entry: Entry, reason: str, *, effective: date | None = None) -> Entry:
    """Take an entry back by its exact negation, in red ink, linked to it.

    A second call finds the first one's entry. Raises AlreadyReversed for a reversal, PeriodClosed.
    """
    if entry.reverses is not None:
        raise AlreadyReversed("Entry {seq} is a reversal; it is not taken back itself.", seq=entry.seq)
    lines = session.scalars(sa.select(EntryLine).filter_by(entry_seq=entry.seq).order_by(EntryLine.position)).all()
    legs = tuple((line.account, -line.amount) for line in lines)
    red = all((line.side == "D") is (line.amount_minor > 0) for line in lines)
    draft = Draft(
        "reversal", f"{entry.kind}:{entry.source}", legs, reason, effective, entry.document, red=red, reverses=entry.seq,
    )
    return post(session, draft)


def balance(session: Session, account: Account, as_of: date | None = None, *, currency: str = SHOP_CURRENCY) -> Money:
    """What the account stands at (debit positive), at the end of the day `as_of` when given."""
    statement = sa.select(sa.func.coalesce(sa.func.sum(EntryLine.amount_minor), 0)).where(
        EntryLine.account == account, EntryLine.currency == currency,
    )
    return Money(int(session.scalar(_up_to(statement, as_of)) or 0), currency)


def trial_balance(session: Session, as_of: date | None = None) -> dict[tuple[Account, str], Money]:
    """What every account stands at, by account and currency, in order; accounts never booked to are left out."""
    statement = (
        sa.select(EntryLine.account, EntryLine.currency, sa.func.sum(EntryLine.amount_minor))
        .group_by(EntryLine.account, EntryLine.currency)
        .order_by(EntryLine.account, EntryLine.currency)
    )
    rows: Iterable[Any] = session.execute(_up_to(statement, as_of))
    return {(account, currency): Money(int(minor), currency) for account, currency, minor in rows}


def _up_to(statement: S, as_of: date | None) -> S:
    if as_of is None:
        return statement
    return statement.join(Entry, Entry.seq == EntryLine.entry_seq).where(Entry.effective <= as_of)
