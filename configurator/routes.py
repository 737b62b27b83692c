"""The configurator's page and the quote's: one screen to choose on, one document to keep.

Choosing is a GET whose address holds the choices, so it can be shared, bookmarked and gone back to;
with script the same form swaps the page's inside at every click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from configurator import letters, page
from configurator.documents import quote_pdf
from configurator.engine import UnknownChoice
from configurator.forms import QuantityForm, SendQuoteForm
from configurator.models import Quote
from configurator.releasing import Released, released
from configurator.service import BadChoice, ask, find_quote, issue_quote, leaves_us, ready_as_configured, ready_today
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
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
    given_up: tuple[tuple[str, str], ...] = ()
    own = page.own_choices(model.model, request.args)
    if "own" in request.args:
        try:
            click = page.read_click(model.compiled, request.args)
        except UnknownChoice as unknown:
            raise BadChoice("The {model} does not have one of these choices.", model=model.model.name) from unknown
        own, given_up = click.own, click.given_up
        if "HX-Request" not in request.headers:
            for group, option in given_up:
                flash(_("Given up for your newest choice: %(what)s", what=_words(model, group, option)), "warn")
            return redirect(_address(model_id, own), 303)
    return _choosing(model_id, own, given_up)


def _choosing(model_id: str, own: Mapping[str, tuple[str, ...]], given_up: tuple[tuple[str, str], ...]) -> ResponseReturnValue:
    with reading() as session:
        model, answered = ask(session, model_id, own)
        ready = ready_as_configured(session, model.model, answered.configuration)
    live = "HX-Request" in request.headers
    shown = render_template(
        "configurator/live.html" if live else "configurator/configure.html",
        model=model.model,
        answer=answered,
        own=own,
        form=QuantityForm(),
        ready=ready,
        leaves_us=leaves_us,
        today=today(),
        given_up=[_words(model, group, option) for group, option in given_up],
        words=lambda group, option: _words(model, group, option),
    )
    headers = {"HX-Push-Url": _address(model_id, own)} if live else {}
    return shown, 200, headers


def _words(model: Released, group: str, option: str) -> str:
    chosen = model.model.by_id[group]
    return f"{pick(chosen.name)}: {pick(chosen.by_id[option].name)}"


def _address(model_id: str, own: Mapping[str, tuple[str, ...]]) -> str:
    chosen: dict[str, Any] = page.query(own)
    return url_for(".configure", model_id=model_id, **chosen)


@bp.post("/configure/<model_id>")
@public
@limiter.limit("60/minute")
def keep(model_id: str) -> ResponseReturnValue:
    """Turn the configuration into a quote, and that into the cart when the customer wants to order."""
    form = QuantityForm(request.form)
    model = released(model_id)
    choices = page.own_choices(model.model, request.form)
    if not form.validate():
        raise BadChoice("Please enter a whole number, from 1 to 99.")
    account, quantity = current_account(), form.quantity.data or 1
    with transaction() as session:

        def issue() -> dict[str, Any]:
            owner = UUID(account.id) if account else None
            return {"token": issue_quote(session, model_id, choices, quantity=quantity, account_id=owner, locale=current_locale()).token}

        token = press(session, "quote", pressed(), [str(model.id), choices, quantity], issue)["token"]
    if request.form.get("then") == "cart":
        return redirect(url_for("cart.add_quote", token=token), 307)
    return see_other(".quote", _("Here is your quote. The price is yours until it expires."), token=token)


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
    again = {line.id: _address(line.model_id, line.choices) for line in found.lines}
    return render_template(
        "configurator/quote.html", quote=found, ready=ready, form=form, today=today(), link=_link(found.token), again=again, as_money=Money,
    )


def _link(token: str) -> str:
    return settings().base_url + url_for(".quote", token=token)
