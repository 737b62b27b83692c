"""Sending the customer to the hosted payment page: one live page per order, however often they click.

The intention (amount, key, the request word for word) is committed before Stripe is called, so a
click whose reply is lost, and the click after it, get the same page.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.facts import SessionFacts
from fulfillment.billing.gateway import NOT_NOW, ProviderRefused, gateway
from fulfillment.billing.hosted_page import Bill, ShownLine, session_request
from fulfillment.billing.models import LIVE, Payment, PaymentStatus
from fulfillment.billing.reconciling import reconcile
from fulfillment.billing.refunds import close_unwanted
from fulfillment.kernel.alerts import raise_alert
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock, reading, transaction
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.refusals import NotFound, Unavailable, WrongStatus
from fulfillment.orders.models import OrderLine, OrderStatus, SalesOrder

SESSION_LIFE = timedelta(hours=23)
"""Stripe allows a page 24 hours from the call, and the call may have to be repeated."""

NOT_WAITING = "Order {number} is not waiting for a payment."


def start_checkout(order_number: str, *, success_url: str, cancel_url: str) -> str:
    """The address of the page on which this order is paid.

    Opens its own transactions around the call. Raises NotFound; WrongStatus when the order waits
    for no payment; Unavailable when Stripe does not answer (the next click asks for the same page).
    """
    with reading() as session:
        live = session.scalars(sa.select(Payment).where(Payment.order_number == order_number, Payment.status.in_(LIVE))).first()
    if live is not None and live.session_id is not None:
        _look_again(live.id)
    with transaction() as session:
        payment = intend(session, order_number, success_url, cancel_url)
    if payment.url is not None:
        return payment.url
    try:
        page = gateway().open_session(payment.request, payment.key)
    except ProviderRefused as refusal:
        with transaction() as session:
            _give_up(session, payment.id, str(refusal))
        raise Unavailable(NOT_NOW) from refusal
    except Unavailable as refusal:
        return _opened_meanwhile(payment.id, refusal)
    with transaction() as session:
        url = opened(session, payment.id, page)
    if url is None:
        raise WrongStatus(NOT_WAITING, number=order_number)
    return url


def _look_again(payment_id: UUID) -> None:
    """It may have been paid, or have expired, since we last heard; when Stripe is away, the page we know will do."""
    try:
        reconcile(payment_id)
    except Unavailable:
        return


def intend(session: Session, order_number: str, success_url: str, cancel_url: str) -> Payment:
    """Write down that this order is to be paid: its live payment, a new attempt if it has none. Raises NotFound, WrongStatus.

    The order's lock makes a second click wait here for the first; payments are only read, so that
    no one who locks payment before order is ever waited for.
    """
    order = session.scalars(lock(sa.select(SalesOrder).filter_by(number=order_number))).first()
    if order is None:
        raise NotFound("There is no such order.")
    if order.status is not OrderStatus.BOOKED or not order.total:
        raise WrongStatus(NOT_WAITING, number=order.number)
    tried = session.scalars(sa.select(Payment).filter_by(order_number=order_number).order_by(Payment.attempt)).all()
    for payment in tried:
        if payment.status in LIVE:
            return payment
    payment_id, attempt, moment = new_id(), len(tried) + 1, now()
    expires_at = moment + SESSION_LIFE
    request = session_request(
        bill_of(session, order), payment_id=str(payment_id), success_url=success_url, cancel_url=cancel_url, expires_at=expires_at
    )
    payment = Payment(
        id=payment_id, order_number=order_number, attempt=attempt, key=f"order-{order.id}-checkout-{attempt}",
        status=PaymentStatus.REQUESTED, amount_minor=order.total_minor, currency=order.currency, request=request,
        created_at=moment, expires_at=expires_at,
    )
    session.add(payment)
    session.flush()
    return payment


def bill_of(session: Session, order: SalesOrder) -> Bill:
    """The order's figures, as the payment page needs them."""
    lines = session.scalars(sa.select(OrderLine).filter_by(order_id=order.id).order_by(OrderLine.position))
    return Bill(
        order_number=order.number, email=order.email, locale=order.locale,
        lines=[ShownLine(line.description, line.quantity, line.unit_price, line.net) for line in lines],
        shipping=order.shipping, tax=order.tax, total=order.total,
    )


def opened(session: Session, payment_id: UUID, page: SessionFacts) -> str | None:
    """Note the page that Stripe opened for the intention; its address, or None when nothing is to be paid on it any more.

    It may have taken Stripe seconds to answer: a page that nobody waits for now is closed.
    """
    payment = session.scalars(lock(sa.select(Payment).filter_by(id=payment_id))).one()
    if payment.status is PaymentStatus.REQUESTED:
        payment.move_to(PaymentStatus.OPEN)
    if payment.session_id is None:
        payment.session_id, payment.url = page.session_id, page.url
    return None if close_unwanted(session, payment) else payment.url


def _opened_meanwhile(payment_id: UUID, refusal: Unavailable) -> str:
    """Five clicks at once: Stripe answers one and tells the others to wait; the one has noted the page."""
    with reading() as session:
        url = session.scalar(sa.select(Payment.url).filter_by(id=payment_id))
    if url is None:
        raise refusal
    return url


def _give_up(session: Session, payment_id: UUID, reason: str) -> None:
    """Stripe will never open this page: the next click is a new attempt under a new key."""
    payment = session.scalars(lock(sa.select(Payment).filter_by(id=payment_id))).one()
    if payment.status is PaymentStatus.REQUESTED:
        payment.move_to(PaymentStatus.FAILED)
        raise_alert(session, "payment_page_refused", key=payment.order_number, subject=payment.order_number, detail=reason)
