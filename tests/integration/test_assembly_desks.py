"""The desks: what a scan does, what it refuses and in which words, and that a second scan does nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly import service as floor
from fulfillment.assembly.models import AsBuiltPart, FloorEvent, TestResult, TestRun, UnitStatus, WorkOrder
from fulfillment.inventory.service import reserved_for
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal, WrongStatus
from fulfillment.ledger.models import Entry
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import TooLateToCancel, cancel_order, get_order, timeline
from tests.builders import assembly
from tests.builders.assembly import BOXER, BUILDER, KITTER, TESTER, kit_labels, laptops, serial_labels, unit_of
from tests.builders.walk import walk_order

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def machine(session: Session, up_to: str) -> WorkOrder:
    return unit_of(session, walk_order(session, up_to=up_to, stock=True).number)


def words(refusal: pytest.ExceptionInfo[Refusal]) -> str:
    return str(refusal.value)


def events_of(session: Session, unit: WorkOrder) -> list[str]:
    rows = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.at, OutboxEvent.id)).all()
    return [row.kind for row in rows if row.payload.get("tag") == unit.tag]


def test_a_kit_records_every_part_with_serial_lot_operator_and_time(session: Session) -> None:
    unit = machine(session, "released")
    with frozen(AT):
        assembly.kit(session, unit.tag)
    assert (unit.status, unit.started_at) == (UnitStatus.BUILD, AT)
    parts = floor.parts_of(session, unit)
    assert sorted((part.sku, part.quantity, part.serial, part.lot) for part in parts) == [
        ("ADP-T65", 1, f"{unit.tag}1", "L1"), ("BSE-T14", 1, f"{unit.tag}1", "L1"), ("CPU-T8", 1, f"{unit.tag}1", "L1"),
        ("FAN-T4", 3, None, None), ("MEM-T16", 1, f"{unit.tag}1", "L1"), ("MEM-T16", 1, f"{unit.tag}2", "L1"),
        ("SSD-T1", 1, f"{unit.tag}1", "L1"),
    ]
    assert {(part.picked_by, part.picked_at, part.operator) for part in parts} == {(KITTER, AT, None)}
    assert reserved_for(session, unit.number) == {}
    assert events_of(session, unit) == ["UnitKitted"]


def test_the_first_kit_is_where_cancelling_ends(session: Session) -> None:
    order = walk_order(session, laptops(2), up_to="released", stock=True)
    assembly.kit(session, unit_of(session, order.number).tag)
    assert get_order(session, order.number).status is OrderStatus.IN_PRODUCTION
    with pytest.raises(TooLateToCancel):
        cancel_order(session, order.number, "changed my mind", by="customer")
    assembly.kit(session, unit_of(session, order.number, 2).tag)
    assert [event.kind for event in timeline(session, order, all_of_it=True)].count("production_started") == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda scans: scans[1:], "Not complete yet. Still missing: BSE-T14."),
        (lambda scans: [*scans, "GPU-9/S1"], "Wrong part: GPU-9 does not belong here. Put it back."),
        (lambda scans: [scans[0].replace("BSE-T14", "BSE-T16"), *scans[1:]], "Wrong part: BSE-T16 does not belong here. Put it back."),
        (lambda scans: [*scans, "CPU-T8/S77"], "One CPU-T8 too many: only 1 needed."),
        (lambda scans: [scan if scan != "3*FAN-T4" else "2*FAN-T4" for scan in scans], "Not complete yet. Still missing: FAN-T4."),
        (lambda scans: ["BSE-T14", *scans[1:]], "BSE-T14 has a serial number: scan the label on the part itself."),
        (lambda scans: [*scans, "OSL-TP"], "Wrong part: OSL-TP does not belong here. Put it back."),
    ],
)
def test_a_wrong_or_short_kit_is_refused_in_words_and_changes_nothing(
    session: Session, change: Callable[[list[str]], list[str]], said: str,
) -> None:
    unit = machine(session, "released")
    with pytest.raises(Refusal) as refusal, session.begin_nested():
        assembly.kit(session, unit.tag, scans=change(kit_labels(unit)))
    assert words(refusal) == said
    session.refresh(unit)
    assert unit.status is UnitStatus.KITTING
    assert floor.parts_of(session, unit) == []
    assert reserved_for(session, unit.number) == dict(sorted(assembly.STOCKED.items()))
    assert "parts_issued" not in session.scalars(sa.select(Entry.kind)).all()
    assembly.kit(session, unit.tag)  # the same key works after the refusal


def test_a_part_that_is_in_another_machine_is_refused(session: Session) -> None:
    order = walk_order(session, laptops(2), up_to="released", stock=True)
    first, second = floor.units_of(session, order.number)
    assembly.kit(session, first.tag)
    stolen = kit_labels(second)
    stolen[0] = kit_labels(first)[0]
    with pytest.raises(Refusal, match=f"BSE-T14 {first.tag}1 is on record in unit {first.tag}. Take another one."):
        assembly.kit(session, second.tag, scans=stolen)


def test_the_same_scan_twice_is_one_act(session: Session) -> None:
    unit = machine(session, "released")
    for act in (assembly.kit, assembly.build, assembly.box):
        if act is assembly.box:
            assembly.pass_test(session, unit.tag)
        act(session, unit.tag, key=f"{act.__name__}-1")
        status = unit.status
        repeat = floor_call(session, act.__name__, unit)
        assert (repeat.number, repeat.status) == (unit.number, status)
    assert session.scalars(sa.select(Entry.kind).order_by(Entry.seq)).all() == [
        "opening", "payment_captured", "parts_issued", "build_finished",
    ]
    assert events_of(session, unit) == ["UnitKitted", "UnitBuilt", "UnitTested", "UnitBoxed"]
    assert len(session.scalars(sa.select(AsBuiltPart)).all()) == 7


def floor_call(session: Session, act: str, unit: WorkOrder) -> WorkOrder:
    """The same request again, word for word."""
    parts = floor.parts_of(session, unit)
    if act == "kit":
        return floor.kit(session, unit.tag, scans=kit_labels(unit), operator=KITTER, key="kit-1")
    if act == "build":
        serials = serial_labels([part for part in parts if part.sku != "ADP-T65"])
        steps = [step.code for step in floor.steps_of(unit)]
        return floor.build(session, unit.tag, serials=serials, steps=steps, operator=BUILDER, key="build-1")
    adapter = next(part for part in parts if part.sku == "ADP-T65")
    return floor.box(session, unit.tag, accessories=[f"ADP-T65/{adapter.serial}"], operator=BOXER, key="box-1")


def test_a_second_operator_with_his_own_key_reads_where_the_unit_is(session: Session) -> None:
    unit = machine(session, "kitted")
    with pytest.raises(WrongStatus, match=f"Unit {unit.tag} stands at the build desk."):
        assembly.kit(session, unit.tag, key="another", scans=[])


def test_a_key_is_not_good_for_another_unit(session: Session) -> None:
    order = walk_order(session, laptops(2), up_to="released", stock=True)
    first, second = floor.units_of(session, order.number)
    assembly.kit(session, first.tag, key="k")
    with pytest.raises(Conflict):
        assembly.kit(session, second.tag, key="k")


@pytest.mark.parametrize(("typed", "said"), [
    ("ZZZZZZZ", "We made no machine with the tag ZZZZZZZ."), ("nonsense", "A service tag has seven letters and digits, such as BX7K2M9."),
])
def test_a_wrong_tag_is_refused_at_every_desk(session: Session, typed: str, said: str) -> None:
    desks: tuple[Callable[[], WorkOrder], ...] = (
        lambda: floor.kit(session, typed, scans=[], operator=KITTER, key="1"),
        lambda: floor.build(session, typed, serials=[], steps=[], operator=BUILDER, key="2"),
        lambda: floor.record_test(session, typed, results=[], operator=TESTER, key="3"),
        lambda: floor.rework(session, typed, old="", new="", failure="ERRORS", operator=TESTER, key="4"),
        lambda: floor.call_spare(session, typed, sku="MEM-T16", operator=TESTER, key="5"),
        lambda: floor.box(session, typed, accessories=[], operator=BOXER, key="6"),
    )
    for desk in desks:
        with pytest.raises(Refusal) as refusal:
            desk()
        assert words(refusal) == said


def test_a_unit_still_waiting_for_parts_is_not_kitted(session: Session) -> None:
    unit = unit_of(session, walk_order(session, up_to="released").number)
    with pytest.raises(WrongStatus, match="waits for parts from its suppliers"):
        assembly.kit(session, unit.tag)


def test_a_build_records_who_fitted_which_part_when(session: Session) -> None:
    unit = machine(session, "kitted")
    with frozen(AT + timedelta(hours=1)):
        assembly.build(session, unit.tag)
    parts = {part.sku: part for part in floor.parts_of(session, unit)}
    assert {(part.operator, part.at) for part in parts.values() if part.sku != "ADP-T65"} == {(BUILDER, AT + timedelta(hours=1))}
    assert parts["ADP-T65"].at is None, "the adapter stays in the tote for the boxer"
    assert unit.status is UnitStatus.TEST


def test_a_part_of_another_tote_is_not_built_in(session: Session) -> None:
    unit = machine(session, "kitted")
    fitted = floor.to_fit(floor.parts_of(session, unit))
    steps = [step.code for step in floor.steps_of(unit)]
    serials = serial_labels(fitted)
    with pytest.raises(Refusal, match="CPU-T8/X9 was not kitted for this machine"):
        floor.build(session, unit.tag, serials=[*serials, "CPU-T8/X9"], steps=steps, operator=BUILDER, key="b1")
    with pytest.raises(Refusal, match="Still missing: 2 × MEM-T16"):
        floor.build(
            session, unit.tag, serials=[scan for scan in serials if "MEM" not in scan], steps=steps, operator=BUILDER, key="b2",
        )
    assert unit.status is UnitStatus.BUILD


def test_every_step_of_the_build_is_confirmed(session: Session) -> None:
    unit = machine(session, "kitted")
    serials = serial_labels(floor.to_fit(floor.parts_of(session, unit)))
    steps = [step.code for step in floor.steps_of(unit)]
    assert steps == ["chassis", "processor", "cooling", "memory", "storage", "close"]
    with pytest.raises(floor.NotDone, match="Not confirmed yet: Fit coolers and fans; Close the machine, attach the service tag"):
        floor.build(
            session, unit.tag, serials=serials, steps=["chassis", "processor", "memory", "storage"], operator=BUILDER, key="b1",
        )
    with pytest.raises(floor.NotDone, match="There is no step paint for this machine"):
        floor.build(session, unit.tag, serials=serials, steps=[*steps, "paint"], operator=BUILDER, key="b2")


def test_results_can_come_one_by_one_and_the_last_one_ends_the_test(session: Session) -> None:
    unit = machine(session, "built")
    recipe = floor.recipe_of(session, unit)
    assert [step.code for step in recipe] == ["post", "processor", "memory", "storage", "cooling", "software", "burn-in"]
    for at, step in enumerate(recipe):
        assert unit.status is UnitStatus.TEST
        outcome = floor.Outcome(step.code, passed=True, measured=f"run {at}")
        floor.record_test(session, unit.tag, results=[outcome], operator=TESTER, key=f"t{at}")
    assert unit.status is UnitStatus.BOXING
    ((run, results),) = floor.test_runs(session, unit.id)
    assert (run.number, run.passed) == (1, True)
    assert [(result.code, result.passed, result.operator) for result in results] == [(step.code, True, TESTER) for step in recipe]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (floor.Outcome("graphics", passed=True), "There is no test graphics for this machine."),
        (floor.Outcome("post", passed=True), "The result of post is on record already."),
        (floor.Outcome("memory", passed=False), "Say what is wrong with memory: choose a failure code."),
        (floor.Outcome("memory", passed=False, failure="BAD-MOOD"), "Say what is wrong with memory: choose a failure code."),
    ],
)
def test_a_result_that_does_not_belong_is_refused(session: Session, outcome: floor.Outcome, said: str) -> None:
    unit = machine(session, "built")
    floor.record_test(session, unit.tag, results=[floor.Outcome("post", passed=True)], operator=TESTER, key="t0")
    with pytest.raises(floor.BadResult) as refusal, session.begin_nested():
        floor.record_test(session, unit.tag, results=[outcome], operator=TESTER, key="t1")
    assert words(refusal) == said
    assert session.scalar(sa.select(sa.func.count()).select_from(TestResult)) == 1


def test_the_box_takes_exactly_the_accessories_of_this_machine(session: Session) -> None:
    unit = machine(session, "tested")
    for accessories, said in (
        ([], "Not complete yet. Still missing: ADP-T65."), (["ADP-T65/X9"], "ADP-T65/X9 was not kitted for this machine."),
        (["MSE-1"], "Wrong part: MSE-1 does not belong here."),
    ):
        with pytest.raises(Refusal, match=said):
            floor.box(session, unit.tag, accessories=accessories, operator=BOXER, key=f"x{said}")
    assembly.box(session, unit.tag)
    assert unit.status is UnitStatus.BOXED
    assert all(part.at is not None for part in floor.parts_of(session, unit))


def test_the_customer_reads_each_step_when_it_happens(session: Session) -> None:
    order = walk_order(session, up_to="released", stock=True)
    unit = unit_of(session, order.number)
    moments = {}
    for hour, act in enumerate((assembly.kit, assembly.build, assembly.pass_test, assembly.box)):
        with frozen(AT + timedelta(hours=hour)):
            act(session, unit.tag)
    session.flush()
    for event in timeline(session, order):
        moments[event.kind] = (event.at, event.tag)
    assert {kind: moments[kind] for kind in ("build", "test", "boxing", "boxed")} == {
        kind: (AT + timedelta(hours=hour), unit.tag) for hour, kind in enumerate(("build", "test", "boxing", "boxed"))
    }


def test_the_history_of_a_machine_names_who_did_what(session: Session) -> None:
    unit = machine(session, "boxed")
    assert [(event.kind, event.operator) for event in floor.history(session, unit.id)] == [
        ("released", "system"), ("parts_complete", "system"), ("kitted", KITTER), ("built", BUILDER), ("test_passed", TESTER),
        ("boxed", BOXER),
    ]
    assert session.scalar(sa.select(sa.func.count()).select_from(FloorEvent)) == 6
    assert session.scalar(sa.select(sa.func.count()).select_from(TestRun)) == 1


def test_a_queue_is_in_the_order_of_promises_and_tells_how_long_each_has_stood(session: Session) -> None:
    orders = []
    for hours, delivery in ((0, "standard"), (1, "express"), (2, "standard")):
        with frozen(AT + timedelta(hours=hours)):
            orders.append(walk_order(session, up_to="released", stock=True, delivery=delivery))
    slow, fast, last = (unit_of(session, order.number) for order in orders)
    with frozen(AT + timedelta(hours=5)):
        waiting = floor.queue(session, UnitStatus.KITTING)
        assert [unit.tag for unit in waiting] == [fast.tag, slow.tag, last.tag]
        assert [unit.age for unit in waiting] == [timedelta(hours=4), timedelta(hours=5), timedelta(hours=3)]
    assert [unit.tag for unit in floor.queue(session, UnitStatus.KITTING, limit=1)] == [fast.tag]
    rest = floor.queue(session, UnitStatus.KITTING, after=(fast.promised_on, fast.number))
    assert [unit.tag for unit in rest] == [slow.tag, last.tag]
    loads = {load.station: (load.waiting, load.oldest) for load in floor.board(session)}
    assert loads[UnitStatus.KITTING] == (3, AT)
    assert loads[UnitStatus.TEST] == (0, None)


@pytest.mark.parametrize("table", ["work_order", "part_need"])
def test_the_queues_are_read_by_index(session: Session, table: str) -> None:
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole, whatever indexes there are")
    statement = {
        "work_order": "SELECT tag FROM work_order WHERE status='kitting' ORDER BY promised_on, number LIMIT 50",
        "part_need": "SELECT sku FROM part_need WHERE missing > 0 ORDER BY promised_on, holder",
    }[table]
    plan = " ".join(str(row[3]) for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {statement}")))
    assert "USING" in plan
    assert "INDEX" in plan
    assert "TEMP B-TREE" not in plan


def test_unknown_units_are_not_found_by_name_either(session: Session) -> None:
    with pytest.raises(NotFound):
        floor.find_unit(session, "BCDFGHJ")
    assert floor.units_of(session, "SO-2026-999999") == []
    assert floor.find_release(session, "SO-2026-999999") is None
