"""What happens to a booked order: paid, held, released, cancelled, built, shipped, delivered.

Each act locks the order first, so that a cancellation and the first scan of the factory cannot both
win. What somebody may do twice by accident changes nothing the second time.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.events import publish
from fulfillment.kernel.mail import send_mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus
from fulfillment.orders import letters
from fulfillment.orders.booking import book_order, figures_of, promised_on
from fulfillment.orders.events import OrderCancelled, OrderDelivered, OrderPaid, OrderShipped
from fulfillment.orders.finding import (
    NeedsProof,
    count_by_status,
    find_order,
    find_own_order,
    get_order,
    order_of_account,
    orders_of_account,
    proves_owner,
    search_orders,
)
from fulfillment.orders.models import CANCELLABLE, OrderEvent, OrderStatus, SalesOrder
from fulfillment.orders.timeline import note, timeline

ON_REVIEW = "order_on_review"
"""The alert of an order that is held."""
LATE = "order_late"
"""The alert of an order that is not out of the house on the day it was promised for."""


class TooLateToCancel(WrongStatus):
    """The machine is being built, or gone."""


def record_payment(session: Session, number: str, amount: Money) -> SalesOrder:
    """Take note that `amount` was paid on the order; the money itself is billing's, which calls this once per payment.

    The exact total: PAID, and the factory may begin. Anything else: REVIEW with an alert, and
    nothing begins. Raises WrongStatus when the order waits for no payment (cancelled, paid before):
    the caller then gives the money back.
    """
    order = get_order(session, number, for_update=True)
    if order.status is not OrderStatus.BOOKED:
        raise WrongStatus("Order {number} is not waiting for a payment.", number=number)
    order.paid_minor, order.paid_currency, order.paid_at = amount.minor, amount.currency, now()
    note(session, order, "payment_received", amount_minor=amount.minor, currency=amount.currency)
    if amount == order.total:
        order.move_to(OrderStatus.PAID)
        publish(session, OrderPaid(number))
    else:
        _hold(session, order, f"{amount} was paid, the order comes to {order.total}.", by="system")
    return order


def hold_order(session: Session, number: str, reason: str, by: str, *, write: bool = True) -> SalesOrder:
    """Stop a paid order before it is built, until somebody has looked; the customer gets a letter, unless told not to `write`.

    Raises NotFound, WrongStatus.
    """
    order = get_order(session, number, for_update=True)
    if order.status is OrderStatus.REVIEW:
        return order
    if order.status is not OrderStatus.PAID:
        raise WrongStatus("Order {number} is {status}; only a paid order can be held.", number=number, status=order.status)
    _hold(session, order, reason, by, write=write)
    return order


def _hold(session: Session, order: SalesOrder, reason: str, by: str, *, write: bool = True) -> None:
    order.move_to(OrderStatus.REVIEW)
    note(session, order, "on_review")
    note(session, order, "held", public=False, reason=reason, by=by)
    raise_alert(session, ON_REVIEW, key=order.number, subject=order.number, detail=reason)
    if write:
        _write(session, order, letters.on_review(order), key=f"order-review:{order.number}")


def held_by(session: Session, order: SalesOrder) -> str | None:
    """Who holds the order; None when nobody does."""
    if order.status is not OrderStatus.REVIEW:
        return None
    held = sa.select(OrderEvent.detail).filter_by(order_id=order.id, kind="held").order_by(OrderEvent.position.desc())
    detail = session.scalars(held.limit(1)).first()
    return None if detail is None else str(detail["by"])


def release_from_review(session: Session, number: str, reason: str, by: str) -> SalesOrder:
    """Somebody looked and it may be built. Raises NotFound, WrongStatus for an order that is not held."""
    order = get_order(session, number, for_update=True)
    if order.status is not OrderStatus.REVIEW:
        raise WrongStatus("Order {number} is not held.", number=number)
    order.move_to(OrderStatus.PAID)
    note(session, order, "review_passed")
    note(session, order, "released_from_review", public=False, reason=reason, by=by)
    resolve(session, ON_REVIEW, key=number, by=by)
    publish(session, OrderPaid(number))
    return order


def cancel_order(session: Session, number: str, reason: str, by: str) -> SalesOrder:
    """End the order before anything of it is built; what was paid goes back. A second call changes nothing.

    `by` is who asked: "customer", "system", or the login of one of our people.
    Raises NotFound, TooLateToCancel once production has begun.
    """
    order = get_order(session, number, for_update=True)
    if order.status is OrderStatus.CANCELLED:
        return order
    if not order.cancellable:
        raise TooLateToCancel(
            "Order {number} is being built or on its way already, so it can no longer be cancelled. You can return it after delivery.",
            number=number,
        )
    order.move_to(OrderStatus.CANCELLED)
    order.cancelled_at = now()
    note(session, order, "cancelled")
    note(session, order, "cancelled_by", public=False, reason=reason, by=by)
    resolve(session, ON_REVIEW, key=number, by=by)
    publish(session, OrderCancelled(number, was_paid=order.paid_at is not None))
    return order


def start_production(session: Session, number: str) -> SalesOrder:
    """The first part of it is taken from the shelf: from now on it is not cancelled. Every later scan changes nothing.

    Raises NotFound, WrongStatus for an order that is held, cancelled or not paid.
    """
    order = get_order(session, number, for_update=True)
    if order.status is not OrderStatus.IN_PRODUCTION:
        order.move_to(OrderStatus.IN_PRODUCTION)
        note(session, order, "production_started", public=False)
    return order


def mark_shipped(session: Session, number: str, **detail: Any) -> SalesOrder:
    """All of it left the house; `detail` (carrier, tracking) is told to the customer. Raises NotFound, WrongStatus."""
    order = get_order(session, number, for_update=True)
    if order.status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}:
        return order
    order.move_to(OrderStatus.SHIPPED)
    order.shipped_at = now()
    note(session, order, "shipped", **detail)
    publish(session, OrderShipped(number))
    return order


def mark_delivered(session: Session, number: str, **detail: Any) -> SalesOrder:
    """The customer has it. Raises NotFound, WrongStatus for an order that was not shipped."""
    order = get_order(session, number, for_update=True)
    if order.status is OrderStatus.DELIVERED:
        return order
    order.move_to(OrderStatus.DELIVERED)
    order.delivered_at = now()
    note(session, order, "delivered", **detail)
    publish(session, OrderDelivered(number))
    return order


def move_promise(session: Session, number: str, to: date, reason: str, by: str = "system") -> SalesOrder:
    """Tell the customer another day of delivery, at once: on the status page and by mail; the reason is for our people.

    A day that is still to come settles the alert of a late order. Raises NotFound, WrongStatus once it has left the house or was cancelled.
    """
    order = get_order(session, number, for_update=True)
    if order.promised_on == to:
        return order
    if order.status not in {*CANCELLABLE, OrderStatus.IN_PRODUCTION}:
        raise WrongStatus("Order {number} is {status}: its day cannot be moved.", number=number, status=order.status)
    before, order.promised_on = order.promised_on, to
    note(session, order, "date_moved", before=before.isoformat(), after=to.isoformat())
    note(session, order, "date_moved_because", public=False, reason=reason, by=by)
    _write(session, order, letters.date_moved(order), key=f"order-date:{number}:{before}:{to}")
    if to > today():
        resolve(session, LATE, key=number, by=by)
    return order


def _write(session: Session, order: SalesOrder, letter: letters.Letter, key: str) -> None:
    send_mail(session, to=order.email, subject=letter.subject, text=letter.text, html=letter.html, key=key)


__all__ = [
    "NeedsProof", "TooLateToCancel", "book_order", "cancel_order", "count_by_status", "figures_of", "find_order", "find_own_order",
    "get_order", "held_by", "hold_order", "mark_delivered", "mark_shipped", "move_promise", "note", "order_of_account",
    "orders_of_account", "promised_on", "proves_owner", "record_payment", "release_from_review", "search_orders", "start_production",
    "timeline",
]
