"""Booking: figures worked out here, once for a key; what was agreed stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import is_sqlite, reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.refusals import Conflict
from fulfillment.orders.checks import orders_add_up
from fulfillment.orders.draft import BadOrder
from fulfillment.orders.models import OrderLine, OrderStatus, SalesOrder
from fulfillment.orders.service import book_order, figures_of, timeline
from tests.builders.orders import item_line, make_draft, make_order, system_line
from tests.builders.people import make_address
from tests.conftest import Queries

WEDNESDAY = datetime(2026, 11, 25, 15, tzinfo=UTC)


def test_an_order_comes_to_its_lines_delivery_and_tax(session: Session) -> None:
    with frozen(WEDNESDAY):
        lines = (system_line(2, ready_on=date(2026, 12, 4)), item_line(quantity=3))
        order = book_order(session, make_draft(*lines, delivery="express"))
    assert order.number == "SO-2026-000001"
    assert order.status is OrderStatus.BOOKED
    assert [(line.position, line.quantity, line.unit_price, line.net, line.tax) for line in order.lines] == [
        (1, 2, Money(128_400), Money(256_800), Money(16_050)), (2, 3, Money(2_900), Money(8_700), Money(544)),
    ]
    assert (order.net, order.shipping, order.tax, order.total) == (Money(265_500), Money(3_900), Money(16_838), Money(286_238))
    assert order.shipping_tax_minor == 244
    assert order.promised_on == order.first_promised_on == date(2026, 12, 8)
    assert order.booked_at == WEDNESDAY
    assert orders_add_up(session) == []


def test_the_summary_before_paying_is_what_is_booked(session: Session) -> None:
    draft = make_draft(system_line(3), item_line(), delivery="appointment", ship_to=make_address(state="MN", postcode="55401"))
    figures = figures_of(draft)
    order = book_order(session, draft)
    assert (figures.net, figures.shipping, figures.tax, figures.total) == (order.net, order.shipping, order.tax, order.total)
    assert total(figures.line_taxes) + figures.shipping_tax == order.tax


def test_where_it_goes_decides_the_tax_not_who_is_billed(session: Session) -> None:
    oregon, texas = make_address(state="OR", postcode="97201"), make_address()
    assert make_order(session, ship_to=oregon, bill_to=texas).tax == Money(0)
    assert make_order(session, ship_to=texas, bill_to=oregon).tax == Money(8_025)


def test_the_customer_and_everything_sold_are_copied(session: Session) -> None:
    order = make_order(session, email=" Ada@Example.com ", phone="+1 (512) 555-0101", locale="zh")
    assert (order.email, order.phone_digits, order.locale) == ("ada@example.com", "5125550101", "zh")
    assert order.ship_address == make_address()
    [line] = order.lines
    assert line.description["zh"] == "Hearth T 台式机"
    assert line.bom == [{"sku": "CPU-16", "name": {"en": "Processor", "zh": "处理器"}, "qty": 1, "group": "processor"}]
    assert line.configuration[0]["option"]["en"] == "16 cores"
    assert line.quote_number == "Q-2026-000001"


def test_a_new_order_is_told_and_waits(session: Session) -> None:
    order = make_order(session)
    assert [event.kind for event in timeline(session, order)] == ["received"]
    told = session.execute(sa.select(OutboxEvent.kind, OutboxEvent.payload)).all()
    assert [(row.kind, row.payload) for row in told] == [("OrderBooked", {"number": order.number})]


def test_the_same_cart_booked_twice_is_one_order(session: Session) -> None:
    draft = make_draft(key="cart-7")
    first = book_order(session, draft)
    session.expire_all()
    again = book_order(session, replace(draft, email="ADA@example.com"))
    assert again.number == first.number
    assert len(again.lines) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) == 1
    assert make_order(session).number == "SO-2026-000002"


def test_a_key_used_for_another_order_is_refused(session: Session) -> None:
    book_order(session, make_draft(key="cart-7"))
    with pytest.raises(Conflict, match="another content"):
        book_order(session, make_draft(system_line(2), key="cart-7"))


def test_a_refused_order_uses_no_number(session: Session) -> None:
    with pytest.raises(BadOrder):
        book_order(session, make_draft(replace(system_line(), quantity=0)))
    with pytest.raises(BadOrder, match="more than a card"):
        book_order(session, make_draft(system_line(99, price=Money(1_010_000))))
    assert make_order(session).number == "SO-2026-000001"


@pytest.mark.parametrize("column", ["net_minor", "tax_minor", "total_minor", "number", "first_promised_on"])
def test_what_was_agreed_does_not_change(session: Session, column: str) -> None:
    order = make_order(session)
    with pytest.raises(TypeError, match=column), session.begin_nested():
        setattr(order, column, date(2030, 1, 1) if column.endswith("_on") else getattr(order, column) * 2)


def test_lines_and_events_are_final(session: Session) -> None:
    order = make_order(session)
    line, [event] = order.lines[0], timeline(session, order)
    with pytest.raises(TypeError, match="OrderLine is final"), session.begin_nested():
        line.quantity = 2
    with pytest.raises(TypeError, match="OrderEvent is final"), session.begin_nested():
        event.public = False
    with pytest.raises(TypeError, match="is final"), session.begin_nested():
        session.delete(order)
    assert session.scalars(sa.select(OrderLine.quantity)).one() == 1


def test_booking_takes_few_statements_however_many_lines(session: Session, queries: Queries) -> None:
    with queries as statements:
        book_order(session, make_draft(*(item_line(f"ITEM-{n}") for n in range(40))))
    assert len(statements) <= 8


def test_an_order_survives_its_transaction(db: None) -> None:
    with transaction() as session:
        number = make_order(session, system_line(2), item_line()).number
    with reading() as session:
        order = session.scalars(sa.select(SalesOrder).filter_by(number=number)).one()
        assert order.total == Money(259_700) + Money(16_050) + Money(181)
        assert orders_add_up(session) == []


def test_figures_that_do_not_add_up_are_found(session: Session) -> None:
    order = make_order(session)
    take_away = "DROP TRIGGER order_line_is_final_update" if is_sqlite() else "ALTER TABLE order_line DISABLE TRIGGER order_line_is_final"
    session.execute(sa.text(take_away))
    session.execute(sa.text("UPDATE order_line SET tax_minor = tax_minor + 1"))
    [finding] = orders_add_up(session)
    assert finding.about == order.number
