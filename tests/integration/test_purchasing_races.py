"""Two at the gate with the same truck, two with the same invoice: once each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.checks import moves_tie, parts_tie
from fulfillment.inventory.models import IncomingPart
from fulfillment.inventory.service import available
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import balance
from fulfillment.purchasing.checks import accruals_tie, incoming_ties
from fulfillment.purchasing.models import PurchaseOrder
from fulfillment.purchasing.receiving import WrongDelivery
from fulfillment.purchasing.service import cancel_purchase_order, drop_pull, pull, receive_parts, record_supplier_invoice, watch_overdue
from tests.builders.at_once import at_once, before_commit
from tests.builders.parts import make_part


@pytest.fixture
def number(db: None) -> str:
    """A purchase order of three processors at 210.00."""
    with transaction() as session:
        make_part(session, "CPU-16")
        [order] = pull(session, {"CPU-16": 3}, "SO-1")
        return order.number


def assert_ties() -> None:
    with reading() as session:
        assert [*parts_tie(session), *moves_tie(session), *accruals_tie(session), *incoming_ties(session)] == []


def test_one_delivery_note_scanned_by_four_at_once_comes_once(number: str) -> None:
    def scan(session: Session) -> str:
        return receive_parts(session, number, {"CPU-16": 3}, "note-1").number

    assert len(set(at_once([scan] * 4))) == 1
    with reading() as session:
        assert available(session, ["CPU-16"]) == {"CPU-16": 3}
        assert balance(session, Account.GRNI) == Money(-63_000)
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent).filter_by(kind="PartsReceived")) == 1
    assert_ties()


def test_of_two_trucks_with_everything_one_is_sent_back(number: str) -> None:
    def truck(key: str) -> Callable[[Session], str]:
        return lambda session: receive_parts(session, number, {"CPU-16": 3}, key).number

    answers = at_once([truck("note-1"), truck("note-2")])
    assert [isinstance(answer, WrongDelivery) for answer in answers].count(True) == 1
    with reading() as session:
        assert available(session, ["CPU-16"]) == {"CPU-16": 3}
    assert_ties()


def test_one_invoice_sent_twice_at_once_is_owed_once(number: str) -> None:
    with transaction() as session:
        receive_parts(session, number, {"CPU-16": 3}, "note-1")

    def letter(session: Session) -> str:
        return record_supplier_invoice(session, number, "TS-1").number

    assert len(set(at_once([letter] * 3))) == 1
    with reading() as session:
        assert balance(session, Account.PAYABLE) == Money(-63_000)
    assert_ties()


def test_pieces_that_come_for_nobody_are_taken_once(number: str) -> None:
    with transaction() as session:
        drop_pull(session, {"CPU-16": 2})

    def want(source: str) -> Callable[[Session], list[int]]:
        return lambda session: [line.quantity for order in pull(session, {"CPU-16": 2}, source) for line in order.lines]

    answers = at_once([want("SO-2"), want("SO-3")])
    assert sorted(map(str, answers)) == ["[2]", "[]"]
    with reading() as session:
        assert session.scalars(sa.select(IncomingPart.committed).order_by(IncomingPart.source)).all() == [3, 2]
    assert_ties()


def test_an_order_cancelled_while_it_is_looked_at_is_not_alerted(number: str) -> None:
    with transaction() as session:
        session.execute(sa.update(PurchaseOrder).values(due_on=today() - timedelta(days=1)))
    before_commit(lambda session: cancel_purchase_order(session, number, by="Nadia"), watch_overdue)
    with reading() as session:
        assert open_alerts(session) == []
