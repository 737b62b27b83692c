"""The purchasing desk: what is on its way and how late, what came, what the suppliers charge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly.allocating import begin_dealing, cover_missing
from fulfillment.assembly.service import claimed, claims, tags_of_parts
from fulfillment.console.audit import record_act
from fulfillment.console.desk import bp, done, once, operator
from fulfillment.console.forms import InvoiceForm, ReasonForm, SupplierDayForm
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.web import needs
from fulfillment.parts.service import parts_by_sku, suppliers
from fulfillment.purchasing import service as buying
from fulfillment.purchasing.invoicing import Charged, Paper
from fulfillment.purchasing.models import OPEN, GoodsReceipt, InvoiceStatus, PurchaseOrder, PurchaseStatus, SupplierInvoice

PAGE = 50


@bp.get("/purchasing")
@needs("purchasing")
def purchasing() -> ResponseReturnValue:
    """Purchase orders with something still to come, the most urgent first; or those of one state."""
    wanted = request.args.get("status", "")
    status = PurchaseStatus(wanted) if wanted in {each.value for each in PurchaseStatus} else None
    with reading() as session:
        orders = buying.purchase_orders(session, status=status, limit=PAGE) if status else _open_orders(session)
        counts = _counts(session)
        known = {supplier.code: supplier for supplier in suppliers(session)}
    return render_template(
        "console/purchasing.html", orders=orders, counts=counts, status=status, suppliers=known,
    )


def _open_orders(session: Session) -> list[PurchaseOrder]:
    statement = sa.select(PurchaseOrder).where(PurchaseOrder.status.in_(OPEN)).order_by(PurchaseOrder.due_on, PurchaseOrder.number)
    return list(session.scalars(statement.limit(PAGE).options(selectinload(PurchaseOrder.lines))))


def _counts(session: Session) -> dict[PurchaseStatus, int]:
    statement = sa.select(PurchaseOrder.status, sa.func.count()).group_by(PurchaseOrder.status).order_by(PurchaseOrder.status)
    return {status: count for status, count in session.execute(statement)}  # noqa: C416 - a Row is not typed as a pair


@bp.get("/purchasing/suppliers")
@needs("purchasing")
def supplier_list() -> ResponseReturnValue:
    """Who delivers, how soon, and what of theirs is on its way."""
    with reading() as session:
        known = suppliers(session)
        late = sa.func.sum(sa.case((PurchaseOrder.due_on < today(), 1), else_=0))
        statement = (
            sa.select(PurchaseOrder.supplier_code, sa.func.count(), late)
            .where(PurchaseOrder.status.in_(OPEN)).group_by(PurchaseOrder.supplier_code).order_by(PurchaseOrder.supplier_code)
        )
        coming = {code: (count, int(overdue)) for code, count, overdue in session.execute(statement)}
    return render_template("console/suppliers.html", suppliers=known, coming=coming)


@bp.get("/purchasing/invoices")
@needs("purchasing")
def supplier_invoices() -> ResponseReturnValue:
    """What suppliers charge: held ones first."""
    with reading() as session:
        held_first = sa.case((SupplierInvoice.status == InvoiceStatus.HELD, 0), else_=1)
        found = list(session.scalars(sa.select(SupplierInvoice).order_by(held_first, SupplierInvoice.number.desc()).limit(PAGE)))
    return render_template("console/supplier_invoices.html", invoices=found)


@bp.get("/purchasing/claims")
@needs("purchasing")
def supplier_claims() -> ResponseReturnValue:
    """Parts that failed here and were taken out: what each supplier owes us for, newest first."""
    wanted, page = request.args.get("supplier", "")[:32] or None, min(max(request.args.get("page", 1, type=int), 1), 10_000)
    with reading() as session:
        known = {supplier.code: supplier for supplier in suppliers(session)}
        owed = claimed(session)
        found = claims(session, wanted, limit=PAGE + 1, offset=(page - 1) * PAGE)
        tags = tags_of_parts(session, [claim.part_id for claim in found])
    return render_template(
        "console/supplier_claims.html", claims=found[:PAGE], owed=owed, tags=tags, suppliers=known, wanted=wanted, page=page,
        more=len(found) > PAGE,
    )


@bp.get("/purchasing/<number>")
@needs("purchasing")
def purchase_order(number: str) -> ResponseReturnValue:
    """One purchase order: its lines, what came, what was charged."""
    return _page(number)


def _page(number: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        order = buying.get_purchase_order(session, number)
        parts = parts_by_sku(session, [line.sku for line in order.lines])
        receipts = list(session.scalars(sa.select(GoodsReceipt).filter_by(po_number=number).order_by(GoodsReceipt.number)))
        invoices = list(session.scalars(sa.select(SupplierInvoice).filter_by(po_number=number).order_by(SupplierInvoice.number)))
        supplier = next((each for each in suppliers(session) if each.code == order.supplier_code), None)
    page = render_template(
        "console/purchase_order.html", order=order, parts_known=parts, receipts=receipts, invoices=invoices, supplier=supplier,
        refusal=refusal, form=InvoiceForm(request.form if "reference" in request.form else None),
        key=request.form.get("key") or secret_token(), asked=request.form, as_money=Money,
    )
    return page, refusal.status if refusal else 200


@bp.post("/purchasing/<number>/receive")
@needs("purchasing")
def receive(number: str) -> ResponseReturnValue:
    """Take a delivery in: how many pieces of each part came."""
    form = request.form
    try:
        came = _what_came(form)
        with transaction() as session:
            receipt = buying.receive_parts(session, number, came, key=f"desk:{number}:{form.get('key', '')[:64]}")
            record_act(session, operator(), "parts_received", number, receipt.number)
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.purchase_order", _("%(receipt)s: the parts are on the shelf.", receipt=receipt.number), number=number)


def _what_came(form: Mapping[str, str]) -> dict[str, int]:
    """The pieces of each part. Raises Refusal when there are none."""
    counted = {field.removeprefix("came-"): _pieces(typed) for field, typed in form.items() if field.startswith("came-")}
    came = {sku: count for sku, count in counted.items() if count}
    if not came:
        raise Refusal("Enter how many pieces came.")
    return came


def _pieces(typed: str) -> int:
    """A count as typed, nothing is nothing. Raises Refusal."""
    text = typed.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Refusal("“{typed}” is not a number of pieces.", typed=text[:20])
    return int(text)


@bp.post("/purchasing/<number>/day")
@needs("purchasing")
def put_off(number: str) -> ResponseReturnValue:
    """The supplier named another day: whoever promises dates from now on knows."""
    form = SupplierDayForm(request.form)
    day = form.day.data
    if not form.validate() or day is None:
        return _page(number, Refusal("Choose a day from today on, within a year."))

    def move() -> dict[str, Any]:
        buying.put_off(session, number, day)
        record_act(session, operator(), "purchase_put_off", number, day.isoformat())
        return {}

    try:
        with transaction() as session:
            once(session, move)
    except Refusal as refusal:
        return _page(number, refusal)
    return done("console.purchase_order", _("%(number)s is expected on another day now.", number=number), number=number)


@bp.post("/purchasing/<number>/cancel")
@needs("purchasing")
def cancel_rest(number: str) -> ResponseReturnValue:
    """Nothing more will come of it; what somebody waits for is ordered anew at once."""
    form = ReasonForm(request.form)
    if not form.validate():
        return _page(number, Refusal("Say why, in a few words."))
    try:
        with transaction() as session:
            instead = once(session, lambda: {"orders": _cancel(session, number, (form.reason.data or "").strip())})["orders"]
    except Refusal as refusal:
        return _page(number, refusal)
    message = _("%(number)s is cancelled. Nothing had to be ordered instead.", number=number)
    if instead:
        message = _("%(number)s is cancelled. Ordered instead: %(orders)s.", number=number, orders=", ".join(instead))
    return done("console.purchase_order", message, number=number)


def _cancel(session: Session, number: str, reason: str) -> list[str]:
    """Cancel what is still to come and call it for those who wait; the order is locked before the stock, as at the gate."""
    buying.get_purchase_order(session, number, for_update=True)
    begin_dealing(session)
    buying.cancel_purchase_order(session, number, operator())
    record_act(session, operator(), "purchase_cancelled", number, reason)
    return cover_missing(session)


@bp.post("/purchasing/<number>/invoice")
@needs("purchasing")
def enter_invoice(number: str) -> ResponseReturnValue:
    """Enter a supplier's invoice as it is printed: booked when it agrees with what was ordered and came, else held for a person."""
    form = InvoiceForm(request.form)
    if not form.validate():
        return _page(number, Refusal("Enter the number of the supplier’s invoice, its date, and its total such as 1234.50."))
    try:
        with transaction() as session:
            entered = once(session, lambda: _enter(session, number, form))
    except Refusal as refusal:
        return _page(number, refusal)
    message = _("%(number)s is booked.", number=entered["number"])
    if entered["status"] == InvoiceStatus.HELD:
        message = _("%(number)s does not agree with the purchase order: accept it or send it back.", number=entered["number"])
    return done("console.purchase_order", message, number=number)


