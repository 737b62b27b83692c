"""What comes to the webhook's door: many times, in any order, forged, about nothing; and a worker that dies on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fulfillment.billing.gateway import BadEvent
from fulfillment.billing.inbox import WebhookClosed, receive_event
from fulfillment.billing.models import InboxEvent
from fulfillment.kernel import clock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job, JobState, run_until_idle
from fulfillment.kernel.settings import use
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order
from tests.builders.billing import (
    CardShop,
    alerts,
    findings,
    kinds,
    order_of,
    paid,
    payment_of,
    refunds_of,
    signed,
    status_of,
    times_paid,
    unhandled,
)

pytest_plugins = ("tests.builders.card_shop",)

ROOT = Path(__file__).resolve().parents[2]


def inbox() -> list[str]:
    with reading() as session:
        return list(session.scalars(sa.select(InboxEvent.kind).order_by(InboxEvent.kind, InboxEvent.event_id)))


def event(kind: str = "charge.succeeded", **changes: Any) -> dict[str, Any]:
    subject = {"object": kind.split(".", maxsplit=1)[0], "id": "xx_unknown", "payment_intent": "pi_unknown"}
    return {"id": "evt_1", "object": "event", "type": kind, "livemode": False, "data": {"object": subject}, **changes}


def test_every_webhook_ten_times_at_once_pays_the_order_once(shop: CardShop) -> None:
    shop.webhooks(duplicate=10, concurrent=True)
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    assert set(shop.answers) == {200}
    assert len(shop.answers) == 40
    assert len(inbox()) == 4
    with ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(run_until_idle) for _ in range(4)]:
            worker.result()
    shop.work()
    assert times_paid(number) == 1
    assert kinds() == ["payment_captured"]
    assert findings() == []


def test_events_newest_first_end_in_the_same_state(shop: CardShop) -> None:
    shop.webhooks(reorder=True)
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    dispute = shop.simulator.control("dispute", charge=shop.charge_of(number))
    shop.simulator.control("close_dispute", dispute=dispute["id"], won=True)
    shop.simulator.control("payout", include_pending=True)
    shop.simulator.control("release")
    shop.work()
    assert (times_paid(number), paid(number)) == (1, [order_of(number).total_minor])
    assert sorted(kinds()) == ["dispute_opened", "dispute_won", "payment_captured", "payout_settled"]
    assert unhandled() == 0
    assert findings() == []


def test_forged_events_leave_no_trace(shop: CardShop) -> None:
    shop.webhooks(bad_signature=True, retry=[60])
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    time.sleep(1)
    assert set(shop.answers) == {400}
    assert (inbox(), status_of(number)) == ([], OrderStatus.BOOKED)


@pytest.mark.parametrize("offset", [-3_600, 3_600])
def test_events_of_another_hour_leave_no_trace(shop: CardShop, offset: int) -> None:
    body, signature = signed(event(), shop.settings.stripe_webhook_secret, at=int(time.time()) + offset)
    with pytest.raises(BadEvent) as refused:
        receive_event(body, signature)
    assert refused.value.status == 400
    assert inbox() == []


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"{", b"", b'{"id": "evt_1"}'])
def test_a_body_that_is_no_event_leaves_no_trace(shop: CardShop, body: bytes) -> None:
    _, signature = signed(event(), shop.settings.stripe_webhook_secret)
    with pytest.raises(BadEvent):
        receive_event(body, signature)
    assert inbox() == []


def test_without_a_secret_the_door_is_closed(shop: CardShop) -> None:
    use(replace(shop.settings, stripe_webhook_secret=""))
    body, signature = signed(event(), "")
    with pytest.raises(WebhookClosed) as refused:
        receive_event(body, signature)
    assert refused.value.status == 503
    assert inbox() == []


def test_a_live_event_on_a_test_key_is_not_stored(shop: CardShop) -> None:
    assert receive_event(*signed(event(livemode=True), shop.settings.stripe_webhook_secret)) is False
    assert inbox() == []


@pytest.mark.parametrize("kind", ["customer.created", "invoice.paid", "v2.core.account.created", "x"])
def test_an_unknown_type_is_ignored(shop: CardShop, kind: str) -> None:
    assert receive_event(*signed(event(kind), shop.settings.stripe_webhook_secret)) is False
    assert inbox() == []


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("checkout.session.completed", {"object": "checkout.session", "id": "cs_test_nobody"}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_nobody"}),
        ("charge.refunded", {"object": "charge", "id": "ch_nobody", "payment_intent": None}),
        ("charge.dispute.created", {"object": "dispute", "id": "du_nobody", "payment_intent": "pi_nobody"}),
        ("refund.created", {"object": "refund", "id": "re_nobody"}),
        ("payout.paid", {"object": "payout", "id": "po_nobody"}),
    ],
)
def test_an_event_about_nothing_of_ours_does_not_stop_the_queue(shop: CardShop, kind: str, subject: dict[str, Any]) -> None:
    stranger = event(kind, data={"object": subject})
    assert receive_event(*signed(stranger, shop.settings.stripe_webhook_secret)) is True
    number = shop.paid_order()
    assert status_of(number) is OrderStatus.PAID
    assert unhandled() == 0
    assert alerts() == []


def test_a_second_delivery_of_an_event_is_answered_and_forgotten(shop: CardShop) -> None:
    assert receive_event(*signed(event(), shop.settings.stripe_webhook_secret)) is True
    shop.work()
    assert receive_event(*signed(event(), shop.settings.stripe_webhook_secret)) is False
    assert run_until_idle() == 0
    assert inbox() == ["charge.succeeded"]


def test_a_forged_amount_in_an_event_changes_nothing(shop: CardShop) -> None:
    """The event is only a hint: what it claims about the money is not even read."""
    number = shop.book()
    shop.checkout(number)
    page = payment_of(number).session_id
    claim = {"object": "checkout.session", "id": page, "payment_status": "paid", "status": "complete", "amount_total": 1}
    receive_event(*signed(event("checkout.session.completed", data={"object": claim}), shop.settings.stripe_webhook_secret))
    shop.work()
    assert (status_of(number), kinds(), alerts()) == (OrderStatus.BOOKED, [], [])


WORKER = """
import os, sys
import wsgi
from fulfillment.kernel import db
from fulfillment.kernel.jobs import work_one
from fulfillment.kernel.settings import Settings, use
wsgi.load_slices()
use(Settings(env="test", database_url=sys.argv[1], stripe_api_key=sys.argv[2], stripe_api_base=sys.argv[3]))
db.connect(sys.argv[1])
print("working", flush=True)
while True:
    work_one()
