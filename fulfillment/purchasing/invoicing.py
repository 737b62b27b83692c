"""A supplier's invoice against what was ordered and what came: all three agree, or a person looks.

Only pieces that came and are not charged yet can be charged, at the price that was agreed. Then the
accrual of the receipt becomes a debt; what the price differs from standard cost is a variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.money import Money, rounded, total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.service import post
from fulfillment.purchasing.models import InvoiceStatus, PurchaseLine, PurchaseOrder, PurchaseStatus, SupplierInvoice

MISMATCH = "supplier_invoice_mismatch"
"""The alert of an invoice that is held."""


class WrongSum(Refusal):
    """The lines of an invoice do not come to its total: something was read or typed wrongly."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A line of a supplier's invoice."""

    sku: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class Paper:
    """What an invoice says of itself."""

    total: Money
    dated_on: date


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where an invoice does not agree: quantities in pieces, prices in minor units."""

    sku: str
    problem: str
    """not_ordered, quantity or price."""
    ours: int
    theirs: int


def match(lines: Sequence[PurchaseLine], charged: Sequence[Charged]) -> list[Mismatch]:
    """Every disagreement of an invoice with order and receipts; an empty list is a match. Pure."""
    ours = {line.sku: line for line in lines}
    left = {line.sku: line.uninvoiced for line in lines}
    found = []
    for charge in charged:
        line = ours.get(charge.sku)
        if line is None:
            found.append(Mismatch(charge.sku, "not_ordered", 0, charge.quantity))
            continue
        if not 0 < charge.quantity <= left[charge.sku]:
            found.append(Mismatch(charge.sku, "quantity", left[charge.sku], charge.quantity))
        left[charge.sku] -= charge.quantity
        if charge.unit_price != line.unit_cost:
            found.append(Mismatch(charge.sku, "price", line.unit_cost_minor, charge.unit_price.minor))
    return found


def record_supplier_invoice(
    session: Session, po_number: str, supplier_ref: str, charged: Sequence[Charged] | None = None, *, paper: Paper | None = None,
) -> SupplierInvoice:
    """Take a supplier's invoice in: booked when it agrees with order and receipts, held with an alert when not.

    `charged` left out means: all that came and is not charged, at the agreed prices. The same
    reference again is the same invoice. Raises NotFound, Refusal when there is nothing to charge,
    WrongSum, Conflict when the reference came before with another content.
    """
    order = _locked(session, po_number)
    known = session.scalars(sa.select(SupplierInvoice).filter_by(supplier_code=order.supplier_code, reference=supplier_ref)).first()
    if known is not None:
        return _same(known, po_number, charged)
    if charged is None:
        charged = [Charged(line.sku, line.uninvoiced, line.unit_cost) for line in order.lines if line.uninvoiced]
    if not charged:
        raise Refusal("There is nothing to charge on purchase order {number}.", number=po_number)
    mismatches = match(order.lines, charged)
    amount = total((charge.unit_price * charge.quantity for charge in charged), order.currency)
    if paper and paper.total != amount:
        raise WrongSum(
            "The lines come to {amount}, the invoice to {printed}. Check quantities and prices.", amount=amount, printed=paper.total,
        )
    invoice = SupplierInvoice(
        number=next_number(session, "SI"), reference=supplier_ref, dated_on=paper.dated_on if paper else None,
        supplier_code=order.supplier_code, po_number=po_number, status=InvoiceStatus.HELD, lines=_lines(charged),
        amount_minor=amount.minor, currency=order.currency, reasons=[asdict(mismatch) for mismatch in mismatches], received_at=now(),
    )
    session.add(invoice)
    session.flush()
    if mismatches:
        told = "; ".join(f"{m.sku}: {m.problem}, ours {m.ours}, theirs {m.theirs}" for m in mismatches)
        raise_alert(session, MISMATCH, key=invoice.number, subject=f"{po_number} {supplier_ref}", detail=told)
    else:
        _book(session, order, invoice, by="three-way match")
    return invoice


def approve_invoice(session: Session, number: str, by: str) -> SupplierInvoice:
    """Accept the prices of a held invoice: the difference becomes a variance. What did not come is never accepted.

    Raises NotFound, WrongStatus for an invoice that is not held, Refusal while pieces are charged that did not come.
    """
    held = _held(session, number)
    order = _locked(session, held.po_number)
    _held(session, number)  # again, under the order's lock
    charged = [Charged(line["sku"], line["qty"], Money(line["unit_cost_minor"], held.currency)) for line in held.lines]
    if wrong := [m for m in match(order.lines, charged) if m.problem != "price"]:
        raise Refusal(
            "{theirs} of {sku} are charged, {ours} came that are not charged yet. Send the invoice back.", theirs=wrong[0].theirs,
            sku=wrong[0].sku, ours=wrong[0].ours,
        )
    _book(session, order, held, by=by)
    resolve(session, MISMATCH, key=number, by=by)
    return held


def reject_invoice(session: Session, number: str, by: str) -> SupplierInvoice:
    """Send a held invoice back; nothing of it was booked. Raises NotFound, WrongStatus."""
    held = _held(session, number)
    held.status = InvoiceStatus.REJECTED
    resolve(session, MISMATCH, key=number, by=by)
    return held


def _book(session: Session, order: PurchaseOrder, invoice: SupplierInvoice, by: str) -> None:
    """Turn the accruals of the charged pieces into a debt."""
    lines = {line.sku: line for line in order.lines}
    accrued = 0
    for charge in invoice.lines:
        line = lines[charge["sku"]]
        share = rounded(line.accrued_minor * charge["qty"], line.uninvoiced)
        line.accrued_minor -= share
        line.invoiced += charge["qty"]
        accrued += share
    invoice.status, invoice.booked_at, invoice.booked_by = InvoiceStatus.BOOKED, now(), by
    if order.status is PurchaseStatus.RECEIVED and not any(line.uninvoiced for line in order.lines):
        order.move_to(PurchaseStatus.CLOSED)
    session.flush()
    received = Money(accrued, invoice.currency)
    if invoice.amount or received:
        post(session, postings.supplier_invoiced(invoice.number, invoice.amount, received=received, order_number=order.number))


def _lines(charged: Sequence[Charged]) -> list[dict[str, object]]:
    return [{"sku": charge.sku, "qty": charge.quantity, "unit_cost_minor": charge.unit_price.minor} for charge in charged]


def _same(known: SupplierInvoice, po_number: str, charged: Sequence[Charged] | None) -> SupplierInvoice:
    if known.po_number != po_number or (charged is not None and known.lines != _lines(charged)):
        raise Conflict("Invoice {reference} came before with another content, as {number}.", reference=known.reference, number=known.number)
    return known


def _locked(session: Session, po_number: str) -> PurchaseOrder:
    statement = lock(sa.select(PurchaseOrder).filter_by(number=po_number)).execution_options(populate_existing=True)
    order = session.scalars(statement.options(selectinload(PurchaseOrder.lines))).first()
    if order is None:
        raise NotFound("There is no purchase order {number}.", number=po_number)
    return order


def _held(session: Session, number: str) -> SupplierInvoice:
    statement = lock(sa.select(SupplierInvoice).filter_by(number=number)).execution_options(populate_existing=True)
    invoice = session.scalars(statement).first()
    if invoice is None:
        raise NotFound("There is no supplier's invoice {number}.", number=number)
    if invoice.status is not InvoiceStatus.HELD:
        raise WrongStatus("Invoice {number} is {status}, not held.", number=number, status=invoice.status)
    return invoice
