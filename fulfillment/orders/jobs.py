"""What the order book does by itself: writes to customers, lets unpaid orders lapse, watches promises."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import lock
from fulfillment.kernel.events import on
from fulfillment.kernel.jobs import enqueue, every, job
from fulfillment.kernel.mail import send_mail
from fulfillment.orders import letters
from fulfillment.orders.events import OrderBooked, OrderCancelled, OrderDelivered, OrderPaid, OrderShipped
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import LATE, cancel_order, get_order

UNPAID_FOR = timedelta(days=7)
"""How long an order waits for its payment: prices and dates are not held for ever."""


@on(OrderBooked)
def wait_for_payment(session: Session, event: OrderBooked) -> None:
    """Look again when its time to be paid is over."""
    enqueue(session, "orders.lapse", key=f"orders.lapse:{event.number}", run_at=now() + UNPAID_FOR, number=event.number)


@job("orders.lapse")
def lapse(session: Session, *, number: str) -> None:
    """Cancel an order that nobody paid."""
    if get_order(session, number, for_update=True).status is OrderStatus.BOOKED:
        cancel_order(session, number, "It was not paid in time.", by="system")


@on(OrderPaid)
def confirm(session: Session, event: OrderPaid) -> None:
    """Tell the customer that the payment is here, once, also when the order was held afterwards."""
    order = get_order(session, event.number, lines=True)
    letter = letters.confirmation(order, order.lines)
    _write(session, order, letter, "confirmation")


@on(OrderCancelled)
def tell_cancelled(session: Session, event: OrderCancelled) -> None:
    """Tell the customer that nothing will come, and what becomes of the money."""
    order = get_order(session, event.number)
    _write(session, order, letters.cancelled(order, was_paid=event.was_paid), "cancelled")


@on(OrderShipped)
def stop_watching(session: Session, event: OrderShipped) -> None:
    """A late order that has left needs nobody's look any more."""
    resolve(session, LATE, key=event.number, by="the dispatcher")


@on(OrderDelivered)
def tell_delivered(session: Session, event: OrderDelivered) -> None:
    """Tell the customer where to turn when something is not right."""
    order = get_order(session, event.number)
    _write(session, order, letters.delivered(order), "delivered")


def _write(session: Session, order: SalesOrder, letter: letters.Letter, kind: str) -> None:
    send_mail(
        session, to=order.email, subject=letter.subject, text=letter.text, html=letter.html, key=f"order-{kind}:{order.number}",
    )


@every(minutes=60, kind="orders.watch_promises")
@job("orders.watch_promises")
def watch_promises(session: Session) -> None:
    """Put every paid order whose promised day is here and that has not left in front of a person.

    They are locked, so none leaves in between: nobody would close an alert that is raised afterwards.
    """
    waiting = (OrderStatus.PAID, OrderStatus.REVIEW, OrderStatus.IN_PRODUCTION)
    statement = sa.select(SalesOrder).where(SalesOrder.status.in_(waiting), SalesOrder.promised_on <= today())
    for order in session.scalars(lock(statement.order_by(SalesOrder.promised_on, SalesOrder.number))):
        told = f"It was promised for {order.promised_on} and is {order.status.value}. Tell the customer another day."
        raise_alert(session, LATE, key=order.number, subject=order.number, detail=told)
