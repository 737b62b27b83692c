"""Money on its way out, through the real SDK: refunds, disputes, payouts; and invoices paid elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.builders.stripe_sim import StripeSimulator, connect, paid_intent

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


# ------------------------------------------------------------------ giving it back


def test_refunds_never_exceed_what_was_taken(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000)
    create = shop.v1.refunds.create

    part = create(
        {"payment_intent": intent.id, "amount": 4_000, "reason": "requested_by_customer", "metadata": {"rma": "RMA-1"}}
    )
    assert (part.status, plain(part.metadata)) == ("succeeded", {"rma": "RMA-1"})
    assert refusal(lambda: create({"payment_intent": intent.id, "amount": 6_001})) == (400, None, "amount")
    assert refusal(lambda: create({"payment_intent": intent.id, "amount": 0})) == (
        400,
        "parameter_invalid_integer",
        "amount",
    )
    assert not charge_of(shop, intent.id).refunded
    rest = create({"payment_intent": intent.id})
    assert rest.amount == 6_000
    assert refusal(lambda: create({"payment_intent": intent.id}))[1] == "charge_already_refunded"
    assert refusal(lambda: create({})) == (400, "parameter_missing", None)
    assert refusal(lambda: create({"payment_intent": "pi_unknown"})) == (404, "resource_missing", "payment_intent")

    charge = charge_of(shop, intent.id)
    assert (charge.refunded, charge.amount_refunded) == (True, 10_000)
    assert movements(shop) == [("refund", -6_000, 0), ("refund", -4_000, 0), ("charge", 10_000, 320)]
    assert worth(shop) == -320


def test_of_five_refunds_of_sixty_percent_at_once_one_succeeds(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000)

    def refund(_: int) -> str:
        try:
            return shop.v1.refunds.create({"payment_intent": intent.id, "amount": 6_000}).status or ""
        except stripe.InvalidRequestError as error:
            return str(error.param)

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(refund, range(5))) == ["amount"] * 4 + ["succeeded"]
    assert charge_of(shop, intent.id).amount_refunded == 6_000
    assert [refund.amount for refund in shop.v1.refunds.list({"payment_intent": intent.id}).data] == [6_000]


def test_a_refund_the_bank_sends_back_returns_the_money(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    intent = paid_intent(shop, 10_000)
    refund = shop.v1.refunds.create({"payment_intent": intent.id})

    simulator.control("fail_refund", refund=refund.id)

    failed = shop.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert charge_of(shop, intent.id).amount_refunded == 0
    assert worth(shop) == 10_000 - 320


def test_a_dispute_takes_the_money_and_a_fee_and_forbids_refunds(
    shop: stripe.StripeClient, simulator: StripeSimulator
) -> None:
    intent = paid_intent(shop, 10_000)
    charge = charge_of(shop, intent.id)
    dispute = simulator.control("dispute", charge=charge.id, reason="product_not_received")

    assert (dispute["status"], dispute["amount"], dispute["reason"]) == (
        "needs_response",
        10_000,
        "product_not_received",
    )
    assert movements(shop, source=dispute["id"]) == [("dispute", -10_000, 1_500)]
    assert refusal(lambda: shop.v1.refunds.create({"payment_intent": intent.id}))[1] == "charge_disputed"

    shown = shop.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (shown.status, shown.evidence_details.submission_count) == ("won", 1)
    assert movements(shop, source=dispute["id"]) == [("dispute_reversal", 10_000, 0), ("dispute", -10_000, 1_500)]
    assert worth(shop) == 10_000 - 320 - 1_500
    assert shop.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"
    assert [event.type for event in shop.v1.events.list({"type": "charge.dispute.*", "limit": 5}).data] == [
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.created",
    ]


def test_a_dispute_given_up_is_lost(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000, payment_method="pm_card_createDispute")
    dispute = shop.v1.disputes.list({"payment_intent": intent.id}).data[0]

    assert shop.v1.disputes.close(dispute.id).status == "lost"
    assert worth(shop) == -320 - 1_500
    assert refusal(lambda: shop.v1.disputes.close(dispute.id))[0] == 400
    late: Any = {"evidence": {"uncategorized_text": "too late"}}
    assert refusal(lambda: shop.v1.disputes.update(dispute.id, late))[2] == "evidence"


# ------------------------------------------------------------------ to the bank


def test_a_payout_is_the_sum_of_its_movements_and_leaves_nothing(
    shop: stripe.StripeClient, simulator: StripeSimulator
) -> None:
    first = paid_intent(shop, 10_000)
    paid_intent(shop, 20_000)
    shop.v1.refunds.create({"payment_intent": first.id, "amount": 1_000})
    assert simulator.control("payout")["payouts"] == []

    simulator.control("clock", advance=2 * DAY)
    assert shop.v1.balance.retrieve().available[0].amount == 30_000 - 320 - 610 - 1_000
    late = paid_intent(shop, 5_000)
    (payout,) = simulator.control("payout")["payouts"]

    carried = shop.v1.balance_transactions.list({"payout": payout["id"], "limit": 100}).data
    assert (payout["status"], payout["automatic"], payout["reconciliation_status"]) == ("paid", True, "completed")
    assert payout["amount"] == 28_070
    assert sorted(one.net for one in carried) == [-28_070, -1_000, 9_680, 19_390]
    assert shop.v1.balance.retrieve().available[0].amount == 0
    assert worth(shop) == 5_000 - 175
    assert charge_of(shop, late.id).balance_transaction not in {one.id for one in carried}
    assert simulator.control("payout")["payouts"] == []
    assert simulator.control("payout", include_pending=True)["payouts"][0]["amount"] == 4_825


def test_the_shop_may_ask_for_a_payout_of_what_is_available(
    shop: stripe.StripeClient, simulator: StripeSimulator
) -> None:
    paid_intent(shop, 10_000)
    assert refusal(lambda: shop.v1.payouts.create({"amount": 5_000, "currency": "usd"})) == (
        400,
        "balance_insufficient",
        "amount",
    )

    simulator.control("clock", advance=2 * DAY)
    payout = shop.v1.payouts.create({"amount": 5_000, "currency": "usd", "metadata": {"why": "rent"}})
    assert (payout.status, payout.automatic, plain(payout.metadata)) == ("in_transit", False, {"why": "rent"})
    assert shop.v1.balance.retrieve().available[0].amount == 4_680
    simulator.control("clock", advance=DAY)
    assert shop.v1.payouts.retrieve(payout.id).status == "paid"
    assert simulator.control("payout")["payouts"][0]["amount"] == 4_680
    assert worth(shop) == 0


def test_an_invoice_is_sent_and_paid_outside(shop: stripe.StripeClient) -> None:
    customer = shop.v1.customers.create({"name": "Harbour Surveyors", "email": "ap@example.com"}).id
    assert (
        refusal(lambda: shop.v1.invoices.create({"customer": customer, "collection_method": "send_invoice"}))[2]
        == "days_until_due"
    )
    draft = shop.v1.invoices.create(
        {
            "customer": customer,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "custom_fields": [{"name": "PO", "value": "PO-77"}],
        }
    )
    for name, amount in (("Rookery R2", 700_000), ("Rails", 9_900)):
        shop.v1.invoice_items.create(
            {"customer": customer, "invoice": draft.id, "amount": amount, "currency": "usd", "description": name}
        )

    open_ = shop.v1.invoices.finalize_invoice(draft.id)
    assert (open_.status, open_.total, open_.amount_remaining, open_.number) == ("open", 709_900, 709_900, "SIM-000001")
    assert (open_.due_date or 0) - open_.created in range(30 * DAY, 30 * DAY + 60)
    assert (
        refusal(lambda: shop.v1.invoice_items.create({"customer": customer, "invoice": draft.id, "amount": 1}))[1]
        == "invoice_not_editable"
    )
    shop.v1.invoices.send_invoice(draft.id)
    assert refusal(lambda: shop.v1.invoices.pay(draft.id))[0] == 501
    paid = shop.v1.invoices.pay(draft.id, {"paid_out_of_band": True})

    assert (paid.status, paid.amount_remaining, paid.amount_paid) == ("paid", 0, 709_900)
    assert [line.description for line in paid.lines.data] == ["Rookery R2", "Rails"]
    assert refusal(lambda: shop.v1.invoices.void_invoice(draft.id))[1] == "invoice_not_editable"
    assert movements(shop) == []
