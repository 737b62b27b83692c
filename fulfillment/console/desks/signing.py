"""Coming to work: signing in by password, stepping up to a station by badge, leaving."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from fulfillment.console.audit import record_act
from fulfillment.console.desk import BADGE_MAY, BY_BADGE, bp, operator
from fulfillment.console.forms import BadgeForm, StaffSignInForm
from fulfillment.customers.service import check_staff, end_visit, staff_of_badge, staff_principal
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import stale_form, translated
from fulfillment.kernel.refusals import Forbidden, Refusal
from fulfillment.kernel.web import current_staff, limiter, needs, public, safe_next, see_other, sign_in, sign_out, visit


@bp.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@public
@limiter.limit("10/minute;60/hour", methods=["POST"])
def enter() -> ResponseReturnValue:
    """Sign in with login and password, and go on where one was."""
    form = StaffSignInForm(request.form)
    if request.method == "GET" and current_staff() is not None:
        return redirect(url_for("console.floor"), 303)
    if request.method == "POST" and form.validate():
        try:
            with reading() as db:
                staff = check_staff(db, login=form.login.data or "", password=form.password.data or "")
        except Refusal as refusal:
            flash(translated(refusal), "bad")
            return render_template("console/sign_in.html", form=form), refusal.status
        sign_in(staff_principal(staff))
        return redirect(safe_next(url_for("console.floor")), 303)
    return render_template("console/sign_in.html", form=form), 422 if form.errors else 200


@bp.route("/badge", methods=["GET", "POST"])
@needs("desk")
@limiter.limit("30/minute", methods=["POST"])
def badge() -> ResponseReturnValue:
    """Another operator steps up to this station: a scan of the badge, nothing more.

    The station stays where it is. A badge opens the floor only: whoever may do more signs in with a password.
    """
    form = BadgeForm(request.form)
    back = safe_next(url_for("console.floor"))
    if request.method == "POST" and form.validate():
        try:
            with transaction() as db:
                staff = staff_of_badge(db, form.badge.data or "")
                who = staff_principal(staff)
                if not who.permissions <= BADGE_MAY:
                    raise Forbidden("This badge opens more than the floor. Please sign in with your password.")
                record_act(db, who.name, "badge_switch", operator(), request.remote_addr or "")
        except Refusal as refusal:
            flash(translated(refusal), "bad")
            return render_template("console/badge.html", form=form, back=back), refusal.status
        sign_in(who)
        session[BY_BADGE] = True
        flash(_("Hello %(name)s, this station is yours.", name=who.name))
        return redirect(back, 303)
    return render_template("console/badge.html", form=form, back=back), 422 if form.errors else 200


@bp.post("/sign-out")
@public
def leave() -> ResponseReturnValue:
    """End the session at this station."""
    with transaction() as db:
        end_visit(db, visit())
    sign_out()
    return see_other("console.sign_in", _("You are signed out."))


@bp.errorhandler(CSRFError)
def pressed_again(error: CSRFError) -> ResponseReturnValue:
    """A second press comes with the token of the session that the first one ended; what it asks for is done."""
    if request.endpoint == "console.sign_in" and current_staff() is not None:
        return redirect(safe_next(url_for("console.floor")), 303)
    if request.endpoint == "console.leave" and current_staff() is None:
        return redirect(url_for("console.sign_in"), 303)
    return stale_form(error)
