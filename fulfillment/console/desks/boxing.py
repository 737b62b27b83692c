"""The boxing desk: machine, papers and accessories into the box, its label onto it."""

from __future__ import annotations

from functools import partial

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.assembly import service as assembly
from fulfillment.assembly.models import UnitStatus
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.desks.building import check_kitted, needs_of
from fulfillment.console.desks.stations import elsewhere, finishes, gather, sheet_of_request, station
from fulfillment.console.scanning import Sheet, progress
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs


@bp.get("/boxing")
@needs("boxing")
def boxing() -> ResponseReturnValue:
    """Tested machines that wait for their box."""
    return station(UnitStatus.BOXING, template="console/boxing.html")


@bp.route("/boxing/<tag>", methods=["GET", "POST"])
@needs("boxing")
def boxing_unit(tag: str) -> ResponseReturnValue:
    """What goes into the box beside the machine; scans gather on the page until all is there."""
    sheet = sheet_of_request()
    if request.method == "POST" and finishes(sheet, tag) and (answer := _finish(tag, sheet)):
        return answer
    with reading() as session:
        unit = assembly.find_unit(session, tag)
        packed = assembly.to_pack(assembly.parts_of(session, unit))
    if unit.status is not UnitStatus.BOXING:
        return elsewhere(unit)
    gather(sheet, partial(check_kitted, packed))
    seen = progress(needs_of(packed), sheet.scans)
    names = {part.sku: part.name for part in packed}
    page = render_template("console/boxing_unit.html", unit=unit, sheet=sheet, progress=seen, names=names)
    return page, sheet.status


def _finish(tag: str, sheet: Sheet) -> ResponseReturnValue | None:
    try:
        with transaction() as session:
            unit = assembly.box(session, tag, accessories=sheet.everything, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    return done("console.boxing", _("%(tag)s is boxed. Put it on the pallet for the dock.", tag=unit.tag))
