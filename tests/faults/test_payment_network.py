"""The line to the provider breaks at every place it can: one page, one charge, one refund, nothing lost."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from fulfillment.billing import gateway as door
from fulfillment.billing.models import PaymentStatus, RefundStatus
from fulfillment.billing.reconciling import reconcile_order
from fulfillment.billing.sweeping import sweep_payments
from fulfillment.kernel import clock
from fulfillment.kernel.db import transaction
from fulfillment.kernel.jobs import work_one
from fulfillment.kernel.refusals import Unavailable, WrongStatus
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order
from tests.builders.billing import (
    CardShop,
    alerts,
    findings,
    order_of,
    paid,
    payment_of,
    payments_of,
    refunds_of,
    status_of,
    times_paid,
    unhandled,
)

pytest_plugins = ("tests.builders.card_shop",)

OPEN, REFUND, ANY = "POST /v1/checkout/sessions", "POST /v1/refunds", "* /v1/*"
FOR_EVER = 10_000


def sessions(shop: CardShop) -> int:
    """How many pages there are at the provider."""
    return len(door.gateway().stripe.v1.checkout.sessions.list({"limit": 100}).data)


def charges(shop: CardShop) -> list[int]:
    found = door.gateway().stripe.v1.charges.list({"limit": 100}).data
    return [charge.amount for charge in found if charge.paid]


def refunds(shop: CardShop) -> list[int]:
    return [refund.amount for refund in door.gateway().stripe.v1.refunds.list({"limit": 100}).data]


def cancel(number: str) -> None:
    with transaction() as session:
        cancel_order(session, number, "changed my mind", "customer")


def later(seconds: int) -> None:
    """Work what is due by then; failures are retried as a worker would."""
    with clock.frozen(clock.now() + timedelta(seconds=seconds)):
        while work_one():
            pass


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after"])
def test_a_cut_line_while_the_page_opens_gives_one_page(shop: CardShop, kind: str) -> None:
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": kind, "count": 2})
    url = shop.checkout(number)  # the SDK asks again with our key
    assert sessions(shop) == 1
    shop.simulator.pay(url)
    shop.work()
    assert paid(number) == [order_of(number).total_minor]
    assert findings() == []


def test_every_reply_lost_while_the_page_opens_gives_one_page_at_the_next_click(shop: CardShop) -> None:
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": "drop_after", "count": FOR_EVER})
    for _ in range(3):
        with pytest.raises(Unavailable, match="Nothing was charged"):
            shop.checkout(number)
    shop.break_next()
    assert payment_of(number).status is PaymentStatus.REQUESTED
    url = shop.checkout(number)
    assert sessions(shop) == 1
    assert payment_of(number).url == url
    shop.simulator.pay(url)
    shop.work()
    assert status_of(number) is OrderStatus.PAID


def test_a_page_whose_reply_was_lost_is_known_by_the_event_of_its_payment(shop: CardShop) -> None:
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": "drop_after", "count": 3})
    with pytest.raises(Unavailable):
        shop.checkout(number)
    (page,) = door.gateway().stripe.v1.checkout.sessions.list({}).data
    assert payment_of(number).session_id is None
    shop.simulator.pay(page.url or "")
    shop.work()
    assert payment_of(number).session_id == page.id
    assert paid(number) == [order_of(number).total_minor]
    assert (times_paid(number), alerts(), findings()) == (1, [], [])


def test_a_reply_slower_than_our_timeout_is_not_a_failure(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TIMEOUT", 1)
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": "slow_after", "seconds": 2, "count": 1})
    began = time.monotonic()
    url = shop.checkout(number)
    assert time.monotonic() - began < 6
    assert sessions(shop) == 1
    shop.simulator.pay(url)
    shop.work()
    assert status_of(number) is OrderStatus.PAID


def test_a_page_that_never_answered_expires_by_itself_and_makes_room(shop: CardShop) -> None:
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": "drop_after", "count": FOR_EVER})
    with pytest.raises(Unavailable):
        shop.checkout(number)
    shop.break_next()
    with clock.frozen(clock.now() + timedelta(hours=23, minutes=1)):
        assert sweep_payments() == 1
        assert payment_of(number).status is PaymentStatus.EXPIRED


def test_a_page_the_provider_refuses_is_a_new_attempt_at_the_next_click(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    number = shop.book()
    shop.break_next({"match": OPEN, "kind": "status", "status": 400})
    with pytest.raises(Unavailable):
        shop.checkout(number)
    assert alerts() == ["payment_page_refused"]
    url = shop.checkout(number)
    assert [(one.attempt, one.status) for one in payments_of(number)] == [(1, PaymentStatus.FAILED), (2, PaymentStatus.OPEN)]
    first, second = payments_of(number)
    assert first.key.endswith("-checkout-1")
    assert second.key.endswith("-checkout-2")
    shop.simulator.pay(url)
    shop.work()
    assert paid(number) == [order_of(number).total_minor]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after", "delay", "slow_after"])
def test_a_cut_line_while_a_refund_is_sent_gives_one_refund(shop: CardShop, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(door, "TIMEOUT", 1)
    number = shop.paid_order()
    cancel(number)
    shop.break_next({"match": REFUND, "kind": kind, "seconds": 2, "count": 2})
    shop.work()
    whole = order_of(number).total_minor
    assert refunds(shop) == [whole]
    assert [(one.amount_minor, one.status) for one in refunds_of(number)] == [(whole, RefundStatus.SUCCEEDED)]
    assert findings() == []


def test_every_reply_lost_while_a_refund_is_sent_gives_one_refund(shop: CardShop) -> None:
    number = shop.paid_order()
    cancel(number)
    shop.silent()
    shop.break_next({"match": REFUND, "kind": "drop_after", "count": FOR_EVER})
    later(0)
    assert refunds_of(number)[0].status is RefundStatus.REQUESTED
    assert len(refunds(shop)) == 1
    later(30)  # the next try looks before it asks, so the line may still be down for refunds
    assert refunds(shop) == [order_of(number).total_minor]
    assert refunds_of(number)[0].status is RefundStatus.SUCCEEDED
    assert findings() == []


@pytest.mark.parametrize(("status", "times"), [(500, 2), (503, 2), (429, 2), (409, 2)])
def test_a_provider_that_stumbles_is_asked_again(shop: CardShop, status: int, times: int) -> None:
    number = shop.book()
    shop.break_next({"match": ANY, "kind": "status", "status": status, "count": times})
    url = shop.checkout(number)
    shop.simulator.pay(url)
    shop.break_next({"match": ANY, "kind": "status", "status": status, "count": times})
    shop.work()
    assert times_paid(number) == 1
    assert alerts() == []
    assert findings() == []


@pytest.mark.parametrize("broken", [{"kind": "status", "status": 429}, {"kind": "status", "status": 500}, {"kind": "drop_before"}])
def test_a_provider_away_for_an_hour_loses_nothing(shop: CardShop, broken: dict[str, object]) -> None:
    waiting, paying, cancelled = shop.book(), shop.book(), shop.paid_order()
    shop.simulator.pay(shop.checkout(paying))
    shop.arrive()
    cancel(cancelled)
    shop.break_next({"match": ANY, "count": FOR_EVER, **broken})
    with pytest.raises(Unavailable):
        shop.checkout(waiting)
    assert not reconcile_order(paying)
    for minute in range(0, 60, 5):
        later(60 * minute)
    assert (status_of(paying), unhandled()) == (OrderStatus.BOOKED, 4)
    assert refunds_of(cancelled)[0].status is RefundStatus.REQUESTED
    shop.break_next()
    later(4 * 3_600)
    assert (status_of(paying), unhandled()) == (OrderStatus.PAID, 0)
    assert refunds_of(cancelled)[0].status is RefundStatus.SUCCEEDED
    assert shop.checkout(waiting).startswith(shop.simulator.url)
    assert alerts() == []
    assert findings() == []


def test_a_provider_that_was_killed_is_the_same_when_it_is_back(shop: CardShop) -> None:
    number = shop.book()
    url = shop.checkout(number)
    shop.simulator.restart()
    shop.simulator.pay(url)
    shop.work()
    assert status_of(number) is OrderStatus.PAID
    with pytest.raises(WrongStatus):
        shop.checkout(number)
    assert findings() == []


def test_without_a_key_there_is_no_page(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    number = shop.book()
    monkeypatch.setattr("fulfillment.billing.gateway.settings", lambda: type("NoKey", (), {"stripe_api_key": ""}))
    with pytest.raises(Unavailable, match="not set up"):
        shop.checkout(number)
