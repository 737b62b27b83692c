"""Moving stock: in, kept for somebody, given free, out.

Whoever touches several parts locks their rows in the order of the part numbers, in one statement,
before changing any: two acts at once wait for each other and never for ever. Every movement has a
source and happens once for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import MoveReason, Reservation, Stock, StockMove
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import insert, lock
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal
from fulfillment.parts.models import Part


class NotReserved(Refusal):
    """Only what is kept for somebody is handed out to him."""

    status = 409


class BadQuantity(Refusal):
    """Pieces are counted in whole numbers above zero."""


def receive(session: Session, sku: str, quantity: int, source: str, *, reason: MoveReason = MoveReason.RECEIPT) -> StockMove:
    """Put pieces on the shelf; the same source again changes nothing. Raises NotFound, BadQuantity, Conflict."""
    return receive_all(session, {sku: quantity}, {sku: source}, reason=reason)[sku]


def receive_all(
    session: Session, pieces: Mapping[str, int], sources: Mapping[str, str], *, reason: MoveReason = MoveReason.RECEIPT,
) -> dict[str, StockMove]:
    """Put pieces of several parts on the shelf; `sources` names each one's document and line.

    Raises NotFound for an unknown part, BadQuantity, Conflict when a source moved something else.
    """
    _whole(pieces)
    _open_rows(session, pieces)
    lock_stock(session, pieces)
    parts = _parts(session, pieces)
    known = _known(session, sources.values())
    found = {sku: _same(known[sources[sku]], sku, pieces[sku], reason) for sku in pieces if sources[sku] in known}
    fresh = {sku: quantity for sku, quantity in sorted(pieces.items()) if sku not in found}
    moves = {sku: _move(parts[sku], quantity, reason, sources[sku]) for sku, quantity in fresh.items()}
    _change(session, [{"of": sku, "here": quantity, "kept": 0} for sku, quantity in fresh.items()])
    session.add_all(moves.values())
    session.flush()
    return {**found, **moves}


def reserve(session: Session, holder: str, needs: Mapping[str, int]) -> dict[str, int]:
    """Keep pieces for the holder, on top of what he has, as far as there are any; returns what is short."""
    return reserve_all(session, {holder: needs})[holder]


def reserve_all(session: Session, wanted: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Keep pieces for several holders, the first one first; returns what each is short of.

    Three statements however many there are, and all rows locked in one order: use this, not a
    loop of `reserve`, where several holders are served in one transaction.
    """
    for needs in wanted.values():
        _whole(needs)
    free = {sku: stock.free for sku, stock in lock_stock(session, {sku for needs in wanted.values() for sku in needs}).items()}
    kept: Counter[str] = Counter()
    shortages: dict[str, dict[str, int]] = {}
    rows = []
    for holder, needs in wanted.items():
        short = shortages[holder] = {}
        for sku, quantity in sorted(needs.items()):
            given = min(quantity, free.get(sku, 0) - kept[sku])
            kept[sku] += given
            if given:
                rows.append({"holder": holder, "sku": sku, "quantity": given, "at": now()})
            if given < quantity:
                short[sku] = quantity - given
    _change(session, [{"of": sku, "here": 0, "kept": quantity} for sku, quantity in sorted(kept.items()) if quantity])
    if rows:
        statement = insert(session, Reservation).values(rows)
        more = {"quantity": Reservation.quantity + statement.excluded.quantity}
        session.execute(statement.on_conflict_do_update(index_elements=["holder", "sku"], set_=more))
    return shortages


def release(session: Session, holder: str) -> dict[str, int]:
    """Give everything kept for the holder free again; returns what it was."""
    return release_all(session, [holder])


