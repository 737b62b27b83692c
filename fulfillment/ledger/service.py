"""Posting to the books, and reading balances from them.

All who post stand in one line: the row of `ledger_head` stays locked until their transaction ends.
So lock what else you need (orders, stock, numbers) before you post, always in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from fulfillment.kernel.clock import now
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.kernel.refusals import Conflict, WrongStatus
from fulfillment.ledger import chain
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.models import Entry, EntryLine, LedgerHead, PeriodClose

log = structlog.get_logger()

_entry_table, _line_table, _head_table, _close_table = (
    cast("sa.Table", model.__table__) for model in (Entry, EntryLine, LedgerHead, PeriodClose)
)
_key = sa.tuple_(_entry_table.c.kind, _entry_table.c.source)
_found = sa.select(_entry_table.c.kind, _entry_table.c.source, _entry_table.c.seq, _entry_table.c.content)

# Posting is the busiest act of the house: its statements are built once.
_HEAD = sa.select(
    _head_table.c.seq, _head_table.c.hash, sa.select(sa.func.max(_close_table.c.until)).scalar_subquery(),
).with_for_update()
_FIND = _found.where(_entry_table.c.kind == sa.bindparam("kind"), _entry_table.c.source == sa.bindparam("source"))
_FIND_MANY = _found.where(_key.in_(sa.bindparam("keys", expanding=True)))
_INSERT_ENTRY = sa.insert(_entry_table)
_INSERT_LINE = sa.insert(_line_table)
_MOVE_HEAD = sa.update(_head_table).values(seq=sa.bindparam("last"), hash=sa.bindparam("chained"))
_SEAL = (
    sa.update(_entry_table).where(_entry_table.c.seq.between(sa.bindparam("first"), sa.bindparam("last"))).values(unsealed=None)
)

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
    connection = session.connection()
    seq, previous, closed = connection.execute(_HEAD).one()
    seqs = _posted(connection, drafts)
    rows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for draft in drafts:
        content = chain.content_hash(draft)
        if (draft.kind, draft.source) in seqs:
            _same_or_conflict(draft, content, *seqs[draft.kind, draft.source])
            continue
        seq += 1
        record = _record(seq, draft, content)
        if closed is not None and record.effective <= closed:
            raise PeriodClosed("The books are closed up to {until}; {day} is not open any more.", until=closed, day=record.effective)
        previous = chain.chain_hash(previous, record)
        rows.append(_row(record, previous))
        lines += ({"entry_seq": seq, "position": n, **line._asdict()} for n, line in enumerate(record.lines, 1))
        seqs[draft.kind, draft.source] = (seq, content)
    if rows:
        _write(connection, rows, lines)
    made = {row["seq"]: row for row in rows}
    return [_entry(session, made, seqs[draft.kind, draft.source][0]) for draft in drafts]


def _posted(connection: sa.Connection, drafts: Sequence[Draft]) -> dict[Key, tuple[int, str]]:
    """Which of the drafts are in the books already: their number and content."""
    if len(drafts) == 1:
        found = connection.execute(_FIND, {"kind": drafts[0].kind, "source": drafts[0].source})
    else:
        found = connection.execute(_FIND_MANY, {"keys": [(draft.kind, draft.source) for draft in drafts]})
    return {(kind, source): (seq, content) for kind, source, seq, content in found}


def _same_or_conflict(draft: Draft, content: str, seq: int, posted: str) -> None:
    if content != posted:
        log.error("ledger conflict", kind=draft.kind, source=draft.source, seq=seq)
        raise LedgerConflict(
            "“{kind}” of {source} is in the books already (entry {seq}) with another content.",
            kind=draft.kind, source=draft.source, seq=seq,
        )


def _record(seq: int, draft: Draft, content: str) -> chain.Record:
    moment = now()
    return chain.Record(
        seq=seq, kind=draft.kind, source=draft.source, document=draft.document, memo=draft.memo,
        effective=draft.effective or moment.date(), posted_at=moment, reverses=draft.reverses, content=content,
        lines=chain.lines_of(draft),
    )


def _row(record: chain.Record, chained: str) -> dict[str, Any]:
    row = record._asdict()
    lines = row.pop("lines")
    return {**row, "line_count": len(lines), "version": chain.VERSION, "hash": chained, "unsealed": None}


def _write(connection: sa.Connection, rows: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    first, last = rows[0], rows[-1]
    seals = connection.dialect.name == "sqlite"
    connection.execute(_INSERT_ENTRY, [{**row, "unsealed": 0} for row in rows] if seals else rows)
    connection.execute(_INSERT_LINE, lines)
    connection.execute(_MOVE_HEAD, {"last": last["seq"], "chained": last["hash"]})
    if seals:
        connection.execute(_SEAL, {"first": first["seq"], "last": last["seq"]})


def _entry(session: Session, made: Mapping[int, dict[str, Any]], seq: int) -> Entry:
    """The entry, known to the session as if it had been read; one just written costs no query."""
    if seq not in made:
        return session.get_one(Entry, seq)
    if (stale := session.identity_map.get(identity_key(Entry, seq))) is not None:
        session.refresh(stale)  # left by a savepoint that was rolled back: its number is given again
        return stale
    entry = Entry(**made[seq])
    make_transient_to_detached(entry)
    session.add(entry)
    return entry


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


def moved_by(session: Session, account: Account, kinds: Iterable[str], *, currency: str = SHOP_CURRENCY) -> Money:
    """What entries of these kinds moved on the account (debit positive), without those that were taken back."""
    original = aliased(Entry)
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(EntryLine.amount_minor), 0))
        .join(Entry, Entry.seq == EntryLine.entry_seq)
        .outerjoin(original, original.seq == Entry.reverses)
        .where(EntryLine.account == account, EntryLine.currency == currency)
        .where(sa.func.coalesce(original.kind, Entry.kind).in_(sorted(kinds)))
    )
    return Money(int(session.scalar(statement) or 0), currency)


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
