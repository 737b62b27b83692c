"""Papers: the traveller, the pick list, labels, packing slips, invoices. Each opens with the desk that needs it."""

from __future__ import annotations

import sqlalchemy as sa
from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from fulfillment.assembly.documents import pick_list, traveller, unit_label
from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.service import find_unit
from fulfillment.billing.invoicing import invoice_pdf
from fulfillment.console.desk import bp
from fulfillment.kernel.db import reading
from fulfillment.kernel.i18n import current_locale
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.web import document, needs
from fulfillment.orders.models import SalesOrder
from fulfillment.shipping.documents import packing_slip, shipping_label
from fulfillment.shipping.service import boxes_of, shipment_by_number

MOST_TOTES = 24


@bp.get("/documents/traveller/<tag>.pdf")
@needs("desk")
def traveller_document(tag: str) -> ResponseReturnValue:
    """The sheet that travels with a machine."""
    with reading() as session:
        unit = find_unit(session, tag)
        count = session.scalar(sa.select(sa.func.count()).select_from(WorkOrder).filter_by(line_id=unit.line_id)) or 1
    return document(traveller(unit, of=count, language=current_locale()), f"traveller-{unit.tag}.pdf")


@bp.get("/documents/pick-list.pdf")
@needs("kitting")
def pick_list_document() -> ResponseReturnValue:
    """One walk along the shelves for the machines named in the address."""
    with reading() as session:
        units = [find_unit(session, tag) for tag in request.args.getlist("tag")[:MOST_TOTES]]
    if not units:
        raise NotFound("Choose the machines you want to pick parts for.")
    return document(pick_list(units, language=current_locale()), "pick-list.pdf")


@bp.get("/documents/unit-label/<tag>.pdf")
@needs("desk")
def unit_label_document(tag: str) -> ResponseReturnValue:
    """The label on the machine's back."""
    with reading() as session:
        unit = find_unit(session, tag)
    return document(unit_label(unit, language=current_locale()), f"label-{unit.tag}.pdf")


@bp.get("/documents/packing-slip/<number>.pdf")
@needs("dispatch")
def packing_slip_document(number: str) -> ResponseReturnValue:
    """The packing slip, for the dock."""
    with reading() as session:
        return _packing_slip(session, number)


@bp.get("/orders/packing-slip/<number>.pdf")
@needs("orders")
def packing_slip_of_order(number: str) -> ResponseReturnValue:
    """The packing slip, for those who look after the order."""
    with reading() as session:
        return _packing_slip(session, number)


def _packing_slip(session: Session, number: str) -> ResponseReturnValue:
    shipment = shipment_by_number(session, number)
    language = session.scalars(sa.select(SalesOrder.locale).filter_by(id=shipment.order_id)).one()
    return document(packing_slip(shipment, boxes_of(session, shipment), language=language), f"{shipment.number}.pdf")


@bp.get("/documents/box-label/<number>/<int:box>.pdf")
@needs("dispatch")
def box_label_document(number: str, box: int) -> ResponseReturnValue:
    """The carrier's label of one box."""
    with reading() as session:
        shipment = shipment_by_number(session, number)
        boxes = boxes_of(session, shipment)
    wanted = next((each for each in boxes if each.number == box), None)
    if wanted is None:
        raise NotFound("There is no box {box} in {number}.", box=box, number=number)
    return document(shipping_label(shipment, wanted, of=len(boxes)), f"{shipment.number}-{box}.pdf")


@bp.get("/orders/invoices/<number>.pdf")
@needs("orders")
def invoice_document(number: str) -> ResponseReturnValue:
    """The invoice as the customer has it."""
    with reading() as session:
        return document(invoice_pdf(session, number), f"{number}.pdf")
