"""The test desk, and the rework bench beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.assembly import service as assembly
from fulfillment.assembly.models import AsBuiltPart, TestResult, TestRun, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import Step
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.desks.stations import elsewhere, sheet_of_request, station
from fulfillment.console.scanning import Sheet
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs


@bp.get("/test")
@needs("test")
def test() -> ResponseReturnValue:
    """Machines that wait for the bench, and those that did not pass."""
    return station(UnitStatus.TEST, UnitStatus.REWORK, template="console/test.html")


@bp.route("/test/<tag>", methods=["GET", "POST"])
@needs("test")
def test_unit(tag: str) -> ResponseReturnValue:
    """The recipe of one machine: results are written down one by one or all together."""
    sheet = sheet_of_request()
    if request.method == "POST" and (answer := _record(tag, sheet)):
        return answer
    with reading() as session:
        unit = assembly.find_unit(session, tag)
        if unit.status is not UnitStatus.TEST:
            return elsewhere(unit)
        runs = assembly.test_runs(session, unit.id)
        steps = _steps(session, unit, runs)
    recorded = {result.code: result for run, results in runs for result in results if run.ended_at is None}
    page = render_template(
        "console/test_unit.html", unit=unit, sheet=sheet, steps=steps, recorded=recorded, failures=assembly.FAILURES, asked=request.form,
        before=[(run, results) for run, results in runs if run.ended_at is not None],
    )
    return page, sheet.status


def _steps(session: Session, unit: WorkOrder, runs: Sequence[tuple[TestRun, list[TestResult]]]) -> list[Step]:
    """The recipe of the run that goes on, or of the one that will begin."""
    going = next((run for run, _results in runs if run.ended_at is None), None)
    if going is None:
        return assembly.recipe_of(session, unit)
    return [Step(step["code"], step["name"], tuple(step["skus"]), step["limit"]) for step in going.recipe]


def _record(tag: str, sheet: Sheet) -> ResponseReturnValue | None:
    form = request.form
    outcomes = [
        assembly.Outcome(
            code, form[f"result-{code}"] == "pass", "" if form[f"result-{code}"] == "pass" else form.get(f"failure-{code}", ""),
            form.get(f"measured-{code}", "").strip()[:200],
        )
        for code in form.getlist("code")[:100] if form.get(f"result-{code}") in {"pass", "fail"}
    ]
    if not outcomes:
        sheet.refusal = assembly.BadResult("Choose passed or failed for at least one test.")
        return None
    try:
        with transaction() as session:
            unit = assembly.record_test(session, tag, results=outcomes, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    if unit.status is UnitStatus.TEST:
        return done("console.test_unit", _("Written down."), tag=unit.tag)
    if unit.status is UnitStatus.REWORK:
        return done("console.test", _("%(tag)s did not pass. It goes to the rework bench.", tag=unit.tag))
    return done("console.test", _("%(tag)s has passed every test. It goes to boxing.", tag=unit.tag))


@bp.route("/rework/<tag>", methods=["GET", "POST"])
@needs("test")
def rework_unit(tag: str) -> ResponseReturnValue:
    """What failed, what is under suspicion, and the part to put in instead."""
    sheet = sheet_of_request()
    if request.method == "POST" and (answer := _mend(tag, sheet)):
        return answer
    with reading() as session:
        unit = assembly.find_unit(session, tag)
        if unit.status is not UnitStatus.REWORK:
            return elsewhere(unit)
        parts = [part for part in assembly.parts_of(session, unit) if part.at is not None]
        runs = assembly.test_runs(session, unit.id)
        missing = [need for need in assembly.missing_parts(session, unit.order_number) if need.holder == unit.number]
    suspects = _suspects(unit, runs)
    page = render_template(
        "console/rework_unit.html", unit=unit, sheet=sheet, parts_inside=_suspects_first(parts, suspects), failures=assembly.FAILURES,
        suspects=suspects, asked=request.form, missing=missing, run=runs[-1] if runs else None,
    )
    return page, sheet.status


def _suspects(unit: WorkOrder, runs: Sequence[tuple[TestRun, Any]]) -> frozenset[str]:
    """The part numbers that the failed step had on trial."""
    code = (unit.failure or "").partition("/")[0]
    return frozenset(sku for step in (runs[-1][0].recipe if runs else []) if step["code"] == code for sku in step["skus"])


def _suspects_first(parts: Sequence[AsBuiltPart], suspects: frozenset[str]) -> list[AsBuiltPart]:
    return sorted(parts, key=lambda part: (part.sku not in suspects, part.sku, part.serial or ""))


def _mend(tag: str, sheet: Sheet) -> ResponseReturnValue | None:
    form, wish = request.form, request.form.get("do")
    failure = form.get("failure", "")[:20]
    try:
        with transaction() as session:
            if wish == "call":
                sku = (form.get("old") or "").partition("/")[0].strip().upper()[:64]
                unit = assembly.call_spare(session, tag, sku=sku, operator=operator(), key=sheet.key)
            else:
                old, new = (form.get(name, "").strip()[:120] for name in ("old", "new"))
                if wish == "replace" and not (old and new):
                    raise assembly.BadScan("Scan both: the part that comes out, and the part that goes in.")
                pair = {"old": old, "new": new} if wish == "replace" else {"old": "", "new": ""}
                unit = assembly.rework(session, tag, **pair, failure=failure, operator=operator(), key=sheet.key)
    except Refusal as refusal:
        sheet.refusal = refusal
        return None
    if wish == "call":
        return done("console.rework_unit", _("A spare part is laid by, or on its way."), tag=unit.tag)
    return done("console.test", _("%(tag)s is mended. It is tested again from the start.", tag=unit.tag))
