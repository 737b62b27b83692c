"""However the news of a payment comes, or does not, the order is paid once: event, return page, sweeper."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from fulfillment.billing import sweeping
from fulfillment.billing.models import PaymentStatus
from fulfillment.billing.reconciling import reconcile, reconcile_order
from fulfillment.billing.sweeping import sweep_payments
from fulfillment.kernel import clock
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.ledger.accounts import Account
from fulfillment.orders.models import OrderStatus
from tests.builders.billing import (
    DECLINED,
    NO_FUNDS,
    SECURE,
    CardShop,
    alerts,
    fee_of,
    findings,
    kinds,
    order_of,
    paid,
    payment_of,
    payments_of,
    standing,
    status_of,
    times_paid,
    unhandled,
)
from tests.builders.stripe_sim import NotPaid

pytest_plugins = ("tests.builders.card_shop",)


def assert_paid_once(number: str) -> None:
    gross = order_of(number).total_minor
    assert status_of(number) is OrderStatus.PAID
    assert paid(number) == [gross]
    assert times_paid(number) == 1
    assert kinds() == ["payment_captured"]
    assert standing() == {
        Account.CARD_CLEARING: gross - fee_of(gross), Account.CARD_FEES: fee_of(gross), Account.CUSTOMER_DEPOSITS: -gross,
    }
    assert findings() == []
    assert alerts() == []


def test_an_event_pays_the_order_before_the_customer_is_back(shop: CardShop) -> None:
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    assert_paid_once(number)
    assert unhandled() == 0
    assert reconcile_order(number)
    assert_paid_once(number)


def test_the_return_page_pays_the_order_when_no_event_comes(shop: CardShop) -> None:
    shop.silent()
    number = shop.book()
    back = shop.simulator.pay(shop.checkout(number))
    assert back == "http://localhost/checkout/done"
    assert status_of(number) is OrderStatus.BOOKED
    assert reconcile_order(number)
    assert_paid_once(number)


def test_the_sweeper_pays_the_order_when_nothing_else_does(shop: CardShop) -> None:
    shop.silent()
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    assert sweep_payments() == 1
    assert_paid_once(number)
    assert sweep_payments() == 0


def test_all_three_at_once_pay_the_order_once(shop: CardShop) -> None:
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    payment = payment_of(number)
    with ThreadPoolExecutor(6) as pool:
        looks: list[Future[Any]] = [pool.submit(reconcile, payment.id) for _ in range(4)]
        looks += [pool.submit(sweep_payments), pool.submit(reconcile_order, number)]
        for look in looks:
            look.result()
    shop.work()
    assert_paid_once(number)


def test_five_clicks_on_pay_are_one_page_and_one_payment(shop: CardShop) -> None:
    number = shop.book()
    with ThreadPoolExecutor(5) as pool:
        urls = [click.result() for click in [pool.submit(shop.checkout, number) for _ in range(5)]]
    assert len(set(urls)) == 1
    assert len(payments_of(number)) == 1
    shop.simulator.pay(urls[0])
    shop.work()
    assert_paid_once(number)


def test_a_click_after_the_payment_is_told_that_it_is_paid(shop: CardShop) -> None:
    shop.silent()
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    with pytest.raises(WrongStatus, match="not waiting for a payment"):
        shop.checkout(number)
    assert_paid_once(number)


def test_an_order_that_does_not_exist_has_no_page(shop: CardShop) -> None:
    with pytest.raises(NotFound):
        shop.checkout("SO-2026-999999")


@pytest.mark.parametrize("card", [DECLINED, NO_FUNDS])
def test_a_decline_then_another_card_is_one_page_and_one_payment(shop: CardShop, card: str) -> None:
    number = shop.book()
    url = shop.checkout(number)
    with pytest.raises(NotPaid):
        shop.simulator.pay(url, card)
    shop.work()
    assert (status_of(number), kinds()) == (OrderStatus.BOOKED, [])
    assert shop.checkout(number) == url
    shop.simulator.pay(url)
    shop.work()
    assert_paid_once(number)


def test_a_card_that_asks_its_owner_pays_after_the_owner_agreed(shop: CardShop) -> None:
    number = shop.book()
    url = shop.checkout(number)
    with pytest.raises(NotPaid):
        shop.simulator.pay(url, SECURE, authenticate=False)
    shop.work()
    assert status_of(number) is OrderStatus.BOOKED
    shop.simulator.pay(url, SECURE)
    shop.work()
    assert_paid_once(number)
    assert payment_of(number).card == "visa 3155"


def test_an_expired_page_is_followed_by_a_new_attempt(shop: CardShop) -> None:
    number = shop.book()
    first = shop.checkout(number)
    shop.simulator.control("clock", advance=24 * 3600)
    with clock.frozen(clock.now() + timedelta(hours=24)):
        second = shop.checkout(number)
    assert first != second
    assert [(one.attempt, one.status) for one in payments_of(number)] == [(1, PaymentStatus.EXPIRED), (2, PaymentStatus.OPEN)]
    shop.simulator.pay(second)
    shop.work()
    assert_paid_once(number)
    assert [one.status for one in payments_of(number)] == [PaymentStatus.EXPIRED, PaymentStatus.PAID]


def test_a_payment_that_cannot_be_settled_does_not_keep_the_others_waiting(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.silent()
    numbers = [shop.book() for _ in range(3)]
    for number in numbers:
        shop.simulator.pay(shop.checkout(number))
    bad = payment_of(numbers[0]).id

    def stubborn(payment_id: UUID) -> object:
        if payment_id == bad:
            raise LookupError("nobody thought of this")
        return reconcile(payment_id)

    monkeypatch.setattr(sweeping, "reconcile", stubborn)
    with pytest.raises(LookupError):
        sweep_payments()
    assert [status_of(number) for number in numbers] == [OrderStatus.BOOKED, OrderStatus.PAID, OrderStatus.PAID]
