"""What was paid is compared before it is believed: another amount is held for a person, a stranger's page is ignored."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from fulfillment.billing import checkout
from fulfillment.billing.gateway import gateway
from fulfillment.billing.hosted_page import session_request
from fulfillment.billing.models import BalanceTransaction, PaymentStatus, RefundReason, RefundStatus
from fulfillment.billing.reconciling import reconcile, reconcile_order
from fulfillment.billing.sweeping import sweep_balance
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.by_hand import enter_by_hand
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order
from tests.builders.billing import (
    CANCEL,
    SUCCESS,
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


def tampered(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """The page is opened with other figures than the order's."""

    def request(*args: Any, **kwargs: Any) -> dict[str, Any]:
        made = session_request(*args, **kwargs)
        for item in made["line_items"]:
            item["price_data"].update(changes.get("price", {}))
        return {**made, **changes.get("top", {})}

    monkeypatch.setattr(checkout, "session_request", request)


@pytest.mark.parametrize("price", [{"unit_amount": 100}, {"unit_amount": 900_000}, {"currency": "eur"}])
def test_a_payment_of_another_amount_holds_the_order(shop: CardShop, monkeypatch: pytest.MonkeyPatch, price: dict[str, Any]) -> None:
    tampered(monkeypatch, price=price)
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    assert status_of(number) is OrderStatus.REVIEW
    assert times_paid(number) == 0
    assert alerts() == ["order_on_review"]
    assert payment_of(number).status is PaymentStatus.PAID
    assert findings() == []


def test_a_held_order_that_is_cancelled_gives_back_what_was_paid(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    tampered(monkeypatch, price={"unit_amount": 100})
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    paid = payment_of(number).paid_minor
    assert 0 < paid < 1_000
    with transaction() as session:
        cancel_order(session, number, "wrong amount", "staff")
    shop.work()
    assert [(refund.amount_minor, refund.reason, refund.status) for refund in refunds_of(number)] == [
        (paid, RefundReason.CANCELLED, RefundStatus.SUCCEEDED)
    ]
    assert alerts() == []
    assert findings() == []


@pytest.mark.parametrize("top", [{"client_reference_id": "SO-2026-000099"}, {"metadata": {"payment": "someone-elses"}}])
def test_a_page_of_another_order_pays_nothing(shop: CardShop, monkeypatch: pytest.MonkeyPatch, top: dict[str, Any]) -> None:
    tampered(monkeypatch, top=top)
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    assert not reconcile_order(number)
    assert (status_of(number), times_paid(number), kinds()) == (OrderStatus.BOOKED, 0, [])
    assert alerts() == ["payment_mismatch"]


def test_money_on_a_page_of_another_order_is_booked_as_nobodys(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in our balance, so it is in the books: a deposit that a person has to find the owner of."""
    tampered(monkeypatch, top={"client_reference_id": "SO-2026-000099"})
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    sweep_balance()
    whole = order_of(number).total_minor
    assert standing() == {
        Account.CARD_CLEARING: whole - fee_of(whole), Account.CARD_FEES: fee_of(whole), Account.CUSTOMER_DEPOSITS: -whole,
    }
    assert alerts() == ["money_unassigned", "payment_mismatch"]
    assert status_of(number) is OrderStatus.BOOKED
    assert findings() == []


def test_a_charge_made_in_the_dashboard_and_its_refund_are_booked_as_nobodys(shop: CardShop) -> None:
    sdk = gateway().stripe.v1
    intent = sdk.payment_intents.create(
        {
            "amount": 5_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    sdk.refunds.create({"payment_intent": intent.id, "amount": 2_000})
    shop.work()
    assert sweep_balance() == 2
    assert kinds() == ["payment_captured", "refund_requested", "refund_settled"]
    assert standing()[Account.CUSTOMER_DEPOSITS] == -3_000
    assert alerts() == ["money_unassigned", "money_unassigned"]
    assert findings() == []


def test_a_live_page_on_a_test_key_pays_nothing(shop: CardShop) -> None:
    number = shop.book()
    shop.silent()
    shop.simulator.pay(shop.checkout(number))
    live = Settings(**{**{name: getattr(shop.settings, name) for name in Settings.__slots__}, "stripe_api_key": "sk_live_larkmill"})
    payment = payment_of(number)
    page = gateway().session(payment.session_id or "")
    use(live)
    from fulfillment.billing.settling import settle

    with transaction() as session:
        settle(session, payment.id, page)
    use(shop.settings)
    assert (status_of(number), kinds(), alerts()) == (OrderStatus.BOOKED, [], ["payment_mismatch"])


def test_a_movement_no_rule_knows_is_told_to_a_person(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fulfillment.billing.entries.OUT", {})
    shop.paid_order()
    shop.simulator.control("payout", include_pending=True)
    shop.work()
    assert alerts() == ["transaction_unknown"]
    assert kinds() == ["payment_captured"]
    with reading() as session:
        assert session.scalars(sa.select(BalanceTransaction.entry_kind).filter_by(category="payout")).all() == [None]
    assert any(found.startswith("card clearing") for found in findings())


def test_an_entry_by_hand_settles_a_movement_no_rule_knows(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fulfillment.billing.entries.OUT", {})
    shop.paid_order()
    shop.simulator.control("payout", include_pending=True)
    shop.work()
    with reading() as session:
        payout = session.scalars(sa.select(BalanceTransaction).filter_by(category="payout")).one()
    for _ in range(2):
        with transaction() as session:
            enter_by_hand(
                session, payout.txn_id, Account.BANK, Account.CARD_CLEARING, Money(-payout.net_minor), reason="payout", by="Ann",
            )
        shop.work()
    assert (alerts(), findings()) == ([], [])
    assert kinds() == ["payment_captured", "entered_by_hand"]
    sweep_balance()
    assert (alerts(), kinds()) == ([], ["payment_captured", "entered_by_hand"])


def test_an_entry_by_hand_of_another_amount_leaves_the_alert(shop: CardShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fulfillment.billing.entries.OUT", {})
    shop.paid_order()
    shop.simulator.control("payout", include_pending=True)
    shop.work()
    with reading() as session:
        payout = session.scalars(sa.select(BalanceTransaction).filter_by(category="payout")).one()
    with transaction() as session:
        enter_by_hand(session, payout.txn_id, Account.BANK, Account.CARD_CLEARING, Money(1), reason="payout", by="Ann")
    shop.work()
    assert alerts() == ["transaction_unknown"]


def test_a_page_the_provider_has_forgotten_is_told_to_a_person(shop: CardShop) -> None:
    number = shop.book()
    shop.checkout(number)
    shop.simulator.control("reset")
    assert reconcile(payment_of(number).id).status is PaymentStatus.OPEN
    assert alerts() == ["payment_page_lost"]


def test_the_addresses_to_return_to_are_the_routes_own(shop: CardShop) -> None:
    number = shop.book()
    shop.checkout(number)
    request = payment_of(number).request
    assert (request["success_url"], request["cancel_url"]) == (SUCCESS, CANCEL)
