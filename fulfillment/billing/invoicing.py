"""Invoicing what was dispatched: the document, its right to the money, and the sale, in one act."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.invoice_document import draw
from fulfillment.billing.models import Invoice, Payment, PaymentStatus
from fulfillment.billing.refunds import deposit_left
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import lock
from fulfillment.kernel.money import Money
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.service import post_all
from fulfillment.orders.models import OrderLine, SalesOrder
from fulfillment.orders.service import note


def issue_invoice(session: Session, order_number: str, shipment_number: str, cost: Money) -> Invoice:
    """Invoice an order that left the house in this shipment; the same shipment again gives the same invoice.

    `cost` is what the shipped goods cost us, as it was moved to goods shipped and not invoiced. The sale is
    recognised here, because the dispatch comes first: recognised = min(dispatched, invoiced). Posts at the
    very end; takes the order's lock. Raises NotFound; WrongStatus when the order is invoiced already.
    Source: IFRS 15.38 and 15.108.
    """
    order = session.scalars(lock(sa.select(SalesOrder).filter_by(number=order_number))).first()
    if order is None:
        raise NotFound("There is no such order.")
    for issued in session.scalars(sa.select(Invoice).filter_by(order_number=order_number)):
        if issued.shipment_number == shipment_number:
            return issued
        raise WrongStatus("Order {number} is invoiced already: {invoice}.", number=order_number, invoice=issued.number)
    invoice = _write(session, order, shipment_number)
    session.add(invoice)
    session.flush()
    note(session, order, "invoiced", public=False, invoice=invoice.number)
    earned, tax = Money(invoice.net_minor + invoice.shipping_minor, invoice.currency), Money(invoice.tax_minor, invoice.currency)
    deposit = Money(invoice.deposit_minor, invoice.currency)
    drafts = [
        postings.invoice_issued(invoice.number, earned, tax, order_number=order_number),
        postings.sale_recognised(invoice.number, earned, cost, order_number=order_number),
    ]
    if deposit:
        drafts.append(postings.deposit_applied(invoice.number, deposit, order_number=order_number))
    post_all(session, drafts)
    return invoice


def _write(session: Session, order: SalesOrder, shipment_number: str) -> Invoice:
    lines = session.scalars(sa.select(OrderLine).filter_by(order_id=order.id).order_by(OrderLine.position))
    paying = sa.select(Payment).filter_by(order_number=order.number, status=PaymentStatus.PAID).order_by(Payment.paid_at, Payment.id)
    paid = session.scalars(paying).first()
    deposit = min(order.total, deposit_left(session, order.number, order.currency))
    return Invoice(
        number=next_number(session, "INV"), order_number=order.number, shipment_number=shipment_number, issued_on=today(),
        locale=order.locale, bill_to=order.bill_to, ship_to=order.ship_to,
        lines=[
            {"description": line.description, "quantity": line.quantity, "unit_minor": line.unit_price_minor, "net_minor": line.net_minor}
            for line in lines
        ],
        net_minor=order.net_minor, shipping_minor=order.shipping_minor, tax_minor=order.tax_minor, gross_minor=order.total_minor,
        deposit_minor=max(0, deposit.minor), currency=order.currency, paid_by=(paid.card or "") if paid else "",
    )


def find_invoice(session: Session, number: str) -> Invoice:
    """The invoice of this number. Raises NotFound."""
    invoice = session.scalars(sa.select(Invoice).filter_by(number=number)).first()
    if invoice is None:
        raise NotFound("There is no such invoice.")
    return invoice


def invoices_of(session: Session, order_number: str) -> list[Invoice]:
    """The invoices of an order, the oldest first."""
    return list(session.scalars(sa.select(Invoice).filter_by(order_number=order_number).order_by(Invoice.number)))


def invoice_pdf(session: Session, number: str) -> bytes:
    """The invoice as the customer gets it, in the order's language; the same bytes every time. Raises NotFound."""
    return draw(find_invoice(session, number))
