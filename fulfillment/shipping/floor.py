"""Staff for the demonstration: people who scan what is next at every station, in and around the factory.

It simulates people, not data. Each act goes through the same service as the desk's page, under an
operator's name, in its own transaction; a supplier brings what was ordered, a carrier says where
the parcel is. Labels carry serial numbers that follow from purchase order, part and machine, so a
repeated scan scans the same part.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly import service as floor
from fulfillment.assembly.labels import Label
from fulfillment.assembly.models import AsBuiltPart, OrderRelease, ReleaseStatus, TestRun, UnitStatus, WorkOrder
from fulfillment.billing.disputes import must_stay
from fulfillment.kernel.clock import now
from fulfillment.purchasing.models import OPEN, PurchaseLine, PurchaseOrder
from fulfillment.purchasing.service import receive_parts, record_supplier_invoice
from fulfillment.shipping import service as dock
from fulfillment.shipping.models import Shipment, ShipmentStatus

CREW = {
    UnitStatus.KITTING: "Kofi Osei", UnitStatus.BUILD: "Ines Prado", UnitStatus.TEST: "Mats Lindqvist",
    UnitStatus.REWORK: "Mats Lindqvist", UnitStatus.BOXING: "June Abara",
}
DISPATCHER = "Tom Becker"
AT_ONCE = 10
"""How many a station takes on in one pass."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody is about to do: `do` does it and says what was done."""

    who: str
    do: Callable[[Session], str]


def work_the_floor(session: Session, *, defects: int = 0) -> list[str]:
    """One pass over all stations within this transaction; returns what was done, a line each."""
    return [act.do(session) for act in look_around(session, defects=defects)]


def look_around(session: Session, *, defects: int = 0) -> list[Act]:
    """What waits at each station, from the street door back to the gate, so that one pass moves everything one step.

    With `defects`, one machine in so many fails its first test.
    """
    acts = [*_on_the_road(session), *_at_the_dock(session)]
    for station, act in _STATIONS:
        acts += [_at_station(station, waiting.tag, act, defects) for waiting in floor.queue(session, station, limit=AT_ONCE)]
    return [*acts, *_at_the_gate(session)]


def _at_station(station: UnitStatus, tag: str, act: Callable[[Session, WorkOrder, int], str], defects: int) -> Act:
    def do(session: Session) -> str:
        return act(session, floor.find_unit(session, tag), defects)

    return Act(CREW[station], do)


def _key(unit: WorkOrder) -> str:
    """The same for the same stay at a station, so that two crews do not do it twice."""
    return f"floor:{unit.number}:{unit.status}:{unit.status_since.timestamp():.6f}"


def _kit(session: Session, unit: WorkOrder, _defects: int) -> str:
    scans = shelf_labels(session, unit)
    floor.kit(session, unit.tag, scans=scans, operator=CREW[UnitStatus.KITTING], key=_key(unit))
    return f"kitting   {unit.tag}  {len(scans)} labels scanned into its tote"


def _build(session: Session, unit: WorkOrder, _defects: int) -> str:
    serials = labels_of(floor.to_fit(floor.parts_of(session, unit)), serialised=True)
    steps = [step.code for step in floor.steps_of(unit)]
    floor.build(session, unit.tag, serials=serials, steps=steps, operator=CREW[UnitStatus.BUILD], key=_key(unit))
    return f"build     {unit.tag}  {len(steps)} steps, {len(serials)} serial numbers"


def _test(session: Session, unit: WorkOrder, defects: int) -> str:
    recipe = floor.recipe_of(session, unit)
    bad = next((step for step in recipe if len(step.skus) == 1), None) if _fails(session, unit, defects) else None
    results = [
        floor.Outcome(step.code, passed=step is not bad, failure="ERRORS" if step is bad else "", measured="" if step is bad else "ok")
        for step in recipe
    ]
    floor.record_test(session, unit.tag, results=results, operator=CREW[UnitStatus.TEST], key=_key(unit))
    return f"test      {unit.tag}  " + (f"failed: {bad.code}" if bad else f"{len(results)} tests passed")


