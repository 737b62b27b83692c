"""The history of an order. What is public in it is all a customer is ever told on the status page.

Kinds written here and by those who work on the order: received, payment_received, on_review,
review_passed, released, pre_production, kitting, build, test, rework, boxing, boxed, shipped,
delivered, date_moved, cancelled, refund_requested, refunded.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import now
from fulfillment.orders.models import OrderEvent, SalesOrder


def note(session: Session, order: SalesOrder, kind: str, *, public: bool = True, tag: str | None = None, **detail: object) -> None:
    """Write into the order's history; the detail is JSON. Nothing is ever taken out of it."""
    last = sa.select(sa.func.coalesce(sa.func.max(OrderEvent.position), 0)).where(OrderEvent.order_id == order.id).scalar_subquery()
    session.add(OrderEvent(order_id=order.id, position=last + 1, kind=kind, at=now(), tag=tag, detail=detail, public=public))


def timeline(session: Session, order: SalesOrder, *, all_of_it: bool = False) -> list[OrderEvent]:
    """The history as the customer sees it, oldest first; `all_of_it` for our own people."""
    statement = sa.select(OrderEvent).filter_by(order_id=order.id).order_by(OrderEvent.at, OrderEvent.position, OrderEvent.id)
    if not all_of_it:
        statement = statement.where(OrderEvent.public)
    return list(session.scalars(statement))
