"""Handing parts out to those who wait for them: first promised, first served.

Needs are rows. When parts come in, one statement reads what is still missing in the order of the
promised dates, the free stock is dealt out in memory, and whoever got something reserves it. A
machine with nothing missing goes to kitting; an order whose machines and items are all there is
ready to ship.

Whoever deals, or takes parts without standing in line, begins by `begin_dealing`. What a truck brings
in between belongs to those it was called for: who came last would take it, and call nothing for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.events import OrderReady
from fulfillment.assembly.models import OrderRelease, PartNeed, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.assembly.units import SYSTEM, record, tell
from fulfillment.inventory.service import available, hold_stock, release_all, reserve_all
from fulfillment.kernel.db import lock, take_turn
from fulfillment.kernel.events import publish
from fulfillment.purchasing.service import cover, drop_pull

AT_ONCE = 5_000
"""Needs dealt with in one transaction: well under a second."""
DEALING = "dealing parts out"
"""The turn of whoever changes who waits for what."""


class Want(NamedTuple):
    """Who still misses how many of what."""

    holder: str
    sku: str
    missing: int


class Allocation(NamedTuple):
    """What was dealt out: the tags that can be kitted now."""

    tags: list[str]
    more: bool


def deal(wants: Iterable[Want], stock: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Deal the stock out in the order of the wants: holder -> {sku: quantity}. Pure."""
    left = dict(stock)
    dealt: dict[str, dict[str, int]] = defaultdict(dict)
    for want in wants:
        given = min(want.missing, left.get(want.sku, 0))
        if given > 0:
            left[want.sku] -= given
            dealt[want.holder][want.sku] = given
    return dict(dealt)


def begin_dealing(session: Session, skus: Iterable[str] = ()) -> None:
    """Until the transaction ends nobody else deals, and the stock of what is waited for, and of `skus`, stands still.

    All stock rows are locked in one go, in their order; so a dealer and a truck never wait for each other.
    """
    take_turn(session, DEALING)
    waited = session.scalars(sa.select(PartNeed.sku).where(PartNeed.missing > 0).distinct())
    hold_stock(session, {*waited, *skus})


def reserve_or_wait(session: Session, release: OrderRelease, wanted: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    """Reserve what is there for every holder, and stand in line for the rest, which is returned."""
    short = reserve_all(session, wanted)
    session.add_all(
        PartNeed(
            holder=holder, order_number=release.order_number, sku=sku, needed=quantity, missing=short[holder].get(sku, 0),
            promised_on=release.promised_on,
        )
        for holder, needs in wanted.items() for sku, quantity in sorted(needs.items())
    )
    return short


def allocate(session: Session, *, at_most: int = AT_ONCE) -> Allocation:
    """Deal free stock out to those who wait, first promised first.

    Only parts that are there are looked at, so whoever waits for something else does not stand in
    the way. `more` tells that `at_most` was reached and another go is due.
    """
    begin_dealing(session)
    return deal_out(session, at_most=at_most)


def deal_out(session: Session, *, at_most: int = AT_ONCE) -> Allocation:
    """The same for who has begun dealing."""
    wanted = session.scalars(sa.select(PartNeed.sku).where(PartNeed.missing > 0).distinct().order_by(PartNeed.sku)).all()
    stock = {sku: free for sku, free in available(session, wanted).items() if free > 0} if wanted else {}
    if not stock:
        return Allocation([], more=False)
    statement = (
        sa.select(PartNeed)
        .where(PartNeed.missing > 0, PartNeed.sku.in_(sorted(stock)))
        .order_by(PartNeed.promised_on, PartNeed.holder, PartNeed.sku)
        .limit(at_most)
    )
    waiting = list(session.scalars(lock(statement)))
    dealt = deal((Want(need.holder, need.sku, need.missing) for need in waiting), stock)
    short = reserve_all(session, dealt)
    orders = set()
    for need in waiting:
        given = dealt.get(need.holder, {}).get(need.sku, 0)
        if given:
            need.missing -= given - short[need.holder].get(need.sku, 0)
            orders.add(need.order_number)
    session.flush()
    tags = _to_kitting(session, list(dealt))
    for number in sorted(orders):
        ship_when_complete(session, number)
    return Allocation(tags, more=len(waiting) == at_most and bool(dealt))


def leave_the_line(session: Session, holders: Sequence[str]) -> None:
    """These wait for nothing any more: what was kept for them and what was on its way for them is free for others."""
    release_all(session, holders)
    waited = sa.select(PartNeed.sku, sa.func.sum(PartNeed.missing)).where(PartNeed.holder.in_(holders), PartNeed.missing > 0)
    unwanted = {sku: int(missing) for sku, missing in session.execute(waited.group_by(PartNeed.sku).order_by(PartNeed.sku))}
    if unwanted:
        drop_pull(session, unwanted)
    session.execute(sa.delete(PartNeed).where(PartNeed.holder.in_(holders)))


def cover_missing(session: Session) -> list[str]:
    """Order what is waited for, neither on the shelf nor on its way: a purchase order was cancelled, a count found less."""
    waited = sa.select(PartNeed.sku, sa.func.sum(PartNeed.missing)).where(PartNeed.missing > 0)
    missing = {sku: int(count) for sku, count in session.execute(waited.group_by(PartNeed.sku).order_by(PartNeed.sku))}
    if not missing:
        return []
    free = available(session, missing)
    beyond = {sku: count - free[sku] for sku, count in missing.items() if count > free[sku]}
    return [order.number for order in cover(session, beyond, "missing parts")]


def _to_kitting(session: Session, holders: Sequence[str]) -> list[str]:
    incomplete = sa.select(PartNeed.holder).where(PartNeed.missing > 0)
    statement = (
        sa.select(WorkOrder)
        .where(WorkOrder.number.in_(holders), WorkOrder.status == UnitStatus.PRE_PRODUCTION, WorkOrder.number.not_in(incomplete))
        .order_by(WorkOrder.promised_on, WorkOrder.number)
    )
    units = list(session.scalars(lock(statement)))
    for unit in units:
        to_kitting(session, unit)
    return [unit.tag for unit in units]


def to_kitting(session: Session, unit: WorkOrder) -> None:
    """Every part is laid by: the kitter's turn, and the customer may know."""
    unit.move_to(UnitStatus.KITTING)
    record(session, unit, "parts_complete", SYSTEM)
    tell(session, unit, "kitting")


def ship_when_complete(session: Session, order_number: str) -> bool:
    """Call the dispatcher once every machine is boxed and every plain item laid by.

    The release is locked first, so of two boxers with the last two machines one sees the other's.
    """
    locked = lock(sa.select(OrderRelease).filter_by(order_number=order_number)).execution_options(populate_existing=True)
    release = session.scalars(locked).first()
    if release is None or release.status is not ReleaseStatus.WAITING:
        return False
    unboxed = sa.select(sa.func.count()).where(WorkOrder.order_number == order_number, WorkOrder.status != UnitStatus.BOXED)
    missing = sa.select(sa.func.count()).where(PartNeed.holder == order_number, PartNeed.missing > 0)
    if session.scalar(unboxed) or session.scalar(missing):
        return False
    release.move_to(ReleaseStatus.READY)
    publish(session, OrderReady(order_number))
    return True
