"""What Stripe says becomes what we know, in one transaction: forward only, compared before believed.

Everything that tells of a payment (webhook, return page, sweeper) comes here with freshly fetched
facts. Facts may be old or come in any order; a step already taken is not taken again, a step back
does not exist, and facts that are not about this payment change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.clearing import store
from fulfillment.billing.disputes import go_on, stop
from fulfillment.billing.facts import DisputeFacts, IntentFacts, RefundFacts, SessionFacts
from fulfillment.billing.letters import tell_of_refund
from fulfillment.billing.models import (
    LIVE,
    NEXT_REFUND,
    Dispute,
    DisputeStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from fulfillment.billing.refunds import close_pages, promise
from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.refusals import Unavailable
from fulfillment.kernel.settings import settings
from fulfillment.ledger import postings
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.service import post_all
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import note, record_payment

REFUND_STATUS = {
    "pending": RefundStatus.PENDING, "requires_action": RefundStatus.PENDING, "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED, "canceled": RefundStatus.FAILED,
}
DISPUTE_STATUS = {"won": DisputeStatus.WON, "warning_closed": DisputeStatus.WON, "lost": DisputeStatus.LOST}


def settle(
    session: Session, payment_id: UUID, page: SessionFacts, refunds: Sequence[RefundFacts] = (), disputes: Sequence[DisputeFacts] = ()
) -> Payment:
    """Bring a payment and its order up to what Stripe says.

    Raises Unavailable while the money is there but not yet in our balance at Stripe: ask again.
    """
    payment = session.scalars(lock(sa.select(Payment).filter_by(id=payment_id))).one()
    order = session.scalars(lock(sa.select(SalesOrder).filter_by(number=payment.order_number))).one()
    payment.checked_at = now()
    stranger = difference(payment, page)
    if stranger:
        raise_alert(session, "payment_mismatch", key=str(payment.id), subject=payment.order_number, detail=stranger)
        return payment
    drafts: list[Draft] = []
    if page.intent is not None and page.intent.status == "succeeded" and payment.status is not PaymentStatus.PAID:
        drafts += _take(session, payment, order, page.intent)
    elif page.status == "expired" and payment.status in LIVE:
        payment.move_to(PaymentStatus.EXPIRED)
    for refund in refunds:
        drafts += _settle_refund(session, payment, order, refund)
    for dispute in disputes:
        drafts += _settle_dispute(session, payment, order, dispute)
    if drafts:
        post_all(session, drafts)
    return payment


def difference(payment: Payment, page: SessionFacts) -> str:
    """Why this page is not the payment's; empty when it is. A wrong amount is ours all the same: the order tells."""
    expected = {
        "page": (payment.session_id, page.session_id), "payment": (str(payment.id), page.payment_id),
        "order": (payment.order_number, page.order_number), "live": (not settings().test_mode, page.livemode),
    }
    return "; ".join(f"{name} is {told!r}, not {ours!r}" for name, (ours, told) in expected.items() if ours != told)


def _take(session: Session, payment: Payment, order: SalesOrder, intent: IntentFacts) -> list[Draft]:
    """The money is here: it pays the order, or goes back because nothing waits for it."""
    if intent.transaction is None:
        raise Unavailable("The payment provider has not entered the payment in its books yet.")
    payment.move_to(PaymentStatus.PAID)
    payment.intent_id, payment.charge_id, payment.card = intent.intent_id, intent.charge_id, intent.card
    payment.paid_minor, payment.paid_currency, payment.paid_at = intent.received.minor, intent.received.currency, now()
    payment.url = None
    session.flush()
    drafts = store(session, intent.transaction, payment)
    others = session.scalars(sa.select(Payment).filter_by(order_number=order.number).order_by(Payment.attempt))
    close_pages(session, others)
    if order.status is OrderStatus.BOOKED:
        record_payment(session, order.number, payment.paid)
        return drafts
    reason = RefundReason.CANCELLED if order.status is OrderStatus.CANCELLED else RefundReason.EXCESS
    key = f"refund-{'cancel' if reason is RefundReason.CANCELLED else 'excess'}-{payment.id}"
    _, draft = promise(session, payment, order, payment.paid, key=key, reason=reason)
    return [*drafts, draft]


