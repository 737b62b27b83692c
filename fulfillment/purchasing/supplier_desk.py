"""Suppliers who keep their word: the other side of the gate, for the demonstration's shop floor.

It drives in what is due and leaves the invoice, through the same services as a real truck and a real
letter. In the demonstration nobody waits for days, so `at_once` delivers what was ordered a moment ago.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.kernel.clock import today
from fulfillment.kernel.db import lock
from fulfillment.purchasing.models import OPEN, PurchaseOrder
from fulfillment.purchasing.service import receive_parts, record_supplier_invoice

AT_MOST = 10
"""Trucks at the gate in one transaction."""


def supplier_desk(session: Session, *, at_once: bool = False, at_most: int = AT_MOST) -> list[str]:
    """Deliver what is due today, or everything there is when `at_once`, with the suppliers' invoices; returns the order numbers."""
    statement = sa.select(PurchaseOrder).where(PurchaseOrder.status.in_(OPEN)).order_by(PurchaseOrder.due_on, PurchaseOrder.number)
    if not at_once:
        statement = statement.where(PurchaseOrder.due_on <= today())
    statement = lock(statement.limit(at_most), skip_locked=True).options(selectinload(PurchaseOrder.lines))
    due = list(session.scalars(statement))
    for order in due:
        receipt = receive_parts(
            session, order.number, {line.sku: line.missing for line in order.lines if line.missing}, key=f"{order.number}:truck",
        )
        record_supplier_invoice(session, order.number, f"{order.supplier_code}-{receipt.number}")
    return [order.number for order in due]
