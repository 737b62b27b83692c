"""Stripe's webhooks: verified, written down, answered; what they tell is looked up later.

The inbox row and its job are one transaction, so an event that was answered with 200 is worked at
some time, and one that came ten times is worked once.
"""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fulfillment.billing.facts import EventFacts
from fulfillment.billing.gateway import verify_event
from fulfillment.billing.models import InboxEvent
from fulfillment.billing.reconciling import find_payment, reconcile
from fulfillment.billing.sweeping import sweep_balance
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import insert, reading, transaction
from fulfillment.kernel.jobs import enqueue
from fulfillment.kernel.refusals import Unavailable
from fulfillment.kernel.settings import settings

log = structlog.get_logger()

ABOUT_PAYMENTS = ("checkout.session.", "payment_intent.", "charge.", "refund.")
ABOUT_BALANCE = ("payout.",)


class WebhookClosed(Unavailable):
    """No secret is configured, so no event could be verified: Stripe keeps it and tries again."""

    status: ClassVar[int] = 503


def receive_event(raw: bytes, signature: str) -> bool:
    """Take in one event; True when it is new and will be worked on, False when there is nothing to do. Answer 200 to both.

    Opens its own transaction. Raises BadEvent (400) and WebhookClosed (503); the refusal's `status` is the answer.
    """
    secret = settings().stripe_webhook_secret
    if not secret:
        raise WebhookClosed("Webhooks are not set up.")
    event = verify_event(raw, signature, secret)
    if event.livemode is settings().test_mode:
        log.warning("event of the other mode", event_id=event.event_id, livemode=event.livemode)
        return False
    if not event.kind.startswith(ABOUT_PAYMENTS + ABOUT_BALANCE):
        return False
    with transaction() as session:
        return _write_down(session, event)


def _write_down(session: Session, event: EventFacts) -> bool:
    statement = (
        insert(session, InboxEvent)
        .values(event_id=event.event_id, kind=event.kind, hint=event.hint, received_at=now())
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(InboxEvent.event_id)
    )
    if session.scalars(statement).first() is None:
        return False
    return enqueue(session, "billing.handle_event", key=f"stripe:{event.event_id}", event_id=event.event_id)


def handle_event(event_id: str) -> None:
    """Look up what an event speaks of; marked handled only when that succeeded. Safe to repeat."""
    with reading() as session:
        event = session.scalars(sa.select(InboxEvent).filter_by(event_id=event_id)).one()
    if event.handled_at is not None:
        return
    if event.kind.startswith(ABOUT_BALANCE):
        sweep_balance()
    else:
        payment_id = find_payment(event.hint)
        if payment_id is None:
            log.info("event about nothing of ours", event_id=event_id, kind=event.kind)
        else:
            reconcile(payment_id)
    with transaction() as session:
        session.execute(sa.update(InboxEvent).filter_by(event_id=event_id, handled_at=None).values(handled_at=now()))
