"""The world outside on paper: cards are charged, refunds arrive and letters go out without a network.

For a house that is given a past: what the card provider would have told is settled by billing itself,
and the jobs that follow from each step are worked at once, in the session they were caused in.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.checkout import intend, opened
from fulfillment.billing.facts import IntentFacts, RefundFacts, SessionFacts, TransactionFacts
from fulfillment.billing.models import Payment, Refund
from fulfillment.billing.settling import settle
from fulfillment.kernel.clock import now
from fulfillment.kernel.jobs import HANDLERS, Job, JobState
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import settings

AT_ONCE = 200
SITE = "https://larkmill.example"


def fee_of(gross: Money) -> Money:
    """What a card provider keeps: 2.9 % and 30 cents."""
    return gross.times(29, 1000) + Money(30)


def pay(session: Session, number: str) -> None:
    """The customer pays the whole order by card."""
    payment = intend(session, number, f"{SITE}/paid", f"{SITE}/back")
    gross, fee = payment.amount, fee_of(payment.amount)
    charged = TransactionFacts(f"txn_{number}", "charge", gross, fee, gross - fee, now(), f"ch_{number}", f"pi_{number}")
    intent = IntentFacts(f"pi_{number}", "succeeded", gross, f"ch_{number}", "visa 4242", charged)
    page = _page(payment, f"cs_{number}", intent)
    opened(session, payment.id, page)
    settle(session, payment.id, page)


def _page(payment: Payment, session_id: str, intent: IntentFacts | None = None) -> SessionFacts:
    return SessionFacts(
        session_id, "complete", payment.amount, livemode=not settings().test_mode, order_number=payment.order_number,
        payment_id=str(payment.id), url=f"{SITE}/pay", intent=intent,
    )


def _send_refund(session: Session, *, refund_id: str) -> None:
    """The provider sends the money back; it keeps its fee."""
    refund = session.scalars(sa.select(Refund).filter_by(id=UUID(refund_id))).one()
    payment = session.scalars(sa.select(Payment).filter_by(id=refund.payment_id)).one()
    name, gone = f"re_{refund.key}", -refund.amount
    moved = TransactionFacts(f"txn_{refund.key}", "refund", gone, Money(0), gone, now(), name, payment.intent_id)
    sent = RefundFacts(name, "succeeded", refund.amount, refund.key, refund.attempt, (moved,))
    settle(session, payment.id, _page(payment, payment.session_id or ""), [sent])


def _deliver_mail(session: Session, *, mail_id: str) -> None:
    """The letter was read long ago."""
    session.execute(sa.update(Mail).filter_by(id=UUID(mail_id)).values(sent_at=now()))


def _close_page(_session: Session, *, payment_id: str) -> None:
    """Nobody can pay on a page of paper: there is nothing to close."""


ON_PAPER: dict[str, Callable[..., object]] = {
    "billing.send_refund": _send_refund, "billing.close_page": _close_page, "kernel.deliver_mail": _deliver_mail,
}
"""What is done outside of any transaction in a house with a network."""


def due(session: Session) -> list[Job]:
    """The next jobs that can be done within a session."""
    kinds = [*ON_PAPER, *(kind for kind, handler in HANDLERS.items() if handler.held)]
    waiting = sa.select(Job).where(Job.state == JobState.READY, Job.run_at <= now(), Job.kind.in_(kinds))
    return list(session.scalars(waiting.order_by(Job.run_at, Job.id).limit(AT_ONCE)))


def work(session: Session) -> int:
    """Do every job that is due, and those that follow from it; how many."""
    done = 0
    while jobs := due(session):
        for job in jobs:
            act = ON_PAPER.get(job.kind) or HANDLERS[job.kind].call
            act(session, **job.payload)
            job.state, job.done_at = JobState.DONE, now()
        session.flush()
        done += len(jobs)
    return done