def _fails(session: Session, unit: WorkOrder, defects: int) -> bool:
    tested = session.scalar(sa.select(sa.func.count()).select_from(TestRun).filter_by(work_order_id=unit.id))
    return bool(defects) and not tested and int(hashlib.sha256(unit.number.encode()).hexdigest(), 16) % defects == 0


def _rework(session: Session, unit: WorkOrder, _defects: int) -> str:
    run = floor.test_runs(session, unit.id)[-1][0]
    step = (unit.failure or "").partition("/")[0]
    suspects: list[str] = next((entry["skus"] for entry in run.recipe if entry["code"] == step), [])
    bad = next((part for part in floor.parts_of(session, unit) if part.sku in suspects and part.at is not None), None)
    who, key = CREW[UnitStatus.REWORK], _key(unit)
    if bad is None:
        floor.rework(session, unit.tag, old="", new="", failure="ERRORS", operator=who, key=key)
        return f"rework    {unit.tag}  seated anew"
    floor.call_spare(session, unit.tag, sku=bad.sku, operator=who, key=f"{key}:spare")
    if any(need.holder == unit.number for need in floor.missing_parts(session, unit.order_number)):
        return f"rework    {unit.tag}  waits for a spare {bad.sku}"
    new = next(label for label in _labels(session, unit, [bad.sku], start=1000 + run.number))
    floor.rework(session, unit.tag, old=labels_of([bad])[0], new=str(new), failure="ERRORS", operator=who, key=key)
    return f"rework    {unit.tag}  {bad.sku} replaced"


def _box(session: Session, unit: WorkOrder, _defects: int) -> str:
    accessories = labels_of(floor.to_pack(floor.parts_of(session, unit)))
    floor.box(session, unit.tag, accessories=accessories, operator=CREW[UnitStatus.BOXING], key=_key(unit))
    return f"boxing    {unit.tag}  {len(accessories)} accessories"


_STATIONS: Sequence[tuple[UnitStatus, Callable[[Session, WorkOrder, int], str]]] = (
    (UnitStatus.BOXING, _box), (UnitStatus.REWORK, _rework), (UnitStatus.TEST, _test), (UnitStatus.BUILD, _build),
    (UnitStatus.KITTING, _kit),
)


def shelf_labels(session: Session, unit: WorkOrder) -> list[str]:
    """The labels that a kitter finds on the parts of this machine: one scan a piece for those with a serial number."""
    scans: list[str] = []
    for need in floor.kit_needs(unit):
        if need.serialised:
            scans += [str(label) for label in _labels(session, unit, [need.sku] * need.quantity)]
        else:
            scans.append(str(Label(need.sku, count=need.quantity)))
    return scans


def _labels(session: Session, unit: WorkOrder, skus: Sequence[str], *, start: int = 1) -> list[Label]:
    lots = _lots(session, set(skus))
    return [
        Label(sku, _serial(lots.get(sku, ""), sku, f"{unit.number}:{counter}"), lots.get(sku))
        for counter, sku in enumerate(skus, start=start)
    ]


def _lots(session: Session, skus: set[str]) -> dict[str, str]:
    """The last purchase order that each part came with: what suppliers print as the lot."""
    statement = (
        sa.select(PurchaseLine.sku, sa.func.max(PurchaseOrder.number))
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseLine.purchase_order_id)
        .where(PurchaseLine.sku.in_(sorted(skus)), PurchaseLine.received > 0)
        .group_by(PurchaseLine.sku)
        .order_by(PurchaseLine.sku)
    )
    return {sku: number for sku, number in session.execute(statement)}  # noqa: C416 - a Row is not typed as a pair


def _serial(lot: str, sku: str, counter: str) -> str:
    """The serial number a maker would print, the same for the same piece."""
    digest = hashlib.sha256(f"{lot}:{sku}:{counter}".encode()).digest()
    return b32encode(digest).decode()[:10]


def labels_of(parts: Sequence[AsBuiltPart], *, serialised: bool = False) -> list[str]:
    """The labels on parts that lie in a tote; with `serialised`, only of those that have a serial number."""
    return [str(Label(part.sku, part.serial, None, part.quantity)) for part in parts if part.serial or not serialised]


