"""The nine steps a customer watches: from what is known of an order and its machines, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.assembly.models import UnitStatus
from fulfillment.orders.models import OrderEvent, OrderStatus
from storefront.status.progress import STEPS, progress, step_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def events(*kinds: str) -> list[OrderEvent]:
    """One after the other, an hour apart."""
    return [OrderEvent(kind=kind, at=NOON + timedelta(hours=hour), detail={}, public=True) for hour, kind in enumerate(kinds)]


def states(status: OrderStatus, stations: Sequence[UnitStatus] = (), happened: Sequence[OrderEvent] = ()) -> str:
    """Each step by the first letter of its state."""
    return "".join(step.state[0] for step in progress(status, stations, happened))


@pytest.mark.parametrize(
    ("status", "stations", "shown"),
    [
        (OrderStatus.BOOKED, [], "dnttttttt"),
        (OrderStatus.REVIEW, [], "dnttttttt"),
        (OrderStatus.PAID, [], "ddntttttt"),
        (OrderStatus.PAID, [UnitStatus.PRE_PRODUCTION], "ddntttttt"),
        (OrderStatus.PAID, [UnitStatus.KITTING], "dddnttttt"),
        (OrderStatus.IN_PRODUCTION, [UnitStatus.BUILD], "ddddntttt"),
        (OrderStatus.IN_PRODUCTION, [UnitStatus.TEST], "dddddnttt"),
        (OrderStatus.IN_PRODUCTION, [UnitStatus.REWORK], "dddddnttt"),
        (OrderStatus.IN_PRODUCTION, [UnitStatus.BOXING], "ddddddntt"),
        (OrderStatus.IN_PRODUCTION, [UnitStatus.BOXED], "dddddddnt"),
        (OrderStatus.SHIPPED, [UnitStatus.SHIPPED], "ddddddddn"),
        (OrderStatus.DELIVERED, [UnitStatus.SHIPPED], "ddddddddd"),
    ],
)
def test_the_order_stands_where_its_machine_stands(status: OrderStatus, stations: list[UnitStatus], shown: str) -> None:
    assert states(status, stations) == shown


def test_the_slowest_machine_counts() -> None:
    assert states(OrderStatus.IN_PRODUCTION, [UnitStatus.BOXED, UnitStatus.KITTING, UnitStatus.TEST]) == "dddnttttt"


def test_an_order_of_items_alone_waits_for_its_dispatch_without_a_station() -> None:
    assert states(OrderStatus.PAID) == "ddntttttt"
    assert states(OrderStatus.SHIPPED) == "ddddddddn"


def test_a_step_has_the_time_the_last_machine_came_to_it() -> None:
    happened = events("received", "payment_received", "released", "kitting", "kitting", "build")
    steps = {step.code: step.at for step in progress(OrderStatus.IN_PRODUCTION, [UnitStatus.BUILD, UnitStatus.KITTING], happened)}
    assert steps["received"] == NOON
    assert steps["kitting"] == NOON + timedelta(hours=4)
    assert steps["build"] is None  # one of them is there, but not the order


def test_what_happened_beside_the_steps_moves_nothing() -> None:
    happened = events("received", "date_moved", "note", "refund_requested")
    assert states(OrderStatus.BOOKED, [], happened) == "dnttttttt"


@pytest.mark.parametrize(
    ("happened", "shown"),
    [
        (("received", "cancelled"), "dtttttttt"),
        (("received", "payment_received", "cancelled"), "ddttttttt"),
        (("received", "payment_received", "released", "cancelled"), "ddstttttt"),
    ],
)
def test_a_cancelled_order_shows_how_far_it_came(happened: tuple[str, ...], shown: str) -> None:
    assert states(OrderStatus.CANCELLED, [], events(*happened)) == shown


@given(
    st.sampled_from(OrderStatus), st.lists(st.sampled_from(UnitStatus), max_size=4),
    st.lists(st.sampled_from(["received", "payment_received", "released", "kitting", "build", "test", "boxing", "shipped"]), max_size=9),
)
def test_done_comes_before_now_and_now_before_what_is_to_come(status: OrderStatus, stations: list[UnitStatus], kinds: list[str]) -> None:
    steps = progress(status, stations, events(*kinds))
    assert [step.code for step in steps] == list(STEPS)
    if status is not OrderStatus.CANCELLED:
        assert "".join(step.state[0] for step in steps) == ("d" * step_of(status, stations) + "n" + "t" * 9)[:9]
    assert all(step.at is None for step in steps if step.state == "todo")
