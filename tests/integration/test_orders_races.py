"""Two who act on the same order at the same moment: one of them wins, and both are told the truth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.db import is_sqlite, lock, reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.refusals import Refusal
from fulfillment.orders.draft import OrderDraft
from fulfillment.orders.models import OrderEvent, OrderLine, OrderStatus, SalesOrder
from fulfillment.orders.service import book_order, cancel_order, get_order, note, record_payment, start_production
from tests.builders.at_once import at_once
from tests.builders.orders import make_draft, make_order


def published(kind: str) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent).filter_by(kind=kind)) or 0


def test_the_same_cart_sent_by_eight_at_once_is_one_order(db: None) -> None:
    draft = make_draft(key="cart-7")
    numbers = at_once([lambda session: book_order(session, draft).number] * 8)
    assert len(set(numbers)) == 1
    with reading() as session:
        assert session.scalars(sa.select(SalesOrder.number)).all() == numbers[:1]
        assert len(session.scalars(sa.select(OrderLine)).all()) == 1
        assert session.scalars(sa.select(OrderEvent.kind)).all() == ["received"]
    assert published("OrderBooked") == 1


def test_orders_booked_at_once_are_numbered_without_a_gap(db: None) -> None:
    drafts: list[OrderDraft] = [make_draft() for _ in range(10)]
    numbers = at_once([lambda session, draft=draft: book_order(session, draft).number for draft in drafts])  # type: ignore[misc]
    assert [str(number)[-6:] for number in sorted(map(str, numbers))] == [f"{n:06}" for n in range(1, 11)]


@pytest.fixture
def paid(db: None) -> str:
    with transaction() as session:
        return make_order(session, up_to="paid").number


def test_a_cancellation_and_the_first_scan_do_not_both_win(paid: str) -> None:
    def cancel(session: Session) -> OrderStatus:
        return cancel_order(session, paid, "changed my mind", by="customer").status

    def scan(session: Session) -> OrderStatus:
        return start_production(session, paid).status

    answers = at_once([cancel, scan, scan, cancel])
    won = {answer for answer in answers if not isinstance(answer, Refusal)}
    assert len(won) == 1
    with reading() as session:
        assert {get_order(session, paid).status} == won
    assert published("OrderCancelled") == (won == {OrderStatus.CANCELLED})


def test_a_payment_told_twice_at_once_is_taken_once(db: None) -> None:
    with transaction() as session:
        order = make_order(session)
    answers = at_once([lambda session: record_payment(session, order.number, order.total).status] * 4)
    assert sum(answer is OrderStatus.PAID for answer in answers) == 1
    assert published("OrderPaid") == 1


def test_notes_written_at_once_are_all_kept(paid: str) -> None:
    at_once([lambda session: note(session, get_order(session, paid), "kitting")] * 6)
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OrderEvent).filter_by(kind="kitting")) == 6


@pytest.mark.parametrize("hold", ["get_order", "lock"])
def test_who_writes_into_the_history_does_not_wait_for_who_holds_the_order(paid: str, hold: str) -> None:
    if is_sqlite():
        pytest.skip("a writer is alone there")

    def write() -> None:
        with transaction() as session:
            note(session, get_order(session, paid), "kitting")

    with transaction() as session, ThreadPoolExecutor(1) as pool:
        if hold == "lock":
            session.scalars(lock(sa.select(SalesOrder).filter_by(number=paid))).one()
        else:
            get_order(session, paid, for_update=True)
        writing = pool.submit(write)
        done, _ = wait([writing], timeout=2)
        session.rollback()
        writing.result(timeout=10)
    assert done
