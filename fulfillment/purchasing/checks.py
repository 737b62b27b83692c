"""What must be true of the gate."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import IncomingPart
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import BY_ITSELF, Finding, check, ties
from fulfillment.purchasing.models import OPEN, InvoiceStatus, PurchaseLine, PurchaseOrder, SupplierInvoice


@check("received, not invoiced")
def accruals_tie(session: Session) -> list[Finding]:
    """Goods received, not invoiced, is what came on purchase orders and is not charged yet."""
    accrued = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(PurchaseLine.accrued_minor), 0)))
    return ties(session, Account.GRNI, -Money(int(accrued or 0), SHOP_CURRENCY), to="the purchase orders")


@check("accounts payable")
def payables_tie(session: Session) -> list[Finding]:
    """Accounts payable are the suppliers' invoices that are booked and not paid."""
    booked = sa.select(sa.func.coalesce(sa.func.sum(SupplierInvoice.amount_minor), 0)).filter_by(status=InvoiceStatus.BOOKED)
    owed = -Money(int(session.scalar(booked) or 0), SHOP_CURRENCY)
    return ties(session, Account.PAYABLE, owed, to="suppliers' invoices", besides=("supplier_paid", *BY_ITSELF))


@check("parts on their way")
def incoming_ties(session: Session) -> list[Finding]:
    """What is on its way is what open purchase orders still lack."""
    lacking = (
        sa.select(PurchaseOrder.number, PurchaseLine.sku, (PurchaseLine.quantity - PurchaseLine.received).label("missing"))
        .join(PurchaseLine, PurchaseLine.purchase_order_id == PurchaseOrder.id)
        .where(PurchaseOrder.status.in_(OPEN), PurchaseLine.quantity > PurchaseLine.received)
        .order_by(PurchaseOrder.number, PurchaseLine.sku)
    )
    expected = sa.select(IncomingPart.source, IncomingPart.sku, IncomingPart.quantity).order_by(IncomingPart.source, IncomingPart.sku)
    missing = {(number, sku): quantity for number, sku, quantity in session.execute(lacking)}
    coming = {(source, sku): quantity for source, sku, quantity in session.execute(expected)}
    return [
        Finding(f"{missing.get(key, 0)} of {key[1]} are still to come on {key[0]}, {coming.get(key, 0)} are on their way", key[0])
        for key in sorted(missing.keys() | coming.keys()) if missing.get(key, 0) != coming.get(key, 0)
    ]
