"""The build desk: one person puts the whole machine together, and scans what has a number as it goes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.assembly import service as assembly
from fulfillment.assembly.labels import BadScan, Label, Need
from fulfillment.assembly.models import AsBuiltPart, UnitStatus
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.desks.stations import elsewhere, finishes, gather, sheet_of_request, station
from fulfillment.console.scanning import Sheet, progress, still_fits
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs


@bp.get("/build")
@needs("build")
def build() -> ResponseReturnValue:
    """Totes that wait for a builder."""
    return station(UnitStatus.BUILD, template="console/build.html")


@bp.route("/build/<tag>", methods=["GET", "POST"])
@needs("build")
def build_unit(tag: str) -> ResponseReturnValue:
    """The steps of one machine, and the parts with serial numbers that have to be scanned into it."""
    sheet = sheet_of_request()
    if request.method == "POST" and finishes(sheet, tag) and (answer := _finish(tag, sheet)):
        return answer
    with reading() as session:
        unit = assembly.find_unit(session, tag)
        fitted = assembly.to_fit(assembly.parts_of(session, unit))
    if unit.status is not UnitStatus.BUILD:
        return elsewhere(unit)
    numbered = [part for part in fitted if part.serial]
    gather(sheet, partial(check_kitted, numbered))
    page = render_template(
        "console/build_unit.html", unit=unit, sheet=sheet, steps=assembly.steps_of(unit), tote=tote_of(fitted),
        progress=progress(needs_of(numbered), sheet.scans),
    )
    return page, sheet.status


def _finish(tag: str, sheet: Sheet) -> ResponseReturnValue | None:
    try:
        with transaction() as session:
            unit = assembly.build(session, tag, serials=sheet.everything, steps=sheet.confirmed, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    return done("console.build", _("%(tag)s is built. It goes to the test bench.", tag=unit.tag))


class InTote(NamedTuple):
    """What lies in the tote of one part number."""

    name: dict[str, str]
    quantity: int
    serials: list[str]


def tote_of(parts: Sequence[AsBuiltPart]) -> dict[str, InTote]:
    """The tote by part number, for the steps that use them."""
    tote: dict[str, InTote] = {}
    for part in parts:
        there = tote.get(part.sku, InTote(part.name, 0, []))
        tote[part.sku] = InTote(part.name, there.quantity + part.quantity, [*there.serials, *([part.serial] if part.serial else [])])
    return tote


def needs_of(parts: Sequence[AsBuiltPart]) -> list[Need]:
    """What has to be scanned of the parts in a tote."""
    counts = Counter({part.sku: 0 for part in parts})
    numbered = {part.sku for part in parts if part.serial}
    for part in parts:
        counts[part.sku] += part.quantity
    return [Need(sku, count, sku in numbered) for sku, count in counts.items()]


def check_kitted(parts: Sequence[AsBuiltPart], labels: Sequence[Label]) -> None:
    """Only what lies in this machine's own tote. Raises BadScan."""
    kitted = {(part.sku, part.serial) for part in parts if part.serial}
    skus = {part.sku for part in parts}
    for label in labels:
        if label.sku in skus and label.serial and (label.sku, label.serial) not in kitted:
            raise BadScan("{part} was not kitted for this machine. Look for the right tote.", part=str(label))
    still_fits(needs_of(parts), labels)
