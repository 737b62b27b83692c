"""The floor as others see it: find a machine, read its history, look at the queues, and do a desk's act.

The acts stand in a module for each desk and are gathered here, so that pages import one name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.boxing import box, to_pack
from fulfillment.assembly.building import NotDone, build, steps_of, to_fit
from fulfillment.assembly.kitting import kit, kit_needs
from fulfillment.assembly.labels import BadScan
from fulfillment.assembly.models import (
    STATIONS,
    AsBuiltPart,
    FloorEvent,
    OrderRelease,
    PartNeed,
    SupplierClaim,
    TestResult,
    TestRun,
    UnitStatus,
    WorkOrder,
)
from fulfillment.assembly.recipe import FAILURES
from fulfillment.assembly.reworking import NoSpare, call_spare, rework
from fulfillment.assembly.tag import NotATag, express_code, read_tag, spoken, tag_of
from fulfillment.assembly.testing import BadResult, Outcome, open_run, recipe_of, record_test
from fulfillment.assembly.units import parts_of
from fulfillment.kernel.clock import now
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound

PAGE = 50


class Waiting(NamedTuple):
    """A machine in a station's queue."""

    tag: str
    number: str
    order_number: str
    name: dict[str, str]
    promised_on: date
    since: datetime
    failure: str | None

    @property
    def age(self) -> timedelta:
        """How long it has stood here."""
        return now() - self.since


class Load(NamedTuple):
    """How full a station is."""

    station: UnitStatus
    waiting: int
    oldest: datetime | None
    """Since when the one that waits longest has stood here."""


def find_unit(session: Session, tag: str) -> WorkOrder:
    """The machine of this tag, or of this express service code with dashes. Raises NotFound, NotATag."""
    cleaned = tag.replace(" ", "")
    wanted = tag_of(cleaned) if cleaned.replace("-", "").isdigit() and len(cleaned.replace("-", "")) > 7 else read_tag(cleaned)
    unit = session.scalars(sa.select(WorkOrder).filter_by(tag=wanted)).first()
    if unit is None:
        raise NotFound("We made no machine with the tag {tag}.", tag=wanted)
    return unit


def units_of(session: Session, order_number: str) -> list[WorkOrder]:
    """Every machine of an order, in the order of its lines."""
    statement = sa.select(WorkOrder).filter_by(order_number=order_number).order_by(WorkOrder.position, WorkOrder.unit)
    return list(session.scalars(statement))


def shipped_units(session: Session, order_numbers: Collection[str], most: int = 50) -> list[WorkOrder]:
    """The machines of these orders that have left us, the newest first."""
    statement = sa.select(WorkOrder).where(WorkOrder.order_number.in_(order_numbers), WorkOrder.status == UnitStatus.SHIPPED)
    return list(session.scalars(statement.order_by(WorkOrder.number.desc()).limit(most)))


def find_release(session: Session, order_number: str) -> OrderRelease | None:
    """The order's place in the factory; None while it was not released."""
    return session.scalars(sa.select(OrderRelease).filter_by(order_number=order_number)).first()


