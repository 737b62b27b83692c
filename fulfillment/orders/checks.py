"""What must be true of the order book."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.ledger.checks import Finding, check
from fulfillment.orders.models import OrderLine, SalesOrder


@check("order figures")
def orders_add_up(session: Session) -> list[Finding]:
    """Every order's net and tax are the sums of its lines', with the tax on the delivery."""
    sums = (
        sa.select(OrderLine.order_id, sa.func.sum(OrderLine.net_minor).label("net"), sa.func.sum(OrderLine.tax_minor).label("tax"))
        .group_by(OrderLine.order_id)
        .subquery()
    )
    wrong = (
        sa.select(SalesOrder.number)
        .outerjoin(sums, sums.c.order_id == SalesOrder.id)
        .where(sa.or_(
            sums.c.order_id.is_(None), SalesOrder.net_minor != sums.c.net,
            SalesOrder.tax_minor != sums.c.tax + SalesOrder.shipping_tax_minor,
        ))
        .order_by(SalesOrder.number)
    )
    return [Finding(f"the figures of {number} are not those of its lines", number) for number in session.scalars(wrong)]
