"""Where a machine can go from where it stands: the table, and nothing beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.assembly.models import NEXT_RELEASE, NEXT_UNIT, STATIONS, OrderRelease, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.assembly.units import NOT_HERE
from fulfillment.kernel.clock import now
from fulfillment.kernel.refusals import WrongStatus


def unit(status: UnitStatus) -> WorkOrder:
    return WorkOrder(tag="BX7K2M9", status=status, status_since=now())


@given(st.lists(st.sampled_from(UnitStatus), max_size=30))
def test_a_machine_only_takes_steps_of_the_table(wanted: list[UnitStatus]) -> None:
    machine = unit(UnitStatus.PRE_PRODUCTION)
    for status in wanted:
        before, since = machine.status, machine.status_since
        if status in NEXT_UNIT[before]:
            machine.move_to(status)
            assert machine.status is status
        else:
            with pytest.raises(WrongStatus):
                machine.move_to(status)
            assert (machine.status, machine.status_since) == (before, since)


@given(st.lists(st.sampled_from(ReleaseStatus), max_size=10))
def test_a_release_only_takes_steps_of_the_table(wanted: list[ReleaseStatus]) -> None:
    release = OrderRelease(order_number="SO-2026-000001", status=ReleaseStatus.WAITING)
    for status in wanted:
        if status in NEXT_RELEASE[release.status]:
            release.move_to(status)
        else:
            with pytest.raises(WrongStatus):
                release.move_to(status)
    assert (release.ready_at is not None) is (release.status in {ReleaseStatus.READY, ReleaseStatus.DISPATCHED} or (
        release.status is ReleaseStatus.CANCELLED and release.ready_at is not None
    ))


def reachable(status: UnitStatus) -> set[UnitStatus]:
    found: set[UnitStatus] = set()
    todo = [status]
    while todo:
        for following in NEXT_UNIT[todo.pop()] - found:
            found.add(following)
            todo.append(following)
    return found


def test_every_station_leads_out_of_the_house_and_none_back_past_the_kit() -> None:
    for station in STATIONS:
        assert UnitStatus.SHIPPED in reachable(station)
    assert UnitStatus.CANCELLED not in reachable(UnitStatus.BUILD), "what is being built is built"
    assert UnitStatus.KITTING not in reachable(UnitStatus.BUILD)
    assert NEXT_UNIT[UnitStatus.SHIPPED] == NEXT_UNIT[UnitStatus.CANCELLED] == set()


def test_a_machine_is_boxed_only_after_a_test_it_passed() -> None:
    """Take the step from test to boxing away, and there is no way to a box."""
    kept = NEXT_UNIT[UnitStatus.TEST]
    NEXT_UNIT[UnitStatus.TEST] = kept - {UnitStatus.BOXING}
    try:
        assert UnitStatus.BOXED not in reachable(UnitStatus.PRE_PRODUCTION)
    finally:
        NEXT_UNIT[UnitStatus.TEST] = kept


def test_every_status_has_its_steps_and_its_words() -> None:
    assert set(NEXT_UNIT) == set(NOT_HERE) == set(UnitStatus)
    assert set(NEXT_RELEASE) == set(ReleaseStatus)
