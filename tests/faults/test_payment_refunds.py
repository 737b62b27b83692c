"""Money goes back once: on cancellation, when too much came, however many ask, and whoever sends it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from fulfillment.billing.facts import SessionFacts
from fulfillment.billing.gateway import Gateway, gateway
from fulfillment.billing.models import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from fulfillment.billing.reconciling import find_payment, reconcile_order
from fulfillment.billing.refunds import NotRefundable, request_refund, retry_refund
from fulfillment.billing.settling import settle
from fulfillment.billing.sweeping import sweep_balance, sweep_payments
from fulfillment.kernel import clock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, Refusal, WrongStatus
from fulfillment.ledger.accounts import Account
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order
from tests.builders.billing import (
    CardShop,
    alerts,
    fee_of,
    findings,
    kinds,
    order_of,
    paid,
    payment_of,
    payments_of,
    refunds_of,
    standing,
    status_of,
    times_paid,
)

pytest_plugins = ("tests.builders.card_shop",)


def cancel(number: str) -> None:
    with transaction() as session:
        cancel_order(session, number, "changed my mind", "customer")


def ask(number: str, minor: int, key: str) -> Refund:
    with transaction() as session:
        return request_refund(session, payment_of(number).id, Money(minor), key=key)


def dashboard_refund(shop: CardShop, number: str, minor: int) -> str:
    """Somebody refunds in the provider's own dashboard."""
    intent = payment_of(number).intent_id
    assert intent is not None
    return gateway().stripe.v1.refunds.create({"payment_intent": intent, "amount": minor}).id


def letters() -> list[Mail]:
    with reading() as session:
        return list(session.scalars(sa.select(Mail).where(Mail.key.startswith("refund:")).order_by(Mail.id)))


def back(number: str) -> list[tuple[int, RefundReason, RefundStatus]]:
    return [(refund.amount_minor, refund.reason, refund.status) for refund in refunds_of(number)]


def test_a_cancelled_order_gets_everything_back(shop: CardShop) -> None:
    number = shop.paid_order()
    whole = order_of(number).total_minor
    cancel(number)
    assert back(number) == []
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)]
    assert kinds() == ["payment_captured", "refund_requested", "refund_settled"]
    assert standing() == {Account.CARD_CLEARING: -fee_of(whole), Account.CARD_FEES: fee_of(whole)}
    assert findings() == []
    (letter,) = letters()
    assert letter.to == "ada@example.com"
    assert letter.subject == f"Your refund of ${whole // 100:,}.{whole % 100:02d}"
    assert f"Your order {number} was cancelled." in letter.text


def test_a_cancelled_order_that_was_not_paid_gets_its_page_closed(shop: CardShop) -> None:
    number = shop.book()
    url = shop.checkout(number)
    cancel(number)
    shop.work()
    assert payment_of(number).status is PaymentStatus.EXPIRED
    with pytest.raises(Exception, match="410"):
        shop.simulator.pay(url)
    with pytest.raises(WrongStatus):
        shop.checkout(number)
    assert kinds() == []


