"""Out of the door: what belongs together happens together, once, and the customer is told."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import PartNeed, ReleaseStatus, UnitStatus
from fulfillment.billing.models import Invoice
from fulfillment.inventory.service import available, reserved_for
from fulfillment.kernel.clock import today
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.ledger.models import Entry
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order, get_order, hold_order, timeline
from fulfillment.shipping import service as dock
from fulfillment.shipping.carriers import CARRIERS, read_tracking
from fulfillment.shipping.models import ShipmentStatus
from tests.builders import assembly
from tests.builders.assembly import DISPATCHER, bags, laptops, release_of, unit_of
from tests.builders.shipping import dispatch, shipment_of
from tests.builders.walk import suppliers_deliver, walk_order, work_jobs


def kinds(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Entry.kind).order_by(Entry.seq)))


def test_the_last_box_of_the_last_machine_calls_the_dispatcher(session: Session) -> None:
    order = walk_order(session, laptops(2), up_to="tested", stock=True)
    assembly.box(session, unit_of(session, order.number, 1).tag)
    work_jobs(session)
    assert dock.ready_to_ship(session) == []
    assembly.box(session, unit_of(session, order.number, 2).tag)
    work_jobs(session)
    assert [shipment.order_number for shipment in dock.ready_to_ship(session)] == [order.number]


def test_a_dispatch_moves_order_machines_goods_invoice_and_warranty_together(session: Session) -> None:
    order = walk_order(session, laptops(1), bags(2), up_to="boxed", stock=True)
    shelf = available(session, ["BAG-T14"])["BAG-T14"]
    shipment = dispatch(session, order.number)
    assert (shipment.status, shipment.dispatched_by) == (ShipmentStatus.DISPATCHED, DISPATCHER)
    assert get_order(session, order.number).status is OrderStatus.SHIPPED
    unit = unit_of(session, order.number)
    assert (unit.status, unit.warranty_from) == (UnitStatus.SHIPPED, today())
    assert release_of(session, order.number) is ReleaseStatus.DISPATCHED
    assert available(session, ["BAG-T14"])["BAG-T14"] == shelf, "what was reserved has gone, what was free is still there"
    assert reserved_for(session, order.number) == {}
    assert session.scalars(sa.select(PartNeed)).all() == []
    invoice = session.scalars(sa.select(Invoice)).one()
    assert (invoice.order_number, invoice.shipment_number, invoice.gross_minor) == (order.number, shipment.number, order.total_minor)


def test_the_customer_gets_the_tracking_number_by_mail_and_on_the_status_page(session: Session) -> None:
    order = walk_order(session, up_to="shipped", stock=True)
    shipment = shipment_of(session, order.number)
    mail = session.scalars(sa.select(Mail).filter_by(key=f"shipped:{shipment.number}")).one()
    assert mail.to == "ada@example.com"
    assert shipment.tracking in mail.text
    assert "Wayfare Parcel" in mail.text
    event = next(event for event in timeline(session, order) if event.kind == "shipped")
    assert event.detail == {"carrier": "wayfare", "tracking": shipment.tracking, "shipment": shipment.number}


@pytest.mark.parametrize(("delivery", "carrier"), [("standard", "wayfare"), ("express", "swiftmere"), ("appointment", "threshold")])
def test_each_way_of_delivery_has_its_carrier_and_a_number_of_its_kind(session: Session, delivery: str, carrier: str) -> None:
    order = walk_order(session, bags(1), up_to="released", stock=True, delivery=delivery)
    shipment = shipment_of(session, order.number)
    assert shipment.carrier == carrier
    assert read_tracking(CARRIERS[carrier], shipment.tracking) == shipment.tracking


def test_every_box_has_its_weight_and_contents(session: Session) -> None:
    order = walk_order(session, laptops(1), bags(3), bags(2, sku="MON-T27"), up_to="boxed", stock=True)
    shipment = shipment_of(session, order.number)
    boxes = dock.boxes_of(session, shipment)
    unit = unit_of(session, order.number)
    assert [(box.number, box.tag, [(line["sku"], line["qty"]) for line in box.contents]) for box in boxes] == [
        (1, unit.tag, [("skein-14", 1), ("ADP-T65", 1)]), (2, None, [("MON-T27", 1)]), (3, None, [("MON-T27", 1)]),
        (4, None, [("BAG-T14", 3)]),
    ]
    # 580 + 8 + 2 × 9 + 7 + 3 × 12 + 210 = 859 g; a carton is 450 g, padding 60 g for each begun kilogram
    assert [box.weight_g for box in boxes] == [859 + 450 + 60, 6_500 + 450 + 420, 6_500 + 450 + 420, 900 + 450 + 60]
    assert shipment.weight_g == sum(box.weight_g for box in boxes)
    assert boxes[0].contents[0]["serials"] == [unit.tag]


def test_the_same_scan_twice_ships_once(session: Session) -> None:
    order = walk_order(session, up_to="boxed", stock=True)
    first = dispatch(session, order.number, key="d1")
    again = dispatch(session, order.number, key="d1")
    assert again.number == first.number
    assert kinds(session).count("goods_dispatched") == kinds(session).count("sale_recognised") == 1
    with pytest.raises(WrongStatus, match=f"Order {order.number} has left the house already"):
        dispatch(session, order.number, key="d2")
    work_jobs(session)
    assert [row.kind for row in session.scalars(sa.select(OutboxEvent)) if row.kind == "OrderShipped"] == ["OrderShipped"]


@pytest.mark.parametrize("up_to", ["released", "kitted", "built", "tested"])
def test_an_order_that_is_not_complete_stays(session: Session, up_to: str) -> None:
    order = walk_order(session, laptops(1), bags(1), up_to=up_to)
    with pytest.raises(WrongStatus, match="is not complete yet"):
        dispatch(session, order.number)
    assert dock.find_shipment(session, order.number) is None


def test_an_order_nobody_knows_is_refused(session: Session) -> None:
    for number in ("SO-2026-999999", "", walk_order(session, up_to="booked").number):
        with pytest.raises(NotFound):
            dispatch(session, number)


def test_a_machine_waits_for_the_plain_items_of_its_order(session: Session) -> None:
    order = walk_order(session, laptops(1), bags(1), up_to="released")
    assembly.put_on_shelf(session, assembly.STOCKED)
    work_jobs(session)
    assert release_of(session, order.number) is ReleaseStatus.WAITING
    suppliers_deliver(session)
    unit = unit_of(session, order.number)
    for act in (assembly.kit, assembly.build, assembly.pass_test, assembly.box):
        act(session, unit.tag)
    assert release_of(session, order.number) is ReleaseStatus.READY


def test_plain_items_can_be_cancelled_until_the_truck_has_them(session: Session) -> None:
    order = walk_order(session, bags(2), up_to="released", stock=True)
    cancel_order(session, order.number, "changed my mind", by="customer")
    work_jobs(session)
    assert shipment_of(session, order.number).status is ShipmentStatus.CANCELLED
    assert dock.ready_to_ship(session) == []
    with pytest.raises(WrongStatus, match="was cancelled by its customer"):
        dispatch(session, order.number)
    assert available(session, ["BAG-T14"]) == {"BAG-T14": 10}
    assert "goods_dispatched" not in kinds(session)


def test_an_order_on_hold_does_not_leave(session: Session) -> None:
    order = walk_order(session, bags(1), up_to="released", stock=True)
    hold_order(session, order.number, "a look", by="clerk")
    with pytest.raises(WrongStatus), session.begin_nested():
        dispatch(session, order.number)
    assert shipment_of(session, order.number).status is ShipmentStatus.READY
    assert "goods_dispatched" not in kinds(session)


def test_plain_items_ship_straight_from_paid(session: Session) -> None:
    order = walk_order(session, bags(2), up_to="delivered", stock=True)
    assert get_order(session, order.number).status is OrderStatus.DELIVERED
    kinds_told = [event.kind for event in timeline(session, order) if event.kind != "invoiced"]
    assert kinds_told == ["received", "payment_received", "shipped", "in_transit", "out_for_delivery", "delivered"]


def test_the_queue_of_the_dock_is_in_the_order_of_promises(session: Session) -> None:
    slow = walk_order(session, bags(1), up_to="released", stock=True)
    fast = walk_order(session, bags(1), up_to="released", stock=True, delivery="express")
    queue = dock.ready_to_ship(session)
    assert [shipment.order_number for shipment in queue] == [fast.number, slow.number]
    assert isinstance(queue[0].promised_on, date)
    after = (queue[0].promised_on, queue[0].number)
    assert [shipment.order_number for shipment in dock.ready_to_ship(session, after=after)] == [slow.number]
    assert dock.shipment_by_number(session, queue[1].number).order_number == slow.number
    with pytest.raises(NotFound):
        dock.shipment_by_number(session, "SH-2026-999999")
