"""What customers are written about an order: once, in their language, as text and as HTML, with nothing to inject."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import publish
from fulfillment.kernel.jobs import Job, run_until_idle
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.settings import settings
from fulfillment.orders import jobs, letters
from fulfillment.orders.events import OrderCancelled, OrderDelivered, OrderPaid
from fulfillment.orders.service import cancel_order, hold_order, move_promise, record_payment, release_from_review
from tests.builders.orders import item_line, make_order, system_line
from tests.builders.people import make_address

AT = datetime(2026, 11, 25, 15, tzinfo=UTC)


def mails(session: Session) -> list[Mail]:
    """What the customers got."""
    return list(session.scalars(sa.select(Mail).where(Mail.to != settings().operations_mail).order_by(Mail.at, Mail.id)))


def test_a_payment_is_confirmed_with_everything_the_customer_wants_to_know(session: Session) -> None:
    with frozen(AT):
        order = make_order(session, system_line(2), item_line(), delivery="express", up_to="paid")
        for _ in range(2):
            jobs.confirm(session, OrderPaid(order.number))
    [mail] = mails(session)
    assert mail.to == "ada@example.com"
    assert mail.subject == f"Your order {order.number} is confirmed"
    for words in ("Hello Ada Moss,", "2 × Hearth T: $2,568.00", "1 × Item MSE-1: $29.00", "Delivery: $39.00", "Sales tax: $164.75",
                  "Total: $2,800.75", "12 Willow Road", "November 27, 2026", f"http://localhost/status?number={order.number}"):
        assert words in mail.text
        for part in words.split(": "):
            assert part in (mail.html or "")


def test_a_letter_is_in_the_customers_language(app: Flask, session: Session) -> None:
    with app.app_context(), frozen(AT):
        order = make_order(session, up_to="paid", locale="zh")
        letter = letters.confirmation(order, order.lines)
    assert "1 × Hearth T 台式机" in letter.text
    assert "标准配送" in letter.text
    assert "2026年12月2日" in letter.text


def test_nothing_in_an_order_is_read_as_html(session: Session) -> None:
    evil = make_address(name='<img src=x onerror="alert(1)">')
    order = make_order(session, up_to="paid", ship_to=evil)
    jobs.confirm(session, OrderPaid(order.number))
    [mail] = mails(session)
    assert "<img" not in (mail.html or "")
    assert "&lt;img" in (mail.html or "")
    assert "\n" not in mail.subject
    assert mail.to == "ada@example.com"


@pytest.mark.parametrize(("was_paid", "words"), [(True, "goes back to your card"), (False, "You have not been charged")])
def test_a_cancelled_order_says_what_becomes_of_the_money(session: Session, *, was_paid: bool, words: str) -> None:
    order = make_order(session, up_to="paid" if was_paid else "booked")
    cancel_order(session, order.number, "changed my mind", by="customer")
    for _ in range(2):
        jobs.tell_cancelled(session, OrderCancelled(order.number, was_paid=was_paid))
    [mail] = mails(session)
    assert words in mail.text
    assert "changed my mind" not in mail.text


def test_a_payment_that_is_looked_at_is_told_once_and_without_a_reason(session: Session) -> None:
    order = make_order(session)
    record_payment(session, order.number, order.total.times(1, 2))
    release_from_review(session, order.number, "the rest came by bank", by="b.ward")
    hold_order(session, order.number, "looks like a fraud", by="b.ward")
    [mail] = mails(session)
    assert mail.subject == f"We are looking at your order {order.number}"
    assert "You need not do anything" in mail.text
    assert "fraud" not in mail.text


def test_a_delivery_is_told_once(session: Session) -> None:
    order = make_order(session, up_to="delivered")
    for _ in range(2):
        jobs.tell_delivered(session, OrderDelivered(order.number))
    assert [mail.subject for mail in mails(session)] == [f"Your order {order.number} has arrived"]


def test_every_new_date_is_written_once(session: Session) -> None:
    with frozen(AT):
        order = make_order(session, up_to="paid")
        for day in (11, 11, 18):
            move_promise(session, order.number, date(2026, 12, day), "a part is late")
    assert [("December 11" in mail.text, "December 18" in mail.text) for mail in mails(session)] == [(True, False), (False, True)]
    assert "a part is late" not in mails(session)[0].text


@pytest.mark.parametrize("exact", [False, True])
def test_the_worker_confirms_what_is_paid_and_nothing_else(app: Flask, *, exact: bool) -> None:
    with app.app_context():
        with transaction() as session:
            order = make_order(session)
            paid = order.total if exact else order.total.times(1, 2)
            record_payment(session, order.number, paid)
        _work_orders_only()
        with reading() as session:
            kind = "confirmation" if exact else "review"
            assert [mail.key for mail in mails(session)] == [f"order-{kind}:{order.number}"]


def _work_orders_only() -> None:
    """Leave out what other slices do about these events: they have tests of their own."""
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.kind.not_like("orders.%")))
    run_until_idle()


def test_a_letter_that_fails_leaves_the_order_as_it_is(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order(session, up_to="paid")

    def broken(*_: object) -> letters.Letter:
        raise RuntimeError("no paper")

    monkeypatch.setattr(letters, "confirmation", broken)
    confirm: Callable[[Session, OrderPaid], None] = jobs.confirm
    with pytest.raises(RuntimeError):
        confirm(session, OrderPaid(order.number))
    publish(session, OrderPaid(order.number))
    assert mails(session) == []
    assert order.status.value == "paid"
