"""Calling parts from suppliers: at once, one order each, nothing ordered that is coming for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import IncomingPart
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import transaction
from fulfillment.kernel.jobs import HANDLERS
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.purchasing import jobs as purchasing_jobs
from fulfillment.purchasing.checks import incoming_ties
from fulfillment.purchasing.models import PurchaseOrder, PurchaseStatus
from fulfillment.purchasing.service import (
    NotBought,
    cancel_purchase_order,
    cover,
    drop_pull,
    get_purchase_order,
    pull,
    purchase_orders,
    put_off,
    receive_parts,
)
from tests.builders.parts import make_part
from tests.conftest import Queries

WEDNESDAY = datetime(2026, 11, 25, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def wednesday() -> Iterator[None]:
    with frozen(WEDNESDAY):
        yield


@pytest.fixture
def parts(session: Session) -> None:
    make_part(session, "CPU-16", cost=Money(21_000), lead_days=4)
    make_part(session, "GPU-8", cost=Money(45_000), lead_days=6)
    make_part(session, "MEM-16", cost=Money(4_000), supplier="S-MEMORY", lead_days=3)
    make_part(session, "SVC-3Y", kind="service", supplier="S-SERVICE")


def coming(session: Session) -> list[tuple[str, str, int, int]]:
    rows = session.scalars(sa.select(IncomingPart).order_by(IncomingPart.source, IncomingPart.sku))
    return [(row.source, row.sku, row.quantity, row.committed) for row in rows]


def test_what_is_short_is_called_from_each_supplier_at_once(session: Session, parts: None) -> None:
    memory, silicon = pull(session, {"GPU-8": 1, "MEM-16": 4, "CPU-16": 2}, "SO-2026-000001")
    assert (memory.supplier_code, silicon.supplier_code) == ("S-MEMORY", "S-SILICON")
    assert (silicon.status, silicon.source) == (PurchaseStatus.ORDERED, "SO-2026-000001")
    called = [(line.sku, line.quantity, line.unit_cost) for line in silicon.lines]
    assert called == [("CPU-16", 2, Money(21_000)), ("GPU-8", 1, Money(45_000))]
    assert silicon.due_on == date(2026, 12, 3)  # the longest of its parts: six working days
    assert memory.due_on == date(2026, 11, 30)
    assert {silicon.number, memory.number} == {"PO-2026-000001", "PO-2026-000002"}
    assert sorted((sku, quantity, committed) for _, sku, quantity, committed in coming(session)) == [
        ("CPU-16", 2, 2), ("GPU-8", 1, 1), ("MEM-16", 4, 4),
    ]
    assert incoming_ties(session) == []


def test_what_comes_for_nobody_is_taken_before_more_is_ordered(session: Session, parts: None) -> None:
    [first] = pull(session, {"CPU-16": 3}, "SO-1")
    drop_pull(session, {"CPU-16": 2})  # its customer cancelled
    assert pull(session, {"CPU-16": 1}, "SO-2") == []
    [second] = pull(session, {"CPU-16": 2}, "SO-3")
    assert [line.quantity for line in second.lines] == [1]
    assert coming(session) == [(first.number, "CPU-16", 3, 3), (second.number, "CPU-16", 1, 1)]


def test_nothing_short_orders_nothing(session: Session, parts: None) -> None:
    assert pull(session, {}, "SO-1") == []
    assert pull(session, {"CPU-16": 0}, "SO-1") == []
    assert purchase_orders(session) == []


def test_services_and_unknown_parts_are_not_called(session: Session, parts: None) -> None:
    with pytest.raises(NotBought):
        pull(session, {"SVC-3Y": 1}, "SO-1")
    with pytest.raises(NotFound):
        pull(session, {"NO-SUCH": 1}, "SO-1")
    assert purchase_orders(session) == []


def test_a_pull_of_sixty_parts_takes_few_statements(session: Session, queries: Queries) -> None:
    for number in range(60):
        make_part(session, f"P-{number:02}", supplier=f"S-{number % 3}")
    with queries as statements:
        orders = pull(session, {f"P-{number:02}": 1 for number in range(60)}, "SO-1")
    assert len(orders) == 3
    assert len(statements) <= 2 + 3 * 4


def test_cover_orders_only_what_is_neither_here_nor_coming(session: Session, parts: None) -> None:
    pull(session, {"CPU-16": 2}, "SO-1")
    assert cover(session, {"CPU-16": 2}, "sweep") == []
    [order] = cover(session, {"CPU-16": 5, "MEM-16": 0}, "sweep")
    assert [(line.sku, line.quantity) for line in order.lines] == [("CPU-16", 3)]


def test_cover_takes_what_comes_for_nobody_and_orders_all_of_the_rest(session: Session, parts: None) -> None:
    pull(session, {"CPU-16": 2}, "SO-1")
    drop_pull(session, {"CPU-16": 2})  # its customer cancelled
    [order] = cover(session, {"CPU-16": 5}, "sweep")
    assert [(line.sku, line.quantity) for line in order.lines] == [("CPU-16", 3)]
    assert cover(session, {"CPU-16": 5}, "sweep") == []


def test_an_overdue_order_is_put_in_front_of_a_person_until_it_comes(session: Session, parts: None) -> None:
    [order] = pull(session, {"CPU-16": 1}, "SO-1")
    due = WEDNESDAY + timedelta(days=6)
    with frozen(due):
        assert order.due_on == due.date()
        HANDLERS["purchasing.watch_overdue"].call(session)
        assert open_alerts(session) == []
    with frozen(due + timedelta(days=1)):
        for _ in range(2):
            purchasing_jobs.watch_overdue(session)
        [alert] = open_alerts(session)
        assert (alert.kind, alert.key) == ("purchase_overdue", order.number)
        assert "S-SILICON" in alert.detail
        assert "SO-1" in alert.detail
        receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
        assert open_alerts(session) == []
        purchasing_jobs.watch_overdue(session)
        assert open_alerts(session) == []


def test_another_day_of_a_supplier_is_known_to_who_promises_dates(session: Session, parts: None) -> None:
    [order] = pull(session, {"CPU-16": 1}, "SO-1")
    with frozen(WEDNESDAY + timedelta(days=20)):
        purchasing_jobs.watch_overdue(session)
        put_off(session, order.number, date(2026, 12, 24))
        assert open_alerts(session) == []
    assert order.due_on == date(2026, 12, 24)
    assert session.scalars(sa.select(IncomingPart.due_on)).one() == date(2026, 12, 24)


def test_a_cancelled_purchase_order_brings_nothing_more(session: Session, parts: None) -> None:
    [order] = pull(session, {"CPU-16": 3}, "SO-1")
    receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    cancel_purchase_order(session, order.number, by="b.ward")
    assert order.status is PurchaseStatus.CANCELLED
    assert coming(session) == []
    assert incoming_ties(session) == []
    with pytest.raises(WrongStatus):
        cancel_purchase_order(session, order.number, by="b.ward")
    with pytest.raises(WrongStatus, match="nothing of it is still to come"):
        put_off(session, order.number, date(2026, 12, 24))


def test_purchase_orders_are_found(session: Session, parts: None) -> None:
    pull(session, {"CPU-16": 1, "MEM-16": 1}, "SO-1")
    pull(session, {"CPU-16": 1}, "SO-2")
    assert [order.source for order in purchase_orders(session, supplier="S-SILICON")] == ["SO-2", "SO-1"]
    assert [order.supplier_code for order in purchase_orders(session, source="SO-1")] == ["S-SILICON", "S-MEMORY"]
    assert purchase_orders(session, status=PurchaseStatus.RECEIVED) == []
    assert get_purchase_order(session, "PO-2026-000003").lines[0].sku == "CPU-16"
    with pytest.raises(NotFound):
        get_purchase_order(session, "PO-2026-999999")


def test_an_act_that_fails_gives_its_numbers_back(db: None) -> None:
    with transaction() as session:
        make_part(session, "CPU-16")

    def fail() -> None:
        with transaction() as session:
            pull(session, {"CPU-16": 1}, "SO-1")
            get_purchase_order(session, "PO-2026-000099")

    with pytest.raises(NotFound):
        fail()
    with transaction() as session:
        assert session.scalars(sa.select(PurchaseOrder)).all() == []
        assert pull(session, {"CPU-16": 1}, "SO-1")[0].number == "PO-2026-000001"
