"""Disputes and payouts: where the money is, at every moment, is what the books say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fulfillment.billing.invoicing import issue_invoice
from fulfillment.billing.models import Dispute, DisputeStatus
from fulfillment.billing.refunds import NotRefundable, request_refund
from fulfillment.billing.sweeping import SLOW, sweep_balance, sweep_payments
from fulfillment.kernel import clock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import post
from fulfillment.orders.service import cancel_order
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
    assert status_of(number).value == "paid"
