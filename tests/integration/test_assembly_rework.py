"""A machine that fails its test: the bad part out, a good one in, the tag and the history kept."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly import service as floor
from fulfillment.assembly.models import PartNeed, SupplierClaim, UnitStatus, WorkOrder
from fulfillment.inventory.service import available, reserved_for
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import balance
from fulfillment.orders.service import get_order, timeline
from fulfillment.purchasing.models import PurchaseOrder
from tests.builders import assembly
from tests.builders.assembly import COST, TESTER, UNIT_COST, put_on_shelf, unit_of
from tests.builders.walk import findings, suppliers_deliver, walk_order, work_jobs


def failed(session: Session, step: str = "memory", *, stock: bool = True) -> WorkOrder:
    """A machine at the rework desk, after all that follows from its failure."""
    unit = unit_of(session, walk_order(session, up_to="built", stock=stock).number)
    assembly.fail_test(session, unit.tag, step)
    work_jobs(session)
    return unit


def replace(session: Session, unit: WorkOrder, old: str, new: str, *, key: str = "r1") -> WorkOrder:
    return floor.rework(session, unit.tag, old=old, new=new, failure="ERRORS", operator=TESTER, key=key)


def test_a_failed_step_sends_the_machine_to_rework_under_its_failure_code(session: Session) -> None:
    unit = failed(session)
    assert (unit.status, unit.failure) == (UnitStatus.REWORK, "memory/ERRORS")
    assert [waiting.failure for waiting in floor.queue(session, UnitStatus.REWORK)] == ["memory/ERRORS"]
    order = get_order(session, unit.order_number)
    assert timeline(session, order)[-1].kind == "rework"


def test_a_spare_is_laid_by_before_anybody_asks(session: Session) -> None:
    unit = failed(session)
    assert reserved_for(session, unit.number) == {"MEM-T16": 1}


def test_a_spare_that_is_missing_is_called_from_its_supplier_once(session: Session) -> None:
    unit = failed(session, stock=False)
    floor.call_spare(session, unit.tag, sku="MEM-T16", operator=TESTER, key="s1")
    statement = sa.select(PurchaseOrder).order_by(PurchaseOrder.number).options(selectinload(PurchaseOrder.lines))
    last = session.scalars(statement).all()[-1]
    assert {line.sku: line.quantity for line in last.lines} == {"MEM-T16": 1}
    with pytest.raises(floor.NoSpare, match="There is no spare MEM-T16 on the shelf"):
        replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1")
    assert suppliers_deliver(session) == [last.number]
    replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1", key="r2")
    assert unit.status is UnitStatus.TEST


def test_the_old_part_stays_on_record_with_why_and_when_it_was_taken_out(session: Session) -> None:
    unit = failed(session)
    tag = unit.tag
    replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1/L9")
    assert (unit.tag, unit.status, unit.failure) == (tag, UnitStatus.TEST, None)
    inside = {(part.sku, part.serial, part.lot) for part in floor.parts_of(session, unit) if part.sku == "MEM-T16"}
    assert inside == {("MEM-T16", f"{tag}1", "L1"), ("MEM-T16", "NEW1", "L9")}
    out = [part for part in floor.parts_of(session, unit, removed=True) if part.removed_at is not None]
    assert [(part.sku, part.serial, part.failure, part.removed_by) for part in out] == [("MEM-T16", f"{tag}2", "ERRORS", TESTER)]


def test_the_bad_part_is_a_loss_and_a_claim_on_its_supplier(session: Session) -> None:
    unit = failed(session)
    replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1")
    assert balance(session, Account.SCRAP) == COST["MEM-T16"] == Money(4_950)
    assert balance(session, Account.WIP) == UNIT_COST
    claim = session.scalars(sa.select(SupplierClaim)).one()
    assert (claim.supplier_code, claim.sku, claim.serial, claim.failure, claim.cost) == (
        "S-SILICON", "MEM-T16", f"{unit.tag}2", "ERRORS", Money(4_950),
    )
    assert list(floor.claims(session, "S-CHASSIS")) == []
    assert list(floor.claims(session, "S-SILICON")) == [claim]
    assert findings(session) == []


def test_one_of_several_plain_parts_is_replaced_and_the_others_stay(session: Session) -> None:
    unit = failed(session, "cooling")
    replace(session, unit, "FAN-T4", "FAN-T4//L7")
    assert sorted((part.quantity, part.lot or "") for part in floor.parts_of(session, unit) if part.sku == "FAN-T4") == [(1, "L7"), (2, "")]
    assert balance(session, Account.SCRAP) == Money(333)
    assert findings(session) == []


def test_a_mended_machine_goes_through_the_whole_test_again(session: Session) -> None:
    unit = failed(session)
    replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1")
    assembly.pass_test(session, unit.tag)
    assert unit.status is UnitStatus.BOXING
    runs = floor.test_runs(session, unit.id)
    assert [(run.number, run.passed, len(results)) for run, results in runs] == [(1, False, 1), (2, True, 7)]


def test_it_can_fail_twice(session: Session) -> None:
    unit = failed(session)
    replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1")
    assembly.fail_test(session, unit.tag)
    work_jobs(session)
    replace(session, unit, "MEM-T16/NEW1", "MEM-T16/NEW2", key="r2")
    assembly.pass_test(session, unit.tag)
    assembly.box(session, unit.tag)
    assert balance(session, Account.SCRAP) == Money(2 * 4_950)
    assert balance(session, Account.FINISHED_GOODS) == UNIT_COST
    assert findings(session) == []


def test_a_loose_plug_needs_no_part(session: Session) -> None:
    unit = failed(session)
    before = available(session, ["MEM-T16"])
    floor.rework(session, unit.tag, old="", new="", failure="NOT-FOUND", operator=TESTER, key="r1")
    assert unit.status is UnitStatus.TEST
    assert balance(session, Account.SCRAP) == Money(0)
    assert available(session, ["MEM-T16"])["MEM-T16"] == before["MEM-T16"] + 1, "the spare laid by on suspicion is free again"
    assert session.scalars(sa.select(PartNeed)).all() == []
    assert findings(session) == []


def test_another_part_than_the_suspect_can_be_the_culprit(session: Session) -> None:
    unit = failed(session)
    floor.call_spare(session, unit.tag, sku="BSE-T14", operator=TESTER, key="s1")
    replace(session, unit, f"BSE-T14/{unit.tag}1", "BSE-T14/NEW1")
    assert reserved_for(session, unit.number) == {}
    assert balance(session, Account.SCRAP) == COST["BSE-T14"]
    assert findings(session) == []


def test_the_same_scan_twice_replaces_once(session: Session) -> None:
    unit = failed(session)
    for _ in range(2):
        replace(session, unit, f"MEM-T16/{unit.tag}2", "MEM-T16/NEW1")
    assert balance(session, Account.SCRAP) == Money(4_950)
    assert len(floor.parts_of(session, unit)) == 7


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MEM-T16/{tag}9", "MEM-T16/NEW1", "is not in this machine"),
        ("GPU-9/X", "GPU-9/Y", "GPU-9/X is not in this machine"),
        ("MEM-T16/{tag}2", "MEM-T32/NEW1", "Wrong part: one MEM-T16 has to go in, as ordered"),
        ("MEM-T16/{tag}2", "MEM-T16", "scan the label on the part itself"),
        ("MEM-T16/{tag}2", "MEM-T16/{tag}1", "is on record in unit"),
        ("MEM-T16/{tag}2", "MEM-T16/{tag}2", "is on record in unit"),
        ("ADP-T65/{tag}1", "ADP-T65/NEW1", "is not in this machine"),
        ("", "MEM-T16/NEW1", "is not the label of a part"),
    ],
)
def test_a_wrong_exchange_is_refused(session: Session, old: str, new: str, said: str) -> None:
    unit = failed(session)
    with pytest.raises(Refusal, match=said), session.begin_nested():
        replace(session, unit, old.format(tag=unit.tag), new.format(tag=unit.tag))
    assert unit.status is UnitStatus.REWORK
    assert balance(session, Account.SCRAP) == Money(0)


def test_an_exchange_says_why(session: Session) -> None:
    unit = failed(session)
    with pytest.raises(Refusal, match="choose a failure code"):
        floor.rework(session, unit.tag, old="", new="", failure="BAD-MOOD", operator=TESTER, key="r1")


def test_a_spare_waited_for_is_given_back_when_it_was_only_a_plug(session: Session) -> None:
    unit = failed(session, stock=False)
    floor.rework(session, unit.tag, old="", new="", failure="NOT-FOUND", operator=TESTER, key="r1")
    suppliers_deliver(session)
    assert available(session, ["MEM-T16"]) == {"MEM-T16": 1}
    put_on_shelf(session, {"CPU-T8": 1})
    assert findings(session) == []
