"""What carriers say: kept once each, in any order, and Delivered is final."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.refusals import Conflict, NotFound
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import get_order, timeline
from fulfillment.shipping import service as dock
from fulfillment.shipping.models import ShipmentStatus, TrackingEvent
from tests.builders.assembly import bags
from tests.builders.shipping import carrier_says, dispatch, shipment_of
from tests.builders.walk import walk_order

AT = datetime(2026, 3, 4, 8, tzinfo=UTC)
TRANSIT, OUT, EXCEPTION, DELIVERED = (
    ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.EXCEPTION, ShipmentStatus.DELIVERED,
)


def test_a_parcel_goes_its_way_and_the_order_is_delivered(session: Session) -> None:
    order = walk_order(session, bags(1), up_to="shipped", stock=True)
    shipment = shipment_of(session, order.number)
    for hour, status in enumerate((TRANSIT, EXCEPTION, OUT, DELIVERED)):
        carrier_says(session, shipment, status, at=AT + timedelta(hours=hour))
        assert shipment.status is status
    assert shipment.delivered_at == AT + timedelta(hours=3)
    assert get_order(session, order.number).status is OrderStatus.DELIVERED
    assert [event.kind for event in timeline(session, order)][-4:] == ["in_transit", "exception", "out_for_delivery", "delivered"]


def test_a_message_repeated_changes_nothing(session: Session) -> None:
    order = walk_order(session, bags(1), up_to="shipped", stock=True)
    shipment = shipment_of(session, order.number)
    for _ in range(3):
        carrier_says(session, shipment, TRANSIT, at=AT)
    assert session.scalar(sa.select(sa.func.count()).select_from(TrackingEvent)) == 1
    assert [event.kind for event in timeline(session, order)].count("in_transit") == 1


def test_a_late_message_of_an_earlier_moment_does_not_take_the_parcel_back(session: Session) -> None:
    shipment = shipment_of(session, walk_order(session, bags(1), up_to="shipped", stock=True).number)
    carrier_says(session, shipment, OUT, at=AT + timedelta(hours=5))
    carrier_says(session, shipment, TRANSIT, at=AT)
    assert shipment.status is OUT
    carrier_says(session, shipment, DELIVERED, at=AT + timedelta(hours=6))
    carrier_says(session, shipment, EXCEPTION, at=AT + timedelta(hours=9))
    assert shipment.status is DELIVERED
    assert [event.status for event in dock.tracking_of(session, shipment)] == [TRANSIT, OUT, DELIVERED, EXCEPTION]


def test_what_the_carrier_says_before_our_own_scan_is_kept_for_later(session: Session) -> None:
    order = walk_order(session, bags(1), up_to="released", stock=True)
    shipment = shipment_of(session, order.number)
    carrier_says(session, shipment, DELIVERED, at=AT)
    assert shipment.status is ShipmentStatus.READY
    assert get_order(session, order.number).status is OrderStatus.PAID, "it is not delivered before it is sold"
    dispatch(session, order.number)
    assert shipment.status is DELIVERED
    assert get_order(session, order.number).status is OrderStatus.DELIVERED


def test_an_event_id_with_another_content_is_noticed(session: Session) -> None:
    shipment = shipment_of(session, walk_order(session, bags(1), up_to="shipped", stock=True).number)
    carrier_says(session, shipment, TRANSIT, event_id="e1", at=AT)
    with pytest.raises(Conflict):
        carrier_says(session, shipment, DELIVERED, event_id="e1", at=AT)
    assert shipment.status is TRANSIT


@pytest.mark.parametrize("status", [ShipmentStatus.READY, ShipmentStatus.DISPATCHED, ShipmentStatus.CANCELLED])
def test_a_carrier_cannot_report_what_only_we_do(session: Session, status: ShipmentStatus) -> None:
    shipment = shipment_of(session, walk_order(session, bags(1), up_to="shipped", stock=True).number)
    with pytest.raises(dock.BadTracking):
        carrier_says(session, shipment, status)


def test_a_number_that_is_not_ours_is_refused(session: Session) -> None:
    with pytest.raises(NotFound):
        dock.record_tracking(session, "WF260073687878", event_id="e", status=TRANSIT, at=AT)


messages = st.lists(
    st.tuples(st.sampled_from([TRANSIT, OUT, EXCEPTION, DELIVERED]), st.integers(0, 5), st.integers(1, 6)), min_size=1, max_size=7,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=messages, seed=st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_repeats_end_alike(session: Session, told: list[tuple[ShipmentStatus, int, int]], seed: Random) -> None:
    """The event id is its number, so equal tuples are the same message; order and repeats do not matter."""
    unique = list({number: (status, hour, number) for status, hour, number in told}.values())
    ends = set()
    for _ in range(2):
        shipment = shipment_of(session, walk_order(session, bags(1), up_to="shipped", stock=True).number)
        batch, stamp = [*unique, *unique], secret_token()
        seed.shuffle(batch)
        for status, hour, number in batch:
            carrier_says(session, shipment, status, event_id=f"{stamp}{number}", at=AT + timedelta(hours=hour, minutes=number))
        ends.add(shipment.status)
    assert len(ends) == 1
    expected = DELIVERED if any(status is DELIVERED for status, *_ in unique) else max(unique, key=lambda message: message[1:])[0]
    assert ends == {expected}
