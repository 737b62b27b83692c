"""Whatever is scanned in whatever order, floor, stock and books agree, and no machine goes where it cannot."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fulfillment.assembly import service as floor
from fulfillment.assembly.models import NEXT_UNIT, UnitStatus, WorkOrder
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.refusals import Refusal
from fulfillment.orders.service import cancel_order
from tests.builders import assembly, shipping
from tests.builders.assembly import bags, laptops
from tests.builders.walk import findings, suppliers_deliver, walk_order, work_jobs


def replace(session: Session, tag: str) -> None:
    unit = floor.find_unit(session, tag)
    bad = next(part for part in floor.parts_of(session, unit) if part.sku == "MEM-T16")
    floor.rework(
        session, tag, old=f"MEM-T16/{bad.serial}", new=f"MEM-T16/{secret_token(6).upper().replace('_', '')}X", failure="ERRORS",
        operator="Mats", key=secret_token(),
    )


def reseat(session: Session, tag: str) -> None:
    floor.rework(session, tag, old="", new="", failure="NOT-FOUND", operator="Mats", key=secret_token())


def spare(session: Session, tag: str) -> None:
    floor.call_spare(session, tag, sku="MEM-T16", operator="Mats", key=secret_token())


UNIT_ACTS: dict[str, Callable[..., object]] = {
    "kit": assembly.kit, "build": assembly.build, "pass": assembly.pass_test, "fail": assembly.fail_test, "replace": replace,
    "reseat": reseat, "spare": spare, "box": assembly.box,
}
acts = st.lists(st.tuples(st.sampled_from([*UNIT_ACTS, "jobs", "deliver", "dispatch", "cancel"]), st.integers(1, 2)), max_size=25)
FORWARD = ["jobs", "deliver", "kit", "build", "fail", "jobs", "deliver", "replace", "pass", "box", "jobs", "dispatch"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=acts)
def test_any_scans_in_any_order_leave_everything_in_agreement(session: Session, chosen: list[tuple[str, int]]) -> None:
    order = walk_order(session, laptops(2), bags(1), up_to="paid")
    # A way to the door lies under the random scans, so that late stations are reached as well.
    for name, nth in [*chosen[: len(chosen) // 2], *[(act, 1) for act in FORWARD[: len(chosen)]], *chosen[len(chosen) // 2 :]]:
        before = {unit.tag: unit.status for unit in floor.units_of(session, order.number)}
        try:
            with session.begin_nested():
                _do(session, order.number, name, nth)
        except (Refusal, StopIteration, IndexError):
            session.expire_all()
        for unit in floor.units_of(session, order.number):
            assert _went(before.get(unit.tag), unit)
    work_jobs(session)
    assert findings(session) == []


def _do(session: Session, number: str, name: str, nth: int) -> None:
    if name in UNIT_ACTS:
        UNIT_ACTS[name](session, floor.units_of(session, number)[nth - 1].tag)
    elif name == "jobs":
        work_jobs(session)
    elif name == "deliver":
        suppliers_deliver(session)
    elif name == "dispatch":
        shipping.dispatch(session, number)
    else:
        cancel_order(session, number, "changed my mind", by="customer")


def _went(before: UnitStatus | None, unit: WorkOrder) -> bool:
    """By at most one step of the table (kitting follows at once when the parts are there)."""
    if before is None or before is unit.status:
        return True
    return unit.status in NEXT_UNIT[before]
