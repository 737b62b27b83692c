"""Looking without being told: webhooks get lost, customers close the window, people use the dashboard."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fulfillment.billing.clearing import store, unknown
from fulfillment.billing.facts import TransactionFacts
from fulfillment.billing.gateway import gateway
from fulfillment.billing.models import LIVE, BalanceTransaction, Dispute, DisputeStatus, Payment, Refund, RefundStatus
from fulfillment.billing.reconciling import find_payment, reconcile
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Unavailable
from fulfillment.ledger.service import post_all

log = structlog.get_logger()

BATCH = 40
"""Payments looked at in one sweep: it must end well within a job's lease."""
SLOW = timedelta(minutes=15)
"""How often we look at what takes the bank days: refunds on their way, open disputes."""
OVERLAP = timedelta(hours=1)
"""Stripe's list may lag behind itself: look this far behind what we have seen."""


def sweep_payments() -> int:
    """Reconcile every payment that may still change, the longest unseen first; how many were looked at.

    Ends quietly when Stripe is away. One payment that cannot be settled does not keep the others
    waiting: its error is raised when they are done.
    """
    with reading() as session:
        waiting = session.scalars(_unsettled()).all()
    broken: list[Exception] = []
    for done, payment in enumerate(waiting):
        try:
            reconcile(payment.id)
        except Unavailable as refusal:
            log.info("sweep ends early", looked_at=done, reason=str(refusal))
            return done
        except Exception as error:
            log.exception("payment not settled", payment=str(payment.id))
            broken.append(error)
    if broken:
        raise broken[0]
    return len(waiting)


def _unsettled() -> sa.Select[Payment]:
    moving = sa.select(Refund.payment_id).where(Refund.status == RefundStatus.PENDING)
    disputed = sa.select(Dispute.payment_id).where(Dispute.status == DisputeStatus.OPEN)
    slow = sa.and_(sa.or_(Payment.id.in_(moving), Payment.id.in_(disputed)), Payment.checked_at < now() - SLOW)
    by_age = (Payment.checked_at.asc().nulls_first(), Payment.id)
    return sa.select(Payment).where(sa.or_(Payment.status.in_(LIVE), slow)).order_by(*by_age).limit(BATCH)


def sweep_balance() -> int:
    """Adopt every movement of our balance at Stripe that we have not heard of; how many there were.

    A movement of one of our payments is settled with its payment, so that a dashboard refund or a
    dispute is noticed as well as booked; what belongs to none (payouts, fees) is booked as it is.
    """
    with reading() as session:
        since = _seen_until(session)
    listed = gateway().transactions(since)
    with reading() as session:
        fresh = unknown(session, [txn.txn_id for txn in listed])
    for txn in listed:
        if txn.txn_id in fresh:
            _adopt(txn)
    if listed:
        with transaction() as session:
            seen = [txn.txn_id for txn in listed]
            session.execute(sa.update(BalanceTransaction).where(BalanceTransaction.txn_id.in_(seen)).values(listed=True))
    return len(fresh)


def _seen_until(session: Session) -> datetime | None:
    newest = session.scalar(sa.select(sa.func.max(BalanceTransaction.created_at)).where(BalanceTransaction.listed))
    return None if newest is None else newest - OVERLAP


def _adopt(txn: TransactionFacts) -> None:
    if txn.intent_id is not None:
        payment_id = find_payment({"payment_intent": txn.intent_id})
        if payment_id is not None:
            reconcile(payment_id)
    with transaction() as session:  # one movement a transaction: whoever posts holds the lock on the books
        drafts = store(session, txn, None)
        if drafts:
            post_all(session, drafts)
