"""The orders desk: find an order, see all of it, and do what only a person may: release, hold, cancel, refund."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.assembly.models import UnitStatus
from fulfillment.assembly.service import find_unit, missing_parts, units_of
from fulfillment.assembly.tag import NotATag
from fulfillment.billing.invoicing import invoices_of
from fulfillment.billing.models import Dispute, Payment, PaymentStatus, Refund, RefundReason
from fulfillment.billing.refunds import request_refund, retry_refund
from fulfillment.console.audit import acts_about, record_act
from fulfillment.console.desk import bp, done, once, operator
from fulfillment.console.forms import AnotherDayForm, ReasonForm, RefundForm
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.web import needs
from fulfillment.ledger.journal import entries_about
from fulfillment.orders import service as book
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.shipping.service import find_shipment

PAGE = 30
PACKED = {UnitStatus.BOXED, UnitStatus.SHIPPED}


@bp.get("/orders")
@needs("orders")
def orders() -> ResponseReturnValue:
    """The order book, newest first: all of it, by state, or what a search finds."""
    text = request.args.get("q", "").strip()[:120]
    status = _status(request.args.get("status", ""))
    page = request.args.get("page", 1, type=int)
    page = min(max(page, 1), 10_000)
    with reading() as session:
        if text and (number := _order_of_tag(session, text)):
            return redirect(url_for("console.order", number=number), 303)
        found = book.search_orders(session, text, status=status, limit=PAGE + 1, offset=(page - 1) * PAGE)
        counts = book.count_by_status(session)
    more = len(found) > PAGE
    return render_template("console/orders.html", orders=found[:PAGE], counts=counts, q=text, status=status, page=page, more=more)


def _status(wanted: str) -> OrderStatus | None:
    return OrderStatus(wanted) if wanted in {status.value for status in OrderStatus} else None


def _order_of_tag(session: Session, text: str) -> str | None:
    """The order of a machine, when what is looked for is a tag of ours."""
    try:
        return find_unit(session, text).order_number
    except (NotFound, NotATag):
        return None


@bp.get("/orders/<number>")
@needs("orders")
def order(number: str) -> ResponseReturnValue:
    """All there is to know of an order."""
    return _page(number)


def _page(number: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        found = book.get_order(session, number, lines=True)
        whole = _whole(session, found)
    page = render_template("console/order.html", order=found, key=secret_token(), refusal=refusal, asked=request.form, **whole)
    return page, refusal.status if refusal else 200


def _whole(session: Session, found: SalesOrder) -> dict[str, Any]:
    """Everything that hangs on an order, in nine queries."""
    number = found.number
    units = units_of(session, number)
    invoices = invoices_of(session, number)
    waits = any(unit.status in {UnitStatus.PRE_PRODUCTION, UnitStatus.REWORK} for unit in units) or not units
    shipment = find_shipment(session, number) if all(unit.status in PACKED for unit in units) else None
    documents = [number, *(invoice.number for invoice in invoices), *(unit.number for unit in units)]
    return {
        "timeline": book.timeline(session, found, all_of_it=True), "units": units, "invoices": invoices, "shipment": shipment,
        "missing": missing_parts(session, number) if waits and shipment is None else [], "entries": entries_about(session, *documents),
        **_money_of(session, number),
    }


def _money_of(session: Session, number: str) -> dict[str, Any]:
    payments = list(session.scalars(sa.select(Payment).filter_by(order_number=number).order_by(Payment.attempt)))
    refunds = list(session.scalars(sa.select(Refund).filter_by(order_number=number).order_by(Refund.created_at, Refund.id)))
    paid = [payment for payment in payments if payment.status is PaymentStatus.PAID]
    disputes = sa.select(Dispute).filter_by(order_number=number).order_by(Dispute.opened_at, Dispute.id)
    left = {
        payment.id: payment.paid - total((refund.amount for refund in refunds if refund.payment_id == payment.id), payment.paid.currency)
        for payment in paid
    }
    return {"payments": payments, "refunds": refunds, "disputes": list(session.scalars(disputes)) if paid else [], "left": left}


Act = Callable[[Session, str, str, str], SalesOrder]
"""Of the order book: (session, number, reason, by)."""


def _act_on(number: str, act: Act, what: str, message: str) -> ResponseReturnValue:
    """Do one of the acts that need a reason, and keep who did it."""
    form = ReasonForm(request.form)
    if not form.validate():
        return _page(number, Refusal("Say why, in a few words."))
    reason = (form.reason.data or "").strip()
    try:
        with transaction() as session:
            act(session, number, reason, operator())
            record_act(session, operator(), what, number, reason)
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.order", message, number=number)


@bp.post("/orders/<number>/release")
@needs("orders")
def release_order(number: str) -> ResponseReturnValue:
    """Somebody looked: it may be built."""
    message = _("%(number)s is released: it goes to the factory.", number=number)
    return _act_on(number, book.release_from_review, "order_released", message)


@bp.post("/orders/<number>/hold")
@needs("orders")
def hold_order(number: str) -> ResponseReturnValue:
    """Stop a paid order before it is built."""
    return _act_on(number, book.hold_order, "order_held", _("%(number)s is held.", number=number))


@bp.post("/orders/<number>/cancel")
@needs("orders")
def cancel_order(number: str) -> ResponseReturnValue:
    """End an order before it is built; what was paid goes back."""
    message = _("%(number)s is cancelled. What was paid goes back.", number=number)
    return _act_on(number, book.cancel_order, "order_cancelled", message)


@bp.post("/orders/<number>/promise")
@needs("orders")
def move_promise(number: str) -> ResponseReturnValue:
    """Tell the customer another day; the page of the order and a letter say so at once."""
    form = AnotherDayForm(request.form)
    day = form.day.data
    if not form.validate() or day is None or day <= today():
        return _page(number, Refusal("Choose a day from tomorrow on, within a year, and say why."))

    def move() -> dict[str, Any]:
        order = book.move_promise(session, number, day, (form.reason.data or "").strip(), operator())
        record_act(session, operator(), "promise_moved", number, f"{order.promised_on}: {form.reason.data}")
        return {}

    try:
        with transaction() as session:
            once(session, move)
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.order", _("The customer is told the new day, on the order’s page and by mail."), number=number)


@bp.post("/orders/<number>/refund")
@needs("orders")
def refund_order(number: str) -> ResponseReturnValue:
    """Money back out of good will; the amount is checked against what is left of the payment."""
    form = RefundForm(request.form)
    if not form.validate():
        return _page(number, Refusal("Give an amount such as 25.00, and say why."))
    try:
        with transaction() as session:
            payment = session.scalars(sa.select(Payment).filter_by(id=_uuid(form.payment.data or ""), order_number=number)).first()
            if payment is None:
                raise NotFound("There is no such payment.")
            amount = Money.parse((form.amount.data or "").strip(), payment.paid.currency)
            refund = request_refund(session, payment.id, amount, key=f"desk-{form.key.data}", reason=RefundReason.GOODWILL)
            _note_once(session, payment, refund, form.reason.data or "")
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.order", _("The refund is on its way."), number=number)


def _note_once(session: Session, payment: Payment, refund: Refund, reason: str) -> None:
    """Keep who gave the money back, and why; a second press of the button keeps nothing more."""
    about = f"{payment.order_number} {refund.key}"
    if acts_about(session, about):
        return
    record_act(session, operator(), "goodwill", about, reason)
    book.note(session, book.get_order(session, payment.order_number), "goodwill", public=False, reason=reason.strip(), by=operator())


@bp.post("/orders/<number>/refunds/<uuid:refund_id>/retry")
@needs("orders")
def retry_refund_of(number: str, refund_id: UUID) -> ResponseReturnValue:
    """Send a refund that failed once more."""
    try:
        with transaction() as session:
            refund = retry_refund(session, refund_id)
            record_act(session, operator(), "refund_retried", number, str(refund.amount))
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.order", _("The refund is sent again."), number=number)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such payment.") from None
