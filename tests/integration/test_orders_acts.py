"""What happens to an order: paid, held, released, cancelled, built, shipped, delivered; and what must not happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound, Refusal, WrongStatus
from fulfillment.orders import jobs
from fulfillment.orders.events import OrderBooked, OrderShipped
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import (
    TooLateToCancel,
    cancel_order,
    hold_order,
    mark_delivered,
    mark_shipped,
    move_promise,
    note,
    record_payment,
    release_from_review,
    start_production,
    timeline,
)
from tests.builders.orders import item_line, make_order

AT = datetime(2026, 11, 25, 15, tzinfo=UTC)


def published(session: Session) -> list[str]:
    later = sa.select(OutboxEvent.kind).where(OutboxEvent.kind != "OrderBooked")
    return list(session.scalars(later.order_by(OutboxEvent.at, OutboxEvent.id)))


def kinds(session: Session, order: SalesOrder, *, all_of_it: bool = False) -> list[str]:
    return [event.kind for event in timeline(session, order, all_of_it=all_of_it)]


def test_the_exact_amount_pays_the_order_and_lets_it_be_built(session: Session) -> None:
    order = make_order(session)
    with frozen(AT + timedelta(days=1)):
        record_payment(session, order.number, order.total)
    assert order.status is OrderStatus.PAID
    assert order.paid_at == AT.replace(year=2026) + timedelta(days=1)
    assert order.paid == order.total
    assert published(session) == ["OrderPaid"]
    assert open_alerts(session) == []


@pytest.mark.parametrize("difference", [Money(1), Money(-1), Money(100_000)])
def test_another_amount_holds_the_order_and_lets_nothing_be_built(session: Session, difference: Money) -> None:
    order = make_order(session)
    record_payment(session, order.number, order.total + difference)
    assert order.status is OrderStatus.REVIEW
    assert published(session) == []
    assert kinds(session, order) == ["received", "payment_received", "on_review"]
    [alert] = open_alerts(session)
    assert (alert.kind, alert.key) == ("order_on_review", order.number)
    assert str(order.total) in alert.detail
    with pytest.raises(WrongStatus):
        start_production(session, order.number)


def test_another_currency_holds_the_order(session: Session) -> None:
    order = make_order(session)
    record_payment(session, order.number, Money(order.total_minor, "EUR"))
    assert order.status is OrderStatus.REVIEW
    assert order.paid == Money(order.total_minor, "EUR")
    assert published(session) == []


@pytest.mark.parametrize("up_to", ["paid", "in_production", "delivered"])
def test_a_second_payment_is_not_taken(session: Session, up_to: str) -> None:
    order = make_order(session, up_to=up_to)
    before = published(session)
    with pytest.raises(WrongStatus, match="not waiting for a payment"):
        record_payment(session, order.number, order.total)
    assert published(session) == before


def test_a_payment_for_a_cancelled_order_is_not_taken(session: Session) -> None:
    order = make_order(session)
    cancel_order(session, order.number, "changed my mind", by="customer")
    with pytest.raises(WrongStatus):
        record_payment(session, order.number, order.total)
    assert order.status is OrderStatus.CANCELLED
    assert order.paid is None
    assert published(session) == ["OrderCancelled"]


def test_our_people_can_release_what_is_held(session: Session) -> None:
    order = make_order(session)
    record_payment(session, order.number, order.total - Money(1))
    release_from_review(session, order.number, "a cent is fine", by="b.ward")
    assert order.status is OrderStatus.PAID
    assert published(session) == ["OrderPaid"]
    assert open_alerts(session) == []
    assert kinds(session, order)[-1] == "review_passed"
    private = [event for event in timeline(session, order, all_of_it=True) if not event.public]
    assert [(event.kind, event.detail["by"]) for event in private] == [("held", "system"), ("released_from_review", "b.ward")]
    with pytest.raises(WrongStatus, match="is not held"):
        release_from_review(session, order.number, "again", by="b.ward")


def test_a_paid_order_can_be_held_until_production(session: Session) -> None:
    order = make_order(session, up_to="paid")
    for _ in range(2):
        hold_order(session, order.number, "address looks odd", by="b.ward")
    assert order.status is OrderStatus.REVIEW
    assert kinds(session, order).count("on_review") == 1
    built = make_order(session, up_to="in_production")
    with pytest.raises(WrongStatus, match="only a paid order"):
        hold_order(session, built.number, "too late", by="b.ward")


@pytest.mark.parametrize(("up_to", "was_paid"), [("booked", False), ("paid", True)])
def test_an_order_is_cancelled_once_before_production(session: Session, up_to: str, *, was_paid: bool) -> None:
    order = make_order(session, up_to=up_to)
    for _ in range(2):
        cancel_order(session, order.number, "changed my mind", by="customer")
    assert order.status is OrderStatus.CANCELLED
    told = session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="OrderCancelled")).all()
    assert told == [{"number": order.number, "was_paid": was_paid}]
    assert kinds(session, order)[-1] == "cancelled"


def test_a_held_order_that_is_cancelled_was_paid(session: Session) -> None:
    order = make_order(session)
    record_payment(session, order.number, order.total + Money(500))
    cancel_order(session, order.number, "odd amount", by="b.ward")
    assert session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="OrderCancelled")).one()["was_paid"] is True
    assert open_alerts(session) == []


@pytest.mark.parametrize("up_to", ["in_production", "shipped", "delivered"])
def test_once_production_began_it_is_too_late_to_cancel(session: Session, up_to: str) -> None:
    order = make_order(session, up_to=up_to)
    with pytest.raises(TooLateToCancel, match="You can return it after delivery"):
        cancel_order(session, order.number, "changed my mind", by="customer")
    assert order.status.value == up_to
    assert "OrderCancelled" not in published(session)


def test_every_scan_may_start_production(session: Session) -> None:
    order = make_order(session, up_to="paid")
    for _ in range(3):
        start_production(session, order.number)
    assert kinds(session, order, all_of_it=True).count("production_started") == 1


@pytest.mark.parametrize("up_to", ["booked", "shipped"])
def test_production_starts_only_for_a_paid_order(session: Session, up_to: str) -> None:
    with pytest.raises(WrongStatus):
        start_production(session, make_order(session, up_to=up_to).number)


def test_shipped_and_delivered_are_told_once_with_the_carrier(session: Session) -> None:
    order = make_order(session, up_to="in_production")
    for _ in range(2):
        mark_shipped(session, order.number, carrier="Northway", tracking="NW1")
    for _ in range(2):
        mark_delivered(session, order.number)
    mark_shipped(session, order.number)  # told late: it is delivered already
    assert order.status is OrderStatus.DELIVERED
    assert published(session) == ["OrderPaid", "OrderShipped", "OrderDelivered"]
    events = {event.kind: event.detail for event in timeline(session, order)}
    assert events["shipped"] == {"carrier": "Northway", "tracking": "NW1"}
    assert list(events) == ["received", "payment_received", "shipped", "delivered"]


def test_plain_items_are_shipped_without_being_built(session: Session) -> None:
    order = make_order(session, item_line(), up_to="paid")
    assert mark_shipped(session, order.number).status is OrderStatus.SHIPPED


@pytest.mark.parametrize("act", [mark_shipped, mark_delivered, start_production])
def test_nothing_is_done_to_an_order_that_is_not_there(session: Session, act: Callable[..., Any]) -> None:
    with pytest.raises(NotFound):
        act(session, "SO-2026-999999")


def test_delivered_before_shipped_is_refused(session: Session) -> None:
    with pytest.raises(WrongStatus):
        mark_delivered(session, make_order(session, up_to="in_production").number)


def test_the_timeline_keeps_its_order_and_its_secrets(session: Session) -> None:
    with frozen(AT):
        order = make_order(session)
        for kind in ("kitting", "build", "test", "boxing"):
            note(session, order, kind, tag="5RFDP01")
        note(session, order, "operator_changed", public=False, by="b.ward")
    assert kinds(session, order) == ["received", "kitting", "build", "test", "boxing"]
    assert kinds(session, order, all_of_it=True).count("operator_changed") == 1
    assert {event.tag for event in timeline(session, order) if event.kind == "build"} == {"5RFDP01"}


def test_an_order_nobody_pays_lapses(session: Session) -> None:
    order = make_order(session)
    jobs.wait_for_payment(session, OrderBooked(order.number))
    jobs.wait_for_payment(session, OrderBooked(order.number))
    jobs.lapse(session, number=order.number)
    jobs.lapse(session, number=order.number)
    assert order.status is OrderStatus.CANCELLED
    assert session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="OrderCancelled")).all() == [
        {"number": order.number, "was_paid": False},
    ]


def test_a_paid_order_does_not_lapse(session: Session) -> None:
    order = make_order(session, up_to="paid")
    jobs.lapse(session, number=order.number)
    assert order.status is OrderStatus.PAID


def test_a_late_order_is_watched_until_it_leaves(session: Session) -> None:
    with frozen(AT):
        order = make_order(session, up_to="in_production")
        make_order(session, up_to="booked")
    with frozen(AT + timedelta(days=6)):
        jobs.watch_promises(session)
        assert open_alerts(session) == []
    with frozen(AT + timedelta(days=7)):
        for _ in range(2):
            jobs.watch_promises(session)
        assert [(alert.kind, alert.key) for alert in open_alerts(session)] == [("order_late", order.number)]
        mark_shipped(session, order.number)
        for _ in range(2):
            jobs.stop_watching(session, OrderShipped(order.number))
        assert open_alerts(session) == []


def test_another_day_is_told_in_the_timeline(session: Session) -> None:
    with frozen(AT):
        order = make_order(session, up_to="paid")
        for _ in range(2):
            move_promise(session, order.number, date(2026, 12, 11), "a part is late")
    assert (order.first_promised_on, order.promised_on) == (date(2026, 12, 2), date(2026, 12, 11))
    moved = [event.detail for event in timeline(session, order) if event.kind == "date_moved"]
    assert moved == [{"before": "2026-12-02", "after": "2026-12-11"}]


def test_the_day_of_an_order_that_has_left_is_not_moved(session: Session) -> None:
    order = make_order(session, up_to="shipped")
    with pytest.raises(WrongStatus):
        move_promise(session, order.number, date(2030, 1, 1), "too late")


def test_lines_that_were_read_stay_readable_through_every_act(session: Session) -> None:
    order = make_order(session, up_to="delivered")
    assert order.lines[0].quantity == 1


ACTS: dict[str, Callable[[Session, SalesOrder], object]] = {
    "pay": lambda s, o: record_payment(s, o.number, o.total),
    "pay too little": lambda s, o: record_payment(s, o.number, o.total - Money(1)),
    "hold": lambda s, o: hold_order(s, o.number, "x", by="y"),
    "release": lambda s, o: release_from_review(s, o.number, "x", by="y"),
    "cancel": lambda s, o: cancel_order(s, o.number, "x", by="y"),
    "build": lambda s, o: start_production(s, o.number),
    "ship": lambda s, o: mark_shipped(s, o.number),
    "deliver": lambda s, o: mark_delivered(s, o.number),
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=14))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_things_are_tried_nothing_unpaid_is_built_or_sent(session: Session, tried: list[str]) -> None:
    with session.begin_nested() as around:
        order = make_order(session)
        done = []
        for name in tried:
            before = (order.status, kinds(session, order, all_of_it=True), published(session))
            try:
                ACTS[name](session, order)
                done.append(name)
            except Refusal:
                session.flush()
                assert (order.status, kinds(session, order, all_of_it=True), published(session)) == before
        if order.status in {OrderStatus.IN_PRODUCTION, OrderStatus.SHIPPED, OrderStatus.DELIVERED}:
            assert {"pay", "release"} & set(done)
            assert "OrderCancelled" not in published(session)
        assert sum(name.startswith("pay") for name in done) <= 1
        assert published(session).count("OrderCancelled") == (order.status is OrderStatus.CANCELLED)
        around.rollback()
    session.expire_all()
