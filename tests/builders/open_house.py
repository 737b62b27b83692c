"""A whole house of processes, customers who do not give up, and what must be true when all is over."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import requests
import sqlalchemy as sa

from fulfillment.assembly.models import UnitStatus, WorkOrder
from fulfillment.kernel.db import reading
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import run_checks
from fulfillment.ledger.service import balance
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.shipping.models import Shipment
from storefront.demo.house import TEST_KEY, House
from storefront.demo.story import Customer, StoryBroke, steps

MODELS: Mapping[str, dict[str, str]] = {"skein-14": {"cpu": "v6"}, "hearth-t": {}, "skein-16": {}}


def house_settings(settings: Settings, url: str = "") -> Settings:
    """A test's settings, as a house of its own would have them: with the card simulator."""
    return replace(settings, stripe_api_key="", env="development", database_url=url or settings.database_url)


def patiently(act: Callable[[], str], seconds: float = 90) -> str:
    """Do it; when nobody answers or something broke, do it again, as people do."""
    limit = time.monotonic() + seconds
    while True:
        try:
            return act()
        except (requests.RequestException, StoryBroke):
            if time.monotonic() > limit:
                raise
            time.sleep(random.uniform(0.1, 0.4))


def buy(house: House, number: int) -> str:
    """One customer buys one machine, whatever falls over meanwhile; the order's number."""
    customer = Customer(lambda _what, _where: None, house.url)
    model = list(MODELS)[number % len(MODELS)]
    *before, (pay, _) = steps(customer, model, dict(MODELS[model]), f"customer{number}@example.com")
    for act, _said in before:
        patiently(act)
    order = customer.page.text.split("SO-", 1)[1][:11]

    def paid() -> str:
        try:
            return pay()
        except StoryBroke as broke:  # the page is closed: it was paid, and only the answer was lost
            if "410" in str(broke) or "404" in str(broke):
                return ""
            raise

    patiently(paid)
    return f"SO-{order}"


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that happens in another process. Raises AssertionError."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def count(status: OrderStatus) -> int:
    """How many orders stand there."""
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SalesOrder).filter_by(status=status)) or 0


def is_delivered(number: str) -> bool:
    """Whether the order has arrived."""
    with reading() as session:
        status = sa.select(SalesOrder.status).filter_by(number=number)
        return session.scalars(status).first() is OrderStatus.DELIVERED


def retrying() -> int:
    """Jobs that failed and have not been done since."""
    with reading() as session:
        due = sa.select(sa.func.count()).select_from(Job).where(Job.state == JobState.READY, Job.attempts > 0)
        return session.scalar(due.where(Job.kind.not_like("%sweep%"))) or 0


def nothing_lost_nothing_twice(house: House, numbers: list[str]) -> None:
    """Each of these orders (one machine each) was made and delivered once, and the books agree with the card provider."""
    with reading() as session:
        orders = session.scalars(sa.select(SalesOrder).where(SalesOrder.number.in_(numbers))).all()
        assert len(orders) == len(set(numbers)) == len(numbers)
        assert {order.status for order in orders} == {OrderStatus.DELIVERED}
        units = session.scalars(sa.select(WorkOrder)).all()
        assert len(units) == len({unit.tag for unit in units}) == len(numbers)
        assert {unit.status for unit in units} == {UnitStatus.SHIPPED}
        assert len(session.scalars(sa.select(Shipment)).all()) == len(numbers)
        assert session.scalars(sa.select(Job.kind).where(Job.state == JobState.PARKED)).all() == []
    use(replace(house.settings, stripe_api_key=house.env["STRIPE_API_KEY"], stripe_api_base=house.env["STRIPE_API_BASE"]))
    held = requests.get(f"{house.simulator_url}/v1/balance", headers={"Authorization": f"Bearer {TEST_KEY}"}, timeout=10).json()
    with reading() as session:
        assert [finding for result in run_checks(session) for finding in result.findings] == []
        there = sum(part["amount"] for state in ("available", "pending") for part in held[state])
        assert balance(session, Account.CARD_CLEARING) == Money(there)
