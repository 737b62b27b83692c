"""The test desk: the recipe read off the parts inside, each result recorded, a failure sent to rework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.events import UnitTested
from fulfillment.assembly.models import AsBuiltPart, TestResult, TestRun, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import FAILURES, Step, test_recipe
from fulfillment.assembly.units import at_desk, parts_of, record, tell, unit_at
from fulfillment.kernel.clock import now
from fulfillment.kernel.events import publish
from fulfillment.kernel.refusals import Refusal


class BadResult(Refusal):
    """A result that does not belong to the recipe."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step of the recipe went."""

    code: str
    passed: bool
    failure: str = ""
    """A key of `recipe.FAILURES`, when it was not passed."""
    measured: str = ""


def recipe_of(session: Session, unit: WorkOrder) -> list[Step]:
    """What this machine is tried with, from the parts inside it and the software ordered for it."""
    return _recipe(unit, parts_of(session, unit))


def _recipe(unit: WorkOrder, parts: Sequence[AsBuiltPart]) -> list[Step]:
    inside = [part.sku for part in parts if part.at is not None]
    return test_recipe([*inside, *(entry["sku"] for entry in unit.bom if not entry["stocked"])])


def record_test(session: Session, tag: str, *, results: Sequence[Outcome], operator: str, key: str) -> WorkOrder:
    """Write down how steps of the test went, one or all of them.

    The run ends when its last step has passed (the unit goes to boxing), or with the first failure
    (to rework, under its failure code). Raises BadResult, WrongStatus, NotFound, NotATag.
    """

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.TEST)
        run = _open_run(session, unit)
        known = {step["code"]: step for step in run.recipe}
        done = set(session.scalars(sa.select(TestResult.code).filter_by(run_id=run.id)))
        for outcome in results:
            _check(outcome, known, done)
            done.add(outcome.code)
            session.add(_result(run, outcome, operator))
        failed = [outcome for outcome in results if not outcome.passed]
        if failed:
            _fail(session, unit, run, failed[0], operator)
        elif done == set(known):
            _pass(session, unit, run, operator)
        return unit

    return at_desk(session, "test", tag, key=key, asked=[asdict(result) for result in results], act=act)


def open_run(session: Session, unit: WorkOrder) -> TestRun | None:
    """The run that is going on, if one is."""
    return session.scalars(sa.select(TestRun).filter_by(work_order_id=unit.id, ended_at=None)).first()


def _open_run(session: Session, unit: WorkOrder) -> TestRun:
    run = open_run(session, unit)
    if run is None:
        before = session.scalar(sa.select(sa.func.count()).select_from(TestRun).filter_by(work_order_id=unit.id)) or 0
        recipe: list[dict[str, Any]] = [{**asdict(step), "skus": list(step.skus)} for step in recipe_of(session, unit)]
        run = TestRun(work_order_id=unit.id, number=before + 1, recipe=recipe, started_at=now())
        session.add(run)
        session.flush()
    return run


def _check(outcome: Outcome, known: dict[str, dict[str, Any]], done: set[str]) -> None:
    if outcome.code not in known:
        raise BadResult("There is no test {code} for this machine.", code=outcome.code)
    if outcome.code in done:
        raise BadResult("The result of {code} is on record already.", code=outcome.code)
    if not outcome.passed and outcome.failure not in FAILURES:
        raise BadResult("Say what is wrong with {code}: choose a failure code.", code=outcome.code)


def _result(run: TestRun, outcome: Outcome, operator: str) -> TestResult:
    return TestResult(
        run_id=run.id, code=outcome.code, passed=outcome.passed, failure=None if outcome.passed else outcome.failure,
        measured=outcome.measured[:200], operator=operator, at=now(),
    )


def _fail(session: Session, unit: WorkOrder, run: TestRun, outcome: Outcome, operator: str) -> None:
    run.ended_at, run.passed = now(), False
    unit.failure = f"{outcome.code}/{outcome.failure}"
    unit.move_to(UnitStatus.REWORK)
    record(session, unit, "test_failed", operator, run=run.number, failure=unit.failure, measured=outcome.measured[:200])
    tell(session, unit, "rework", step=outcome.code)
    publish(session, UnitTested(unit.tag, passed=False))


def _pass(session: Session, unit: WorkOrder, run: TestRun, operator: str) -> None:
    run.ended_at, run.passed = now(), True
    unit.move_to(UnitStatus.BOXING)
    record(session, unit, "test_passed", operator, run=run.number)
    tell(session, unit, "boxing")
    publish(session, UnitTested(unit.tag, passed=True))


def suspects(run: TestRun, code: str) -> tuple[str, ...]:
    """The part numbers that a step of the run had on trial."""
    return next((tuple(step["skus"]) for step in run.recipe if step["code"] == code), ())
