"""Sharing a configuration by a link, keeping it in an account, and putting up to four side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from configurator import page, presenting
from configurator.page import State
from configurator.releasing import released
from configurator.saved import service
from configurator.saved.comparing import MOST, rows
from configurator.saved.forms import NameForm
from configurator.saved.service import Today
from configurator.service import find_quote
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import account_required, current_account, limiter, public, see_other

bp = Blueprint("saved", __name__, template_folder="../templates")

TRAY = "compare"
"""In the visitor's session: the tokens of what he compares."""


@bp.post("/configure/<model_id>/share")
@public
@limiter.limit("60/minute")
def share(model_id: str) -> ResponseReturnValue:
    """Give a configuration a link, and go there or to the comparison."""
    model = released(model_id)
    state = page.unpack(model.model, request.form.get("state", ""))
    with transaction() as database:
        found = presenting.asked(database, model, state)
        token = service.share(database, found.released, state.own, found.answer.configuration, found.answer.price).token
    return _compared([token]) if request.form.get("then") == "compare" else redirect(url_for(".show", token=token), 303)


@bp.get("/c/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """A shared configuration: what it was when it was shared, and what it is today."""
    with reading() as database:
        (today,) = service.as_of_today(database, service.find_shared(database, [token]))
    return _shown(today, NameForm(name=pick(today.kept.name)))


def _shown(today: Today, form: NameForm) -> str:
    link = settings().base_url + url_for(".show", token=today.kept.token)
    return render_template("saved/show.html", today=today, form=form, link=link, on=_on(today))


def _on(today: Today) -> str:
    """The address at which the configuring goes on."""
    query: dict[str, Any] = State(today.own).query()
    return url_for("configurator.configure", model_id=today.kept.model_id, **query)


@bp.post("/c/<token>/keep")
@account_required
def keep(token: str) -> ResponseReturnValue:
    """Put a shared configuration into one's account, under a name."""
    form = NameForm(request.form)
    with transaction() as database:
        (shared,) = service.find_shared(database, [token])
        if form.validate():
            service.keep(database, _me(), shared, form.name.data or "")
            return see_other(".mine", _("“%(name)s” is in your account.", name=form.name.data))
        (today,) = service.as_of_today(database, [shared])
    return _shown(today, form), 422


@bp.post("/c/<token>/compare")
@public
def compare_shared(token: str) -> ResponseReturnValue:
    """Put a shared configuration beside the others."""
    with reading() as database:
        service.find_shared(database, [token])
    return _compared([token])


@bp.post("/quotes/<token>/compare")
@public
@limiter.limit("60/minute")
def compare_quote(token: str) -> ResponseReturnValue:
    """Put the machines of a quote beside the others."""
    with transaction() as database:
        tokens = [service.share_quoted(database, line).token for line in find_quote(database, token).lines]
    return _compared(tokens)


def _compared(new: Sequence[str]) -> ResponseReturnValue:
    """Add to what is compared; the oldest makes room for a fifth."""
    tray = [*(token for token in session.get(TRAY, []) if token not in new), *new]
    if len(tray) > MOST:
        flash(_("Four configurations fit side by side; the oldest has made room."), "warn")
    session[TRAY] = tray[-MOST:]
    return redirect(url_for(".compare", **{"with": session[TRAY]}), 303)


@bp.get("/configurations/compare")
@public
def compare() -> ResponseReturnValue:
    """Up to four configurations side by side; the address says which."""
    tokens = list(dict.fromkeys(request.args.getlist("with") or session.get(TRAY, [])))
    if len(tokens) > MOST:
        flash(_("Four configurations fit side by side; these are the first four."), "warn")
    only = request.args.get("only") == "differences"
    with reading() as database:
        machines = service.as_of_today(database, service.find_shared(database, tokens[:MOST]))
    if session.get(TRAY, []) != tokens[:MOST]:
        session[TRAY] = tokens[:MOST]
    lines = rows(machines, only_differences=only)
    return render_template("saved/compare.html", machines=machines, rows=lines, only=only, on=_on, tokens=tokens[:MOST])


@bp.post("/configurations/compare/clear")
@public
def clear() -> ResponseReturnValue:
    """Compare nothing any more."""
    session.pop(TRAY, None)
    return redirect(url_for(".compare"), 303)


@bp.get("/account/configurations")
@account_required
def mine() -> ResponseReturnValue:
    """What this account has kept."""
    with reading() as database:
        saved = service.saved_of(database, _me())
    return render_template("saved/mine.html", saved=saved)


@bp.post("/account/configurations/<uuid:saved_id>/rename")
@account_required
def rename(saved_id: UUID) -> ResponseReturnValue:
    """Give a kept configuration another name."""
    form = NameForm(request.form)
    if not form.validate():
        flash(_("Please give it a name of at most 80 letters."), "bad")
        return redirect(url_for(".mine"), 303)
    with transaction() as database:
        service.rename(database, _me(), saved_id, form.name.data or "")
    return see_other(".mine", _("It is called “%(name)s” now.", name=form.name.data))


@bp.post("/account/configurations/<uuid:saved_id>/remove")
@account_required
def remove(saved_id: UUID) -> ResponseReturnValue:
    """Take a kept configuration out of the account."""
    with transaction() as database:
        service.forget(database, _me(), saved_id)
    return see_other(".mine", _("It is not in your account any more."))


def _me() -> UUID:
    who = current_account()
    assert who is not None
    return UUID(who.id)
