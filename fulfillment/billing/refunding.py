"""Sending promised money back: look whether it went already, else ask with the promise's own key."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from fulfillment.billing.gateway import CardRefused, ProviderRefused, gateway
from fulfillment.billing.models import Payment, Refund, RefundStatus
from fulfillment.billing.reconciling import reconcile
from fulfillment.billing.settling import fail
from fulfillment.kernel.db import lock, reading, transaction
from fulfillment.kernel.refusals import NotFound


def send_refund(refund_id: UUID) -> None:
    """Have Stripe send the money; safe to repeat. Raises Unavailable when Stripe does not answer.

    Stripe forgets a key after a day, our promise does not: hence the look before the call.
    """
    with reading() as session:
        refund = session.scalars(sa.select(Refund).filter_by(id=refund_id)).one()
        payment = session.scalars(sa.select(Payment).filter_by(id=refund.payment_id)).one()
    if refund.status is not RefundStatus.REQUESTED or payment.intent_id is None:
        return
    door = gateway()
    known = {(sent.refund_key, sent.attempt) for sent in door.refunds(payment.intent_id)}
    if (refund.key, refund.attempt) not in known:
        metadata = {"refund": refund.key, "attempt": str(refund.attempt), "order": refund.order_number}
        try:
            door.refund(payment.intent_id, refund.amount, metadata, refund.call_key)
        except (ProviderRefused, CardRefused, NotFound) as refusal:
            _refused(refund_id, refund.attempt, str(refusal))
            return
    reconcile(payment.id)


def _refused(refund_id: UUID, attempt: int, why: str) -> None:
    with transaction() as session:
        refund = session.scalars(lock(sa.select(Refund).filter_by(id=refund_id))).one()
        if refund.status is RefundStatus.REQUESTED and refund.attempt == attempt:
            refund.move_to(RefundStatus.FAILED)
            fail(session, refund, why)
