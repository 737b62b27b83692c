"""What is on its way: kept here for those who promise dates, told by those who order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import IncomingPart
from fulfillment.kernel.db import lock


def expect(session: Session, source: str, pieces: Mapping[str, int], due_on: date, *, committed: bool = True) -> None:
    """Pieces were ordered; `committed` when somebody waits for each of them already."""
    session.add_all(
        IncomingPart(source=source, sku=sku, quantity=quantity, committed=quantity if committed else 0, due_on=due_on)
        for sku, quantity in sorted(pieces.items())
    )
    session.flush()


def arrived(session: Session, source: str, pieces: Mapping[str, int]) -> None:
    """Pieces came: they are on their way no more. Those somebody waits for come first."""
    for row in _of(session, IncomingPart.source == source, IncomingPart.sku.in_(sorted(pieces))):
        came = min(pieces[row.sku], row.quantity)
        row.quantity, row.committed = row.quantity - came, max(0, row.committed - came)
    session.flush()
    session.execute(sa.delete(IncomingPart).where(IncomingPart.source == source, IncomingPart.quantity == 0))


def put_off(session: Session, source: str, due_on: date) -> None:
    """The supplier named another day."""
    session.execute(sa.update(IncomingPart).where(IncomingPart.source == source).values(due_on=due_on))


def never_mind(session: Session, source: str) -> None:
    """Nothing more will come of it."""
    session.execute(sa.delete(IncomingPart).where(IncomingPart.source == source))


def commit_free(session: Session, needs: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Take what is on its way and nobody waits for, the earliest first: {source: {sku: quantity}}."""
    left = dict(needs)
    taken: dict[str, dict[str, int]] = {}
    for row in _of(session, IncomingPart.sku.in_(sorted(needs)), IncomingPart.quantity > IncomingPart.committed):
        given = min(left[row.sku], row.quantity - row.committed)
        if given:
            row.committed += given
            left[row.sku] -= given
            taken.setdefault(row.source, {})[row.sku] = given
    session.flush()
    return taken


def uncommit(session: Session, pieces: Mapping[str, int]) -> None:
    """Nobody waits for these any more, the latest to come first; what has come meanwhile is free on the shelf anyhow."""
    left = dict(pieces)
    for row in reversed(_of(session, IncomingPart.sku.in_(sorted(pieces)), IncomingPart.committed > 0)):
        given = min(left[row.sku], row.committed)
        row.committed -= given
        left[row.sku] -= given
    session.flush()


def waited_for(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """How many of each part are still to come for somebody."""
    wanted = sorted(set(skus))
    statement = (
        sa.select(IncomingPart.sku, sa.func.sum(IncomingPart.committed)).where(IncomingPart.sku.in_(wanted)).group_by(IncomingPart.sku)
        .order_by(IncomingPart.sku)
    )
    found = {sku: int(quantity) for sku, quantity in session.execute(statement)}
    return {sku: found.get(sku, 0) for sku in wanted}


def _of(session: Session, *conditions: sa.ColumnElement[bool]) -> list[IncomingPart]:
    """Rows in the order of part and day, locked."""
    statement = sa.select(IncomingPart).where(*conditions).order_by(IncomingPart.sku, IncomingPart.due_on, IncomingPart.source)
    return list(session.scalars(lock(statement).execution_options(populate_existing=True)))
