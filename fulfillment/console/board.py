"""The floor at a glance: what stands where and since when, what is late, what is blocked and by what, what was done today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import STATIONS, FloorEvent, PartNeed, UnitStatus, WorkOrder
from fulfillment.inventory.models import IncomingPart
from fulfillment.kernel.clock import now, today
from fulfillment.shipping.models import Shipment, ShipmentStatus

SHOWN = 8
DONE_TODAY = ("kitted", "built", "test_passed", "test_failed", "boxed")


class Station(NamedTuple):
    """A station's queue."""

    status: UnitStatus | ShipmentStatus
    waiting: int
    oldest: datetime | None
    """Since when the one that waits longest has stood here."""
    late: int
    """Promised to be at the customer's by now."""


class Arrival(NamedTuple):
    """Pieces of a part that are on their way."""

    po_number: str
    due_on: date


class MissingPart(NamedTuple):
    """A part somebody waits for, and the purchase orders it may come with, the earliest first."""

    sku: str
    quantity: int
    coming: Sequence[Arrival]


class Blocked(NamedTuple):
    """A machine, or the plain items of an order, that cannot go on."""

    tag: str | None
    order_number: str
    name: Mapping[str, str] | None
    promised_on: date
    parts: Sequence[MissingPart]

    @property
    def by_arrival(self) -> Sequence[tuple[Arrival | None, Sequence[MissingPart]]]:
        """What is missing by the delivery it should come with; None for what nobody sends yet."""
        groups: dict[Arrival | None, list[MissingPart]] = defaultdict(list)
        for part in self.parts:
            groups[part.coming[0] if part.coming else None].append(part)
        return list(groups.items())


class Board(NamedTuple):
    """Everything the floor page shows."""

    stations: Sequence[Station]
    blocked: Sequence[Blocked]
    more_blocked: int
    done: Mapping[str, int]

    @property
    def longest(self) -> int:
        """The longest queue, at least 1: what the chart's bars are measured by."""
        return max([1, *(station.waiting for station in self.stations)])


def look(session: Session) -> Board:
    """The floor as it stands now."""
    blocked = _blocked(session)
    return Board([*_stations(session), _dock(session)], blocked[:SHOWN], max(0, len(blocked) - SHOWN), _done_today(session))


def _stations(session: Session) -> list[Station]:
    late = sa.func.sum(sa.case((WorkOrder.promised_on < today(), 1), else_=0))
    statement = (
        sa.select(WorkOrder.status, sa.func.count(), sa.func.min(WorkOrder.status_since), late)
        .where(WorkOrder.status.in_(STATIONS))
        .group_by(WorkOrder.status)
        .order_by(WorkOrder.status)
    )
    found = {status: Station(status, count, oldest, int(overdue)) for status, count, oldest, overdue in session.execute(statement)}
    return [found.get(status, Station(status, 0, None, 0)) for status in STATIONS]


def _dock(session: Session) -> Station:
    late = sa.func.coalesce(sa.func.sum(sa.case((Shipment.promised_on < today(), 1), else_=0)), 0)
    statement = sa.select(sa.func.count(), sa.func.min(Shipment.ready_at), late).where(Shipment.status == ShipmentStatus.READY)
    count, oldest, overdue = session.execute(statement).one()
    return Station(ShipmentStatus.READY, count, oldest, int(overdue))


def _blocked(session: Session) -> list[Blocked]:
    """Who waits for parts, first promised first."""
    statement = (
        sa.select(
            PartNeed.holder, PartNeed.sku, PartNeed.missing, PartNeed.order_number, PartNeed.promised_on, WorkOrder.tag, WorkOrder.name,
        )
        .join(WorkOrder, WorkOrder.number == PartNeed.holder, isouter=True)
        .where(PartNeed.missing > 0)
        .order_by(PartNeed.promised_on, PartNeed.holder, PartNeed.sku)
        .limit(400)
    )
    rows = session.execute(statement).all()
    coming = _coming(session, {row.sku for row in rows})
    held: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        held[row.holder].append(row)
    return [
        Blocked(
            group[0].tag, group[0].order_number, group[0].name, group[0].promised_on,
            [MissingPart(row.sku, row.missing, coming.get(row.sku, [])) for row in group],
        )
        for group in held.values()
    ]


def _coming(session: Session, skus: set[str]) -> dict[str, list[Arrival]]:
    if not skus:
        return {}
    statement = (
        sa.select(IncomingPart.sku, IncomingPart.source, IncomingPart.due_on)
        .where(IncomingPart.sku.in_(sorted(skus)), IncomingPart.quantity > 0)
        .order_by(IncomingPart.due_on, IncomingPart.source)
    )
    coming: dict[str, list[Arrival]] = defaultdict(list)
    for sku, source, due_on in session.execute(statement):
        coming[sku].append(Arrival(source, due_on))
    return coming


def _done_today(session: Session) -> dict[str, int]:
    midnight = datetime.combine(today(), time(), tzinfo=now().tzinfo)
    statement = (
        sa.select(FloorEvent.kind, sa.func.count())
        .where(FloorEvent.at >= midnight, FloorEvent.kind.in_(DONE_TODAY))
        .group_by(FloorEvent.kind)
        .order_by(FloorEvent.kind)
    )
    found = {kind: count for kind, count in session.execute(statement)}  # noqa: C416 - a Row is not typed as a pair
    shipped = sa.select(sa.func.count()).select_from(Shipment).where(Shipment.dispatched_at >= midnight)
    return {**{kind: found.get(kind, 0) for kind in DONE_TODAY}, "dispatched": session.scalar(shipped) or 0}
