"""What holds for billing as a whole: its tables, its checks, its one door to the provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fulfillment.billing import checks, gateway
from fulfillment.billing.models import (
    NEXT_PAYMENT,
    NEXT_REFUND,
    BalanceTransaction,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import SCHEDULES
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Unavailable, WrongStatus
from fulfillment.kernel.settings import use
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import CHECKS
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.service import post
from tests.builders.billing import CardShop, findings, payment_of, payments_of

pytest_plugins = ("tests.builders.card_shop",)


def wrong(name: str) -> list[str]:
    with reading() as session:
        return [finding.text for finding in CHECKS[name](session)]


def crooked(source: str, debit: Account, credit: Account, minor: int = 100) -> None:
    """An entry that balances and means nothing."""
    with transaction() as session:
        post(session, Draft("crooked", source, ((debit, Money(minor)), (credit, Money(-minor)))))


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("card clearing", Account.CARD_CLEARING), ("customer deposits", Account.CUSTOMER_DEPOSITS), ("refunds due", Account.REFUNDS_DUE),
        ("disputed payments", Account.DISPUTED), ("accounts receivable", Account.RECEIVABLE), ("revenue", Account.REVENUE),
        ("sales tax collected", Account.OUTPUT_TAX), ("sales allowances", Account.SALES_ALLOWANCES),
    ],
)
def test_a_cent_that_no_document_explains_is_found(shop: CardShop, name: str, account: Account) -> None:
    shop.paid_order()
    assert wrong(name) == []
    crooked("1", account, Account.CAPITAL, 1)
    assert len(wrong(name)) == 1
    assert "0.01 USD off" in wrong(name)[0]


def test_a_payment_without_money_is_found(shop: CardShop) -> None:
    number = shop.paid_order()
    assert wrong("payments") == []
    with transaction() as session:
        session.execute(sa.update(Payment).values(paid_minor=Payment.paid_minor + 1))
    assert len(wrong("payments")) == 1
    with transaction() as session:
        session.execute(sa.update(BalanceTransaction).values(payment_id=None))
    assert len(wrong("payments")) == 1
    assert payment_of(number).status is PaymentStatus.PAID


def test_the_books_are_held_against_what_the_provider_holds(shop: CardShop) -> None:
    shop.paid_order()
    held = gateway.gateway().balance("USD")
    with reading() as session:
        assert checks.clearing_against_provider(session, held) == []
        (finding,) = checks.clearing_against_provider(session, held + Money(1))
    assert "the payment provider" in finding.text
    assert findings() == []


def test_the_provider_is_a_witness_or_says_why_not(shop: CardShop) -> None:
    shop.paid_order()
    with reading() as session:
        assert checks.provider_says()(session) == []
    use(replace(shop.settings, stripe_api_base="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="does not answer"):
        checks.provider_says()
    use(replace(shop.settings, stripe_api_key=""))
    with pytest.raises(Unavailable, match="No key"):
        checks.provider_says()


def test_there_is_one_live_payment_an_order_by_the_database_itself(shop: CardShop) -> None:
    number = shop.book()
    shop.checkout(number)
    first = payment_of(number)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(
            Payment(
                order_number=number, attempt=2, key="another", status=PaymentStatus.REQUESTED, amount_minor=1, currency="USD", request={},
                created_at=now(), expires_at=now() + timedelta(hours=1),
            )
        )
    assert [payment.id for payment in payments_of(number)] == [first.id]


@pytest.mark.parametrize("status", list(PaymentStatus))
def test_a_payment_only_steps_forward(status: PaymentStatus) -> None:
    for wanted in PaymentStatus:
        payment = Payment(status=status)
        if wanted in NEXT_PAYMENT[status]:
            payment.move_to(wanted)
            assert payment.status is wanted
        else:
            with pytest.raises(WrongStatus):
                payment.move_to(wanted)
    assert NEXT_PAYMENT[PaymentStatus.PAID] == set()


@pytest.mark.parametrize("status", list(RefundStatus))
def test_a_refund_only_steps_where_it_may(status: RefundStatus) -> None:
    for wanted in RefundStatus:
        refund = Refund(status=status, reason=RefundReason.GOODWILL)
        if wanted in NEXT_REFUND[status]:
            refund.move_to(wanted)
            assert refund.status is wanted
        else:
            with pytest.raises(WrongStatus):
                refund.move_to(wanted)


def test_open_payments_are_looked_at_every_minute_and_the_balance_every_five(shop: CardShop) -> None:
    assert SCHEDULES["billing.sweep_payments"] == timedelta(minutes=1)
    assert SCHEDULES["billing.sweep_balance"] == timedelta(minutes=5)


def test_registering_the_webhook_again_replaces_it(shop: CardShop) -> None:
    door = gateway.gateway()
    first = door.register_webhook("http://127.0.0.1:9/again")
    second = door.register_webhook("http://127.0.0.1:9/again")
    assert first != second
    there = [endpoint.url for endpoint in door.stripe.v1.webhook_endpoints.list({}).data]
    assert there.count("http://127.0.0.1:9/again") == 1
