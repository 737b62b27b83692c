"""kill -9 of web, worker, shop floor and card simulator at random moments of thirty orders.

The whole house runs as it does in production, with two web and two worker processes. Customers try
again when a page does not answer, as people do; dead processes are started again, as a process manager does.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psutil
import pytest
import requests
import sqlalchemy as sa

from fulfillment.assembly.models import UnitStatus, WorkOrder
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger.checks import run_checks
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.shipping.models import Shipment
from storefront.demo.house import House
from storefront.demo.seed import seed_house
from storefront.demo.story import Customer, StoryBroke, steps

pytestmark = [pytest.mark.slow, pytest.mark.stocked, pytest.mark.timeout(600)]

ORDERS, KILLS = 30, 50
MODELS = {"skein-14": {"cpu": "v6"}, "hearth-t": {}, "skein-16": {}}


def patiently(act: Callable[[], str], seconds: float = 90) -> str:
    """Do it; when nobody answers or something broke, do it again."""
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
    *before, (pay, _) = steps(customer, model, MODELS[model], f"customer{number}@example.com")
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


def victims(house: House) -> list[psutil.Process]:
    """Every process that may die: the web server's master and workers, jobs' workers, floor, simulator."""
    found = []
    for child in list(house.children.values()):
        try:
            process = psutil.Process(child.pid)
            found += [process, *process.children()]
        except psutil.NoSuchProcess:
            continue
    return found


def kill_at_random(house: House, stop: threading.Event, killed: list[str]) -> None:
    """Kill somebody now and then, while the shop is open, and start the dead again, until told to stop."""
    dice = random.Random(9)
    due = time.monotonic()
    while not stop.is_set():
        time.sleep(0.1)
        house.revive()
        alive = victims(house)
        if len(killed) >= KILLS or time.monotonic() < due or not alive or not house.answers():
            continue
        due = time.monotonic() + dice.uniform(0.2, 1.8)
        process = dice.choice(alive)
        try:
            name = " ".join(process.cmdline()[1:4])
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
        killed.append(name)


def delivered() -> int:
    with reading() as session:
        counted = sa.select(sa.func.count()).select_from(SalesOrder).filter_by(status=OrderStatus.DELIVERED)
        return session.scalar(counted) or 0


@pytest.fixture
def house_settings(chosen_settings: Settings) -> Settings:
    return replace(chosen_settings, stripe_api_key="", env="development")


def test_fifty_kills_over_thirty_orders_lose_nothing_and_do_nothing_twice(db: None, house_settings: Settings) -> None:
    with transaction() as session:
        seed_house(session, "correct horse battery")
    killed: list[str] = []
    stop = threading.Event()
    with House(house_settings, 0, pace="0") as house:
        killer = threading.Thread(target=kill_at_random, args=(house, stop, killed))
        killer.start()
        with ThreadPoolExecutor(4) as pool:
            numbers = list(pool.map(lambda number: buy(house, number), range(ORDERS)))
        limit = time.monotonic() + 240
        while (delivered() < ORDERS or len(killed) < KILLS) and time.monotonic() < limit:
            time.sleep(0.2)
        stop.set()
        killer.join()
        house.revive()
        while time.monotonic() < limit and pending_jobs():
            time.sleep(0.2)
        check_everything(house, numbers)
    assert len(killed) == KILLS


def pending_jobs() -> int:
    with reading() as session:
        due = sa.select(sa.func.count()).select_from(Job).where(Job.state == JobState.READY, Job.kind.not_like("%sweep%"))
        return session.scalar(due.where(Job.attempts > 0)) or 0


def check_everything(house: House, numbers: list[str]) -> None:
    assert len(set(numbers)) == ORDERS
    with reading() as session:
        orders = session.scalars(sa.select(SalesOrder).where(SalesOrder.number.in_(numbers))).all()
        assert {order.status for order in orders} == {OrderStatus.DELIVERED}
        assert len(orders) == ORDERS
        units = session.scalars(sa.select(WorkOrder)).all()
        assert len(units) == len({unit.tag for unit in units}) == ORDERS
        assert {unit.status for unit in units} == {UnitStatus.SHIPPED}
        assert len(session.scalars(sa.select(Shipment)).all()) == ORDERS
        assert session.scalars(sa.select(Job.kind).where(Job.state == JobState.PARKED)).all() == []
        use(replace(house.settings, stripe_api_key=house.env["STRIPE_API_KEY"], stripe_api_base=house.env["STRIPE_API_BASE"]))
        findings = [finding for result in run_checks(session) for finding in result.findings]
        assert findings == []
    held = requests.get(
        f"{house.simulator_url}/v1/balance", headers={"Authorization": "Bearer sk_test_larkmill"}, timeout=10,
    ).json()
    from fulfillment.ledger.accounts import Account
    from fulfillment.ledger.service import balance

    with reading() as session:
        amount = sum(part["amount"] for state in ("available", "pending") for part in held[state])
        assert balance(session, Account.CARD_CLEARING) == Money(amount)
    assert database.engine() is not None
