"""A paid order becomes work: tags, parts lists, reservations, one call to the suppliers."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly import releasing, tag
from fulfillment.assembly import service as floor
from fulfillment.assembly.models import PartNeed, ReleaseStatus, UnitStatus
from fulfillment.inventory.service import available, reserved_for
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order, get_order, hold_order, release_from_review, timeline
from fulfillment.purchasing.models import PurchaseOrder
from tests.builders.assembly import BOM, STOCKED, bags, kit, laptops, put_on_shelf, release_of, stations, unit_of
from tests.builders.walk import pay, suppliers_deliver, walk_order, work_jobs


def pulled(session: Session) -> dict[str, dict[str, int]]:
    """What was called, by supplier; each purchase order by itself."""
    orders = session.scalars(sa.select(PurchaseOrder).order_by(PurchaseOrder.number).options(selectinload(PurchaseOrder.lines))).all()
    assert len({order.supplier_code for order in orders}) == len(orders), "one order for each supplier"
    return {order.supplier_code: {line.sku: line.quantity for line in order.lines} for order in orders}


def test_every_machine_of_the_order_has_its_own_tag_and_parts_list(session: Session) -> None:
    order = walk_order(session, laptops(3), laptops(1), up_to="released")
    units = floor.units_of(session, order.number)
    assert [(unit.position, unit.unit) for unit in units] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert len({unit.tag for unit in units}) == 4
    assert len({unit.number for unit in units}) == 4
    for unit in units:
        assert tag.read_tag(unit.tag) == unit.tag
        assert {entry["sku"]: entry["qty"] for entry in unit.bom} == BOM
        assert {entry["sku"] for entry in unit.bom if not entry["stocked"]} == {"OSL-TP"}


def test_what_is_missing_over_all_machines_is_called_once(session: Session) -> None:
    order = walk_order(session, laptops(2), bags(5), up_to="released")
    assert pulled(session) == {
        "S-CHASSIS": {"BSE-T14": 2, "FAN-T4": 6, "ADP-T65": 2, "BAG-T14": 5}, "S-SILICON": {"CPU-T8": 2, "MEM-T16": 4, "SSD-T1": 2},
    }
    assert stations(session, order.number) == [UnitStatus.PRE_PRODUCTION] * 2
    assert Counter(event.kind for event in timeline(session, order)) == {
        "received": 1, "payment_received": 1, "released": 1, "pre_production": 2,
    }


def test_parts_on_the_shelf_are_reserved_and_the_machine_can_be_kitted_at_once(session: Session) -> None:
    order = walk_order(session, up_to="released", stock=True)
    unit = unit_of(session, order.number)
    assert unit.status is UnitStatus.KITTING
    assert reserved_for(session, unit.number) == dict(sorted(STOCKED.items()))
    assert pulled(session) == {}
    assert get_order(session, order.number).status is OrderStatus.PAID, "nothing has been taken yet: it can still be cancelled"


def test_a_release_is_done_once_however_often_the_order_is_told_to_be_paid(session: Session) -> None:
    order = walk_order(session, up_to="released")
    before = unit_of(session, order.number).tag, pulled(session)
    hold_order(session, order.number, "a look", by="clerk")
    release_from_review(session, order.number, "fine", by="clerk")
    work_jobs(session)
    releasing.release(session, order.number)
    assert [unit.tag for unit in floor.units_of(session, order.number)] == [before[0]]
    assert pulled(session) == before[1]


def test_nothing_is_made_of_an_order_that_is_not_paid(session: Session) -> None:
    order = walk_order(session, up_to="booked")
    assert releasing.release(session, order.number) is None
    assert floor.units_of(session, order.number) == []


def test_an_order_cancelled_before_the_factory_heard_of_it_is_not_made(session: Session) -> None:
    order = walk_order(session, up_to="booked")
    pay(session, order.number)
    cancel_order(session, order.number, "changed my mind", by="customer")
    work_jobs(session)
    assert floor.units_of(session, order.number) == []
    assert pulled(session) == {}


def test_plain_items_go_straight_to_the_dock(session: Session) -> None:
    order = walk_order(session, bags(2), up_to="released", stock=True)
    release = floor.find_release(session, order.number)
    assert release is not None
    assert (release.status, release.units) == (ReleaseStatus.READY, 0)
    assert reserved_for(session, order.number) == {"BAG-T14": 2}


def test_plain_items_that_are_missing_wait_for_their_supplier(session: Session) -> None:
    order = walk_order(session, bags(2), up_to="released")
    assert release_of(session, order.number) is ReleaseStatus.WAITING
    assert [(need.holder, need.sku, need.missing) for need in floor.missing_parts(session, order.number)] == [(order.number, "BAG-T14", 2)]
    suppliers_deliver(session)
    assert release_of(session, order.number) is ReleaseStatus.READY


def test_cancelling_in_time_frees_the_parts_at_once(session: Session) -> None:
    order = walk_order(session, laptops(2), up_to="released", stock=True)
    cancel_order(session, order.number, "changed my mind", by="customer")
    work_jobs(session)
    assert stations(session, order.number) == [UnitStatus.CANCELLED] * 2
    assert all(reserved_for(session, unit.number) == {} for unit in floor.units_of(session, order.number))
    assert available(session, STOCKED) == {sku: 10 * count for sku, count in sorted(STOCKED.items())}
    assert session.scalars(sa.select(PartNeed)).all() == []


def test_the_parts_of_a_cancelled_order_go_to_the_next_in_line(session: Session) -> None:
    first = walk_order(session, up_to="released")
    put_on_shelf(session, STOCKED)
    work_jobs(session)
    suppliers_deliver(session)
    second = walk_order(session, up_to="released")
    put_on_shelf(session, {"CPU-T8": 1})
    cancel_order(session, first.number, "changed my mind", by="customer")
    work_jobs(session)
    assert stations(session, second.number) == [UnitStatus.KITTING]


def test_a_cancelled_order_is_not_kitted(session: Session) -> None:
    order = walk_order(session, up_to="released", stock=True)
    unit = unit_of(session, order.number)
    cancel_order(session, order.number, "changed my mind", by="customer")
    with pytest.raises(WrongStatus, match="cancelled"), session.begin_nested():
        kit(session, unit.tag)
    work_jobs(session)
    with pytest.raises(WrongStatus, match=f"Unit {unit.tag} was cancelled by its customer"):
        kit(session, unit.tag)


def test_a_held_order_is_not_kitted_until_somebody_has_looked(session: Session) -> None:
    order = walk_order(session, up_to="released", stock=True)
    unit = unit_of(session, order.number)
    hold_order(session, order.number, "a look", by="clerk")
    with pytest.raises(WrongStatus), session.begin_nested():
        kit(session, unit.tag)
    session.refresh(unit)
    assert unit.status is UnitStatus.KITTING
    release_from_review(session, order.number, "fine", by="clerk")
    assert kit(session, unit.tag).status is UnitStatus.BUILD


def test_a_drawn_tag_that_is_taken_is_drawn_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    order = walk_order(session, up_to="released")
    taken = unit_of(session, order.number).tag
    drawn = iter([taken, taken, "BCDFGHJ", "BCDFGHJ", "BCDFGHK"])
    monkeypatch.setattr("fulfillment.assembly.tag.draw", lambda: next(drawn))
    assert releasing.fresh_tags(session, 2) == ["BCDFGHJ", "BCDFGHK"]


def test_a_unit_is_found_by_tag_or_express_service_code(session: Session) -> None:
    unit = unit_of(session, walk_order(session, up_to="released").number)
    spoken = tag.spoken(tag.express_code(unit.tag))
    for typed in (unit.tag, unit.tag.lower(), f" {unit.tag} ", spoken, spoken.replace("-", "")):
        assert floor.find_unit(session, typed).number == unit.number
    with pytest.raises(NotFound):
        floor.find_unit(session, "ZZZZZZZ")


def test_parts_that_came_for_a_waiting_machine_are_not_taken_by_an_order_released_before_they_are_dealt_out(session: Session) -> None:
    first = walk_order(session, laptops(1), up_to="released")
    put_on_shelf(session, STOCKED)  # the truck was here, and its parts are not dealt out yet
    second = walk_order(session, laptops(1), up_to="released")
    assert stations(session, first.number) == [UnitStatus.KITTING]
    assert stations(session, second.number) == [UnitStatus.PRE_PRODUCTION]
    called = session.scalars(sa.select(PurchaseOrder.source).where(PurchaseOrder.source == second.number)).all()
    assert called, "the second has parts of its own on the way"
