"""Everything at once: many orders, repeated events, sweeps, cancellations and refunds on several workers."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from fulfillment.billing.models import RefundStatus
from fulfillment.billing.refunds import NotRefundable, request_refund
from fulfillment.billing.sweeping import sweep_balance, sweep_payments
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import Job, JobState, work_one
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Unavailable, WrongStatus
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import cancel_order
from tests.builders.billing import CardShop, findings, order_of, paid, payment_of, refunds_of, status_of, times_paid, unhandled

pytest_plugins = ("tests.builders.card_shop",)

ORDERS = 12


class Storm:
    """Buyers, workers and sweepers, all in a hurry."""

    def __init__(self, shop: CardShop) -> None:
        self.shop = shop
        self.over = threading.Event()

    def buy(self, number: str) -> None:
        """Click twice, pay, and perhaps think better of it or ask for money back twice."""
        for _ in range(2):
            url = self.shop.checkout(number)
        self.shop.simulator.pay(url)
        roll = random.random()
        if roll < 0.3:
            with suppress(WrongStatus), transaction() as session:
                cancel_order(session, number, "changed my mind", "customer")
        elif roll < 0.6:
            for key in ("a", "b"):
                with suppress(WrongStatus, NotRefundable), transaction() as session:
                    request_refund(session, payment_of(number).id, Money(6_000), key=f"{number}-{key}")

    def work(self) -> None:
        while not self.over.is_set():
            if not work_one():
                self.over.wait(0.05)

    def sweep(self) -> None:
        while not self.over.is_set():
            with suppress(Unavailable):
                sweep_payments()
                sweep_balance()
            self.over.wait(0.2)


@pytest.mark.slow
def test_a_storm_of_payments_ends_with_every_cent_in_its_place(shop: CardShop) -> None:
    shop.webhooks(duplicate=3, concurrent=True)
    numbers = [shop.book(10_000 + 100 * n) for n in range(ORDERS)]
    storm = Storm(shop)
    with ThreadPoolExecutor(ORDERS + 4) as pool:
        busy = [pool.submit(storm.work) for _ in range(3)] + [pool.submit(storm.sweep)]
        try:
            for buyer in [pool.submit(storm.buy, number) for number in numbers]:
                buyer.result()
            shop.arrive()
        finally:
            storm.over.set()
        for one in busy:
            one.result()
    shop.work()
    for number in numbers:
        assert_in_its_place(number)
    assert unhandled() == 0
    assert failures() == []
    assert findings() == []


def assert_in_its_place(number: str) -> None:
    cancelled = status_of(number) is OrderStatus.CANCELLED
    whole, back = order_of(number).total_minor, sum(refund.amount_minor for refund in refunds_of(number))
    assert paid(number) == [whole]
    assert back == whole if cancelled else back in {0, 6_000, 12_000}
    assert back <= whole
    assert times_paid(number) == 1 or cancelled
    assert {refund.status for refund in refunds_of(number)} <= {RefundStatus.SUCCEEDED}


def failures() -> list[str]:
    """What went wrong in jobs that are not done, and deadlocks in any."""
    with reading() as session:
        jobs = session.scalars(sa.select(Job).where(sa.or_(Job.state != JobState.DONE, Job.last_error.contains("eadlock"))))
        return [f"{job.kind} {job.state} {job.last_error}" for job in jobs]


def test_ten_refunds_of_a_cent_at_once_are_ten_refunds(shop: CardShop) -> None:
    number = shop.paid_order()
    payment = payment_of(number)

    def ask(n: int) -> None:
        with transaction() as session:
            request_refund(session, payment.id, Money(1), key=f"{n}-{secret_token()}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(10)))
    shop.work()
    assert sum(refund.amount_minor for refund in refunds_of(number)) == 10
    assert findings() == []
