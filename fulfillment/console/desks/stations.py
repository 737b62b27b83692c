"""What the stations have in common: a queue, a scan that opens a machine, a machine that stands elsewhere."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from fulfillment.assembly import service as assembly
from fulfillment.assembly.models import UnitStatus, WorkOrder
from fulfillment.assembly.units import NOT_HERE
from fulfillment.console.scanning import AT_MOST, Check, Sheet, lines
from fulfillment.console.words import DESK_OF
from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import Refusal, WrongStatus


def station(*stations: UnitStatus, template: str) -> ResponseReturnValue:
    """The queue of a desk; with a tag in the address, on to that machine."""
    wanted = request.args.get("tag", "").strip()
    refusal: Refusal | None = None
    with reading() as session:
        if wanted:
            try:
                unit = assembly.find_unit(session, wanted)
                if unit.status in stations:
                    return redirect(url_for(DESK_OF[unit.status][0], tag=unit.tag), 303)
                refusal = WrongStatus(NOT_HERE[unit.status], tag=unit.tag)
            except Refusal as no:
                refusal = no
        queues = {status: assembly.queue(session, status) for status in stations}
    page = render_template(template, queues=queues, refusal=refusal, wanted=wanted)
    return page, refusal.status if refusal else 200


def elsewhere(unit: WorkOrder) -> ResponseReturnValue:
    """A machine that does not stand here: say where it does, and offer the way."""
    refusal = WrongStatus(NOT_HERE[unit.status], tag=unit.tag)
    return render_template("console/elsewhere.html", unit=unit, refusal=refusal), refusal.status


def sheet_of_request() -> Sheet:
    """What the page held when it was sent; a fresh one when it was only opened."""
    if request.method == "GET":
        return Sheet.fresh()
    form = request.form
    return Sheet(
        key=form.get("key", "")[:64] or Sheet.fresh().key,
        scans=form.getlist("held")[:AT_MOST],
        confirmed=form.getlist("step")[:AT_MOST],
        typed=lines("\n".join([*form.getlist("scan"), form.get("several", "")]))[:AT_MOST],
    )


def finishes(sheet: Sheet, tag: str) -> bool:
    """Whether the act itself is asked for: by its button, or by scanning the machine's own tag once more."""
    others = [label for label in sheet.typed if label.upper() != tag.upper()]
    again, sheet.typed = len(others) < len(sheet.typed), others
    return again or request.form.get("do") == "finish"


def gather(sheet: Sheet, check: Check) -> None:
    """Take a scan into the page's list, or off it; does nothing for a page just opened or an act that was refused."""
    if request.method == "POST" and sheet.refusal is None:
        sheet.remove(request.form.get("take_off", ""))
        sheet.add(check)
