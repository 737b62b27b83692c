"""The provider's money, through the real SDK: intents, captures, refunds, disputes, balance, payouts, invoices."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from fulfillment.billing.simulator import contract
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
    [("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
     ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds")],
)
def test_a_declined_card_leaves_a_failed_charge_and_no_money(shop: stripe.StripeClient, card: str, code: str, reason: str) -> None:
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
    [(49, "usd", "amount_too_small", "amount"), (100_000_000, "usd", "amount_too_large", "amount"), (-5, "usd", "amount_too_small", "amount"),
     (500, "xxx", None, "currency")],
)
def test_amounts_have_limits(shop: stripe.StripeClient, amount: int, currency: str, code: str | None, param: str) -> None:
    assert refusal(lambda: shop.v1.payment_intents.create({"amount": amount, "currency": currency})) == (400, code, param)
    assert shop.v1.payment_intents.list().data == []


def test_a_hold_is_captured_once_and_only_up_to_its_amount(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000, capture_method="manual")
    charge: Any = charge_of(shop, intent.id)
    assert (intent.status, intent.amount_capturable, movements(shop)) == ("requires_capture", 10_000, [])
    assert charge.payment_method_details.card.capture_before - charge.created == 7 * DAY

    capture = shop.v1.payment_intents.capture
    assert refusal(lambda: capture(intent.id, {"amount_to_capture": 10_001})) == (400, "amount_too_large", "amount_to_capture")
    assert refusal(lambda: capture(intent.id, {"amount_to_capture": 0})) == (400, "parameter_invalid_integer", "amount_to_capture")
    assert refusal(lambda: shop.v1.refunds.create({"payment_intent": intent.id})) == (400, "charge_not_refundable", "charge")
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
    assert [event.type for event in shop.v1.events.list({"limit": 2}).data] == ["payment_intent.canceled", "charge.expired"]
    assert movements(shop) == []


def test_cancelling_lets_go_of_the_hold(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000, capture_method="manual")
    cancelled = shop.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert charge_of(shop, intent.id).amount_refunded == 10_000
    assert movements(shop) == []
    assert refusal(lambda: shop.v1.payment_intents.cancel(intent.id))[1] == "payment_intent_unexpected_state"


def test_a_saved_card_is_charged_again_without_its_holder(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
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


# ------------------------------------------------------------------ giving it back


def test_refunds_never_exceed_what_was_taken(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop, 10_000)
    create = shop.v1.refunds.create

    part = create({"payment_intent": intent.id, "amount": 4_000, "reason": "requested_by_customer", "metadata": {"rma": "RMA-1"}})
    assert (part.status, plain(part.metadata)) == ("succeeded", {"rma": "RMA-1"})
    assert refusal(lambda: create({"payment_intent": intent.id, "amount": 6_001})) == (400, None, "amount")
    assert refusal(lambda: create({"payment_intent": intent.id, "amount": 0})) == (400, "parameter_invalid_integer", "amount")
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


def test_a_dispute_takes_the_money_and_a_fee_and_forbids_refunds(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    intent = paid_intent(shop, 10_000)
    charge = charge_of(shop, intent.id)
    dispute = simulator.control("dispute", charge=charge.id, reason="product_not_received")

    assert (dispute["status"], dispute["amount"], dispute["reason"]) == ("needs_response", 10_000, "product_not_received")
    assert movements(shop, source=dispute["id"]) == [("dispute", -10_000, 1_500)]
    assert refusal(lambda: shop.v1.refunds.create({"payment_intent": intent.id}))[1] == "charge_disputed"

    shown = shop.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (shown.status, shown.evidence_details.submission_count) == ("won", 1)
    assert movements(shop, source=dispute["id"]) == [("dispute_reversal", 10_000, 0), ("dispute", -10_000, 1_500)]
    assert worth(shop) == 10_000 - 320 - 1_500
    assert shop.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"
    assert [event.type for event in shop.v1.events.list({"type": "charge.dispute.*", "limit": 5}).data] == [
        "charge.dispute.closed", "charge.dispute.funds_reinstated", "charge.dispute.updated", "charge.dispute.funds_withdrawn", "charge.dispute.created",
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


def test_a_payout_is_the_sum_of_its_movements_and_leaves_nothing(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
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


def test_the_shop_may_ask_for_a_payout_of_what_is_available(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    paid_intent(shop, 10_000)
    assert refusal(lambda: shop.v1.payouts.create({"amount": 5_000, "currency": "usd"})) == (400, "balance_insufficient", "amount")

    simulator.control("clock", advance=2 * DAY)
    payout = shop.v1.payouts.create({"amount": 5_000, "currency": "usd", "metadata": {"why": "rent"}})
    assert (payout.status, payout.automatic, plain(payout.metadata)) == ("in_transit", False, {"why": "rent"})
    assert shop.v1.balance.retrieve().available[0].amount == 4_680
    simulator.control("clock", advance=DAY)
    assert shop.v1.payouts.retrieve(payout.id).status == "paid"


def test_an_invoice_is_sent_and_paid_outside(shop: stripe.StripeClient) -> None:
    customer = shop.v1.customers.create({"name": "Harbour Surveyors", "email": "ap@example.com"}).id
    assert refusal(lambda: shop.v1.invoices.create({"customer": customer, "collection_method": "send_invoice"}))[2] == "days_until_due"
    draft = shop.v1.invoices.create({
        "customer": customer, "collection_method": "send_invoice", "days_until_due": 30, "custom_fields": [{"name": "PO", "value": "PO-77"}],
    })
    for name, amount in (("Rookery R2", 700_000), ("Rails", 9_900)):
        shop.v1.invoice_items.create({"customer": customer, "invoice": draft.id, "amount": amount, "currency": "usd", "description": name})

    open_ = shop.v1.invoices.finalize_invoice(draft.id)
    assert (open_.status, open_.total, open_.amount_remaining, open_.number) == ("open", 709_900, 709_900, "SIM-000001")
    assert (open_.due_date or 0) - open_.created in range(30 * DAY, 30 * DAY + 60)
    assert refusal(lambda: shop.v1.invoice_items.create({"customer": customer, "invoice": draft.id, "amount": 1}))[1] == "invoice_not_editable"
    shop.v1.invoices.send_invoice(draft.id)
    assert refusal(lambda: shop.v1.invoices.pay(draft.id))[0] == 501
    paid = shop.v1.invoices.pay(draft.id, {"paid_out_of_band": True})

    assert (paid.status, paid.amount_remaining, paid.amount_paid) == ("paid", 0, 709_900)
    assert [line.description for line in paid.lines.data] == ["Rookery R2", "Rails"]
    assert refusal(lambda: shop.v1.invoices.void_invoice(draft.id))[1] == "invoice_not_editable"
    assert movements(shop) == []


# ------------------------------------------------------------------ answers


def test_every_answer_has_the_fields_of_the_sdks_class(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    session = open_session(shop, customer_creation="always")
    simulator.pay(session.url or "", card="4000000000000259")
    customer = shop.v1.customers.list().data[0].id
    shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["payout.failed"]})
    shop.v1.invoices.create({"customer": customer})
    shop.v1.invoice_items.create({"customer": customer, "amount": 1, "currency": "usd"})
    refunded = paid_intent(shop, 5_000)
    shop.v1.refunds.create({"payment_intent": refunded.id})
    paid_intent(shop, 50_000)
    simulator.control("payout", include_pending=True)
    v1 = shop.v1

    lists: list[Any] = [
        v1.balance_transactions.list(), v1.charges.list(), v1.checkout.sessions.list(), v1.customers.list(), v1.disputes.list(), v1.events.list(),
        v1.invoice_items.list(), v1.invoices.list(), v1.payment_intents.list(), v1.payouts.list(), v1.refunds.list(), v1.webhook_endpoints.list(),
    ]
    kinds = {one["object"]: contract.misfits(one["object"], one.to_dict()) for page in lists for one in page.data}
    kinds["balance"] = contract.misfits("balance", v1.balance.retrieve().to_dict())
    method = v1.payment_methods.retrieve(str(v1.charges.list().data[0].payment_method))
    kinds["payment_method"] = contract.misfits("payment_method", method.to_dict())

    assert len(kinds) == 14
    assert {kind: misfits for kind, misfits in kinds.items() if misfits} == {}
    assert not any(name.startswith("_") for page in lists for one in page.data for name in one.to_dict())


def test_lists_are_paged_newest_first(shop: stripe.StripeClient) -> None:
    made = [shop.v1.customers.create({"name": str(number)}).id for number in range(5)]
    newest = list(reversed(made))

    first = shop.v1.customers.list({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (newest[:2], True)
    rest = shop.v1.customers.list({"limit": 3, "starting_after": newest[1]})
    assert ([one.id for one in rest.data], rest.has_more) == (newest[2:], False)
    before = shop.v1.customers.list({"limit": 1, "ending_before": newest[2]})
    assert [one.id for one in before.data] == [newest[1]]
    assert [one.id for one in shop.v1.customers.list({"limit": 2}).auto_paging_iter()] == newest
    assert shop.v1.customers.list({"created": {"lt": 1_000_000_000}}).data == []
    assert len(shop.v1.customers.list({"created": {"gte": first.data[0].created - 60}}).data) == 5
    assert refusal(lambda: shop.v1.customers.list({"limit": 101}))[2] == "limit"
    assert refusal(lambda: shop.v1.customers.list({"starting_after": "cus_unknown"})) == (404, "resource_missing", "starting_after")


def test_expand_replaces_ids_by_objects_and_nothing_else(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    expanded: Any = shop.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction.source", "payment_method"]})
    listed: Any = shop.v1.charges.list({"expand": ["data.payment_intent", "data.refunds"]})

    assert expanded.latest_charge.balance_transaction.source.id == expanded.latest_charge.id
    assert expanded.payment_method.card.last4 == "4242"
    assert (listed.data[0].payment_intent.id, listed.data[0].refunds.data) == (intent.id, [])
    for path in ("status", "nothing", "latest_charge.status"):
        assert refusal(lambda path=path: shop.v1.payment_intents.retrieve(intent.id, {"expand": [path]}))[2] == "expand"


def test_metadata_is_merged_and_limited(shop: stripe.StripeClient) -> None:
    customer = shop.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    update = shop.v1.customers.update

    assert plain(update(customer.id, {"metadata": {"b": "", "c": "3"}}).metadata) == {"a": "1", "c": "3"}
    assert plain(update(customer.id, {"metadata": ""}).metadata) == {}
    assert refusal(lambda: update(customer.id, {"metadata": {"k" * 41: "1"}}))[2] == "metadata"
    assert refusal(lambda: update(customer.id, {"metadata": {"k": "v" * 501}}))[2] == "metadata[k]"
    assert refusal(lambda: update(customer.id, {"metadata": {str(key): "1" for key in range(51)}}))[2] == "metadata"
