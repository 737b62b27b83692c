"""A paid order goes to the factory, and comes back out of it when the customer cancels in time.

Every machine gets its work order and service tag; its parts are reserved for it, and whatever is
missing over the whole order is called from the suppliers at once. Nothing was bought before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly import tag as tags
from fulfillment.assembly.allocating import begin_dealing, deal_out, leave_the_line, reserve_or_wait, ship_when_complete, to_kitting
from fulfillment.assembly.models import OrderRelease, PartNeed, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.assembly.units import SYSTEM, record, tell
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import lock
from fulfillment.kernel.numbering import next_number
from fulfillment.orders.delivery import delivery_option, promise
from fulfillment.orders.models import LineKind, OrderLine, OrderStatus, SalesOrder
from fulfillment.orders.readiness import Wanted, machines, ready_dates
from fulfillment.orders.readiness import items as items_of
from fulfillment.orders.service import move_promise, note
from fulfillment.parts.models import Part
from fulfillment.parts.service import parts_by_sku
from fulfillment.purchasing.service import pull

TRIES = 20
"""Tags drawn before we give up: with 28^7 of them one collision is rare, two are a fault."""


def release(session: Session, number: str) -> OrderRelease | None:
    """Turn the paid order into work; a second call changes nothing.

    None when the order is not (or no longer) to be built: cancelled or held meanwhile. The order
    is locked, so a cancellation waits for us or we see it.
    """
    order = session.scalars(lock(sa.select(SalesOrder).filter_by(number=number)).execution_options(populate_existing=True)).one()
    known = session.scalars(sa.select(OrderRelease).filter_by(order_number=number)).first()
    if known is not None or order.status is not OrderStatus.PAID:
        return known
    lines = list(session.scalars(sa.select(OrderLine).filter_by(order_id=order.id).order_by(OrderLine.position)))
    parts = parts_by_sku(session, _skus(lines))
    items = [_item(line, parts) for line in lines if line.kind is LineKind.ITEM]
    units = [unit for line in lines if line.kind is LineKind.SYSTEM for unit in _units(session, order, line, parts)]
    begin_dealing(session, {sku for unit in units for sku in stock_needs(unit.bom)} | set(stock_needs(items)))
    deal_out(session)  # what has come and is not dealt out yet belongs to those who stand in line
    _keep_promise_or_move_it(session, order, lines)
    for unit in units:
        unit.promised_on = order.promised_on
    released = OrderRelease(
        order_id=order.id, order_number=number, status=ReleaseStatus.WAITING, promised_on=order.promised_on, units=len(units),
        items=items, released_at=now(),
    )
    session.add_all([released, *units])
    session.flush()
    missing = _reserve_all(session, released, units)
    if missing:
        pull(session, dict(sorted(missing.items())), number)
    _tell(session, order, units, missing)
    session.flush()
    ship_when_complete(session, number)
    return released


def _keep_promise_or_move_it(session: Session, order: SalesOrder, lines: Sequence[OrderLine]) -> None:
    """Days may have passed between the booking and the payment, and parts gone to others: tell the customer before anything is called.

    The day that was paid for stands as long as what is here and what the suppliers need allow it.
    """
    ready = ready_dates(session, [_wanted(line) for line in lines])
    possible = promise(ready, delivery_option(order.delivery), today())
    if possible > order.promised_on:
        move_promise(session, order.number, possible, "Its parts cannot be here in time for the day that was promised at booking.")


def _wanted(line: OrderLine) -> Wanted:
    return items_of(line.sku_or_model, line.quantity) if line.kind is LineKind.ITEM else machines(line.bom, line.quantity)


def _skus(lines: Sequence[OrderLine]) -> set[str]:
    of_systems = {entry["sku"] for line in lines if line.kind is LineKind.SYSTEM for entry in line.bom}
    return of_systems | {line.sku_or_model for line in lines if line.kind is LineKind.ITEM}


def _item(line: OrderLine, parts: Mapping[str, Part]) -> dict[str, Any]:
    part = parts[line.sku_or_model]
    return {
        "sku": part.sku, "name": part.name, "qty": line.quantity, "stocked": part.stocked, "serialised": part.serialised,
        "position": line.position,
    }


def _units(session: Session, order: SalesOrder, line: OrderLine, parts: Mapping[str, Part]) -> list[WorkOrder]:
    """One work order for every machine of the line, each with its own tag and parts list."""
    bom = [
        {
            "sku": entry["sku"], "name": parts[entry["sku"]].name, "qty": int(entry["qty"]), "group": entry.get("group", ""),
            "stocked": parts[entry["sku"]].stocked, "serialised": parts[entry["sku"]].serialised,
        }
        for entry in line.bom
    ]
    moment = now()
    return [
        WorkOrder(
            number=next_number(session, "WO"), order_id=order.id, order_number=order.number, line_id=line.id, position=line.position,
            unit=unit, status=UnitStatus.PRE_PRODUCTION, status_since=moment, tag=fresh, model=line.sku_or_model, name=line.description,
            bom=bom, promised_on=order.promised_on, released_at=moment,
        )
        for unit, fresh in enumerate(fresh_tags(session, line.quantity), start=1)
    ]


def fresh_tags(session: Session, count: int) -> list[str]:
    """So many tags that no machine of ours ever had."""
    found: list[str] = []
    for _ in range(TRIES):
        drawn = {tags.draw() for _ in range(count - len(found))} - set(found)
        taken = set(session.scalars(sa.select(WorkOrder.tag).where(WorkOrder.tag.in_(sorted(drawn)))))
        found += sorted(drawn - taken)
        if len(found) == count:
            return found
    raise RuntimeError("no free service tag was drawn")


def stock_needs(bom: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """What of a parts list comes from the shelf: {sku: quantity}; services and software do not."""
    needs: Counter[str] = Counter()
    for entry in bom:
        if entry["stocked"]:
            needs[entry["sku"]] += entry["qty"]
    return needs


def _reserve_all(session: Session, released: OrderRelease, units: Sequence[WorkOrder]) -> Counter[str]:
    """Reserve for each machine and for the plain items; returns what is missing over all of them."""
    wanted = {unit.number: stock_needs(unit.bom) for unit in units}
    wanted[released.order_number] = stock_needs(released.items)
    missing: Counter[str] = Counter()
    for short in reserve_or_wait(session, released, {holder: needs for holder, needs in wanted.items() if needs}).values():
        missing.update(short)
    return missing


def _tell(session: Session, order: SalesOrder, units: Sequence[WorkOrder], missing: Mapping[str, int]) -> None:
    short = set(session.scalars(sa.select(PartNeed.holder).where(PartNeed.order_number == order.number, PartNeed.missing > 0)))
    if units:
        note(session, order, "released", tags=[unit.tag for unit in units], parts_called=sum(missing.values()))
    for unit in units:
        record(session, unit, "released", SYSTEM, order=order.number)
        if unit.number in short:
            tell(session, unit, "pre_production")
        else:
            to_kitting(session, unit)


def cancel_release(session: Session, number: str) -> None:
    """The customer cancelled before production: its work is off and its parts are free for others at once."""
    begin_dealing(session, session.scalars(sa.select(PartNeed.sku).filter_by(order_number=number)))
    released = session.scalars(lock(sa.select(OrderRelease).filter_by(order_number=number))).first()
    if released is None or released.status in {ReleaseStatus.CANCELLED, ReleaseStatus.DISPATCHED}:
        return
    released.move_to(ReleaseStatus.CANCELLED)
    units = session.scalars(lock(sa.select(WorkOrder).filter_by(order_number=number).order_by(WorkOrder.number)))
    holders = [number]
    for unit in units:
        unit.move_to(UnitStatus.CANCELLED)
        record(session, unit, "cancelled", SYSTEM)
        holders.append(unit.number)
    leave_the_line(session, holders)
    session.flush()
    deal_out(session)