"""


def test_a_worker_killed_while_it_holds_an_event_is_followed_by_another(shop: CardShop) -> None:
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    shop.break_next({"match": "GET /v1/*", "kind": "delay", "seconds": 30, "count": 100})
    settings = shop.settings
    command = [sys.executable, "-c", WORKER, settings.database_url, settings.stripe_api_key, settings.stripe_api_base]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ, text=True) as worker:
        deadline = time.monotonic() + 60
        while _leased() == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _leased() == 1
        worker.send_signal(signal.SIGKILL)
    shop.break_next()
    run_until_idle()  # the other events tell of the same payment
    assert _leased() == 1
    assert unhandled() == 1
    with clock.frozen(clock.now() + timedelta(seconds=91)):
        run_until_idle()
    assert (unhandled(), times_paid(number)) == (0, 1)
    assert findings() == []


def _leased() -> int:
    with reading() as session:
        held = sa.select(sa.func.count()).select_from(Job).where(Job.owner.is_not(None), Job.state == JobState.READY)
        return session.scalar(held) or 0


def test_a_subscriber_that_runs_twice_refunds_once(shop: CardShop) -> None:
    number = shop.paid_order()
    with transaction() as session:
        cancel_order(session, number, "changed my mind", "customer")
    shop.work()
    from fulfillment.billing.jobs import refund_order
    from fulfillment.orders.events import OrderCancelled

    for _ in range(2):
        with transaction() as session:
            refund_order(session, OrderCancelled(number, was_paid=True))
    shop.work()
    assert [refund.amount_minor for refund in refunds_of(number)] == [order_of(number).total_minor]
    assert findings() == []