def _at_the_gate(session: Session) -> list[Act]:
    """Suppliers bring what was called, and charge for it."""
    coming = sa.select(PurchaseOrder.number).where(PurchaseOrder.status.in_(OPEN)).order_by(PurchaseOrder.due_on, PurchaseOrder.number)
    uncharged = (
        sa.select(PurchaseOrder.number)
        .where(PurchaseOrder.lines.any(PurchaseLine.received > PurchaseLine.invoiced))
        .order_by(PurchaseOrder.number)
    )
    acts = [_supplier_act(number, _deliver) for number in session.scalars(coming.limit(AT_ONCE))]
    return acts + [_supplier_act(number, _charge) for number in session.scalars(uncharged.limit(AT_ONCE))]


def _supplier_act(number: str, act: Callable[[Session, PurchaseOrder], str]) -> Act:
    def do(session: Session) -> str:
        statement = sa.select(PurchaseOrder).filter_by(number=number).options(selectinload(PurchaseOrder.lines))
        return act(session, session.scalars(statement).one())

    return Act("supplier", do)


def _deliver(session: Session, order: PurchaseOrder) -> str:
    missing = {line.sku: line.missing for line in order.lines if line.missing}
    receipt = receive_parts(session, order.number, missing, f"floor:{order.number}:{sum(line.received for line in order.lines)}")
    return f"gate      {order.supplier_code} brings {sum(missing.values())} parts for {order.number} ({receipt.number})"


def _charge(session: Session, order: PurchaseOrder) -> str:
    reference = f"{order.supplier_code}/{order.number}/{sum(line.received for line in order.lines)}"
    invoice = record_supplier_invoice(session, order.number, reference)
    return f"gate      {order.supplier_code} charges {invoice.amount} for {order.number}"


def _at_the_dock(session: Session) -> list[Act]:
    def act(number: str) -> Act:
        def do(session: Session) -> str:
            shipment = dock.dispatch(session, number, operator=DISPATCHER, key=f"floor:{number}")
            return f"dispatch  {number} leaves with {shipment.carrier}, {shipment.tracking}"

        return Act(DISPATCHER, do)

    waiting = (shipment.order_number for shipment in dock.ready_to_ship(session, limit=AT_ONCE))
    return [act(number) for number in waiting if not must_stay(session, number)]


_ROAD = {
    ShipmentStatus.DISPATCHED: (ShipmentStatus.IN_TRANSIT, "Portland, OR"),
    ShipmentStatus.IN_TRANSIT: (ShipmentStatus.OUT_FOR_DELIVERY, ""),
    ShipmentStatus.EXCEPTION: (ShipmentStatus.OUT_FOR_DELIVERY, ""),
    ShipmentStatus.OUT_FOR_DELIVERY: (ShipmentStatus.DELIVERED, ""),
}


def _on_the_road(session: Session) -> list[Act]:
    return [_carrier_act(shipment) for status in _ROAD for shipment in dock.on_the_way(session, status, limit=AT_ONCE)]


def _carrier_act(shipment: Shipment) -> Act:
    status, place = _ROAD[shipment.status]
    tracking, to = shipment.tracking, f"{shipment.ship_to['city']}, {shipment.ship_to['state']}"

    def do(session: Session) -> str:
        dock.record_tracking(session, tracking, event_id=f"{tracking}:{status}", status=status, at=now(), place=place or to)
        return f"carrier   {tracking} {status.replace('_', ' ')} at {place or to}"

    return Act(shipment.carrier, do)


def unfinished(session: Session) -> int:
    """Orders in the factory or on the road: what the crew still has to do, now or when its parts have come."""
    in_house = sa.select(sa.func.count()).where(OrderRelease.status.in_([ReleaseStatus.WAITING, ReleaseStatus.READY]))
    on_the_road = sa.select(sa.func.count()).where(Shipment.status.in_(list(_ROAD)))
    return (session.scalar(in_house) or 0) + (session.scalar(on_the_road) or 0)


PATIENCE = timedelta(seconds=30)
"""How long a crew told to work until idle waits for something to come up."""
