"""Out of the door: an order that is complete is packed, handed to its carrier, invoiced, and its customer told.

A shipment is opened when the factory calls (OrderReady): boxes, weights, carrier and tracking number
stand before the truck comes, so labels can be printed. With the dispatch everything that belongs
together happens in one transaction: stock, books, invoice, order, warranty.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import AsBuiltPart, OrderRelease, PartNeed, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import is_packed
from fulfillment.assembly.service import units_of
from fulfillment.billing.disputes import refuse_disputed
from fulfillment.billing.invoicing import issue_invoice
from fulfillment.inventory.service import issue_all
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.mail import send_mail
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.once import once
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.service import post
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import mark_shipped
from fulfillment.parts.service import parts_by_sku
from fulfillment.shipping import letters
from fulfillment.shipping.carriers import CARRIERS, carrier_for, tracking_number
from fulfillment.shipping.models import Shipment, ShipmentBox, ShipmentStatus
from fulfillment.shipping.packing import Box, Machine, Packed, pack
from fulfillment.shipping.tracking import follow

NOT_NOW = {
    ReleaseStatus.WAITING: "Order {number} is not complete yet: machines or items are still missing.",
    ReleaseStatus.CANCELLED: "Order {number} was cancelled by its customer. Unpack it.",
    ReleaseStatus.DISPATCHED: "Order {number} has left the house already.",
}


def open_shipment(session: Session, order_number: str) -> Shipment | None:
    """Pack a complete order and put it into the dispatcher's queue; None when it was cancelled meanwhile."""
    release = session.scalars(lock(sa.select(OrderRelease).filter_by(order_number=order_number))).one()
    known = find_shipment(session, order_number)
    if known is not None or release.status is not ReleaseStatus.READY:
        return known
    order = session.get_one(SalesOrder, release.order_id)
    number, carrier = next_number(session, "SH"), carrier_for(order.delivery)
    shipment = Shipment(
        number=number, order_id=order.id, order_number=order_number, status=ShipmentStatus.READY, carrier=carrier.code,
        tracking=tracking_number(carrier, number), ship_to=order.ship_to, promised_on=release.promised_on, weight_g=0, ready_at=now(),
    )
    session.add(shipment)
    session.flush()
    boxes = _pack(session, release)
    shipment.weight_g = sum(box.weight_g for box in boxes)
    for position, box in enumerate(boxes, start=1):
        session.add(ShipmentBox(shipment_id=shipment.id, number=position, tag=box.tag, contents=box.contents, weight_g=box.weight_g))
    session.flush()
    return shipment


def _pack(session: Session, release: OrderRelease) -> list[Box]:
    machines = []
    parts = _as_built(session, release.order_number)
    items = [Packed(item["sku"], item["name"], item["qty"]) for item in release.items if item["stocked"]]
    skus = {part.sku for part in parts} | {item.sku for item in items}
    weights = {sku: part.weight_g for sku, part in parts_by_sku(session, skus).items()}
    for unit in units_of(session, release.order_number):
        own = [Packed(part.sku, part.name, part.quantity, part.serial) for part in parts if part.work_order_id == unit.id]
        inside, beside = [part for part in own if not is_packed(part.sku)], [part for part in own if is_packed(part.sku)]
        machines.append(Machine(unit.tag, unit.model, unit.name, inside, beside))
    return pack(machines, items, weights)


def _as_built(session: Session, order_number: str) -> list[AsBuiltPart]:
    """Every part in the machines of an order."""
    statement = (
        sa.select(AsBuiltPart)
        .join(WorkOrder, WorkOrder.id == AsBuiltPart.work_order_id)
        .where(WorkOrder.order_number == order_number, AsBuiltPart.removed_at.is_(None))
        .order_by(AsBuiltPart.sku, AsBuiltPart.id)
    )
    return list(session.scalars(statement))


def find_shipment(session: Session, order_number: str) -> Shipment | None:
    """The order's shipment; None while it is not complete."""
    return session.scalars(sa.select(Shipment).filter_by(order_number=order_number)).first()


