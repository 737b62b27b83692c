"""What billing does later and on its own: send refunds, work Stripe's events, look for what nobody told us."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing import clearing, inbox, refunding, sweeping
from fulfillment.billing.gateway import ProviderRefused, gateway
from fulfillment.billing.models import LIVE, Payment
from fulfillment.billing.reconciling import reconcile
from fulfillment.billing.refunds import refund_cancelled
from fulfillment.kernel.db import reading
from fulfillment.kernel.events import on
from fulfillment.kernel.jobs import every, outside
from fulfillment.ledger.events import EnteredByHand
from fulfillment.orders.events import OrderCancelled


@on(OrderCancelled)
def refund_order(session: Session, event: OrderCancelled) -> None:
    """A cancelled order is given back what was paid on it."""
    refund_cancelled(session, event.number)


@on(EnteredByHand)
def note_entry_by_hand(session: Session, event: EnteredByHand) -> None:
    """A movement of our balance that no rule booked may have its entry now."""
    clearing.booked_by_hand(session, event.source, event.by)


@outside("billing.send_refund")
def send_refund(*, refund_id: str) -> None:
    """Have Stripe send promised money."""
    refunding.send_refund(UUID(refund_id))


@outside("billing.handle_event")
def handle_event(*, event_id: str) -> None:
    """Look up what an event speaks of."""
    inbox.handle_event(event_id)


@outside("billing.close_page")
def close_page(*, payment_id: str) -> None:
    """Close a payment page nobody should pay on any more; when it was paid on just now, that is settled instead."""
    with reading() as session:
        payment = session.scalars(sa.select(Payment).filter_by(id=UUID(payment_id))).one()
    if payment.session_id is not None and payment.status in LIVE:
        with suppress(ProviderRefused):  # it is not open any more; reconcile sees what became of it
            gateway().expire_session(payment.session_id)
        reconcile(payment.id)


@every(minutes=1, kind="billing.sweep_payments")
@outside("billing.sweep_payments")
def sweep_payments() -> None:
    """Look at every open payment."""
    sweeping.sweep_payments()


@every(minutes=5, kind="billing.sweep_balance")
@outside("billing.sweep_balance")
def sweep_balance() -> None:
    """Look for movements of our balance that we were not told of."""
    sweeping.sweep_balance()
