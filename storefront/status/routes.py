"""Looking an order up, watching it being made, its documents, and changing one's mind in time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.assembly.service import units_of
from fulfillment.billing.invoicing import find_invoice, invoice_pdf, invoices_of
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import translated
from fulfillment.kernel.once import fingerprint
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.web import account_required, current_account, document, limiter, public, see_other
from fulfillment.orders import service as orders
from fulfillment.orders.delivery import OPTIONS
from fulfillment.orders.models import OrderStatus
from fulfillment.shipping.carriers import CARRIERS
from fulfillment.shipping.dispatching import find_shipment
from fulfillment.shipping.documents import packing_slip
from fulfillment.shipping.service import boxes_of
from storefront.status.access import count_tries_of_number, is_own, may_see, must_own, remember_order
from storefront.status.forms import CancelForm, FindForm
from storefront.status.progress import progress
from storefront.status.words import TEMPLATE_GLOBALS

bp = Blueprint("status", __name__)
for _function in TEMPLATE_GLOBALS:
    bp.add_app_template_global(_function)

MOVING = (OrderStatus.BOOKED, OrderStatus.PAID, OrderStatus.REVIEW, OrderStatus.IN_PRODUCTION, OrderStatus.SHIPPED)


@bp.route("/status", methods=["GET", "POST"])
@public
@limiter.limit("15/minute;120/hour", methods=["POST"])
@count_tries_of_number
def find() -> ResponseReturnValue:
    """Find an order by its number and something only its customer knows."""
    form = FindForm(request.form, data={"number": request.args.get("number", "")})
    if request.method == "POST" and form.validate():
        try:
            with reading() as db:
                found = orders.find_order(db, form.number.data or "", form.proof.data or "")
                own = orders.proves_owner(found, form.proof.data or "")
        except NotFound as refusal:
            flash(translated(refusal), "bad")
            return render_template("status/find.html", form=form), 404
        remember_order(found.number, own=own)
        return redirect(url_for(".order", number=found.number), 303)
    return render_template("status/find.html", form=form, known=session.get("orders", [])), 422 if form.errors else 200


def _shown(number: str) -> dict[str, Any]:
    with reading() as db:
        order = orders.get_order(db, number, lines=True)
        events = orders.timeline(db, order)
        units = units_of(db, number)
        shipment = find_shipment(db, number)
        boxes = boxes_of(db, shipment) if shipment is not None else []
        invoices = invoices_of(db, number)
    stations = [(unit.tag, unit.status) for unit in units]
    return {
        "news": fingerprint([order.status, order.promised_on, len(events), stations, len(invoices)])[:12],
        "order": order, "events": events, "units": units, "shipment": shipment, "boxes": boxes, "invoices": invoices,
        "carrier": CARRIERS[shipment.carrier] if shipment is not None else None,
        "steps": progress(order.status, [unit.status for unit in units], events), "moving": order.status in MOVING,
        "option": OPTIONS[order.delivery], "form": CancelForm(), "own": is_own(number),
    }


@bp.get("/orders/<number>")
@public
def order(number: str) -> ResponseReturnValue:
    """The order as it is being made; a fragment of it when the page asks for news."""
    may_see(number)
    shown = _shown(number)
    if "HX-Request" not in request.headers:
        return render_template("status/order.html", **shown)
    if request.args.get("seen") == shown["news"]:
        return "", 204  # nothing new: the page stays as it is, with what its reader has selected or opened
    return render_template("status/live.html", **shown)


@bp.get("/account/orders/<number>")
@account_required
def own_order(number: str) -> ResponseReturnValue:
    """The same page, from the account."""
    who = current_account()
    assert who is not None
    with reading() as db:
        orders.order_of_account(db, UUID(who.id), number)
    return redirect(url_for(".order", number=number), 303)


@bp.post("/orders/<number>/cancel")
@public
def cancel(number: str) -> ResponseReturnValue:
    """Cancel the order while nothing of it is built; what was paid goes back to the card."""
    must_own(number)
    form = CancelForm(request.form)
    with transaction() as db:
        orders.cancel_order(db, number, reason=(form.reason.data or "")[:300], by="customer")
    return see_other(".order", _("The order is cancelled. What you have paid goes back to your card."), number=number)


@bp.get("/orders/<number>/invoices/<invoice>.pdf")
@public
def invoice(number: str, invoice: str) -> ResponseReturnValue:
    """The invoice on paper."""
    must_own(number)
    with reading() as db:
        if find_invoice(db, invoice).order_number != number:
            raise NotFound("There is no such invoice.")
        paper = invoice_pdf(db, invoice)
    return document(paper, f"{invoice}.pdf")


@bp.get("/orders/<number>/packing-slip.pdf")
@public
def slip(number: str) -> ResponseReturnValue:
    """What is in the boxes, as it lies in them."""
    must_own(number)
    with reading() as db:
        shipment = find_shipment(db, number)
        if shipment is None or shipment.dispatched_at is None:
            raise NotFound("This order has not been packed yet.")
        paper = packing_slip(shipment, boxes_of(db, shipment), language=orders.get_order(db, number).locale)
    return document(paper, f"{shipment.number}.pdf")
