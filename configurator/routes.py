"""The configurator's page and the quote's: one screen to choose on, one document to keep.

Choosing is a GET whose address holds the choices and the way back, so it can be shared, bookmarked and gone back to;
with script the same form swaps the page's inside at every click.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from configurator import deciding, letters, page, presenting, service
from configurator.documents import quote_pdf
from configurator.engine import UnknownChoice
from configurator.forms import QuantityForm, SendQuoteForm
from configurator.models import Quote
from configurator.page import BadLimit, Click, State
from configurator.prices.terms import SHOPPER
from configurator.releasing import Released, released
from configurator.service import BadChoice, find_quote, issue_quote, ready_today
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import translated
from fulfillment.kernel.i18n import current_locale, pick
from fulfillment.kernel.money import Money
from fulfillment.kernel.once import press
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import current_account, document, limiter, pressed, public, see_other

bp = Blueprint("configurator", __name__, template_folder="templates")


@bp.get("/configure/<model_id>")
@public
def configure(model_id: str) -> ResponseReturnValue:
    """Choose options; the answer says of every other what it would mean."""
    model = released(model_id)
    try:
        if "own" not in request.args:
            return _choosing(model, Click(page.read_state(model.model, request.args)))
        click = _of_this_release(model, page.read_click(model.model, request.args))
        return _explaining(model, click.state) if _fragment().startswith("why-") else _choosing(model, click, sent=True)
    except BadLimit as refusal:
        return _cannot(model, translated(refusal))
    except (UnknownChoice, BadChoice):
        return _cannot(model, _("The %(machine)s does not have one of these choices.", machine=pick(model.model.name)))


def _fragment() -> str:
    """The part of the page that the script asks for, by its id; empty when the whole page is wanted."""
    if "HX-Request" not in request.headers or "HX-History-Restore-Request" in request.headers:
        return ""
    return request.headers.get("HX-Target", "configurator")


def _of_this_release(model: Released, click: Click) -> Click:
    """A click on a page of an earlier release: what the new one still has is kept, and the customer is told of the rest."""
    if request.args.get("release", str(model.version)) == str(model.version):
        return click
    kept = page.known(model.model, click.own)
    lost = sorted(set(click.own) - set(kept))
    told = _("The %(machine)s was renewed while you were choosing: options, prices or rules are new.", machine=pick(model.model.name))
    if lost:
        groups = ", ".join(pick(model.model.by_id[group].name) for group in lost)
        told += " " + _("Please choose again: %(groups)s.", groups=groups)
    flash(told, "warn")
    return Click(replace(click.state, own=kept), tuple(group for group in click.newest if group in kept))


def _choosing(model: Released, click: Click, *, sent: bool = False) -> ResponseReturnValue:
    fragment, view = _fragment(), page.read_view(model.model, request.args)
    with reading() as session:
        ask = partial(presenting.asked, session, model, dates=service.part_dates(session, model.model))
        if sent:
            click = _further(model, click, ask)
        click, found = deciding.decide(click, ask)
        if sent and not fragment:
            if click.given_up:
                flash(presenting.given_up(model.model, click.given_up), "warn")
            return redirect(_address(model.model.id, click.state, view.query()), 303)
        was = page.read_shown(model.model, request.args) if sent else {}
        shown = presenting.shown(session, click, found, view=view, was=was)
    shown |= {"here": _here(model), "form": QuantityForm()}
    if fragment:
        return render_template("configurator/live.html", **shown), 200, {"HX-Push-Url": _address(model.model.id, click.state)}
    return render_template("configurator/configure.html", starts=presenting.starts(model), **shown)


def _further(model: Released, click: Click, ask: deciding.Ask) -> Click:
    """What the pressed button wants of the engine: an excluded option all the same, or the rest chosen for a goal."""
    if wanted := page.read_pair(model.model, request.args, "take"):
        return deciding.taken(click.state, wanted, ask)
    act = request.args.get("do", "")
    goal = deciding.GOALS.get(request.args.get("matters", "") if act == "suggest" else act)
    if goal is None:
        return click
    done = deciding.finished(click.state, goal, ask)
    if done is None:
        flash(_("No machine keeps all your choices and limits, so nothing was changed."), "warn")
    return done or click


def _explaining(model: Released, state: State) -> ResponseReturnValue:
    """Only why an option is excluded, for the page that is open already."""
    view = page.read_view(model.model, request.args)
    wanted = view.want or view.why
    if wanted is None:
        raise UnknownChoice("there is no such option")
    with reading() as session:
        found = presenting.asked(session, model, state)
        panel = presenting.panel(session, state, found, wanted, offered=view.want is not None)
    return render_template("configurator/obstacle.html", obstacle=panel)


def _cannot(model: Released, sentence: str) -> ResponseReturnValue:
    """What was asked for makes no sense; the way on keeps what does. Nothing was changed."""
    kept = State(page.known(model.model, page.own_choices(model.model, request.args)))
    on = _address(model.model.id, kept)
    return render_template("configurator/wrong.html", model=model.model, sentence=sentence, on=on, over=_here(model), kept=kept.own), 422


def _here(model: Released) -> str:
    return url_for(".configure", model_id=model.model.id)


def _address(model_id: str, state: State, view: dict[str, list[str]] | None = None) -> str:
    query: dict[str, Any] = state.query() | (view or {})
    return url_for(".configure", model_id=model_id, **query)


@bp.post("/configure/<model_id>")
@public
@limiter.limit("60/minute")
def keep(model_id: str) -> ResponseReturnValue:
    """Turn the configuration into a quote, and that into the cart when the customer wants to order."""
    form = QuantityForm(request.form)
    model = released(model_id)
    choices, state = page.own_choices(model.model, request.form), page.unpack(model.model, request.form.get("state", ""))
    if not form.validate():
        raise BadChoice("Please enter a whole number, from 1 to 99.")
    account, quantity = current_account(), form.quantity.data or 1
    with transaction() as session:

        def issue() -> dict[str, Any]:
            owner, terms = UUID(account.id) if account else None, replace(SHOPPER, codes=state.codes)
            kept = issue_quote(
                session, model_id, choices, own=state.own if "state" in request.form else None, limit=state.limit, by=state.by,
                quantity=quantity, account_id=owner, locale=current_locale(), terms=terms, taken=state.deals,
            )
            return {"token": kept.token}

        content = [str(model.id), choices, quantity, page.pack(state)]
        token = press(session, "quote", pressed(), content, issue)["token"]
    if request.form.get("then") == "cart":
        return redirect(url_for("cart.add_quote", token=token), 307)
    return see_other(".quote", _("Here is your quote. The price is yours until it expires."), token=token)


@bp.post("/configure/<model_id>/offer")
@public
@limiter.limit("60/minute")
def take_offer(model_id: str) -> ResponseReturnValue:
    """Take what we offer instead of what is short, and go on with it chosen."""
    model = released(model_id)
    state = page.unpack(model.model, request.form.get("state", ""))
    token, terms = request.form.get("offer", "")[:200], replace(SHOPPER, codes=state.codes)
    with transaction() as session:

        def take() -> dict[str, Any]:
            offer = service.take_offer(
                session, model_id, state.own, token, terms=terms, limit=state.limit, by=state.by, taken=state.deals,
            )
            return {"group": offer.deal.group, "option": offer.deal.option}

        deal = press(session, "offer", pressed(), [str(model.id), token, page.pack(state)], take)
    own = state.own | {deal["group"]: (deal["option"],)}
    return redirect(_address(model_id, replace(state, own=own, deals=(*state.deals, token)).after(state)), 303)


@bp.get("/quotes/<token>")
@public
def quote(token: str) -> ResponseReturnValue:
    """A quote, for everyone who has its link."""
    with reading() as session:
        found = find_quote(session, token)
        ready = ready_today(session, found)
    return _shown(found, ready, SendQuoteForm())


@bp.get("/quotes/<token>/quote.pdf")
@public
def quote_document(token: str) -> ResponseReturnValue:
    """The quote on paper."""
    with reading() as session:
        found = find_quote(session, token)
        ready = ready_today(session, found)
    return document(quote_pdf(found, ready, _link(token), current_locale()), f"{found.number}.pdf")


@bp.post("/quotes/<token>/send")
@public
@limiter.limit("10/hour")
def send_quote(token: str) -> ResponseReturnValue:
    """Send the quote by e-mail, the document attached."""
    form = SendQuoteForm(request.form)
    with transaction() as session:
        found = find_quote(session, token)
        ready = ready_today(session, found)
        if form.validate():
            letters.send_quote(session, found, ready, to=form.email.data or "", link=_link(token), language=current_locale())
    if form.errors:
        return _shown(found, ready, form), 422
    return see_other(".quote", _("The quote is on its way."), token=token)


def _shown(found: Quote, ready: Sequence[date], form: SendQuoteForm) -> str:
    again = {line.id: _address(line.model_id, State(line.choices)) for line in found.lines}
    return render_template(
        "configurator/quote.html", quote=found, ready=ready, form=form, today=today(), link=_link(found.token), again=again, as_money=Money,
    )


def _link(token: str) -> str:
    return settings().base_url + url_for(".quote", token=token)
