"""Each rule that the card payments rest on is taken away once: something must break, and be seen to break.

If a test here fails, the rule is not guarded by anything: whoever removes it would notice nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from fulfillment.billing import checkout, clearing, hosted_page, inbox, jobs, refunding, refunds, settling
from fulfillment.billing.facts import SessionFacts
from fulfillment.billing.gateway import Gateway, gateway
from fulfillment.billing.models import InboxEvent, Payment, PaymentStatus
from fulfillment.billing.reconciling import reconcile
from fulfillment.kernel import clock
from fulfillment.kernel import jobs as kernel_jobs
from fulfillment.kernel.db import is_sqlite, reading, transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import Job, run_until_idle, work_one
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Unavailable
from fulfillment.ledger.service import post_all
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order, record_payment
from tests.builders.billing import (
    CardShop,
    alerts,
    findings,
    kinds,
    order_of,
    payment_of,
    payments_of,
    refunds_of,
    signed,
    status_of,
    times_paid,
    unhandled,
)

pytest_plugins = ("tests.builders.card_shop",)

Mutate = pytest.MonkeyPatch


def refunds_at_provider() -> list[int]:
    return [refund.amount for refund in gateway().stripe.v1.refunds.list({"limit": 100}).data]


def pages_at_provider() -> int:
    return len(gateway().stripe.v1.checkout.sessions.list({"limit": 100}).data)


def at_once(times: int, act: Callable[[], object]) -> list[Exception]:
    """Do it that often at the same moment; what went wrong."""
    gate = threading.Barrier(times)

    def one() -> Exception | None:
        gate.wait()
        try:
            act()
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(times) as pool:
        done = [pool.submit(one) for _ in range(times)]
        return [error for error in (each.result() for each in done) if error is not None]


def test_no_key_on_the_page_gives_two_pages(shop: CardShop, monkeypatch: Mutate) -> None:
    honest = Gateway.open_session
    monkeypatch.setattr(Gateway, "open_session", lambda self, request, _key: honest(self, request, secret_token()))
    number = shop.book()
    shop.break_next({"match": "POST /v1/checkout/sessions", "kind": "drop_after", "count": 3})
    with pytest.raises(Unavailable):
        shop.checkout(number)
    shop.checkout(number)
    assert pages_at_provider() > 1


def test_no_key_on_the_refund_sends_it_twice(shop: CardShop, monkeypatch: Mutate) -> None:
    """Two workers hold the job when the first one's lease ran out; only the key tells the second call from a second refund."""
    number = shop.paid_order()
    with transaction() as session:
        refunds.request_refund(session, payment_of(number).id, Money(1_000), key="rma-1")
    refund = refunds_of(number)[0]
    gate = threading.Barrier(2)
    honest = Gateway.refund

    def keyless(self: Gateway, intent: str, amount: Money, metadata: dict[str, str], _key: str) -> Any:
        gate.wait(20)
        return honest(self, intent, amount, metadata, secret_token())

    def keyed(self: Gateway, intent: str, amount: Money, metadata: dict[str, str], key: str) -> Any:
        gate.wait(20)
        return honest(self, intent, amount, metadata, key)

    monkeypatch.setattr(Gateway, "refund", keyed)
    assert at_once(2, lambda: refunding.send_refund(refund.id)) == []
    assert refunds_at_provider() == [1_000]

    with transaction() as session:
        refunds.request_refund(session, payment_of(number).id, Money(2_000), key="rma-2")
    second = refunds_of(number)[1]
    monkeypatch.setattr(Gateway, "refund", keyless)
    at_once(2, lambda: refunding.send_refund(second.id))
    assert refunds_at_provider() == [2_000, 2_000, 1_000]


def test_no_intention_before_the_call_loses_the_page(shop: CardShop, monkeypatch: Mutate) -> None:
    """Nothing written down before the call: the click after a lost reply cannot ask for the same page again."""
    number = shop.book()
    shop.break_next({"match": "POST /v1/checkout/sessions", "kind": "drop_after", "count": 3})
    with pytest.raises(Unavailable):
        shop.checkout(number)
    with transaction() as session:
        session.execute(sa.delete(Payment))
    with suppress(Unavailable):
        shop.checkout(number)
    assert pages_at_provider() > 1 or payment_of(number).status is PaymentStatus.FAILED


