"""Asking Stripe how a payment stands: the one way by which anything about money becomes known.

Webhook, return page and sweeper all end in `reconcile`: fetch outside of any transaction, then
`settle` what was fetched in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa
import structlog

from fulfillment.billing.facts import SessionFacts
from fulfillment.billing.gateway import Gateway, gateway
from fulfillment.billing.models import LIVE, Payment, PaymentStatus
from fulfillment.billing.refunds import close_unwanted
from fulfillment.billing.settling import difference, settle
from fulfillment.kernel.alerts import raise_alert
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock, reading, transaction
from fulfillment.kernel.refusals import NotFound, Unavailable
from fulfillment.orders.models import OrderStatus, SalesOrder

log = structlog.get_logger()


def reconcile(payment_id: UUID) -> Payment:
    """Bring one payment up to what Stripe says, and return it. Raises NotFound; Unavailable when Stripe is away."""
    with reading() as session:
        payment = session.scalars(sa.select(Payment).filter_by(id=payment_id)).first()
    if payment is None:
        raise NotFound("There is no such payment.")
    if payment.session_id is None:
        return _without_page(payment)
    door = gateway()
    try:
        page = door.session(payment.session_id)
    except NotFound:
        return _page_lost(payment)
    refunds = door.refunds(page.intent.intent_id) if page.intent else []
    disputes = door.disputes(page.intent.intent_id) if page.intent else []
    with transaction() as session:
        return settle(session, payment_id, page, refunds, disputes)


def reconcile_order(order_number: str) -> bool:
    """The customer is back from the payment page: look now; True when the order is paid and goes ahead.

    When Stripe does not answer, the sweeper will look again: nothing is raised.
    """
    with reading() as session:
        payments = session.scalars(sa.select(Payment).filter_by(order_number=order_number).order_by(Payment.attempt)).all()
    for payment in payments:
        if payment.status is not PaymentStatus.PAID:
            try:
                reconcile(payment.id)
            except Unavailable:
                log.info("payment not looked at", payment=str(payment.id))
    with reading() as session:
        status = session.scalar(sa.select(SalesOrder.status).filter_by(number=order_number))
    return status not in {None, OrderStatus.BOOKED, OrderStatus.REVIEW, OrderStatus.CANCELLED}


def find_payment(hint: Mapping[str, str]) -> UUID | None:
    """Our payment that an event speaks of, or None when it is about nothing of ours.

    By Stripe's ids as far as we have noted them; else by the page itself, fetched, which names our
    payment: the event may overtake the reply to our own call.
    """
    is_page = hint.get("object") == "checkout.session"
    page_id = hint.get("id") if is_page else None
    intent_id = hint.get("id") if hint.get("object") == "payment_intent" else hint.get("payment_intent")
    noted = sa.or_(Payment.session_id == page_id if page_id else sa.false(), Payment.intent_id == intent_id if intent_id else sa.false())
    with reading() as session:
        found = session.scalar(sa.select(Payment.id).where(noted))
    if found is not None:
        return found
    page = _fetch_page(gateway(), page_id, intent_id)
    return None if page is None else _adopt_page(page)


def _fetch_page(door: Gateway, page_id: str | None, intent_id: str | None) -> SessionFacts | None:
    try:
        if page_id is not None:
            return door.session(page_id)
        return door.session_of_intent(intent_id) if intent_id is not None else None
    except NotFound:
        return None


def _adopt_page(page: SessionFacts) -> UUID | None:
    """Note the page's id on the payment it was opened for, if it is one of ours and has none yet."""
    try:
        payment_id = UUID(page.payment_id or "")
    except ValueError:
        return None
    with transaction() as session:
        payment = session.scalars(lock(sa.select(Payment).filter_by(id=payment_id))).first()
        if payment is None:
            return None
        if payment.session_id is None:
            payment.session_id = page.session_id
            stranger = difference(payment, page)
            if stranger:
                payment.session_id = None
                raise_alert(session, "payment_mismatch", key=str(payment.id), subject=payment.order_number, detail=stranger)
                return None
            payment.url = page.url
            if payment.status is PaymentStatus.REQUESTED:
                payment.move_to(PaymentStatus.OPEN)
            close_unwanted(session, payment)
        return payment.id if payment.session_id == page.session_id else None


def _without_page(payment: Payment) -> Payment:
    """No reply to the call that opens the page ever came; nobody has its address, so time ends it."""
    if payment.status not in LIVE or now() < payment.expires_at:
        return payment
    with transaction() as session:
        locked = session.scalars(lock(sa.select(Payment).filter_by(id=payment.id))).one()
        if locked.session_id is None and locked.status is PaymentStatus.REQUESTED:
            locked.move_to(PaymentStatus.EXPIRED)
        return locked


def _page_lost(payment: Payment) -> Payment:
    """Stripe does not know a page it gave us: another account's key, or a test account that was reset."""
    with transaction() as session:
        locked = session.scalars(lock(sa.select(Payment).filter_by(id=payment.id))).one()
        told = f"The payment provider does not know {locked.session_id} any more."
        raise_alert(session, "payment_page_lost", key=str(locked.id), subject=locked.order_number, detail=told)
        if locked.status in LIVE and now() >= locked.expires_at:
            locked.move_to(PaymentStatus.EXPIRED)
        return locked
