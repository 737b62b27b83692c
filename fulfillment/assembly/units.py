"""The machine in hand: found by its tag and locked, its history written, its customer told.

What every desk does the same way stands here once; the desks themselves are one module each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.labels import BadScan, Label
from fulfillment.assembly.models import AsBuiltPart, FloorEvent, UnitStatus, WorkOrder
from fulfillment.assembly.tag import read_tag
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.money import Money
from fulfillment.kernel.once import once
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import note

SYSTEM = "system"
"""The operator of what no person did."""

NOT_HERE = {
    UnitStatus.PRE_PRODUCTION: "Unit {tag} waits for parts from its suppliers. It cannot be worked on yet.",
    UnitStatus.KITTING: "Unit {tag} stands at the kitting desk.",
    UnitStatus.BUILD: "Unit {tag} stands at the build desk.",
    UnitStatus.TEST: "Unit {tag} stands at the test desk.",
    UnitStatus.REWORK: "Unit {tag} stands at the rework desk.",
    UnitStatus.BOXING: "Unit {tag} stands at the boxing desk.",
    UnitStatus.BOXED: "Unit {tag} is boxed already.",
    UnitStatus.SHIPPED: "Unit {tag} has left the house.",
    UnitStatus.CANCELLED: "Unit {tag} was cancelled by its customer. Put its parts back.",
}
"""What an operator reads who scanned a unit that is not his."""


def unit_at(session: Session, tag: str, station: UnitStatus) -> WorkOrder:
    """The unit of this tag, locked, if it stands at the station.

    Raises NotATag, NotFound for a tag we never gave, WrongStatus saying where the unit is.
    """
    wanted = read_tag(tag)
    statement = lock(sa.select(WorkOrder).filter_by(tag=wanted)).execution_options(populate_existing=True)
    unit = session.scalars(statement).first()
    if unit is None:
        raise NotFound("We made no machine with the tag {tag}.", tag=wanted)
    if unit.status is not station:
        raise WrongStatus(NOT_HERE[unit.status], tag=wanted)
    return unit


def at_desk(session: Session, desk: str, tag: str, *, key: str, asked: object, act: Callable[[], WorkOrder]) -> WorkOrder:
    """Do what the desk does once for this key; a repeated scan gets the unit as it stands now."""
    wanted = read_tag(tag)

    def do() -> dict[str, Any]:
        return {"work_order": act().number}

    done = once(session, f"assembly.{desk}", key, {"tag": wanted, "asked": asked}, do)
    session.flush()
    return session.scalars(sa.select(WorkOrder).filter_by(number=done["work_order"])).one()


def record(session: Session, unit: WorkOrder, kind: str, operator: str, **detail: object) -> None:
    """Write a line into the machine's own history; customers do not read it."""
    session.add(FloorEvent(work_order_id=unit.id, kind=kind, at=now(), operator=operator, detail=detail))


def tell(session: Session, unit: WorkOrder, kind: str, **detail: object) -> None:
    """Write a line into the customer's timeline, at this moment."""
    order = session.get_one(SalesOrder, unit.order_id)
    note(session, order, kind, public=True, tag=unit.tag, name=unit.name, **detail)


def parts_of(session: Session, unit: WorkOrder, *, removed: bool = False) -> list[AsBuiltPart]:
    """The parts in the machine or its tote, in the order they were taken; with `removed`, also what was taken out."""
    statement = sa.select(AsBuiltPart).filter_by(work_order_id=unit.id).order_by(AsBuiltPart.picked_at, AsBuiltPart.id)
    if not removed:
        statement = statement.where(AsBuiltPart.removed_at.is_(None))
    return list(session.scalars(statement))


def refuse_used_serials(session: Session, labels: Iterable[Label]) -> None:
    """A part with a serial number is in one machine only. Raises BadScan.

    Asked with the stock of these parts locked, so of two who scan one part at once the second sees the first's.
    """
    serials = [(label.sku, label.serial) for label in labels if label.serial]
    if not serials:
        return
    used = (
        sa.select(AsBuiltPart.sku, AsBuiltPart.serial, WorkOrder.tag)
        .join(WorkOrder, WorkOrder.id == AsBuiltPart.work_order_id)
        .where(sa.tuple_(AsBuiltPart.sku, AsBuiltPart.serial).in_(serials))
        .order_by(AsBuiltPart.sku, AsBuiltPart.serial)
    )
    found = session.execute(used).first()
    if found is not None:
        raise BadScan("{sku} {serial} is on record in unit {tag}. Take another one.", sku=found.sku, serial=found.serial, tag=found.tag)


def take_part(unit: WorkOrder, label: Label, cost: Money, operator: str) -> AsBuiltPart:
    """The record of a part that was taken from the shelf for this machine; `cost` is what one piece left the shelf at."""
    entry = next(entry for entry in unit.bom if entry["sku"] == label.sku)
    return AsBuiltPart(
        work_order_id=unit.id, sku=label.sku, name=entry["name"], group=entry["group"], quantity=label.count, serial=label.serial,
        lot=label.lot, cost_minor=cost.minor, currency=cost.currency, picked_by=operator, picked_at=now(),
    )


def cost_of(parts: Iterable[AsBuiltPart], currency: str) -> Money:
    """Standard cost of these parts together."""
    return Money(sum(part.cost.minor for part in parts), currency)