def release_all(session: Session, holders: Iterable[str]) -> dict[str, int]:
    """Give everything kept for these holders free again; returns what it was, over all of them."""
    names = sorted(set(holders))
    lock_stock(session, session.scalars(sa.select(Reservation.sku).where(Reservation.holder.in_(names)).distinct()))
    gone = session.execute(sa.delete(Reservation).where(Reservation.holder.in_(names)).returning(Reservation.sku, Reservation.quantity))
    freed: Counter[str] = Counter()
    for sku, quantity in gone:
        freed[sku] += quantity
    _change(session, [{"of": sku, "here": 0, "kept": -quantity} for sku, quantity in sorted(freed.items())])
    return dict(sorted(freed.items()))


def issue(session: Session, holder: str, sku: str, quantity: int, source: str) -> StockMove:
    """Hand out pieces kept for the holder; the move tells their cost. The same source again changes nothing.

    Raises NotReserved when fewer are kept for him, BadQuantity, Conflict when the source moved something else.
    """
    return issue_all(session, holder, {sku: quantity}, {sku: source})[sku]


def issue_all(session: Session, holder: str, pieces: Mapping[str, int], sources: Mapping[str, str]) -> dict[str, StockMove]:
    """Hand out pieces of several parts kept for the holder, all or none. Raises as `issue` does."""
    _whole(pieces)
    lock_stock(session, pieces)
    parts = _parts(session, pieces)
    known = _known(session, sources.values())
    found = {sku: _same(known[sources[sku]], sku, -pieces[sku], MoveReason.ISSUE, holder) for sku in pieces if sources[sku] in known}
    fresh = {sku: quantity for sku, quantity in sorted(pieces.items()) if sku not in found}
    kept = reserved_for(session, holder)
    for sku, quantity in fresh.items():
        if kept.get(sku, 0) < quantity:
            there = kept.get(sku, 0)
            raise NotReserved(
                "{kept} of {sku} are kept for {holder}, not {quantity}.", kept=there, sku=sku, holder=holder, quantity=quantity,
            )
    if fresh:
        _lower_reservations(session, holder, fresh, kept)
    _change(session, [{"of": sku, "here": -quantity, "kept": -quantity} for sku, quantity in fresh.items()])
    moves = {sku: _move(parts[sku], -quantity, MoveReason.ISSUE, sources[sku], holder) for sku, quantity in fresh.items()}
    session.add_all(moves.values())
    session.flush()
    return {**found, **moves}


def _lower_reservations(session: Session, holder: str, pieces: Mapping[str, int], kept: Mapping[str, int]) -> None:
    """Rows that would come to nothing are deleted: the database keeps no reservation of zero."""
    used_up = [sku for sku, quantity in pieces.items() if kept[sku] == quantity]
    session.execute(sa.delete(Reservation).where(Reservation.holder == holder, Reservation.sku.in_(used_up)))
    for sku, quantity in pieces.items():
        if sku not in used_up:
            session.execute(sa.update(Reservation).filter_by(holder=holder, sku=sku).values(quantity=Reservation.quantity - quantity))


def add_move(session: Session, sku: str, quantity: int, reason: MoveReason, source: str) -> StockMove:
    """Move free stock up or down: for those who lock the row and post the difference themselves."""
    move = _move(_parts(session, [sku])[sku], quantity, reason, source)
    _change(session, [{"of": sku, "here": quantity, "kept": 0}])
    session.add(move)
    session.flush()
    return move


