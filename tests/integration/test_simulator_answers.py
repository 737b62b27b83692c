"""The shape of answers: fields, pages of a list, `expand`, metadata."""

from __future__ import annotations

from collections.abc import Iterator
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
        v1.balance_transactions.list(),
        v1.charges.list(),
        v1.checkout.sessions.list(),
        v1.customers.list(),
        v1.disputes.list(),
        v1.events.list(),
        v1.invoice_items.list(),
        v1.invoices.list(),
        v1.payment_intents.list(),
        v1.payouts.list(),
        v1.refunds.list(),
        v1.webhook_endpoints.list(),
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
    assert refusal(lambda: shop.v1.customers.list({"starting_after": "cus_unknown"})) == (
        404,
        "resource_missing",
        "starting_after",
    )


def test_expand_replaces_ids_by_objects_and_nothing_else(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    expanded: Any = shop.v1.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge.balance_transaction.source", "payment_method"]}
    )
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
