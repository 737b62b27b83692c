"""A house that is given a past: real orders in clean books, the same at every telling, and never beside a real one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

import wsgi
from fulfillment.customers.models import Staff
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.mail import Mail, send_mail
from fulfillment.kernel.refusals import Conflict, Forbidden
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger.checks import run_checks
from fulfillment.orders.models import OrderStatus, SalesOrder
from storefront.demo.seed import begin_of_history, seed_house, write_history
from storefront.demo.shoppers import Shopper

pytestmark = [pytest.mark.stocked, pytest.mark.slow]
ORDERS = 12


@pytest.fixture(autouse=True)
def house(db: None) -> None:
    wsgi.load_slices()
    with frozen(begin_of_history()), transaction() as session:
        seed_house(session, "correct horse battery")


def customers() -> list[tuple[str, int]]:
    with reading() as session:
        return [(order.email, order.total_minor) for order in session.scalars(sa.select(SalesOrder).order_by(SalesOrder.number))]


def test_a_past_is_in_clean_books_and_leaves_nothing_to_be_sent() -> None:
    told: list[int] = []
    write_history(ORDERS, told.append)
    assert told == [10, 2]
    with reading() as session:
        assert [finding.text for result in run_checks(session) for finding in result.findings] == []
    with reading() as session:
        orders = Counter(session.scalars(sa.select(SalesOrder.status)))
        assert session.scalars(sa.select(Mail.id).where(Mail.sent_at.is_(None))).all() == []
        assert set(session.scalars(sa.select(Job.kind).where(Job.state == JobState.READY))) <= {"orders.lapse"}
        first, last = session.execute(sa.select(sa.func.min(SalesOrder.booked_at), sa.func.max(SalesOrder.booked_at))).one()
    assert orders.total() == ORDERS
    assert orders[OrderStatus.DELIVERED] > 0
    assert now() - first > timedelta(days=29)
    assert last < now()


def test_more_orders_come_on_top_and_are_others() -> None:
    write_history(2, lambda _count: None)
    before = customers()
    write_history(2, lambda _count: None)
    assert len(customers()) == 4
    assert customers()[:2] == before
    assert customers()[2:] != before


def test_the_same_customers_come_at_every_telling() -> None:
    told = []
    for _ in range(2):
        with transaction() as session:
            shopper = Shopper(Random(0))
            drafts = [shopper.order(session, str(number)) for number in range(3)]
        told.append([(draft.email, draft.net, [(line.sku_or_model, line.quantity) for line in draft.lines]) for draft in drafts])
    assert told[0] == told[1]


def test_no_past_is_made_up_while_work_waits_to_be_done() -> None:
    with transaction() as session:
        send_mail(session, to="ada@example.com", subject="A real letter", text="…", key="real")
    with pytest.raises(Conflict, match="work to be done"):
        write_history(1, lambda _count: None)
    with reading() as session:
        assert session.scalars(sa.select(Mail.sent_at)).all() == [None]
        assert session.scalars(sa.select(SalesOrder.id)).all() == []


def test_no_past_is_made_up_where_real_customers_are(chosen_settings: Settings) -> None:
    use(replace(chosen_settings, env="production"))
    with pytest.raises(Forbidden):
        write_history(1, lambda _count: None)
    assert customers() == []


def test_a_house_that_was_seeded_is_seeded_again_without_a_second_of_anything() -> None:
    with transaction() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(Staff))
        seed_house(session, "another password")
        assert session.scalar(sa.select(sa.func.count()).select_from(Staff)) == before
    with reading() as session:
        assert [finding.text for result in run_checks(session) for finding in result.findings] == []
