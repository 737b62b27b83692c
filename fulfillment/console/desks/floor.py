"""The floor board, the page of one machine, and the way from any number to its page."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from fulfillment.assembly import service as assembly
from fulfillment.console import board
from fulfillment.console.desk import bp
from fulfillment.console.finding import page_of
from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import needs


@bp.get("")
@needs("desk")
def floor() -> ResponseReturnValue:
    """Everything at a glance; the board renews itself."""
    with reading() as session:
        seen = board.look(session)
    return render_template("console/floor.html", board=seen)


@bp.get("/board")
@needs("desk")
def floor_board() -> ResponseReturnValue:
    """The board alone, for the page to renew itself with."""
    with reading() as session:
        seen = board.look(session)
    return render_template("console/_board.html", board=seen)


@bp.get("/find")
@needs("desk")
def find() -> ResponseReturnValue:
    """Go to the page of whatever was scanned: a tag, or the number of any document."""
    wanted = request.args.get("q", "")
    try:
        with reading() as session:
            return redirect(page_of(session, wanted), 303)
    except Refusal as refusal:
        with reading() as session:
            seen = board.look(session)
        return render_template("console/floor.html", board=seen, refusal=refusal, wanted=wanted), refusal.status


@bp.get("/units/<tag>")
@needs("desk")
def unit(tag: str) -> ResponseReturnValue:
    """One machine: what it is made of, how its tests went, everything that happened to it."""
    with reading() as session:
        found = assembly.find_unit(session, tag)
        parts = assembly.parts_of(session, found, removed=True)
        runs = assembly.test_runs(session, found.id)
        history = assembly.history(session, found.id)
    return render_template("console/unit.html", unit=found, parts_taken=parts, runs=runs, history=history, code=_spoken(found.tag))


def _spoken(tag: str) -> str:
    return assembly.spoken(assembly.express_code(tag))
