"""Taking money, through the real SDK: payment intents, declines, holds and saved cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.builders.stripe_sim import StripeSimulator, connect, open_session, paid_intent

DAY = 86_400


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    with StripeSimulator.start(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def shop(simulator: StripeSimulator) -> stripe.StripeClient:
    simulator.control("reset")
    return connect(simulator.url)


def charge_of(shop: stripe.StripeClient, intent: str) -> stripe.Charge:
    found = shop.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(found, stripe.Charge)
    return found


def plain(part: Any) -> Any:
    """A part of an answer as a dictionary: SDK objects are none."""
    return part.to_dict()


def worth(shop: stripe.StripeClient) -> int:
    """Available and pending together."""
    balance = shop.v1.balance.retrieve()
    return balance.available[0].amount + balance.pending[0].amount


def movements(shop: stripe.StripeClient, **params: Any) -> list[tuple[str, int, int]]:
    query: Any = {"limit": 100, **params}
    found = shop.v1.balance_transactions.list(query).data
    return [(one.reporting_category, one.amount, one.fee) for one in found]


def refusal(call: Any) -> tuple[int | None, str | None, str | None]:
    with pytest.raises(stripe.StripeError) as refused:
        call()
    return refused.value.http_status, refused.value.code, getattr(refused.value, "param", None)


# ------------------------------------------------------------------ taking money


def test_a_payment_is_a_charge_and_one_movement_less_the_fee(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 129_900, metadata={"order": "SO-1"})
    charge = charge_of(shop, intent.id)

    assert (intent.status, intent.amount_received) == ("succeeded", 129_900)
    assert (charge.captured, charge.amount_captured, charge.metadata["order"]) == (True, 129_900, "SO-1")
    assert movements(shop, source=charge.id) == [("charge", 129_900, 3_797)]
    assert [part.amount for part in shop.v1.balance.retrieve().pending] == [126_103]
    assert shop.v1.balance.retrieve().available[0].amount == 0


@pytest.mark.parametrize(
    ("card", "code", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ],
)
def test_a_declined_card_leaves_a_failed_charge_and_no_money(
    shop: stripe.StripeClient, card: str, code: str, reason: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        paid_intent(shop, payment_method=card)

    intent = shop.v1.payment_intents.list().data[0]
    charge = charge_of(shop, intent.id)
    assert (declined.value.http_status, declined.value.code) == (402, code)
    assert declined.value.error is not None
    assert (declined.value.error.decline_code, declined.value.error.charge) == (reason, charge.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert (charge.status, charge.paid, charge.balance_transaction) == ("failed", False, None)
    assert movements(shop) == []

    shop.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("amount", "currency", "code", "param"),
    [
        (49, "usd", "amount_too_small", "amount"),
        (100_000_000, "usd", "amount_too_large", "amount"),
        (-5, "usd", "amount_too_small", "amount"),
        (500, "xxx", None, "currency"),
    ],
)
def test_amounts_have_limits(
    shop: stripe.StripeClient, amount: int, currency: str, code: str | None, param: str
) -> None:
    assert refusal(lambda: shop.v1.payment_intents.create({"amount": amount, "currency": currency})) == (
        400,
        code,
        param,
    )
    assert shop.v1.payment_intents.list().data == []


def test_a_hold_is_captured_once_and_only_up_to_its_amount(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000, capture_method="manual")
    charge: Any = charge_of(shop, intent.id)
    assert (intent.status, intent.amount_capturable, movements(shop)) == ("requires_capture", 10_000, [])
    assert charge.payment_method_details.card.capture_before - charge.created == 7 * DAY

    capture = shop.v1.payment_intents.capture
    assert refusal(lambda: capture(intent.id, {"amount_to_capture": 10_001})) == (
        400,
        "amount_too_large",
        "amount_to_capture",
    )
    assert refusal(lambda: capture(intent.id, {"amount_to_capture": 0})) == (
        400,
        "parameter_invalid_integer",
        "amount_to_capture",
    )
    assert refusal(lambda: shop.v1.refunds.create({"payment_intent": intent.id})) == (
        400,
        "charge_not_refundable",
        "charge",
    )
    taken = capture(intent.id, {"amount_to_capture": 6_000})

    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 6_000, 0)
    assert movements(shop) == [("charge", 6_000, 204)]
    assert refusal(lambda: capture(intent.id))[1] == "payment_intent_unexpected_state"
    assert refusal(lambda: shop.v1.refunds.create({"payment_intent": intent.id, "amount": 6_001}))[2] == "amount"


def test_a_hold_nobody_captures_expires(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    intent = paid_intent(shop, 10_000, capture_method="manual")

    simulator.control("clock", advance=7 * DAY - 60)
    assert shop.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    simulator.control("clock", advance=120)

    expired = shop.v1.payment_intents.retrieve(intent.id)
    assert (expired.status, expired.cancellation_reason, expired.amount_capturable) == ("canceled", "automatic", 0)
    assert refusal(lambda: shop.v1.payment_intents.capture(intent.id))[1] == "payment_intent_unexpected_state"
    assert [event.type for event in shop.v1.events.list({"limit": 2}).data] == [
        "payment_intent.canceled",
        "charge.expired",
    ]
    assert movements(shop) == []


def test_cancelling_lets_go_of_the_hold(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000, capture_method="manual")
    cancelled = shop.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert charge_of(shop, intent.id).amount_refunded == 10_000
    assert movements(shop) == []
    assert refusal(lambda: shop.v1.payment_intents.cancel(intent.id))[1] == "payment_intent_unexpected_state"


def test_a_saved_card_is_charged_again_without_its_holder(
    shop: stripe.StripeClient, simulator: StripeSimulator
) -> None:
    customer = shop.v1.customers.create({"email": "a@example.com"})
    manual = {"capture_method": "manual", "setup_future_usage": "off_session"}
    session = open_session(shop, payment_intent_data=manual, customer_creation="always")
    simulator.pay(session.url or "", card="4000002500003155")
    first = shop.v1.payment_intents.retrieve(str(shop.v1.checkout.sessions.retrieve(session.id).payment_intent))
    assert first.customer != customer.id
    again: Any = {"customer": first.customer, "payment_method": first.payment_method, "off_session": True}

    renewed = paid_intent(shop, 129_900, capture_method="manual", automatic_payment_methods={"enabled": True}, **again)
    assert renewed.status == "requires_capture"

    always = shop.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as declined:
        paid_intent(shop, customer=customer.id, payment_method=always.id, off_session=True)
    assert declined.value.code == "authentication_required"
    assert refusal(lambda: paid_intent(shop, payment_method=always.id))[2] == "payment_method"


def test_a_card_number_may_not_be_sent_to_the_api(shop: stripe.StripeClient) -> None:
    raw: Any = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
    assert refusal(lambda: shop.v1.payment_methods.create(raw))[::2] == (402, "card[number]")
    token: Any = {"type": "card", "card": {"token": "tok_visa"}}
    assert shop.v1.payment_methods.create(token).card.last4 == "4242"  # type: ignore[union-attr]
