"""The page of a machine by its service tag or express service code: public facts only.

Who bought it, for how much and on which order is nobody's business who only knows a tag; tags that
were never given and words that are no tags get the same answer.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.assembly.models import UnitStatus
from fulfillment.assembly.service import express_code, find_unit, parts_of, spoken
from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.web import limiter, public

bp = Blueprint("support", __name__, url_prefix="/support")

OUT = (UnitStatus.SHIPPED,)


@bp.route("", methods=["GET", "POST"])
@public
@limiter.limit("30/minute;300/hour", methods=["POST"])
def home() -> ResponseReturnValue:
    """Ask for a tag."""
    if request.method == "POST":
        wanted = "".join(request.form.get("tag", "").split())[:24]
        if wanted:
            return redirect(url_for(".machine", tag=wanted.upper()), 303)
        flash(_("Please enter the service tag: seven letters and digits on the label of the machine."), "warn")
    return render_template("support/home.html")


@bp.get("/<tag>")
@public
@limiter.limit("30/minute;300/hour")
def machine(tag: str) -> ResponseReturnValue:
    """What this machine is, what is inside, since when it is under warranty."""
    try:
        with reading() as session:
            unit = find_unit(session, tag)
            if unit.status not in OUT:
                raise NotFound("not out yet")
            inside = [part for part in parts_of(session, unit) if part.removed_at is None]
    except Refusal:
        flash(_("We know no machine with this tag. Please compare it with the label, letter by letter."), "bad")
        return render_template("support/home.html", tag=tag[:24]), 404
    return render_template("support/machine.html", unit=unit, parts=inside, express=spoken(express_code(unit.tag)))