def queue(session: Session, station: UnitStatus, *, limit: int = PAGE, after: tuple[date, str] | None = None) -> list[Waiting]:
    """Who waits at a station, first promised first; `after` is the (promised_on, number) of the last one seen."""
    statement = (
        sa.select(
            WorkOrder.tag, WorkOrder.number, WorkOrder.order_number, WorkOrder.name, WorkOrder.promised_on,
            WorkOrder.status_since, WorkOrder.failure,
        )
        .where(WorkOrder.status == station)
        .order_by(WorkOrder.promised_on, WorkOrder.number)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(sa.tuple_(WorkOrder.promised_on, WorkOrder.number) > after)
    return [Waiting(*row) for row in session.execute(statement)]


def board(session: Session) -> list[Load]:
    """How many machines stand at each station and since when the oldest does, in the order of the work."""
    statement = (
        sa.select(WorkOrder.status, sa.func.count(), sa.func.min(WorkOrder.status_since))
        .where(WorkOrder.status.in_(STATIONS))
        .group_by(WorkOrder.status)
        .order_by(WorkOrder.status)
    )
    found = {status: (count, oldest) for status, count, oldest in session.execute(statement)}
    return [Load(station, *found.get(station, (0, None))) for station in STATIONS]


def missing_parts(session: Session, order_number: str) -> list[PartNeed]:
    """What an order still waits for."""
    statement = (
        sa.select(PartNeed).where(PartNeed.order_number == order_number, PartNeed.missing > 0).order_by(PartNeed.holder, PartNeed.sku)
    )
    return list(session.scalars(statement))


def who_waits_for(session: Session, sku: str) -> list[PartNeed]:
    """Who still misses this part, first promised first."""
    statement = sa.select(PartNeed).where(PartNeed.sku == sku, PartNeed.missing > 0)
    return list(session.scalars(statement.order_by(PartNeed.promised_on, PartNeed.holder)))


def history(session: Session, unit_id: UUID) -> list[FloorEvent]:
    """What happened to a machine, oldest first."""
    return list(session.scalars(sa.select(FloorEvent).filter_by(work_order_id=unit_id).order_by(FloorEvent.at, FloorEvent.id)))


def test_runs(session: Session, unit_id: UUID) -> list[tuple[TestRun, list[TestResult]]]:
    """Every go through the test with its results, oldest first."""
    runs = list(session.scalars(sa.select(TestRun).filter_by(work_order_id=unit_id).order_by(TestRun.number)))
    statement = sa.select(TestResult).where(TestResult.run_id.in_([run.id for run in runs])).order_by(TestResult.at, TestResult.id)
    results: dict[UUID, list[TestResult]] = {run.id: [] for run in runs}
    for result in session.scalars(statement):
        results[result.run_id].append(result)
    return [(run, results[run.id]) for run in runs]


test_runs.__test__ = False  # type: ignore[attr-defined]  # its name begins like a test's; pytest need not call it


def claims(session: Session, supplier_code: str | None = None, *, limit: int = PAGE, offset: int = 0) -> Sequence[SupplierClaim]:
    """Parts that failed here, newest first: what a supplier owes us."""
    statement = sa.select(SupplierClaim).order_by(SupplierClaim.at.desc(), SupplierClaim.id.desc()).limit(limit).offset(offset)
    if supplier_code is not None:
        statement = statement.where(SupplierClaim.supplier_code == supplier_code)
    return list(session.scalars(statement))


def claimed(session: Session) -> dict[str, tuple[int, Money]]:
    """How many parts each supplier owes us for, and what they stood in our books at."""
    statement = (
        sa.select(SupplierClaim.supplier_code, sa.func.count(), sa.func.sum(SupplierClaim.cost_minor))
        .group_by(SupplierClaim.supplier_code).order_by(SupplierClaim.supplier_code)
    )
    return {code: (count, Money(int(cost))) for code, count, cost in session.execute(statement)}


def tags_of_parts(session: Session, part_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The machine that each of these parts was built into."""
    built = sa.select(AsBuiltPart.id, WorkOrder.tag).join(WorkOrder, WorkOrder.id == AsBuiltPart.work_order_id)
    rows = session.execute(built.where(AsBuiltPart.id.in_(list(part_ids))).order_by(AsBuiltPart.id))
    return {part: tag for part, tag in rows}  # noqa: C416 - a Row is not typed as a pair


__all__ = [
    "FAILURES", "BadResult", "BadScan", "Load", "NoSpare", "NotATag", "NotDone", "Outcome", "Waiting", "board", "box", "build",
    "call_spare", "claimed", "claims", "express_code", "find_release", "find_unit", "history", "kit", "kit_needs", "missing_parts",
    "open_run", "parts_of", "queue", "recipe_of", "record_test", "rework", "shipped_units", "spoken", "steps_of", "tags_of_parts",
    "test_runs", "to_fit", "to_pack", "units_of", "who_waits_for",
]
