"""The states of orders and purchase orders: which steps there are, and that no walk leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.kernel.clock import frozen
from fulfillment.kernel.refusals import WrongStatus
from fulfillment.orders import models as orders
from fulfillment.orders.models import CANCELLABLE, OrderStatus, SalesOrder
from fulfillment.purchasing import models as purchasing
from fulfillment.purchasing.models import PurchaseOrder, PurchaseStatus

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
BEFORE_PRODUCTION = {OrderStatus.BOOKED, OrderStatus.PAID, OrderStatus.REVIEW}


def test_every_status_has_its_steps() -> None:
    assert set(orders.NEXT) == set(OrderStatus)
    assert set(purchasing.NEXT) == set(PurchaseStatus)


def test_an_order_can_be_cancelled_before_production_only() -> None:
    assert CANCELLABLE == BEFORE_PRODUCTION


@given(st.lists(st.sampled_from(list(OrderStatus)), max_size=12))
def test_a_walk_takes_only_steps_of_the_table(wanted: list[OrderStatus]) -> None:
    order = SalesOrder(number="SO-2026-000001", status=OrderStatus.BOOKED)
    seen = [order.status]
    with frozen(AT):
        for status in wanted:
            before = order.status
            try:
                order.move_to(status)
            except WrongStatus:
                assert status not in orders.NEXT[before]
                assert order.status is before
            else:
                assert status in orders.NEXT[before]
                assert order.status_since == AT
                seen.append(status)
    if OrderStatus.IN_PRODUCTION in seen:
        assert OrderStatus.CANCELLED not in seen
    if OrderStatus.DELIVERED in seen:
        assert OrderStatus.SHIPPED in seen
        assert {OrderStatus.PAID} & set(seen)


@pytest.mark.parametrize("status", [OrderStatus.DELIVERED, OrderStatus.CANCELLED])
def test_delivered_and_cancelled_are_final(status: OrderStatus) -> None:
    assert orders.NEXT[status] == frozenset()


def test_a_purchase_order_is_not_closed_before_all_of_it_came() -> None:
    order = PurchaseOrder(number="PO-2026-000001", status=PurchaseStatus.PARTLY_RECEIVED)
    with pytest.raises(WrongStatus, match="PO-2026-000001 is partly_received"):
        order.move_to(PurchaseStatus.CLOSED)