def test_a_page_that_opens_while_its_order_is_cancelled_is_closed(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reply of the provider takes seconds; meanwhile the order is cancelled, and every job of it done."""
    number = shop.book()
    open_session, urls = Gateway.open_session, []

    def slow(door: Gateway, request: dict[str, Any], key: str) -> SessionFacts:
        page = open_session(door, request, key)
        cancel(number)
        shop.work()
        urls.append(page.url or "")
        return page

    monkeypatch.setattr(Gateway, "open_session", slow)
    with pytest.raises(WrongStatus, match="not waiting for a payment"):
        shop.checkout(number)
    shop.work()
    assert payment_of(number).status is PaymentStatus.EXPIRED
    with pytest.raises(Exception, match="410"):
        shop.simulator.pay(urls[0])


def test_a_page_first_heard_of_when_its_order_is_cancelled_is_closed(shop: CardShop) -> None:
    number = shop.book()
    url = shop.checkout(number)
    page_id = payment_of(number).session_id or ""
    with transaction() as session:
        session.execute(sa.update(Payment).values(status=PaymentStatus.REQUESTED, session_id=None, url=None))
    cancel(number)
    shop.work()
    assert find_payment({"object": "checkout.session", "id": page_id}) == payment_of(number).id
    shop.work()
    assert payment_of(number).status is PaymentStatus.EXPIRED
    with pytest.raises(Exception, match="410"):
        shop.simulator.pay(url)


def test_paid_after_the_cancellation_is_refunded(shop: CardShop) -> None:
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    cancel(number)
    shop.work()
    whole = order_of(number).total_minor
    assert (status_of(number), times_paid(number)) == (OrderStatus.CANCELLED, 0)
    assert not reconcile_order(number)
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)]
    assert findings() == []


def test_paid_twice_is_refunded_once(shop: CardShop) -> None:
    """We took the first page for expired; its customer had it open all the time, and paid on both."""
    shop.silent()
    number = shop.book()
    first = shop.checkout(number)
    with transaction() as session:
        session.execute(sa.update(Payment).values(status=PaymentStatus.EXPIRED))
    second = shop.checkout(number)
    assert first != second
    shop.simulator.pay(first)
    shop.simulator.pay(second)
    sweep_payments()
    sweep_balance()
    shop.work()
    whole = order_of(number).total_minor
    assert times_paid(number) == 1
    assert paid(number) == [whole, whole]
    assert back(number) == [(whole, RefundReason.EXCESS, RefundStatus.SUCCEEDED)]
    assert standing()[Account.CUSTOMER_DEPOSITS] == -whole
    assert findings() == []


def test_a_late_payment_on_an_old_page_closes_the_new_one(shop: CardShop) -> None:
    number = shop.book()
    first = shop.checkout(number)
    with transaction() as session:
        session.execute(sa.update(Payment).values(status=PaymentStatus.EXPIRED))
    shop.checkout(number)
    shop.simulator.pay(first)
    shop.work()
    assert [payment.status for payment in payments_of(number)] == [PaymentStatus.PAID, PaymentStatus.EXPIRED]
    assert (times_paid(number), back(number)) == (1, [])
    assert findings() == []


def test_of_five_refunds_of_sixty_percent_at_once_one_succeeds(shop: CardShop) -> None:
    number = shop.paid_order()
    share = order_of(number).total_minor * 6 // 10

    def attempt(n: int) -> bool:
        try:
            ask(number, share, f"rma-{n}")
        except NotRefundable:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(attempt, range(5))) == [False, False, False, False, True]
    shop.work()
    assert back(number) == [(share, RefundReason.GOODWILL, RefundStatus.SUCCEEDED)]
    assert findings() == []


def test_the_same_refund_asked_for_twice_is_one(shop: CardShop) -> None:
    number = shop.paid_order()
    with ThreadPoolExecutor(4) as pool:
        ids = {refund.id for refund in pool.map(lambda _: ask(number, 1_000, "rma-1"), range(4))}
    shop.work()
    assert len(ids) == 1
    assert back(number) == [(1_000, RefundReason.GOODWILL, RefundStatus.SUCCEEDED)]
    with pytest.raises(Conflict):
        ask(number, 2_000, "rma-1")


@pytest.mark.parametrize("wanted", [-1, 0, 1])
def test_more_than_is_left_is_refused(shop: CardShop, wanted: int) -> None:
    number = shop.paid_order()
    ask(number, 1_000, "rma-1")
    left = order_of(number).total_minor - 1_000
    with pytest.raises(NotRefundable, match="left to refund"):
        ask(number, left + 1 if wanted == 1 else wanted, "rma-2")
    ask(number, left, "rma-3")
    shop.work()
    assert sum(refund.amount_minor for refund in refunds_of(number)) == order_of(number).total_minor
    assert findings() == []


def test_a_payment_that_never_came_is_not_refunded(shop: CardShop) -> None:
    number = shop.book()
    shop.checkout(number)
    with pytest.raises(WrongStatus):
        ask(number, 1_000, "rma-1")
    with pytest.raises(Refusal), transaction() as session:
        request_refund(session, order_of(number).id, Money(1_000), key="rma-2")


@pytest.mark.parametrize("told", ["by event", "by sweep"])
def test_a_refund_made_in_the_dashboard_is_adopted_with_an_alert(shop: CardShop, told: str) -> None:
    number = shop.paid_order()
    if told == "by sweep":
        shop.silent()
    dashboard_refund(shop, number, 5_000)
    shop.work()
    if told == "by sweep":
        assert back(number) == []
        assert sweep_balance() >= 1
    assert back(number) == [(5_000, RefundReason.DASHBOARD, RefundStatus.SUCCEEDED)]
    assert alerts() == ["refund_adopted"]
    assert kinds() == ["payment_captured", "refund_requested", "refund_settled"]
    with pytest.raises(NotRefundable):
        ask(number, order_of(number).total_minor, "rma-1")
    assert findings() == []


def test_a_cancellation_after_a_dashboard_refund_sends_the_rest(shop: CardShop) -> None:
    number = shop.paid_order()
    dashboard_refund(shop, number, 5_000)
    shop.work()
    cancel(number)
    shop.work()
    assert [refund.amount_minor for refund in refunds_of(number)] == [5_000, order_of(number).total_minor - 5_000]
    assert findings() == []


def test_a_refund_the_provider_refuses_is_owed_and_sent_again_by_a_person(shop: CardShop) -> None:
    number = shop.paid_order()
    whole = order_of(number).total_minor
    cancel(number)
    shop.break_next({"match": "POST /v1/refunds", "kind": "status", "status": 400})
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.FAILED)]
    assert alerts() == ["refund_failed"]
    assert standing()[Account.REFUNDS_DUE] == -whole
    with transaction() as session:
        retry_refund(session, refunds_of(number)[0].id)
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)]
    assert alerts() == []
    assert findings() == []


def test_a_refund_the_bank_sends_back_is_owed_again(shop: CardShop) -> None:
    number = shop.paid_order()
    whole = order_of(number).total_minor
    cancel(number)
    shop.work()
    shop.simulator.control("fail_refund", refund=refunds_of(number)[0].refund_id)
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.FAILED)]
    assert standing()[Account.REFUNDS_DUE] == -whole
    assert findings() == []
    with transaction() as session:
        retry_refund(session, refunds_of(number)[0].id)
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)]
    assert kinds()[-3:] == ["refund_settled", "refund_failed", "refund_settled"]
    assert findings() == []


def test_what_was_true_before_the_refund_failed_does_not_undo_the_failure(shop: CardShop) -> None:
    """Somebody asked the provider before the customer's bank sent the money back, and comes to write it down afterwards."""
    number = shop.paid_order()
    ask(number, 5_000, "rma-1")
    shop.work()
    payment = payment_of(number)
    door = gateway()
    page, before = door.session(payment.session_id or ""), door.refunds(payment.intent_id or "")
    assert [facts.status for facts in before] == ["succeeded"]
    shop.simulator.control("fail_refund", refund=refunds_of(number)[0].refund_id)
    shop.work()
    assert (refunds_of(number)[0].status, alerts()) == (RefundStatus.FAILED, ["refund_failed"])
    with transaction() as session:
        settle(session, payment.id, page, before)
    assert (refunds_of(number)[0].status, alerts()) == (RefundStatus.FAILED, ["refund_failed"])
    assert len(letters()) == 1


def test_a_failed_refund_settled_in_the_dashboard_is_not_owed_twice(shop: CardShop) -> None:
    number = shop.paid_order()
    whole = order_of(number).total_minor
    cancel(number)
    shop.break_next({"match": "POST /v1/refunds", "kind": "status", "status": 400})
    shop.work()
    dashboard_refund(shop, number, whole)
    shop.work()
    assert back(number) == [(whole, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)]
    assert Account.REFUNDS_DUE not in standing()
    assert findings() == []


def test_a_refund_that_is_not_failed_is_not_sent_again(shop: CardShop) -> None:
    number = shop.paid_order()
    cancel(number)
    shop.work()
    with pytest.raises(WrongStatus), transaction() as session:
        retry_refund(session, refunds_of(number)[0].id)


def test_the_providers_key_may_be_forgotten_but_the_promise_is_not(shop: CardShop) -> None:
    """Stripe keeps a key for a day: a reply lost before that is looked for, not asked for again."""
    number = shop.paid_order()
    ask(number, 1_000, "rma-1")
    shop.silent()
    shop.break_next({"match": "POST /v1/refunds", "kind": "drop_after", "count": 3})
    with pytest.raises(Exception, match="does not answer"):
        shop.work()
    shop.simulator.control("clock", advance=25 * 3_600)
    with clock.frozen(clock.now() + timedelta(hours=25)):
        shop.work()
    assert back(number) == [(1_000, RefundReason.GOODWILL, RefundStatus.SUCCEEDED)]
    assert findings() == []