def _settle_refund(session: Session, payment: Payment, order: SalesOrder, facts: RefundFacts) -> list[Draft]:
    drafts: list[Draft] = []
    mine = sa.or_(Refund.refund_id == facts.refund_id, Refund.key == facts.refund_key)
    refund = session.scalars(sa.select(Refund).where(Refund.payment_id == payment.id, mine)).first()
    failed = refund.refund_id if refund is not None and refund.status is RefundStatus.FAILED else None
    if refund is None:
        refund, drafts = _adopt(session, payment, order, facts)
    if refund.refund_id is None and (facts.refund_key is None or facts.attempt == refund.attempt):
        refund.refund_id = facts.refund_id
    # Not an earlier attempt's, which may only have moved money; nor what was so before it failed.
    if refund.refund_id == facts.refund_id != failed:
        _move_refund(session, refund, order, REFUND_STATUS.get(facts.status, RefundStatus.PENDING))
    for txn in facts.transactions:
        drafts += store(session, txn, payment)
    return drafts


def _move_refund(session: Session, refund: Refund, order: SalesOrder, status: RefundStatus) -> None:
    if status not in NEXT_REFUND[refund.status]:
        return
    refund.move_to(status)
    if status is RefundStatus.SUCCEEDED:
        refund.settled_at = now()
        note(session, order, "refunded", amount_minor=refund.amount_minor, currency=refund.currency)
        tell_of_refund(session, order, refund)
    if status is RefundStatus.FAILED:
        fail(session, refund, "The customer's bank sent the refund back.")


def fail(session: Session, refund: Refund, why: str) -> None:
    """The money is still owed; a person decides how it goes back."""
    raise_alert(session, "refund_failed", key=refund.key, subject=refund.order_number, detail=f"Refund of {refund.amount}: {why}")


def _adopt(session: Session, payment: Payment, order: SalesOrder, facts: RefundFacts) -> tuple[Refund, list[Draft]]:
    """A refund somebody made in Stripe's dashboard: it settles one of ours that failed, or is one we did not know."""
    owed = sa.select(Refund).filter_by(payment_id=payment.id, status=RefundStatus.FAILED, amount_minor=facts.amount.minor)
    failed = session.scalars(owed.order_by(Refund.id)).first()
    told = f"A refund of {facts.amount} was made at the payment provider ({facts.refund_id})."
    raise_alert(session, "refund_adopted", key=facts.refund_id, subject=payment.order_number, detail=told)
    if failed is not None and facts.status == "succeeded":
        failed.refund_id = facts.refund_id
        resolve(session, "refund_failed", key=failed.key, by="the dashboard")
        return failed, []
    refund, draft = promise(session, payment, order, facts.amount, key=facts.refund_id, reason=RefundReason.DASHBOARD)
    return refund, [draft]


def _settle_dispute(session: Session, payment: Payment, order: SalesOrder, facts: DisputeFacts) -> list[Draft]:
    dispute = session.scalars(sa.select(Dispute).filter_by(dispute_id=facts.dispute_id)).first()
    fresh = dispute is None
    if dispute is None:
        dispute = Dispute(
            dispute_id=facts.dispute_id, payment_id=payment.id, order_number=payment.order_number, status=DisputeStatus.OPEN,
            reason=facts.reason, amount_minor=facts.amount.minor, currency=facts.amount.currency, opened_at=facts.opened_at,
        )
        session.add(dispute)
        session.flush()
        told = f"{facts.amount} is disputed ({facts.reason}). Send evidence at the payment provider."
        raise_alert(session, "dispute", key=facts.dispute_id, subject=payment.order_number, detail=told)
        note(session, order, "dispute_opened", public=False, amount_minor=facts.amount.minor, currency=facts.amount.currency)
    drafts = [draft for txn in facts.transactions for draft in store(session, txn, payment)]
    status = DISPUTE_STATUS.get(facts.status)
    if fresh and status is None:  # one that we first hear of when it is won stops nothing
        stop(session, order, dispute)
    if status is None or dispute.status is not DisputeStatus.OPEN:
        return drafts
    dispute.status, dispute.closed_at = status, now()
    resolve(session, "dispute", key=facts.dispute_id, by="the bank")
    note(session, order, f"dispute_{status.value}", public=False, amount_minor=dispute.amount_minor, currency=dispute.currency)
    session.flush()
    if status is DisputeStatus.WON:
        go_on(session, order)
    else:
        stop(session, order, dispute)
        drafts.append(postings.dispute_lost(payment.order_number, facts.dispute_id, dispute.amount))
    return drafts
