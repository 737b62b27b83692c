"""The rework desk: the bad part out, a good one in, and back to the test. The tag stays.

The bad part is a loss of the day and a claim on its supplier; it stays in the machine's record with
the moment it was taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.allocating import begin_dealing, deal_out, leave_the_line
from fulfillment.assembly.labels import BadScan, Label, read_label
from fulfillment.assembly.models import AsBuiltPart, PartNeed, SupplierClaim, TestRun, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import FAILURES
from fulfillment.assembly.testing import BadResult, suspects
from fulfillment.assembly.units import SYSTEM, at_desk, parts_of, record, refuse_used_serials, take_part, tell, unit_at
from fulfillment.inventory.service import issue, reserve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.ledger import postings
from fulfillment.ledger.service import post_all
from fulfillment.parts.service import find_part
from fulfillment.purchasing.service import pull


class NoSpare(BadScan):
    """The part to put in is not there yet."""


def rework(session: Session, tag: str, *, old: str, new: str, failure: str, operator: str, key: str) -> WorkOrder:
    """Replace a part (`old` and `new` are the labels scanned) and send the machine to the test again.

    With both left empty nothing is replaced: a plug was loose, a module not seated. Raises BadScan,
    BadResult for an unknown failure code, NoSpare, WrongStatus, NotFound, NotATag.
    """

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.REWORK)
        if failure not in FAILURES:
            raise BadResult("Say what was wrong: choose a failure code.")
        if not old and not new:
            _begin(session, unit)
            record(session, unit, "reseated", operator, failure=failure)
            back_to_test(session, unit)
            return unit
        bad, label = _pair(parts_of(session, unit), read_label(old), read_label(new))
        _begin(session, unit, label.sku)
        refuse_used_serials(session, [label])
        _replace(session, unit, bad, label, Finding(failure, operator))
        return unit

    return at_desk(session, "rework", tag, key=key, asked=[old, new, failure], act=act)


class Finding(NamedTuple):
    """What was wrong, and who says so."""

    failure: str
    operator: str


def _begin(session: Session, unit: WorkOrder, *skus: str) -> None:
    """Begin dealing with everything that the act will move: `skus`, and what is kept for the machine or on its way for it."""
    begin_dealing(session, {*skus, *session.scalars(sa.select(PartNeed.sku).filter_by(holder=unit.number))})


def back_to_test(session: Session, unit: WorkOrder) -> None:
    """Mended: another go through the whole recipe. Spares laid by on suspicion are free for others again."""
    leave_the_line(session, [unit.number])
    deal_out(session)
    unit.failure = None
    unit.move_to(UnitStatus.TEST)
    tell(session, unit, "test")


def _pair(parts: Sequence[AsBuiltPart], old: Label, new: Label) -> tuple[AsBuiltPart, Label]:
    bad = next((part for part in parts if part.at is not None and (part.sku, part.serial) == (old.sku, old.serial)), None)
    if bad is None:
        raise BadScan("{part} is not in this machine.", part=str(old))
    if new.sku != old.sku or new.count != 1:
        raise BadScan("Wrong part: one {sku} has to go in, as ordered.", sku=old.sku)
    if bad.serial is not None and new.serial is None:
        raise BadScan("{sku} has a serial number: scan the label on the part itself.", sku=new.sku)
    return bad, new if bad.serial is not None else Label(new.sku, None, new.lot)


def _replace(session: Session, unit: WorkOrder, bad: AsBuiltPart, label: Label, finding: Finding) -> None:
    _hold_spare(session, unit, label.sku)
    exchanges = sa.select(sa.func.count()).where(AsBuiltPart.work_order_id == unit.id, AsBuiltPart.removed_at.is_not(None))
    source = f"{unit.number}:rework:{(session.scalar(exchanges) or 0) + 1}"
    move = issue(session, unit.number, label.sku, 1, source)
    out = _take_out(session, bad, finding)
    fitted = take_part(unit, label, move.unit_cost, finding.operator)
    fitted.operator, fitted.at = finding.operator, now()
    session.add(fitted)
    session.add(SupplierClaim(
        part_id=out.id, supplier_code=find_part(session, out.sku).supplier_code, sku=out.sku, serial=out.serial, lot=out.lot,
        failure=finding.failure, cost_minor=out.cost_minor, currency=out.currency, at=now(),
    ))
    record(session, unit, "replaced", finding.operator, sku=out.sku, out=out.serial, into=label.serial, failure=finding.failure)
    back_to_test(session, unit)
    session.flush()  # the customer's timeline first: who posts waits for nothing more
    if out.cost_minor or fitted.cost_minor:
        post_all(session, [
            postings.parts_issued(unit.number, fitted.cost, key=source),
            postings.part_scrapped(unit.number, out.cost, key=source),
        ])


def _take_out(session: Session, bad: AsBuiltPart, finding: Finding) -> AsBuiltPart:
    """The record of the piece taken out: of several plain pieces only one was bad, the rest stay in."""
    out = bad
    if bad.quantity > 1:
        bad.quantity -= 1
        same = (
            "work_order_id", "sku", "name", "group", "serial", "lot", "cost_minor", "currency", "picked_by", "picked_at", "operator", "at",
        )
        out = AsBuiltPart(quantity=1, **{column: getattr(bad, column) for column in same})
        session.add(out)
    out.removed_by, out.removed_at, out.failure = finding.operator, now(), finding.failure
    session.flush()
    return out


def _hold_spare(session: Session, unit: WorkOrder, sku: str) -> None:
    """Make sure that one piece is reserved for the machine. Raises NoSpare."""
    need = session.scalars(sa.select(PartNeed).filter_by(holder=unit.number, sku=sku)).first()
    if need is not None and need.missing == 0:
        return
    if need is not None or _reserve_behind_the_line(session, unit, sku):
        raise NoSpare("There is no spare {sku} on the shelf. Call one from the supplier, then scan again.", sku=sku)


def _reserve_behind_the_line(session: Session, unit: WorkOrder, sku: str) -> int:
    """Keep one piece that nobody waits for, having begun to deal; returns how many are short."""
    deal_out(session)
    return reserve(session, unit.number, {sku: 1}).get(sku, 0)


def call_spare(session: Session, tag: str, *, sku: str, operator: str, key: str) -> WorkOrder:
    """Lay a spare by for this machine, from the shelf or from its supplier. Raises BadScan, WrongStatus, NotFound."""

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.REWORK)
        if sku not in {part.sku for part in parts_of(session, unit) if part.at is not None}:
            raise BadScan("{part} is not in this machine.", part=sku)
        _lay_by(session, unit, sku, operator, key)
        return unit

    return at_desk(session, "spare", tag, key=key, asked=sku, act=act)


def lay_spare_by(session: Session, tag: str) -> None:
    """After a failed test: when it points at one part number, have a spare ready before anybody asks."""
    locked = lock(sa.select(WorkOrder).filter_by(tag=tag)).execution_options(populate_existing=True)
    unit = session.scalars(locked).one()  # it may be mended, or its spare called, at this moment
    if unit.status is not UnitStatus.REWORK or unit.failure is None:
        return
    run = session.scalars(sa.select(TestRun).filter_by(work_order_id=unit.id).order_by(TestRun.number.desc()).limit(1)).one()
    skus = suspects(run, unit.failure.partition("/")[0])
    if len(skus) == 1:
        _lay_by(session, unit, skus[0], SYSTEM, f"{unit.number}:{run.number}")


def _lay_by(session: Session, unit: WorkOrder, sku: str, operator: str, source: str) -> None:
    """Reserve one; what the shelf does not have is called from the supplier, once."""
    if session.scalars(sa.select(PartNeed.id).filter_by(holder=unit.number, sku=sku)).first() is not None:
        return
    _begin(session, unit, sku)
    short = _reserve_behind_the_line(session, unit, sku)
    session.add(PartNeed(
        holder=unit.number, order_number=unit.order_number, sku=sku, needed=1, missing=short, promised_on=unit.promised_on,
    ))
    record(session, unit, "spare_called" if short else "spare_laid_by", operator, sku=sku)
    if short:
        pull(session, {sku: short}, source)