def _enter(session: Session, number: str, form: InvoiceForm) -> dict[str, Any]:
    order = buying.get_purchase_order(session, number)
    paper = Paper(_amount(form.total.data or "", order.currency), form.dated.data or today())
    charged, reference = _charged(request.form, order), (form.reference.data or "").strip()
    invoice = buying.record_supplier_invoice(session, number, reference, charged, paper=paper)
    record_act(session, operator(), "supplier_invoice", number, invoice.number)
    return {"number": invoice.number, "status": invoice.status}


def _charged(form: Mapping[str, str], order: PurchaseOrder) -> list[Charged]:
    """The lines as charged, those with no piece left out; last what we did not order. Raises Refusal."""
    lines = [(line.sku, f"-{line.sku}") for line in order.lines]
    other = form.get("other", "").strip().upper()[:64]
    charged = []
    for sku, field in [*lines, (other, "")] if other else lines:
        if pieces := _pieces(form.get(f"charged{field}", "")):
            charged.append(Charged(sku, pieces, _amount(form.get(f"price{field}", ""), order.currency)))
    return charged


def _amount(typed: str, currency: str) -> Money:
    """Money as typed, without a sign. Raises Refusal."""
    text = typed.strip()
    try:
        if not text.startswith("-") and len(text) <= 12:
            return Money.parse(text, currency)
    except ValueError:
        pass
    raise Refusal("“{typed}” is not an amount such as 25.00.", typed=text[:20])


Decision = Callable[[Session, str, str], SupplierInvoice]


def _decide(number: str, decide: Decision, what: str, message: str) -> ResponseReturnValue:
    with reading() as session:
        invoice = session.scalars(sa.select(SupplierInvoice).filter_by(number=number)).first()
    if invoice is None:
        raise NotFound("There is no such invoice.")
    try:
        with transaction() as session:
            decide(session, number, operator())
            record_act(session, operator(), what, number, invoice.reference)
    except Refusal as refusal:
        return _page(invoice.po_number, refusal)
    return done("console.purchase_order", message, number=invoice.po_number)


@bp.post("/purchasing/invoices/<number>/approve")
@needs("purchasing")
def approve_supplier_invoice(number: str) -> ResponseReturnValue:
    """Accept the prices of a held invoice."""
    return _decide(number, buying.approve_invoice, "invoice_approved", _("%(number)s is accepted.", number=number))


@bp.post("/purchasing/invoices/<number>/reject")
@needs("purchasing")
def reject_supplier_invoice(number: str) -> ResponseReturnValue:
    """Send a held invoice back."""
    return _decide(number, buying.reject_invoice, "invoice_rejected", _("%(number)s goes back to the supplier.", number=number))
