"""Parts are dealt out to those promised first, whoever ordered them, and never twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly import allocating
from fulfillment.assembly import service as floor
from fulfillment.assembly.allocating import Want, deal
from fulfillment.assembly.models import UnitStatus
from fulfillment.inventory.service import available, reserved_for
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import HANDLERS
from fulfillment.purchasing.models import OPEN, PurchaseOrder
from fulfillment.purchasing.service import cancel_purchase_order, purchase_orders, receive_parts
from tests.builders.assembly import STOCKED, bags, laptops, put_on_shelf, stations, unit_of
from tests.builders.walk import walk_order, work_jobs
from tests.conftest import Queries


def receive(session: Session, pieces: Mapping[str, int]) -> None:
    """So many come, each on the oldest purchase order that it is still missing on."""
    for sku, quantity in pieces.items():
        waiting = [order for order in reversed(purchase_orders(session)) if order.status in OPEN]
        order = next(order for order in waiting if any(line.sku == sku and line.missing for line in order.lines))
        receive_parts(session, order.number, {sku: quantity}, secret_token())
    work_jobs(session)


wants = st.lists(st.builds(Want, st.sampled_from("abcd"), st.sampled_from(["CPU", "MEM"]), st.integers(1, 5)), max_size=8)
stocks = st.dictionaries(st.sampled_from(["CPU", "MEM"]), st.integers(0, 9))


@given(wants, stocks)
def test_no_more_is_dealt_than_there_is_and_nothing_is_left_while_somebody_wants_it(line: list[Want], stock: dict[str, int]) -> None:
    line = list({(want.holder, want.sku): want for want in line}.values())
    dealt = deal(line, stock)
    for sku in ("CPU", "MEM"):
        given_out = sum(parts.get(sku, 0) for parts in dealt.values())
        wanted = sum(want.missing for want in line if want.sku == sku)
        assert given_out == min(wanted, stock.get(sku, 0))
    for want in line:
        assert 0 <= dealt.get(want.holder, {}).get(want.sku, 0) <= want.missing


@given(wants, stocks)
def test_who_stands_in_front_is_served_before_who_stands_behind(line: list[Want], stock: dict[str, int]) -> None:
    line = list({(want.holder, want.sku): want for want in line}.values())
    dealt = deal(line, stock)
    for sku in ("CPU", "MEM"):
        got = [(want.missing, dealt.get(want.holder, {}).get(sku, 0)) for want in line if want.sku == sku]
        short = next((at for at, (wanted, given_out) in enumerate(got) if given_out < wanted), len(got))
        assert all(given_out == 0 for _, given_out in got[short + 1 :])


def test_who_was_promised_first_is_served_first_whoever_ordered_the_parts(session: Session) -> None:
    slow = walk_order(session, up_to="released")
    fast = walk_order(session, up_to="released", delivery="express")
    assert fast.promised_on < slow.promised_on
    receive(session, STOCKED)
    assert stations(session, fast.number) == [UnitStatus.KITTING]
    assert stations(session, slow.number) == [UnitStatus.PRE_PRODUCTION]
    receive(session, STOCKED)
    assert stations(session, slow.number) == [UnitStatus.KITTING]


def test_a_machine_waits_until_its_last_part_is_here(session: Session) -> None:
    order = walk_order(session, up_to="released")
    receive(session, {"BSE-T14": 1, "CPU-T8": 1, "MEM-T16": 1, "FAN-T4": 3, "ADP-T65": 1})
    assert [(need.sku, need.missing) for need in floor.missing_parts(session, order.number)] == [("MEM-T16", 1), ("SSD-T1", 1)]
    assert stations(session, order.number) == [UnitStatus.PRE_PRODUCTION]
    receive(session, {"SSD-T1": 1, "MEM-T16": 1})
    assert floor.missing_parts(session, order.number) == []
    assert stations(session, order.number) == [UnitStatus.KITTING]
    unit = unit_of(session, order.number)
    assert reserved_for(session, unit.number) == dict(sorted(STOCKED.items()))
    assert not any(available(session, STOCKED).values())


def test_who_waits_for_another_part_does_not_stand_in_the_way(session: Session) -> None:
    first = walk_order(session, up_to="released", delivery="express")
    items = walk_order(session, bags(1), up_to="released")
    receive(session, {"BAG-T14": 1})
    release = floor.find_release(session, items.number)
    assert release is not None
    assert release.ready_at is not None
    assert stations(session, first.number) == [UnitStatus.PRE_PRODUCTION]


def test_a_large_delivery_is_dealt_out_in_several_goes(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    order = walk_order(session, laptops(3), up_to="released")
    put_on_shelf(session, {sku: 3 * count for sku, count in STOCKED.items()})
    assert allocating.allocate(session, at_most=4).more
    monkeypatch.setattr(allocating.allocate, "__kwdefaults__", {"at_most": 4})
    HANDLERS["assembly.allocate_more"].call(session)
    work_jobs(session)
    assert stations(session, order.number) == [UnitStatus.KITTING] * 3


def test_parts_of_a_cancelled_purchase_order_are_ordered_anew(session: Session) -> None:
    order = walk_order(session, up_to="released")
    lost = next(po for po in purchase_orders(session) if po.supplier_code == "S-SILICON")
    cancel_purchase_order(session, lost.number, by="buyer")
    (fresh,) = allocating.cover_missing(session)
    again = session.get_one(PurchaseOrder, purchase_orders(session)[0].id, options=[selectinload(PurchaseOrder.lines)])
    assert again.number == fresh
    assert {line.sku: line.quantity for line in again.lines} == {"CPU-T8": 1, "MEM-T16": 2, "SSD-T1": 1}
    assert allocating.cover_missing(session) == [], "it is on its way now"
    receive(session, STOCKED)
    assert stations(session, order.number) == [UnitStatus.KITTING]


def test_a_delivery_is_dealt_out_in_few_statements_however_many_wait(session: Session, queries: Queries) -> None:
    counts = []
    for machines in (2, 12):
        order = walk_order(session, laptops(machines), up_to="released")
        put_on_shelf(session, {sku: machines * count for sku, count in STOCKED.items()})
        with queries as statements:
            tags = allocating.allocate(session).tags
        assert tags == [unit.tag for unit in floor.units_of(session, order.number)]
        counts.append(len([statement for statement in statements if "order_event" not in statement and "floor_event" not in statement]))
    assert counts[1] <= counts[0] + 2, counts
