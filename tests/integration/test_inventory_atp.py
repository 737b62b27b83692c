"""By when a part can be here: shelf, then what is on its way for nobody, then the supplier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from fulfillment.inventory import incoming
from fulfillment.inventory.atp import UNKNOWN_LEAD_DAYS, earliest_dates
from fulfillment.inventory.service import reserve
from fulfillment.kernel.clock import add_working_days, frozen
from tests.builders.parts import make_part
from tests.conftest import Queries

WEDNESDAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def wednesday() -> Iterator[None]:
    with frozen(datetime(2026, 11, 25, 15, tzinfo=UTC)):
        yield


def ready(session: Session, sku: str = "CPU-16", quantity: int = 1) -> date:
    return earliest_dates(session, [sku], quantity)[sku]


def test_what_lies_free_on_the_shelf_is_here_today(session: Session) -> None:
    make_part(session, on_hand=2)
    assert ready(session) == WEDNESDAY


def test_what_is_kept_for_somebody_is_not_here(session: Session) -> None:
    make_part(session, on_hand=2, lead_days=3)
    reserve(session, "WO-1", {"CPU-16": 2})
    assert ready(session) == date(2026, 12, 1)  # three working days to the gate (Mon 30), one to the shelf


def test_two_are_not_here_when_one_is(session: Session) -> None:
    make_part(session, on_hand=1, lead_days=3)
    assert ready(session, quantity=2) == date(2026, 12, 1)


def test_services_are_always_here(session: Session) -> None:
    make_part(session, "SVC-3Y", kind="service", lead_days=9)
    assert ready(session, "SVC-3Y") == WEDNESDAY


def test_an_order_on_its_way_that_nobody_waits_for_is_sooner_than_the_supplier(session: Session) -> None:
    make_part(session, lead_days=10)
    incoming.expect(session, "PO-1", {"CPU-16": 2}, date(2026, 11, 27), committed=False)
    assert ready(session) == date(2026, 11, 30)
    assert ready(session, quantity=3) == add_working_days(WEDNESDAY, 11)
    incoming.commit_free(session, {"CPU-16": 2})
    assert ready(session) == add_working_days(WEDNESDAY, 11)
    incoming.uncommit(session, {"CPU-16": 1})
    assert ready(session) == date(2026, 11, 30)


def test_several_orders_on_their_way_add_up_to_the_last_one_needed(session: Session) -> None:
    make_part(session, lead_days=20)
    incoming.expect(session, "PO-1", {"CPU-16": 1}, date(2026, 11, 27), committed=False)
    incoming.expect(session, "PO-2", {"CPU-16": 1}, date(2026, 12, 1), committed=False)
    assert [ready(session, quantity=n) for n in (1, 2)] == [date(2026, 11, 30), date(2026, 12, 2)]


def test_an_order_that_is_late_promises_nothing_in_the_past(session: Session) -> None:
    make_part(session, lead_days=10)
    incoming.expect(session, "PO-1", {"CPU-16": 1}, date(2026, 11, 2), committed=False)
    assert ready(session) == date(2026, 11, 26)


def test_an_order_that_comes_later_than_the_supplier_would_is_not_waited_for(session: Session) -> None:
    make_part(session, lead_days=1)
    incoming.expect(session, "PO-1", {"CPU-16": 1}, date(2027, 1, 29), committed=False)
    assert ready(session) == date(2026, 11, 27)


def test_a_part_nobody_entered_has_a_cautious_date(session: Session) -> None:
    assert ready(session, "NO-SUCH") == add_working_days(WEDNESDAY, UNKNOWN_LEAD_DAYS)


def test_many_parts_are_asked_for_in_two_queries(session: Session, queries: Queries) -> None:
    skus = [f"P-{n:03}" for n in range(120)]
    for number, sku in enumerate(skus):
        make_part(session, sku, lead_days=number % 9, on_hand=number % 2)
    with queries as statements:
        dates = earliest_dates(session, skus)
    assert len(statements) == 2
    assert len(dates) == 120
    assert min(dates.values()) == WEDNESDAY
    assert earliest_dates(session, []) == {}
