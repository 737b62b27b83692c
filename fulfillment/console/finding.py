"""Whatever number somebody scans or types: which page of the desks it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.orm import Session

from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.service import find_unit
from fulfillment.billing.models import Invoice
from fulfillment.inventory.models import StockMove
from fulfillment.kernel.refusals import NotFound
from fulfillment.purchasing.models import GoodsReceipt, SupplierInvoice
from fulfillment.shipping.models import Shipment

Finder = Callable[[Session, str], str | None]


def _order(_session: Session, number: str) -> str:
    return url_for("console.order", number=number)


def _purchase_order(_session: Session, number: str) -> str:
    return url_for("console.purchase_order", number=number)


def _work_order(session: Session, number: str) -> str | None:
    tag = session.scalar(sa.select(WorkOrder.tag).filter_by(number=number))
    return url_for("console.unit", tag=tag) if tag else None


def order_of_shipment(session: Session, number: str) -> str | None:
    """The order of a shipment, by its number or the carrier's."""
    return session.scalar(sa.select(Shipment.order_number).where(sa.or_(Shipment.number == number, Shipment.tracking == number)))


def _shipment(session: Session, number: str) -> str | None:
    order = order_of_shipment(session, number)
    return url_for("console.dispatch_order", number=order) if order else None


def _invoice(session: Session, number: str) -> str | None:
    known = session.scalar(sa.select(Invoice.number).filter_by(number=number))
    return url_for("console.invoice_document", number=number) if known else None


def _receipt(session: Session, number: str) -> str | None:
    order = session.scalar(sa.select(GoodsReceipt.po_number).filter_by(number=number))
    return url_for("console.purchase_order", number=order) if order else None


def _supplier_invoice(session: Session, number: str) -> str | None:
    order = session.scalar(sa.select(SupplierInvoice.po_number).filter_by(number=number))
    return url_for("console.purchase_order", number=order) if order else None


def _count(session: Session, number: str) -> str | None:
    sku = session.scalar(sa.select(StockMove.sku).filter_by(source=number))
    return url_for("console.stock_part", sku=sku) if sku else None


FINDERS: Mapping[str, Finder] = {
    "SO": _order, "PO": _purchase_order, "WO": _work_order, "SH": _shipment, "INV": _invoice, "GR": _receipt, "SI": _supplier_invoice,
    "SC": _count,
}
"""By the letters a number begins with."""

NUMBERED = re.compile(r"([A-Z]{2,3})-[0-9]{4}-[0-9]{6,}")


def page_of(session: Session, text: str) -> str:
    """The address for a number, a tag or a tracking number. Raises NotFound, NotATag."""
    wanted = text.strip().upper()[:80]
    match = NUMBERED.fullmatch(wanted)
    if match is not None and match[1] in FINDERS:
        found = FINDERS[match[1]](session, wanted)
        if found is None:
            raise NotFound("There is no {number}.", number=wanted)
        return found
    return _shipment(session, wanted) or url_for("console.unit", tag=find_unit(session, wanted).tag)


def knows(document: str) -> bool:
    """Whether a document of the books has a page here."""
    match = NUMBERED.fullmatch(document)
    return match is not None and match[1] in FINDERS
