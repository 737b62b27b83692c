"""Promising money back: the promise, its key and its entry are one act; the call to Stripe comes after it.

Whoever promises holds the payment's lock, so five requests at once see each other's promises.
Locks are always taken in the same order: payments, then the order, then the books.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.models import (
    LIVE,
    Dispute,
    DisputeStatus,
    Invoice,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.jobs import enqueue
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.service import post
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import note


class NotRefundable(Refusal):
    """More than is left of the payment, or the bank is deciding over it."""

    status: ClassVar[int] = 409


def request_refund(
    session: Session, payment_id: UUID, amount: Money, *, key: str, reason: RefundReason = RefundReason.GOODWILL
) -> Refund:
    """Promise to send `amount` back; the same key is the same promise.

    Raises NotRefundable, WrongStatus for a payment that never came, Conflict for a key used otherwise.
    """
    payment = session.scalars(lock(sa.select(Payment).filter_by(id=payment_id))).first()
    if payment is None:
        raise NotFound("There is no such payment.")
    order = session.scalars(lock(sa.select(SalesOrder).filter_by(number=payment.order_number))).one()
    known = session.scalars(sa.select(Refund).filter_by(key=key)).first()
    if known is not None:
        if known.payment_id != payment_id or known.amount != amount:
            raise Conflict("This refund was already requested with another amount.")
        return known
    if payment.status is not PaymentStatus.PAID:
        raise WrongStatus("This payment was never received, so nothing can be sent back.")
    if is_disputed(session, payment):
        raise NotRefundable("The card holder's bank is deciding over this payment; it cannot be refunded.")
    left = refundable(session, payment)
    if amount.currency != left.currency or not Money(0, left.currency) < amount <= left:
        raise NotRefundable("Only {left} of this payment is left to refund.", left=left)
    refund, draft = promise(session, payment, order, amount, key=key, reason=reason)
    post(session, draft)
    return refund


def promise(
    session: Session, payment: Payment, order: SalesOrder, amount: Money, *, key: str, reason: RefundReason
) -> tuple[Refund, Draft]:
    """Write the refund down and have it sent; the caller holds both locks and posts the entry."""
    invoiced = deposit_left(session, payment.order_number, amount.currency) < amount
    refund = Refund(
        key=key, attempt=1, payment_id=payment.id, order_number=payment.order_number, reason=reason, status=RefundStatus.REQUESTED,
        amount_minor=amount.minor, currency=amount.currency, invoiced=invoiced, created_at=now(),
    )
    session.add(refund)
    session.flush()
    if reason is not RefundReason.DASHBOARD:
        _send_later(session, refund)
    note(session, order, "refund_requested", amount_minor=amount.minor, currency=amount.currency, reason=reason.value)
    return refund, postings.refund_requested(payment.order_number, key, amount, invoiced=invoiced)


def _send_later(session: Session, refund: Refund) -> None:
    enqueue(session, "billing.send_refund", key=f"refund:{refund.call_key}", refund_id=str(refund.id))


def retry_refund(session: Session, refund_id: UUID) -> Refund:
    """Send a refund that failed once more, under a new key. Raises WrongStatus when it has not failed."""
    refund = session.scalars(lock(sa.select(Refund).filter_by(id=refund_id))).first()
    if refund is None:
        raise NotFound("There is no such refund.")
    refund.move_to(RefundStatus.REQUESTED)
    refund.attempt += 1
    refund.refund_id = None
    resolve(session, "refund_failed", key=refund.key)
    _send_later(session, refund)
    return refund


def refund_cancelled(session: Session, order_number: str) -> list[Refund]:
    """Give everything back that was paid on a cancelled order, and close the page if one is still open.

    A second call finds the first one's promises.
    """
    payments = session.scalars(lock(sa.select(Payment).filter_by(order_number=order_number).order_by(Payment.attempt))).all()
    close_pages(session, payments)
    promised = []
    for payment in payments:
        left = refundable(session, payment)
        if payment.status is not PaymentStatus.PAID or not left:
            continue
        if is_disputed(session, payment):
            told = f"The order was cancelled while the bank decides over its payment of {left}."
            raise_alert(session, "refund_blocked", key=order_number, subject=order_number, detail=told)
            continue
        promised.append(request_refund(session, payment.id, left, key=f"refund-cancel-{payment.id}", reason=RefundReason.CANCELLED))
    return promised


def close_pages(session: Session, payments: Iterable[Payment]) -> None:
    """Nobody should pay on these any more. A page that is still being opened is closed by whoever notes it (`close_unwanted`)."""
    for payment in payments:
        if payment.status in LIVE and payment.session_id is not None:
            enqueue(session, "billing.close_page", key=f"close:{payment.id}:{payment.session_id}", payment_id=str(payment.id))


def close_unwanted(session: Session, payment: Payment) -> bool:
    """The payment's page has just been noted: close it when its order waits for no payment any more; whether it does not.

    The caller holds the payment's lock. The order's makes whoever ends the waiting see the page, or us see the end.
    """
    status = session.scalars(lock(sa.select(SalesOrder.status).filter_by(number=payment.order_number))).one()
    if status is OrderStatus.BOOKED:
        return False
    close_pages(session, [payment])
    return True


def refundable(session: Session, payment: Payment) -> Money:
    """What has been received, not been promised back, and not been taken by the bank."""
    promised = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)).where(Refund.payment_id == payment.id)
    taken = sa.select(sa.func.coalesce(sa.func.sum(Dispute.amount_minor), 0)).where(
        Dispute.payment_id == payment.id, Dispute.status != DisputeStatus.WON
    )
    gone = int(session.scalar(promised) or 0) + int(session.scalar(taken) or 0)
    return Money(max(0, payment.paid_minor - gone), payment.paid.currency)


def is_disputed(session: Session, payment: Payment) -> bool:
    """Whether the bank has taken this payment, for now or for good."""
    found = sa.select(Dispute.id).where(Dispute.payment_id == payment.id, Dispute.status != DisputeStatus.WON)
    return session.scalars(found).first() is not None


def deposit_left(session: Session, order_number: str, currency: str) -> Money:
    """What the customer has paid on the order and has neither got back nor had applied to an invoice."""
    paid = sa.select(sa.func.coalesce(sa.func.sum(Payment.paid_minor), 0)).where(
        Payment.order_number == order_number, sa.func.coalesce(Payment.paid_currency, Payment.currency) == currency
    )
    back = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)).where(
        Refund.order_number == order_number, Refund.currency == currency, Refund.invoiced.is_(sa.false())
    )
    sold = sa.select(sa.func.coalesce(sa.func.sum(Invoice.deposit_minor), 0)).where(
        Invoice.order_number == order_number, Invoice.currency == currency
    )
    return Money(int(session.scalar(paid) or 0) - int(session.scalar(back) or 0) - int(session.scalar(sold) or 0), currency)
