"""The price desk: books and their tables, promotions with their uses, shaping rules with their effect, and who changed what.

It is a desk like the others, in the console's look and bar; only it belongs to the configurator, which the company
behind the counter knows nothing of.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from configurator.prices import editing
from configurator.prices.effects import Effect, measure
from configurator.prices.forms import BookForm, EndForm, PromotionForm, ShapingForm, SheetForm, whole_percent
from configurator.prices.models import PriceBook, PriceEntry, Promotion, PromotionUse, ShapingRule
from configurator.prices.sheet import BadSheet, Mistake
from fulfillment.console.audit import record_act
from fulfillment.console.desk import add_desk, done, keep_badges_on_the_floor, once, operator
from fulfillment.console.models import StaffAct
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.kernel.once import press
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs, pressed

bp = Blueprint("prices", __name__, url_prefix="/desk/prices", template_folder="templates")
bp.before_request(keep_badges_on_the_floor)
bp.add_app_template_filter(whole_percent, "whole_percent")
add_desk("prices.books", "prices", _l("Prices"))

SHOWN = 200
"""Entries of a book on its page; the table to download has all."""
ACTS = ("book_opened", "book_imported", "book_ended", "promotion_started", "promotion_switched", "shaping_made", "shaping_switched")


def _acts(session: Session, about: str | None = None) -> list[StaffAct]:
    """Who changed prices, newest first."""
    wanted = sa.select(StaffAct).where(StaffAct.what.in_(ACTS)).order_by(StaffAct.at.desc(), StaffAct.id.desc()).limit(20)
    return list(session.scalars(wanted if about is None else wanted.where(StaffAct.about == about)))


@bp.get("")
@needs("prices")
def books() -> ResponseReturnValue:
    """Every price book, those in force first."""
    return _books(BookForm())


def _books(form: BookForm, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        counts = sa.select(PriceEntry.book_id, sa.func.count()).group_by(PriceEntry.book_id).order_by(PriceEntry.book_id)
        entries = {book: count for book, count in session.execute(counts)}  # noqa: C416 - a Row is not typed as a pair
        found = list(session.scalars(sa.select(PriceBook).order_by(PriceBook.first_day.desc(), PriceBook.code)))
        acts = _acts(session)
    page = render_template("prices/books.html", books=found, entries=entries, acts=acts, form=form, refusal=refusal, day=today())
    return page, refusal.status if refusal else 422 if form.errors else 200


@bp.post("/books")
@needs("prices")
def open_book() -> ResponseReturnValue:
    """Begin a new book."""
    form = BookForm(request.form)
    if not form.validate():
        return _books(form)
    facts = form.facts()
    try:
        with transaction() as session:
            once(session, lambda: _opened(session, facts))
    except Refusal as refusal:
        return _books(form, refusal)
    return done("prices.book", _("The book is open. Bring its prices in as a table."), code=facts.code)


def _opened(session: Session, facts: editing.BookFacts) -> dict[str, Any]:
    book = editing.open_book(session, facts)
    record_act(session, operator(), "book_opened", book.code, f"{book.currency}, {book.first_day}")
    return {"code": book.code}


@bp.get("/books/<code>")
@needs("prices")
def book(code: str) -> ResponseReturnValue:
    """One book: its days, its prices, its table to take out and bring in."""
    return _book(code)


def _book(code: str, refusal: Refusal | None = None, mistakes: tuple[Mistake, ...] = ()) -> ResponseReturnValue:
    with reading() as session:
        found = editing.find_book(session, code)
        entries = editing.entries_of(session, found)
        acts = _acts(session, code)
    entries.sort(key=lambda entry: (entry.target.model, entry.target.group, entry.target.option, entry.target.sku, entry.from_quantity))
    page = render_template(
        "prices/book.html", book=found, entries=entries[:SHOWN], count=len(entries), acts=acts, form=SheetForm(), day=today(),
        end=EndForm(data={"last_day": found.last_day}), refusal=refusal, mistakes=mistakes[:100], as_money=Money,
    )
    return page, refusal.status if refusal else 200


@bp.get("/books/<code>/table.csv")
@needs("prices")
def export_book(code: str) -> ResponseReturnValue:
    """The book as a table to edit elsewhere."""
    with reading() as session:
        text = editing.export_table(session, code)
    response = Response(text, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{code}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/books/<code>/table")
@needs("prices")
def import_book(code: str) -> ResponseReturnValue:
    """Bring a table in, in place of everything the book had; a table with a mistake changes nothing."""
    sent = request.files.get("table")
    content = sent.read() if sent is not None else b""
    try:
        with transaction() as session:
            what = [code, hashlib.sha256(content).hexdigest()]
            press(session, "desk.prices.import_book", pressed(), what, lambda: _imported(session, code, content))
    except BadSheet as bad:
        return _book(code, bad, tuple(bad.mistakes))
    except Refusal as refusal:
        return _book(code, refusal)
    return done("prices.book", _("The prices of the book are those of the table now."), code=code)


def _imported(session: Session, code: str, content: bytes) -> dict[str, Any]:
    replaced = editing.import_table(session, code, content)
    record_act(session, operator(), "book_imported", code, str(replaced))
    return {"prices": replaced.prices}


@bp.post("/books/<code>/days")
@needs("prices")
def end_book(code: str) -> ResponseReturnValue:
    """Say until when a book holds."""
    form = EndForm(request.form)
    if not form.validate():
        return _book(code, Refusal("Please enter a day like 2026-11-25, or nothing."))
    last = form.last_day.data
    try:
        with transaction() as session:
            once(session, lambda: _ended(session, code, last))
    except Refusal as refusal:
        return _book(code, refusal)
    return done("prices.book", _("The days of the book are changed."), code=code)


def _ended(session: Session, code: str, last: date | None) -> dict[str, Any]:
    editing.end_book(session, code, last)
    record_act(session, operator(), "book_ended", code, last.isoformat() if last else "–")
    return {"code": code}


@bp.get("/promotions")
@needs("prices")
def promotions() -> ResponseReturnValue:
    """Every promotion with what it gave so far."""
    return _promotions(PromotionForm())


def _promotions(form: PromotionForm, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        latest = sa.select(Promotion).order_by(Promotion.active.desc(), Promotion.last_day.desc(), Promotion.id)
        found = list(session.scalars(latest.limit(SHOWN)))
        uses = sa.func.count(), sa.func.coalesce(sa.func.sum(PromotionUse.amount_minor), 0)
        standing = sa.select(PromotionUse.promotion_id, *uses).where(PromotionUse.given_back_at.is_(None))
        grouped = session.execute(standing.group_by(PromotionUse.promotion_id).order_by(PromotionUse.promotion_id))
        used = {promotion: (count, int(minor)) for promotion, count, minor in grouped}
        acts = _acts(session)
    page = render_template(
        "prices/promotions.html", promotions=found, used=used, form=form, refusal=refusal, acts=acts, day=today(), as_money=Money,
    )
    return page, refusal.status if refusal else 422 if form.errors else 200


@bp.post("/promotions")
@needs("prices")
def start_promotion() -> ResponseReturnValue:
    """Begin a promotion."""
    form = PromotionForm(request.form)
    if not form.validate():
        return _promotions(form)
    try:
        facts = form.facts()
        with transaction() as session:
            once(session, lambda: _started(session, facts))
    except Refusal as refusal:
        return _promotions(form, refusal)
    return done("prices.promotions", _("The promotion holds from its first day on."))


def _started(session: Session, facts: editing.PromotionFacts) -> dict[str, Any]:
    promotion = editing.start_promotion(session, facts)
    about = promotion.code or str(promotion.id)
    record_act(session, operator(), "promotion_started", about, f"{promotion.name['en']}, {promotion.first_day} – {promotion.last_day}")
    return {"id": str(promotion.id)}


@bp.post("/promotions/<uuid:promotion_id>/switch")
@needs("prices")
def switch_promotion(promotion_id: UUID) -> ResponseReturnValue:
    """Stop a promotion, or let it hold again."""
    active = request.form.get("active") == "yes"
    with transaction() as session:
        once(session, lambda: _switched_promotion(session, promotion_id, active=active))
    return done("prices.promotions", _("The promotion holds again.") if active else _("The promotion is stopped."))


def _switched_promotion(session: Session, promotion_id: UUID, *, active: bool) -> dict[str, Any]:
    promotion = editing.switch_promotion(session, promotion_id, active=active)
    record_act(session, operator(), "promotion_switched", promotion.code or str(promotion.id), "on" if active else "off")
    return {"active": active}


@bp.get("/shaping")
@needs("prices")
def shaping() -> ResponseReturnValue:
    """Every shaping rule with its effect, as it really happened."""
    return _shaping(ShapingForm())


def _shaping(form: ShapingForm, refusal: Refusal | None = None) -> ResponseReturnValue:
    with reading() as session:
        rules = list(session.scalars(sa.select(ShapingRule).order_by(ShapingRule.active.desc(), ShapingRule.code).limit(SHOWN)))
        effects = measure(session)
        acts = _acts(session)
    page = render_template(
        "prices/shaping.html", rules=rules, effects={rule.id: effects.get(rule.id, Effect()) for rule in rules}, form=form,
        refusal=refusal, acts=acts, day=today(), as_money=Money,
    )
    return page, refusal.status if refusal else 422 if form.errors else 200


@bp.post("/shaping")
@needs("prices")
def make_rule() -> ResponseReturnValue:
    """Write a shaping rule down; it does nothing until it is switched on."""
    form = ShapingForm(request.form)
    if not form.validate():
        return _shaping(form)
    try:
        facts = form.facts()
        with transaction() as session:
            once(session, lambda: _made(session, facts))
    except Refusal as refusal:
        return _shaping(form, refusal)
    return done("prices.shaping", _("The rule is written down. Switch it on when it is to hold."))


def _made(session: Session, facts: editing.ShapingFacts) -> dict[str, Any]:
    rule = editing.make_rule(session, facts)
    record_act(session, operator(), "shaping_made", rule.code, rule.name["en"])
    return {"code": rule.code}


@bp.post("/shaping/<code>/switch")
@needs("prices")
def switch_rule(code: str) -> ResponseReturnValue:
    """Switch a shaping rule on or off."""
    active = request.form.get("active") == "yes"
    with transaction() as session:
        once(session, lambda: _switched_rule(session, code, active=active))
    return done("prices.shaping", _("The rule is on.") if active else _("The rule is off."))


def _switched_rule(session: Session, code: str, *, active: bool) -> dict[str, Any]:
    editing.switch_rule(session, code, active=active)
    record_act(session, operator(), "shaping_switched", code, "on" if active else "off")
    return {"active": active}