def available(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """How many of each part can still be promised; 0 for a part that was never here."""
    wanted = sorted(set(skus))
    rows = session.execute(sa.select(Stock.sku, Stock.on_hand - Stock.reserved).where(Stock.sku.in_(wanted)).order_by(Stock.sku))
    free = {sku: quantity for sku, quantity in rows}  # noqa: C416 - a Row is not typed as a pair
    return {sku: free.get(sku, 0) for sku in wanted}


def reserved_for(session: Session, holder: str) -> dict[str, int]:
    """What is kept for the holder."""
    rows = session.execute(sa.select(Reservation.sku, Reservation.quantity).filter_by(holder=holder).order_by(Reservation.sku))
    return {sku: quantity for sku, quantity in rows}  # noqa: C416


def moves_of(session: Session, sku: str, *, limit: int = 100) -> list[StockMove]:
    """What happened to a part, newest first."""
    return list(session.scalars(sa.select(StockMove).filter_by(sku=sku).order_by(StockMove.at.desc(), StockMove.id.desc()).limit(limit)))


def lock_stock(session: Session, skus: Iterable[str]) -> dict[str, Stock]:
    """The stock rows of these parts, locked until the transaction ends, as they are now."""
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    statement = lock(sa.select(Stock).where(Stock.sku.in_(wanted)).order_by(Stock.sku)).execution_options(populate_existing=True)
    return {stock.sku: stock for stock in session.scalars(statement)}


def hold_stock(session: Session, skus: Iterable[str]) -> None:
    """Nothing of these parts comes in or goes out until the transaction ends, not even the first piece. Raises NotFound."""
    wanted = set(skus)
    _open_rows(session, wanted)
    lock_stock(session, wanted)


def _whole(pieces: Mapping[str, int]) -> None:
    for sku, quantity in pieces.items():
        if type(quantity) is not int or quantity <= 0:
            raise BadQuantity("{quantity} is not a number of pieces of {sku}.", quantity=quantity, sku=sku)


def _open_rows(session: Session, skus: Iterable[str]) -> None:
    """Give parts that were never here a row, so that there is something to lock."""
    wanted = set(skus)
    missing = sorted(wanted - set(session.scalars(sa.select(Stock.sku).where(Stock.sku.in_(sorted(wanted))))))
    if missing:
        _parts(session, missing)
        rows = [{"sku": sku, "on_hand": 0, "reserved": 0} for sku in missing]
        session.execute(insert(session, Stock).values(rows).on_conflict_do_nothing(index_elements=["sku"]))


def _parts(session: Session, skus: Iterable[str]) -> dict[str, Part]:
    """The parts as they are now: read after their stock is locked, so that the cost is the one the books know."""
    wanted = set(skus)
    statement = sa.select(Part).where(Part.sku.in_(sorted(wanted))).order_by(Part.sku).execution_options(populate_existing=True)
    found = {part.sku: part for part in session.scalars(statement)}
    if unknown := sorted(wanted - set(found)):
        raise NotFound("We know no part with the number “{sku}”.", sku=unknown[0])
    return found


def _known(session: Session, sources: Iterable[str]) -> dict[str, StockMove]:
    statement = sa.select(StockMove).where(StockMove.source.in_(sorted(sources))).order_by(StockMove.source)
    return {move.source: move for move in session.scalars(statement)}


def _same(move: StockMove, sku: str, quantity: int, reason: MoveReason, holder: str | None = None) -> StockMove:
    if (move.sku, move.quantity, move.reason, move.holder) != (sku, quantity, reason, holder):
        raise Conflict("{source} moved {moved} of {sku} already.", source=move.source, moved=move.quantity, sku=move.sku)
    return move


def _move(part: Part, quantity: int, reason: MoveReason, source: str, holder: str | None = None) -> StockMove:
    return StockMove(
        sku=part.sku, quantity=quantity, reason=reason, source=source, holder=holder, unit_cost_minor=part.standard_cost_minor,
        currency=part.currency, at=now(),
    )


_table = Stock.__table__
_CHANGE = (
    sa.update(Stock.__table__)  # type: ignore[arg-type]
    .where(_table.c.sku == sa.bindparam("of"))
    .values(on_hand=_table.c.on_hand + sa.bindparam("here"), reserved=_table.c.reserved + sa.bindparam("kept"))
)


def _change(session: Session, changes: list[dict[str, object]]) -> None:
    """Add to what is on hand and kept; the rows are locked, and the database refuses less than nothing."""
    if changes:
        session.flush()
        session.connection().execute(_CHANGE, changes)