def dispatch(session: Session, order_number: str, *, operator: str, key: str) -> Shipment:
    """Hand the order to its carrier: it is invoiced, the sale is made, the warranty starts, the customer is told.

    Raises NotFound, WrongStatus when the order is not complete, was cancelled, has left already or its payment is disputed.
    Locks order, release, stock; posts last. A cancelled order is refused before its release is locked:
    the factory, which takes it back, locks stock first.
    """

    def act() -> dict[str, Any]:
        asked = lock(sa.select(SalesOrder).filter_by(number=order_number)).execution_options(populate_existing=True)
        order = session.scalars(asked).first()
        if order is not None and order.status is OrderStatus.CANCELLED:
            raise WrongStatus(NOT_NOW[ReleaseStatus.CANCELLED], number=order_number)
        release = session.scalars(lock(sa.select(OrderRelease).filter_by(order_number=order_number))).first()
        if order is None or release is None:
            raise NotFound("There is no order {number} at the dock.", number=order_number)
        if release.status is not ReleaseStatus.READY:
            raise WrongStatus(NOT_NOW[release.status], number=order_number)
        refuse_disputed(session, order_number)
        shipment = open_shipment(session, order_number)
        assert shipment is not None  # the release is locked and ready
        _send(session, order, release, shipment, operator)
        return {"shipment": shipment.number}

    done = once(session, "shipping.dispatch", key, {"order": order_number}, act)
    session.flush()
    return session.scalars(sa.select(Shipment).filter_by(number=done["shipment"])).one()


def _send(session: Session, order: SalesOrder, release: OrderRelease, shipment: Shipment, operator: str) -> None:
    finished, items = _finished_cost(session, order), _issue_items(session, release, shipment)
    release.move_to(ReleaseStatus.DISPATCHED)
    moment = now()
    for unit in units_of(session, order.number):
        unit.move_to(UnitStatus.SHIPPED)
        unit.shipped_at, unit.warranty_from = moment, moment.date()
    shipment.status, shipment.dispatched_at, shipment.dispatched_by = ShipmentStatus.DISPATCHED, moment, operator
    mark_shipped(session, order.number, carrier=shipment.carrier, tracking=shipment.tracking, shipment=shipment.number)
    _tell(session, order, shipment)
    session.flush()
    cost = finished + items
    if cost:
        post(session, postings.goods_dispatched(shipment.number, finished, items, order_number=order.number))
    issue_invoice(session, order.number, shipment.number, cost)
    follow(session, shipment)


def _finished_cost(session: Session, order: SalesOrder) -> Money:
    """What the order's machines stand in finished goods at."""
    return total((part.cost for part in _as_built(session, order.number)), order.currency)


def _issue_items(session: Session, release: OrderRelease, shipment: Shipment) -> Money:
    """Plain items off the shelf, into the parcel; returns their standard cost."""
    pieces: dict[str, int] = {}
    for item in release.items:
        if item["stocked"]:
            pieces[item["sku"]] = pieces.get(item["sku"], 0) + item["qty"]
    if not pieces:
        return Money(0)
    moves = issue_all(session, release.order_number, pieces, {sku: f"{shipment.number}:{sku}" for sku in pieces})
    session.execute(sa.delete(PartNeed).where(PartNeed.holder == release.order_number))
    return total(move.cost for move in moves.values())


def _tell(session: Session, order: SalesOrder, shipment: Shipment) -> None:
    boxes = session.scalar(sa.select(sa.func.count()).select_from(ShipmentBox).filter_by(shipment_id=shipment.id)) or 1
    letter = letters.shipped(order, CARRIERS[shipment.carrier], shipment.tracking, boxes=boxes)
    send_mail(session, to=order.email, subject=letter.subject, text=letter.text, key=f"shipped:{shipment.number}")


def cancel_shipment(session: Session, order_number: str) -> None:
    """The order was cancelled while its parcel waited for the truck: unpack it."""
    shipment = session.scalars(lock(sa.select(Shipment).filter_by(order_number=order_number))).first()
    if shipment is not None and shipment.status is ShipmentStatus.READY:
        shipment.status = ShipmentStatus.CANCELLED


