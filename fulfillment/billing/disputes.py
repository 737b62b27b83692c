"""A disputed payment stops the order it paid for: before the factory by a hold, after that at the dock.

The bank has the money until it decides. An order that it gives us the money back for goes on by
itself; one that lost its payment waits for a person, who may let it go all the same.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.models import Dispute, DisputeStatus
from fulfillment.kernel.alerts import is_open, raise_alert
from fulfillment.kernel.refusals import WrongStatus
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import held_by, hold_order, release_from_review

THE_BANK = "the bank"
"""Who holds a disputed order, and who lets it go."""
PAYMENT_LOST = "payment_lost"
"""The alert of an order in the factory that is not paid any more; it may leave when somebody has resolved it."""

UNDECIDED = "The customer's bank decides over the payment of order {number}. Keep it here until the dispute is closed."
UNPAID = "The payment of order {number} was lost in a dispute. It may leave when somebody has resolved the alert about it."


def stop(session: Session, order: SalesOrder, dispute: Dispute) -> None:
    """Hold an order that nobody has begun; one in the factory is built, and refused at the dock. The caller has its lock."""
    lost = dispute.status is DisputeStatus.LOST
    told = f"{dispute.amount} of its payment {'was lost in a dispute' if lost else 'is disputed'} ({dispute.reason})."
    if order.status is OrderStatus.PAID:
        hold_order(session, order.number, told, THE_BANK, write=False)
    elif lost and order.status is OrderStatus.IN_PRODUCTION:
        raise_alert(session, PAYMENT_LOST, key=order.number, subject=order.number, detail=f"{told} Resolve this to let it leave unpaid.")


def go_on(session: Session, order: SalesOrder) -> None:
    """The money is back: what was held for the dispute is not held any more, unless there is another. The caller has its lock."""
    if held_by(session, order) == THE_BANK and not _has(session, order.number, DisputeStatus.OPEN, DisputeStatus.LOST):
        release_from_review(session, order.number, "The dispute is closed, the money is back.", THE_BANK)


def refuse_disputed(session: Session, order_number: str) -> None:
    """What the truck must not take. Raises WrongStatus while the bank decides, and when it took the money for good."""
    if _has(session, order_number, DisputeStatus.OPEN):
        raise WrongStatus(UNDECIDED, number=order_number)
    if is_open(session, PAYMENT_LOST, key=order_number):
        raise WrongStatus(UNPAID, number=order_number)


def must_stay(session: Session, order_number: str) -> bool:
    """Whether `refuse_disputed` refuses it."""
    return _has(session, order_number, DisputeStatus.OPEN) or is_open(session, PAYMENT_LOST, key=order_number)


def _has(session: Session, order_number: str, *statuses: DisputeStatus) -> bool:
    found = sa.select(Dispute.id).where(Dispute.order_number == order_number, Dispute.status.in_(statuses))
    return session.scalars(found).first() is not None
