"""The kitting desk: every part of the machine into its tote, each one scanned."""

from __future__ import annotations

from functools import partial

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.assembly import service as assembly
from fulfillment.assembly.models import UnitStatus
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.desks.stations import elsewhere, finishes, gather, sheet_of_request, station
from fulfillment.console.scanning import Sheet, progress, still_fits
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs


@bp.get("/kitting")
@needs("kitting")
def kitting() -> ResponseReturnValue:
    """Machines whose parts are all laid by, first promised first."""
    return station(UnitStatus.KITTING, template="console/kitting.html")


@bp.route("/kitting/<tag>", methods=["GET", "POST"])
@needs("kitting")
def kitting_unit(tag: str) -> ResponseReturnValue:
    """The pick list of one machine; scans gather on the page until the kit is complete."""
    sheet = sheet_of_request()
    if request.method == "POST" and finishes(sheet, tag) and (answer := _finish(tag, sheet)):
        return answer
    with reading() as session:
        unit = assembly.find_unit(session, tag)
    if unit.status is not UnitStatus.KITTING:
        return elsewhere(unit)
    wanted = assembly.kit_needs(unit)
    gather(sheet, partial(still_fits, wanted))
    names = {entry["sku"]: entry["name"] for entry in unit.bom}
    page = render_template("console/kitting_unit.html", unit=unit, sheet=sheet, progress=progress(wanted, sheet.scans), names=names)
    return page, sheet.status


def _finish(tag: str, sheet: Sheet) -> ResponseReturnValue | None:
    try:
        with transaction() as session:
            unit = assembly.kit(session, tag, scans=sheet.everything, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    return done("console.kitting", _("%(tag)s is kitted. Carry the tote to the build bench.", tag=unit.tag))
