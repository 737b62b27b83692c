"""Disputes and payouts: where the money is, at every moment, is what the books say."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from fulfillment.assembly.models import OrderRelease, ReleaseStatus
from fulfillment.billing.invoicing import issue_invoice
from fulfillment.billing.models import Dispute, DisputeStatus
from fulfillment.billing.refunds import NotRefundable, request_refund
from fulfillment.billing.sweeping import SLOW, sweep_balance, sweep_payments
from fulfillment.kernel import clock
from fulfillment.kernel.alerts import resolve
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import post
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order, hold_order, mark_shipped, release_from_review, start_production
from fulfillment.shipping.service import dispatch
from tests.builders.billing import (
    DISPUTED,
    CardShop,
    alerts,
    fee_of,
    findings,
    kinds,
    order_of,
    payment_of,
    refunds_of,
    standing,
    status_of,
    times_paid,
)

pytest_plugins = ("tests.builders.card_shop",)

FEE = 1_500
"""What the provider keeps for a dispute."""
COST = 90_000


def dispute_of(number: str) -> Dispute:
    with reading() as session:
        return session.query(Dispute).filter_by(order_number=number).one()


def dispatched(shop: CardShop) -> str:
    """An order that has left the house and is invoiced."""
    number = shop.paid_order()
    with transaction() as session:
        post(session, postings.opening("test", {Account.FINISHED_GOODS: Money(COST)}))
        post(session, postings.goods_dispatched("SH-1", Money(COST), Money(0)))
        mark_shipped(session, number)
        issue_invoice(session, number, "SH-1", Money(COST))
    return number


def clearing(number: str) -> int:
    whole = order_of(number).total_minor
    return whole - fee_of(whole)


def test_a_dispute_after_dispatch_is_a_receivable_and_a_fee(shop: CardShop) -> None:
    number = dispatched(shop)
    whole = order_of(number).total_minor
    shop.simulator.control("dispute", charge=shop.charge_of(number))
    shop.work()
    assert dispute_of(number).status is DisputeStatus.OPEN
    assert alerts() == ["dispute"]
    stands = standing()
    assert (stands[Account.DISPUTED], stands[Account.CARD_FEES]) == (whole, fee_of(whole) + FEE)
    assert stands[Account.CARD_CLEARING] == clearing(number) - whole - FEE
    assert Account.CUSTOMER_DEPOSITS not in stands
    assert findings() == []


def test_a_disputed_payment_is_not_refunded(shop: CardShop) -> None:
    number = dispatched(shop)
    shop.simulator.control("dispute", charge=shop.charge_of(number), amount=1_000)
    shop.work()
    with pytest.raises(NotRefundable, match="bank"), transaction() as session:
        request_refund(session, payment_of(number).id, Money(1_000), key="rma-1")
    shop.work()
    assert refunds_of(number) == []


def test_a_dispute_that_is_won_brings_the_money_back_but_not_the_fee(shop: CardShop) -> None:
    number = dispatched(shop)
    whole = order_of(number).total_minor
    shop.simulator.control("dispute", charge=shop.charge_of(number))
    shop.work()
    shop.simulator.control("close_dispute", dispute=dispute_of(number).dispute_id, won=True)
    shop.work()
    stands = standing()
    assert dispute_of(number).status is DisputeStatus.WON
    assert Account.DISPUTED not in stands
    assert (stands[Account.CARD_CLEARING], stands[Account.CARD_FEES]) == (clearing(number) - FEE, fee_of(whole) + FEE)
    assert Account.CHARGEBACK_LOSS not in stands
    assert alerts() == []
    assert findings() == []


@pytest.mark.parametrize("told", ["by event", "by sweep"])
def test_a_dispute_that_is_lost_is_written_off(shop: CardShop, told: str) -> None:
    number = dispatched(shop)
    whole = order_of(number).total_minor
    shop.simulator.control("dispute", charge=shop.charge_of(number))
    shop.work()
    if told == "by sweep":
        shop.silent()
    shop.simulator.control("close_dispute", dispute=dispute_of(number).dispute_id, won=False)
    shop.work()
    if told == "by sweep":
        assert dispute_of(number).status is DisputeStatus.OPEN
        with clock.frozen(clock.now() + 2 * SLOW):
            sweep_payments()
    stands = standing()
    assert dispute_of(number).status is DisputeStatus.LOST
    assert (stands[Account.CHARGEBACK_LOSS], Account.DISPUTED in stands) == (whole, False)
    assert kinds()[-2:] == ["dispute_opened", "dispute_lost"]
    assert alerts() == []
    assert findings() == []
    with pytest.raises(NotRefundable), transaction() as session:
        request_refund(session, payment_of(number).id, Money(1_000), key="rma-1")


def test_a_card_that_disputes_at_once_is_settled_with_the_payment(shop: CardShop) -> None:
    number = shop.paid_order(card=DISPUTED)
    whole = order_of(number).total_minor
    assert dispute_of(number).amount == Money(whole)
    assert sorted(kinds()) == ["dispute_opened", "payment_captured"]
    assert findings() == []


def test_an_order_cancelled_under_dispute_waits_for_a_person(shop: CardShop) -> None:
    number = shop.paid_order(card=DISPUTED)
    with transaction() as session:
        cancel_order(session, number, "changed my mind", "customer")
    shop.work()
    assert refunds_of(number) == []
    assert alerts() == ["dispute"]  # nothing is left to give back: the bank has it all
    assert findings() == []


def at_the_dock(number: str) -> None:
    """What the factory does until the order waits for its truck."""
    with transaction() as session:
        order = start_production(session, number)
        session.add(OrderRelease(
            order_id=order.id, order_number=number, status=ReleaseStatus.READY, promised_on=order.promised_on, units=0, items=[],
            released_at=clock.now(),
        ))


def leave(number: str) -> None:
    with transaction() as session:
        dispatch(session, number, operator="Tom", key=f"truck:{number}")


def disputed(shop: CardShop, number: str, **how: int) -> str:
    """The bank takes the payment of the order; the dispute's id."""
    shop.simulator.control("dispute", charge=shop.charge_of(number), **how)
    shop.work()
    return dispute_of(number).dispute_id


