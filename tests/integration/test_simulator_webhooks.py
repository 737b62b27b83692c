"""Events on their way to the shop: signed, retried, and as badly behaved as a test wants them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.builders.stripe_sim import StripeSimulator, connect, open_session, paid_intent
from tests.builders.webhook_listener import WebhookListener, until

PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated"]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    with StripeSimulator.start(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def shop(simulator: StripeSimulator) -> stripe.StripeClient:
    simulator.control("reset")
    return connect(simulator.url)


@pytest.fixture
def listener() -> Iterator[WebhookListener]:
    with WebhookListener() as listening:
        yield listening


def register(shop: stripe.StripeClient, listener: WebhookListener, *types: Any) -> stripe.WebhookEndpoint:
    return shop.v1.webhook_endpoints.create({"url": listener.url, "enabled_events": list(types) or ["*"]})


def settle(simulator: StripeSimulator) -> None:
    assert simulator.control("settle") == {"idle": True}


def test_events_arrive_signed_with_the_endpoints_secret(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    endpoint = register(shop, listener)
    session = open_session(shop, key="order-1")
    simulator.pay(session.url or "")
    settle(simulator)

    events = listener.events(str(endpoint.secret))
    assert sorted(event.type for event in events) == sorted([*PAID, "checkout.session.completed"])
    done = next(event for event in events if event.type == "checkout.session.completed")
    assert done.data.object["id"] == session.id
    assert (done.livemode, done.api_version) == (False, stripe.api_version)
    assert shop.v1.events.retrieve(done.id).type == done.type
    assert shop.v1.events.retrieve(done.id).pending_webhooks == 0
    with pytest.raises(stripe.SignatureVerificationError):
        listener.events("whsec_of_somebody_else")


def test_an_event_shows_its_object_as_it_was_and_who_asked(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    created = shop.v1.events.list({"type": "payment_intent.created"}).data[0]
    refunded: Any = shop.v1.events.list({"types": ["charge.refunded", "refund.created"]}).data

    assert created.data.object["status"] == "requires_payment_method"
    assert [event.type for event in refunded] == ["charge.refunded", "refund.created"]
    assert refunded[0].data.previous_attributes.amount_refunded == 0
    assert refunded[0].request.idempotency_key == "refund-1"


def test_an_endpoint_hears_only_what_it_asked_for_while_it_is_enabled(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    endpoint = register(shop, listener, "payment_intent.succeeded", "charge.refunded")
    paid_intent(shop)
    settle(simulator)
    assert listener.types() == ["payment_intent.succeeded"]

    shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    paid_intent(shop)
    shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": False, "enabled_events": ["charge.succeeded"]})
    paid_intent(shop)
    settle(simulator)
    assert listener.types() == ["payment_intent.succeeded", "charge.succeeded"]

    shop.v1.webhook_endpoints.delete(endpoint.id)
    paid_intent(shop)
    settle(simulator)
    assert len(listener.bodies) == 2
    assert shop.v1.webhook_endpoints.list().data == []


def test_the_secret_is_told_once(shop: stripe.StripeClient, listener: WebhookListener) -> None:
    made = register(shop, listener)
    assert str(made.secret).startswith("whsec_")
    assert "secret" not in shop.v1.webhook_endpoints.retrieve(made.id).to_dict()
    assert "secret" not in shop.v1.webhook_endpoints.list().data[0].to_dict()
    with pytest.raises(stripe.InvalidRequestError, match="Invalid URL"):
        shop.v1.webhook_endpoints.create({"url": "ftp://shop.example", "enabled_events": ["*"]})


def test_a_refused_delivery_is_tried_again(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    register(shop, listener, "payment_intent.succeeded")
    simulator.control("webhooks", retry=[0.1])
    listener.refusals = [500, 503, 302]
    paid_intent(shop)
    settle(simulator)

    assert len(set(listener.bodies)) == 1
    assert [attempt["outcome"] for attempt in simulator.look("log")] == ["500", "503", "302", "200"]
    assert [(one["state"], one["attempts"]) for one in simulator.look("deliveries")] == [("done", 4)]


def test_an_address_nobody_listens_at_is_tried_until_given_up(
    simulator: StripeSimulator, shop: stripe.StripeClient
) -> None:
    with WebhookListener() as gone:
        register(shop, gone, "payment_intent.succeeded")
    simulator.control("webhooks", retry=[0.05], attempts=3)
    paid_intent(shop)
    settle(simulator)

    assert [attempt["outcome"] for attempt in simulator.look("log")] == ["ConnectionError"] * 3
    assert [one["state"] for one in simulator.look("deliveries")] == ["given_up"]


def test_ten_copies_arrive_one_after_the_other_or_at_once(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    register(shop, listener, "payment_intent.succeeded")
    listener.slow = 0.05
    simulator.control("webhooks", duplicate=10)
    paid_intent(shop)
    settle(simulator)
    assert (len(listener.bodies), len(set(listener.bodies)), listener.most_at_once) == (10, 1, 1)

    simulator.control("webhooks", duplicate=10, concurrent=True)
    paid_intent(shop)
    settle(simulator)
    assert (len(listener.bodies), len(set(listener.bodies))) == (20, 2)
    assert listener.most_at_once > 5


def test_dropped_events_never_arrive_unless_sent_again(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    register(shop, listener)
    simulator.control("webhooks", drop=["payment_intent.*", "charge.updated"])
    paid_intent(shop)
    settle(simulator)
    assert listener.types() == ["charge.succeeded"]

    simulator.control("webhooks")
    simulator.control("resend", event=shop.v1.events.list({"type": "payment_intent.succeeded"}).data[0].id)
    settle(simulator)
    assert listener.types() == ["charge.succeeded", "payment_intent.succeeded"]


def test_held_events_arrive_newest_first(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    register(shop, listener)
    simulator.control("webhooks", reorder=True)
    paid_intent(shop)
    time.sleep(0.6)
    assert listener.bodies == []

    assert simulator.control("release") == {"released": 4}
    assert listener.types() == list(reversed(PAID))


def test_a_delay_holds_events_back_for_a_while(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    register(shop, listener, "payment_intent.succeeded")
    simulator.control("webhooks", delay=1)
    paid_intent(shop)
    time.sleep(0.5)
    assert listener.bodies == []
    settle(simulator)
    assert len(listener.bodies) == 1


def test_signatures_can_be_wrong_or_old(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    secret = str(register(shop, listener, "payment_intent.succeeded").secret)
    for behaviour in ({"bad_signature": True}, {"timestamp_offset": -3_600}):
        simulator.control("webhooks", **behaviour)
        paid_intent(shop)
        settle(simulator)
        with pytest.raises(stripe.SignatureVerificationError):
            listener.events(secret)
        listener.bodies.clear()
        listener.signatures.clear()

    simulator.control("webhooks", timestamp_offset=3_600)
    paid_intent(shop)
    settle(simulator)
    assert int(listener.signatures[0].split(",")[0].removeprefix("t=")) - time.time() > 3_500


def test_any_event_can_be_made_up(
    simulator: StripeSimulator, shop: stripe.StripeClient, listener: WebhookListener
) -> None:
    secret = str(register(shop, listener).secret)
    simulator.control(
        "emit", type="checkout.session.completed", object={"id": "cs_test_unknown", "object": "checkout.session"}
    )
    simulator.control("emit", type="something.new", object={"id": "x_1", "object": "x"}, livemode=True)
    settle(simulator)

    events = {event.type: event for event in listener.events(secret)}
    assert events["checkout.session.completed"].data.object["id"] == "cs_test_unknown"
    assert json.loads(str(events["something.new"]))["livemode"] is True  # type: ignore[index]


def test_undelivered_events_are_delivered_after_a_restart(tmp_path: Path) -> None:
    with WebhookListener() as listener, StripeSimulator.start(tmp_path) as simulator:
        shop = connect(simulator.url)
        secret = str(register(shop, listener, "payment_intent.succeeded").secret)
        simulator.control("webhooks", retry=[0.2])
        listener.refusals = [500] * 3
        intent = paid_intent(shop)
        until(lambda: len(listener.bodies) >= 1)

        simulator.restart()

        settle(simulator)
        assert len(listener.bodies) >= 4
        assert {event.data.object["id"] for event in listener.events(secret)} == {intent.id}
        assert [one["state"] for one in simulator.look("deliveries")] == ["done"]
