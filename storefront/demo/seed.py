"""What a house starts with: the catalogue, its staff, the capital it was founded on, and, when asked for, a past.

A past is any number of random orders of the last weeks, each walked by the real services: quoted, booked,
paid, built by the crew, shipped, delivered; some are never paid, some cancelled and refunded, the last ones
are still being made. The clock stands at each moment as it is told; the outside world answers on paper.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.prices.seed import seed_prices
from configurator.seed import seed_catalogue
from fulfillment.customers.models import Staff
from fulfillment.customers.roles import ROLES
from fulfillment.customers.service import hire
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, Forbidden
from fulfillment.kernel.settings import settings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.postings import opening
from fulfillment.ledger.service import post
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import book_order, cancel_order
from fulfillment.shipping.floor import work_the_floor
from storefront.demo.paper import due, pay, work
from storefront.demo.shoppers import Shopper

CAPITAL = Money(250_000_00)
SPAN = timedelta(days=30)
"""How long the past is."""
BATCH, PASSES = 10, 9
"""Orders that come together, and how often the crew goes round before the next ones do."""
DEFECTS = 40
"""One machine in so many fails its first test."""
NEVER_PAID, CANCELLED_UNPAID, CANCELLED = 4, 6, 14
"""Out of a hundred orders: so many are forgotten; up to so many cancelled before, and up to so many after they were paid."""


def seed_house(session: Session, password: str) -> list[str]:
    """Bring catalogue, staff and opening balance into the records; the models' ids. Safe to repeat.

    Raises Forbidden where real customers are: everybody knows the demo's logins, and the capital is made up.
    """
    if settings().production:
        raise Forbidden("A house is furnished for demonstrations only.")
    models = seed_catalogue(session)
    seed_prices(session)
    known = set(session.scalars(sa.select(Staff.login)))
    for role in ROLES:
        login = "admin" if role == "administrator" else role
        if login not in known:
            hire(session, login=login, badge=f"LM-{login.upper()}", password=password, name=f"{login.title()} Demo", role=role)
    post(session, opening("founding", {Account.BANK: CAPITAL}))
    return models


def begin_of_history() -> datetime:
    """The moment before which nothing happened."""
    return now() - SPAN


def write_history(orders: int, tell: Callable[[int], None]) -> None:
    """Give the house so many orders more, and tell after each batch how many there are.

    Raises Forbidden where real customers are, Conflict while jobs wait to be worked: letters to
    somebody real would be taken for read.
    """
    if settings().production:
        raise Forbidden("A past is made up for demonstrations only.")
    with reading() as session:
        if due(session):
            raise Conflict("There is work to be done first: let the workers finish it, then stop them.")
        first = session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) or 0
    shopper = Shopper(Random(first))  # noqa: S311 - random customers, the same at every telling
    begin, batches = begin_of_history(), -(-orders // BATCH)
    step = SPAN / (batches * (PASSES + 1))
    for batch in range(batches):
        count = min(BATCH, orders - batch * BATCH)
        moment = begin + step * batch * (PASSES + 1)
        with frozen(moment), transaction() as session:
            _customers(session, shopper, range(first + batch * BATCH, first + batch * BATCH + count))
        for turn in range(1, PASSES + 1):
            with frozen(moment + step * turn), transaction() as session:
                work_the_floor(session, defects=DEFECTS)
                work(session)
        tell(count)


def _customers(session: Session, shopper: Shopper, keys: range) -> None:
    """A few customers order; most pay, some change their mind."""
    work(session)
    for key in keys:
        number = book_order(session, shopper.order(session, str(key))).number
        fate = shopper.dice.randrange(100)
        if fate < NEVER_PAID:
            continue
        if fate >= CANCELLED_UNPAID:
            pay(session, number)
        if shopper.dice.randrange(2):
            work(session)  # released to the factory, parts called: it can still be cancelled
        if fate < CANCELLED:
            cancel_order(session, number, "Changed their mind", by="customer")
    work(session)