@pytest.mark.parametrize("locked", [True, False])
def test_no_lock_lets_two_settle_at_once(shop: CardShop, monkeypatch: Mutate, *, locked: bool) -> None:
    """Both see an open payment and both take it; the order's own state refuses the second, as an error instead of a rest."""
    if is_sqlite():
        pytest.skip("a writer is alone on SQLite, whatever it locks")
    gate = threading.Barrier(2)
    honest = settling.difference

    def slow(payment: Payment, page: SessionFacts) -> str:
        with suppress(threading.BrokenBarrierError):
            gate.wait(1)
        return honest(payment, page)

    number = shop.book()
    shop.silent()
    shop.simulator.pay(shop.checkout(number))
    payment = payment_of(number)
    monkeypatch.setattr(settling, "difference", slow)
    if not locked:
        monkeypatch.setattr(settling, "lock", lambda statement, **_: statement)
    wrong = at_once(2, lambda: reconcile(payment.id))
    clean = not wrong and times_paid(number) == 1 and refunds_of(number) == []
    assert clean is locked


def test_no_lock_lets_five_refunds_through(shop: CardShop, monkeypatch: Mutate) -> None:
    if is_sqlite():
        pytest.skip("a writer is alone on SQLite, whatever it locks")
    number = shop.paid_order()
    share = Money(order_of(number).total_minor * 6 // 10)
    payment = payment_of(number)
    monkeypatch.setattr(refunds, "lock", lambda statement, **_: statement)

    honest = refunds.refundable
    gate = threading.Barrier(5)

    def slow(*args: Any) -> Money:
        left = honest(*args)
        gate.wait(20)
        return left

    monkeypatch.setattr(refunds, "refundable", slow)

    def ask() -> None:
        with transaction() as session:
            refunds.request_refund(session, payment.id, share, key=secret_token())

    at_once(5, ask)
    assert len(refunds_of(number)) > 1
    assert any(found.startswith("refunds:") for found in findings())


def test_no_limit_gives_back_more_than_was_paid(shop: CardShop, monkeypatch: Mutate) -> None:
    number = shop.paid_order()
    monkeypatch.setattr(refunds, "refundable", lambda *_: Money(10**9))
    share = Money(order_of(number).total_minor * 6 // 10)
    for key in ("rma-1", "rma-2"):
        with transaction() as session:
            refunds.request_refund(session, payment_of(number).id, share, key=key)
    assert any(found.startswith("refunds:") for found in findings())


def test_not_forward_only_books_a_payment_twice(shop: CardShop, monkeypatch: Mutate) -> None:
    """Without the state that only moves forward, a second look takes the same money for an excess."""
    number = shop.paid_order()
    with transaction() as session:
        session.execute(sa.update(Payment).values(status=PaymentStatus.OPEN))
    reconcile(payment_of(number).id)
    assert refunds_of(number) != []


def test_no_memory_of_movements_is_seen_by_the_checks(shop: CardShop, monkeypatch: Mutate) -> None:
    """The ledger's own key still keeps the entry single; that the movement was never noted is found."""
    monkeypatch.setattr(clearing, "_insert", lambda *_, **__: True)
    number = shop.paid_order()
    assert status_of(number) is OrderStatus.PAID
    assert any(found.startswith("card clearing") for found in findings())


def test_no_comparison_of_the_amount_builds_for_a_dollar(shop: CardShop, monkeypatch: Mutate) -> None:
    honest_request, honest_record = hosted_page.session_request, record_payment

    def cheap(*args: Any, **kwargs: Any) -> dict[str, Any]:
        made = honest_request(*args, **kwargs)
        made["line_items"] = made["line_items"][:1]
        made["line_items"][0]["price_data"]["unit_amount"] = 100
        return made

    monkeypatch.setattr(checkout, "session_request", cheap)
    monkeypatch.setattr(settling, "record_payment", lambda session, number, _: honest_record(session, number, order_of(number).total))
    number = shop.paid_order()
    assert times_paid(number) == 1
    assert payment_of(number).paid_minor == 100


def test_no_comparison_of_the_order_lets_one_payment_pay_another(shop: CardShop, monkeypatch: Mutate) -> None:
    mine, other = shop.book(), shop.book()
    shop.silent()
    shop.simulator.pay(shop.checkout(mine))
    shop.checkout(other)
    page = gateway().session(payment_of(mine).session_id or "")
    lie = replace(page, session_id=payment_of(other).session_id or "")

    def settle_other(session: Any, payment_id: UUID, _page: SessionFacts, *_: Sequence[Any]) -> Any:
        return settling.settle(session, payment_id, lie)

    with transaction() as session:
        settle_other(session, payment_of(other).id, page)
    assert (status_of(other), alerts()) == (OrderStatus.BOOKED, ["payment_mismatch"])
    monkeypatch.setattr(settling, "difference", lambda *_: "")
    with transaction() as session:
        settle_other(session, payment_of(other).id, page)
    assert status_of(other) is OrderStatus.PAID


def test_failed_as_good_as_handled_loses_an_event(shop: CardShop, monkeypatch: Mutate) -> None:
    """A worker that finishes a job whose handler failed: the provider was away, and nobody looks again."""

    def swallow(*, event_id: str) -> None:
        with suppress(Unavailable):
            inbox.handle_event(event_id)

    handler = kernel_jobs.HANDLERS["billing.handle_event"]
    monkeypatch.setitem(kernel_jobs.HANDLERS, "billing.handle_event", replace(handler, call=swallow))
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    shop.break_next({"match": "* /v1/*", "kind": "status", "status": 500, "count": 1_000})
    run_until_idle()
    shop.break_next()
    with clock.frozen(clock.now() + timedelta(hours=2)):
        run_until_idle()
    assert status_of(number) is OrderStatus.BOOKED
    assert unhandled() == 4


def test_no_lease_lets_two_workers_hold_one_event(shop: CardShop, monkeypatch: Mutate) -> None:
    shop.webhooks(drop=["payment_intent.*", "charge.*"])
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    held: list[str] = []
    gate = threading.Barrier(2)

    def hold(*, event_id: str) -> None:
        held.append(event_id)
        with suppress(threading.BrokenBarrierError):
            gate.wait(3)

    handler = kernel_jobs.HANDLERS["billing.handle_event"]
    monkeypatch.setitem(kernel_jobs.HANDLERS, "billing.handle_event", replace(handler, call=hold))
    monkeypatch.setattr(kernel_jobs, "LEASE", timedelta(seconds=-1))
    at_once(2, work_one)
    assert len(held) == 2
    assert len(set(held)) == 1


def test_with_a_lease_one_worker_holds_one_event(shop: CardShop, monkeypatch: Mutate) -> None:
    shop.webhooks(drop=["payment_intent.*", "charge.*"])
    number = shop.book()
    shop.simulator.pay(shop.checkout(number))
    shop.arrive()
    held: list[str] = []
    gate = threading.Barrier(2)

    def hold(*, event_id: str) -> None:
        held.append(event_id)
        with suppress(threading.BrokenBarrierError):
            gate.wait(1)

    handler = kernel_jobs.HANDLERS["billing.handle_event"]
    monkeypatch.setitem(kernel_jobs.HANDLERS, "billing.handle_event", replace(handler, call=hold))
    at_once(2, work_one)
    assert len(held) == 1


def test_no_inbox_key_works_every_delivery(shop: CardShop, monkeypatch: Mutate) -> None:
    def careless(session: Any, event: Any) -> bool:
        copy = replace(event, event_id=f"{event.event_id}-{secret_token()}")
        return honest(session, copy)

    honest = inbox._write_down
    monkeypatch.setattr(inbox, "_write_down", careless)
    body, signature = signed(
        {"id": "evt_1", "type": "charge.succeeded", "livemode": False, "data": {"object": {"object": "charge", "id": "ch_1"}}},
        shop.settings.stripe_webhook_secret,
    )
    for _ in range(3):
        inbox.receive_event(body, signature)
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(InboxEvent)) == 3
        assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 3


def test_no_look_for_excess_keeps_a_second_payment(shop: CardShop, monkeypatch: Mutate) -> None:
    monkeypatch.setattr(settling, "promise", lambda *_, **__: (None, None))
    monkeypatch.setattr(settling, "post_all", lambda session, drafts: post_all(session, [draft for draft in drafts if draft]))
    shop.silent()
    number = shop.book()
    first = shop.checkout(number)
    with transaction() as session:
        session.execute(sa.update(Payment).values(status=PaymentStatus.EXPIRED))
    second = shop.checkout(number)
    shop.simulator.pay(first)
    shop.simulator.pay(second)
    for payment in payments_of(number):
        reconcile(payment.id)
    assert any(found.startswith("one payment an order") for found in findings())


def test_no_refund_on_cancellation_keeps_the_money(shop: CardShop, monkeypatch: Mutate) -> None:
    monkeypatch.setattr(jobs, "refund_cancelled", lambda *_: [])
    number = shop.paid_order()
    with transaction() as session:
        cancel_order(session, number, "changed my mind", "customer")
    shop.work()
    assert kinds() == ["payment_captured"]
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert any(found.startswith("cancelled orders") for found in findings())


def test_believing_the_events_amount_would_pay_for_nothing(shop: CardShop, monkeypatch: Mutate) -> None:
    """A hint that is believed instead of looked up: forged with our own secret, it would build for free."""
    number = shop.book()
    shop.checkout(number)

    def believe(event_id: str) -> None:
        with transaction() as session:
            record_payment(session, number, order_of(number).total)

    monkeypatch.setattr(inbox, "handle_event", believe)
    claim = {"object": "checkout.session", "id": payment_of(number).session_id, "payment_status": "paid"}
    event = {"id": "evt_1", "type": "checkout.session.completed", "livemode": False, "data": {"object": claim}}
    inbox.receive_event(*signed(event, shop.settings.stripe_webhook_secret))
    run_until_idle()
    assert times_paid(number) == 1
    assert any(found.startswith("paid orders") for found in findings())
