"""The dispatch desk: boxes onto the truck, papers to the driver; and what the carriers say afterwards."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.assembly.service import find_release, find_unit, missing_parts, units_of
from fulfillment.console.audit import record_act
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.desks.stations import sheet_of_request
from fulfillment.console.finding import NUMBERED, order_of_shipment
from fulfillment.console.forms import TrackingForm
from fulfillment.console.scanning import Sheet
from fulfillment.console.words import state
from fulfillment.customers.address import Address
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.web import needs
from fulfillment.shipping import service as shipping
from fulfillment.shipping.carriers import CARRIERS
from fulfillment.shipping.models import Shipment, ShipmentStatus
from fulfillment.shipping.tracking import ON_THE_WAY

WATCHED = (ShipmentStatus.EXCEPTION, ShipmentStatus.DISPATCHED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY)


class NotLoaded(Refusal):
    """A box was not confirmed to be on the truck."""


@bp.get("/dispatch")
@needs("dispatch")
def dispatch() -> ResponseReturnValue:
    """What waits at the dock, and what is on its way."""
    wanted = request.args.get("tag", "").strip()
    refusal: Refusal | None = None
    with reading() as session:
        if wanted:
            try:
                return redirect(url_for("console.dispatch_order", number=_order_of(session, wanted)), 303)
            except Refusal as no:
                refusal = no
        ready = shipping.ready_to_ship(session)
        moving = [shipment for status in WATCHED for shipment in shipping.on_the_way(session, status, limit=20)]
    page = render_template("console/dispatch.html", ready=ready, moving=moving, carriers=CARRIERS, refusal=refusal, wanted=wanted)
    return page, refusal.status if refusal else 200


def _order_of(session: Session, text: str) -> str:
    """The order of a number, a tracking number or a tag. Raises NotFound, NotATag."""
    wanted = text.strip().upper()[:80]
    if wanted.startswith("SO-") and NUMBERED.fullmatch(wanted):
        return wanted
    return order_of_shipment(session, wanted) or find_unit(session, wanted).order_number


@bp.route("/dispatch/<number>", methods=["GET", "POST"])
@needs("dispatch")
def dispatch_order(number: str) -> ResponseReturnValue:
    """One order at the dock: its boxes, its papers, its carrier."""
    sheet = sheet_of_request()
    if request.method == "POST" and (answer := _send(number, sheet)):
        return answer
    with reading() as session:
        shipment = shipping.find_shipment(session, number)
        if shipment is None:
            return _not_ready(session, number, sheet)
        boxes = shipping.boxes_of(session, shipment)
        heard = shipping.tracking_of(session, shipment)
    page = render_template(
        "console/dispatch_order.html", shipment=shipment, boxes=boxes, heard=heard, sheet=sheet, carrier=CARRIERS[shipment.carrier],
        address=Address.from_json(shipment.ship_to), form=_tracking_form(),
    )
    return page, sheet.status


def _not_ready(session: Session, number: str, sheet: Sheet) -> ResponseReturnValue:
    """An order whose machines or items are not all there yet."""
    release = find_release(session, number)
    if release is None:
        raise NotFound("There is no order {number} at the dock.", number=number)
    units, missing = units_of(session, number), missing_parts(session, number)
    return render_template("console/not_ready.html", release=release, units=units, missing=missing, sheet=sheet), max(sheet.status, 409)


def _send(number: str, sheet: Sheet) -> ResponseReturnValue | None:
    try:
        with transaction() as session:
            shipment = shipping.find_shipment(session, number)
            boxes = shipping.boxes_of(session, shipment) if shipment else []
            left = [str(box.number) for box in boxes if str(box.number) not in sheet.confirmed]
            if left:
                raise NotLoaded("Not on the truck yet: box {boxes}.", boxes=", ".join(left))
            shipment = shipping.dispatch(session, number, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    return done("console.dispatch", _("%(order)s has left with tracking number %(tracking)s.", order=number, tracking=shipment.tracking))


def _tracking_form() -> TrackingForm:
    form = TrackingForm(request.form if request.endpoint == "console.tracking" else None)
    form.status.choices = [(status.value, state(status)) for status in ShipmentStatus if status in ON_THE_WAY]
    if not form.key.data:
        form.key.data = secret_token()
    return form


@bp.post("/dispatch/<number>/tracking")
@needs("dispatch")
def tracking(number: str) -> ResponseReturnValue:
    """Write down what the carrier told us by telephone; its own messages come by themselves."""
    form = _tracking_form()
    with reading() as session:
        shipment: Shipment | None = shipping.find_shipment(session, number)
    if shipment is None or shipment.status in {ShipmentStatus.READY, ShipmentStatus.CANCELLED}:
        raise NotFound("Order {number} is not on its way.", number=number)
    if not form.validate():
        raise Refusal("Choose what the carrier said.")
    with transaction() as session:
        said = ShipmentStatus(form.status.data)
        shipping.record_tracking(
            session, shipment.tracking, event_id=f"desk:{form.key.data}", status=said, at=now(), place=(form.place.data or "").strip(),
        )
        record_act(session, operator(), "tracking_entered", number, said.value)
    return done("console.dispatch_order", _("Written down."), number=number)
