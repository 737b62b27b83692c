"""The stock desk: what lies on the shelf and what it is worth, one part's coming and going, and counting it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.assembly.allocating import begin_dealing, cover_missing, deal_out
from fulfillment.assembly.service import who_waits_for
from fulfillment.console.audit import record_act
from fulfillment.console.desk import bp, done, once, operator
from fulfillment.console.forms import CountForm
from fulfillment.inventory import shelf
from fulfillment.inventory.costing import count_stock
from fulfillment.inventory.service import moves_of
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.web import needs
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.journal import consistent
from fulfillment.ledger.service import balance

PAGE = 50


@bp.get("/stock")
@needs("purchasing")
def stock() -> ResponseReturnValue:
    """Every part with what there is of it; its worth in all beside what the books say."""
    text = request.args.get("q", "").strip()[:120]
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    with reading() as session:
        consistent(session)
        found = shelf.standings(session, text, limit=PAGE, offset=(page - 1) * PAGE)
        parts = shelf.count_standings(session, text)
        worth, booked = shelf.worth(session), balance(session, Account.PARTS)
    return render_template(
        "console/stock.html", found=found, parts=parts, q=text, page=page, pages=-(-parts // PAGE), worth=worth, booked=booked,
        account=Account.PARTS, link=lambda number: url_for("console.stock", q=text or None, page=number),
    )


@bp.get("/stock/<sku>")
@needs("purchasing")
def stock_part(sku: str) -> ResponseReturnValue:
    """One part: how it stands, who waits for it, what is on its way, and every move of it."""
    return _page(sku)


def _page(sku: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        stands = shelf.standing_of(session, sku)
        if stands is None:
            raise NotFound("We know no part with the number “{sku}”.", sku=sku)
        whole: dict[str, Any] = {
            "moves": moves_of(session, sku), "coming": shelf.coming_of(session, sku), "waiting": who_waits_for(session, sku),
            "kept": shelf.kept_of(session, sku),
        }
    page = render_template("console/stock_part.html", stands=stands, part=stands.part, refusal=refusal, asked=request.form, **whole)
    return page, refusal.status if refusal else 200


@bp.post("/stock/<sku>/count")
@needs("purchasing")
def count_part(sku: str) -> ResponseReturnValue:
    """The shelf was counted: books follow it, and whoever waits gets what was found or has it ordered."""
    form = CountForm(request.form)
    counted = form.counted.data
    if not form.validate() or counted is None:
        return _page(sku, Refusal("Enter how many pieces lie there, and say why they were counted."))
    try:
        with transaction() as session:
            found = once(session, lambda: _count(session, sku, counted, (form.reason.data or "").strip()))
    except Refusal as refusal:
        return _page(sku, refusal)
    message = _("The count agrees: %(count)s of %(sku)s.", count=counted, sku=sku)
    if found["difference"]:
        message = _("%(number)s: the books say %(count)s of %(sku)s now.", number=found["number"], count=counted, sku=sku)
    return done("console.stock_part", message, sku=sku)


def _count(session: Session, sku: str, counted: int, reason: str) -> dict[str, Any]:
    """Count, deal out what was found and order what is short of now; the document and by how much the books were wrong."""
    begin_dealing(session, [sku])
    number = next_number(session, "SC")
    move = count_stock(session, sku, counted, number)
    difference = move.quantity if move else 0
    record_act(session, operator(), "stock_counted", sku, f"{number}: {counted} ({difference:+d}). {reason}")
    if difference:
        deal_out(session)
        cover_missing(session)
    return {"number": number, "difference": difference}