def decided(shop: CardShop, dispute_id: str, *, won: bool) -> None:
    shop.simulator.control("close_dispute", dispute=dispute_id, won=won)
    shop.work()


def test_a_paid_order_under_dispute_is_held_without_a_letter_and_goes_on_when_it_is_won(shop: CardShop) -> None:
    number = shop.paid_order()
    dispute_id = disputed(shop, number, amount=1_000)
    assert status_of(number) is OrderStatus.REVIEW
    assert alerts() == ["dispute", "order_on_review"]
    with pytest.raises(WrongStatus), transaction() as session:
        start_production(session, number)
    decided(shop, dispute_id, won=True)
    assert (status_of(number), times_paid(number), alerts()) == (OrderStatus.PAID, 2, [])
    with reading() as session:
        assert session.scalars(sa.select(Mail).filter_by(key=f"order-review:{number}")).all() == []


def test_a_paid_order_that_lost_its_payment_waits_for_a_person(shop: CardShop) -> None:
    number = shop.paid_order()
    decided(shop, disputed(shop, number), won=False)
    assert (status_of(number), times_paid(number), alerts()) == (OrderStatus.REVIEW, 1, ["order_on_review"])
    assert findings() == []


def test_an_order_held_for_another_reason_stays_held_when_its_dispute_is_won(shop: CardShop) -> None:
    number = shop.paid_order()
    with transaction() as session:
        hold_order(session, number, "the address is odd", "Ann")
    decided(shop, disputed(shop, number), won=True)
    assert (status_of(number), alerts()) == (OrderStatus.REVIEW, ["order_on_review"])


def test_an_order_in_production_does_not_leave_while_the_bank_decides(shop: CardShop) -> None:
    number = shop.paid_order()
    at_the_dock(number)
    dispute_id = disputed(shop, number)
    assert status_of(number) is OrderStatus.IN_PRODUCTION
    with pytest.raises(WrongStatus, match="Keep it here until the dispute is closed"):
        leave(number)
    decided(shop, dispute_id, won=True)
    leave(number)
    assert status_of(number) is OrderStatus.SHIPPED


def test_an_order_in_production_that_lost_its_payment_leaves_only_when_a_person_says_so(shop: CardShop) -> None:
    number = shop.paid_order()
    at_the_dock(number)
    decided(shop, disputed(shop, number), won=False)
    assert alerts() == ["payment_lost"]
    with pytest.raises(WrongStatus, match="lost in a dispute"):
        leave(number)
    with transaction() as session:
        resolve(session, "payment_lost", key=number, by="Ann")
    leave(number)
    assert status_of(number) is OrderStatus.SHIPPED


def test_an_order_that_somebody_released_during_the_dispute_is_built_and_kept_at_the_dock(shop: CardShop) -> None:
    number = shop.paid_order()
    disputed(shop, number)
    with transaction() as session:
        release_from_review(session, number, "an old friend", "Ann")
    with clock.frozen(clock.now() + 2 * SLOW):
        sweep_payments()
    assert status_of(number) is OrderStatus.PAID
    at_the_dock(number)
    with pytest.raises(WrongStatus, match="Keep it here"):
        leave(number)


@pytest.mark.parametrize("told", ["by event", "by sweep"])
def test_a_payout_empties_the_clearing_account_into_the_bank(shop: CardShop, told: str) -> None:
    numbers = [shop.paid_order(goods) for goods in (129_900, 25_000)]
    if told == "by sweep":
        shop.silent()
    shop.simulator.control("payout", include_pending=True)
    shop.work()
    if told == "by sweep":
        sweep_balance()
    stands = standing()
    assert Account.CARD_CLEARING not in stands
    assert stands[Account.BANK] == sum(clearing(number) for number in numbers)
    assert kinds().count("payout_settled") == 1
    assert findings() == []


def test_a_payout_leaves_what_is_pending(shop: CardShop) -> None:
    early = shop.paid_order()
    shop.simulator.control("clock", advance=3 * 86_400)
    with clock.frozen(clock.now() + timedelta(days=3)):
        late = shop.paid_order(25_000)
    shop.simulator.control("payout")
    shop.work()
    sweep_balance()
    assert standing()[Account.BANK] == clearing(early)
    assert standing()[Account.CARD_CLEARING] == clearing(late)
    assert findings() == []


def test_a_sweep_that_finds_nothing_new_books_nothing(shop: CardShop) -> None:
    shop.paid_order()
    before = kinds()
    assert [sweep_balance(), sweep_balance()] == [0, 0]
    assert kinds() == before


def test_every_movement_is_booked_once_however_often_it_is_seen(shop: CardShop) -> None:
    number = shop.paid_order()
    shop.simulator.control("dispute", charge=shop.charge_of(number), amount=1_000)
    shop.simulator.control("payout", include_pending=True)
    shop.webhooks(duplicate=3, concurrent=True)
    shop.work()
    for _ in range(2):
        sweep_balance()
        shop.work()
    assert sorted(kinds()) == ["dispute_opened", "payment_captured", "payout_settled"]
    assert findings() == []
    assert status_of(number) is OrderStatus.REVIEW
