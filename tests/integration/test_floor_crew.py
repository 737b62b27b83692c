"""The demonstration's crew: it brings an order to the door through the desks' own services, act by act."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from fulfillment.assembly import service as floor
from fulfillment.assembly.models import AsBuiltPart, UnitStatus
from fulfillment.kernel import jobs
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import balance
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import get_order
from fulfillment.shipping.floor import CREW, Act, look_around, shelf_labels, unfinished, work_the_floor
from tests.builders.assembly import bags, laptops
from tests.builders.walk import findings, walk_order

pytestmark = pytest.mark.usefixtures("db")


def paid(*machines: int) -> str:
    with transaction() as session:
        return walk_order(session, *(laptops(count) for count in machines), bags(2), up_to="paid").number


def passes(*, defects: int = 0, at_most: int = 60) -> list[str]:
    """Acts in their own transactions, jobs between them, until nothing is left to do."""
    said: list[str] = []
    for _ in range(at_most):
        run_until_idle()
        with reading() as session:
            acts = look_around(session, defects=defects)
        if not acts:
            return said
        for act in acts:
            with transaction() as session:
                said.append(act.do(session))
    raise AssertionError("the crew never comes to an end")


def status_of(number: str) -> OrderStatus:
    with reading() as session:
        return get_order(session, number).status


def test_the_crew_brings_a_paid_order_to_the_door() -> None:
    number = paid(2)
    said = passes()
    assert status_of(number) is OrderStatus.DELIVERED
    assert [line.split()[0] for line in said] == [
        "gate", "gate", "kitting", "kitting", "gate", "gate", "build", "build", "test", "test", "boxing", "boxing", "dispatch",
        "carrier", "carrier", "carrier",
    ]
    with transaction() as session:
        assert findings(session) == []
        assert open_alerts(session) == []
        assert unfinished(session) == 0
        assert balance(session, Account.GRNI).minor == 0, "suppliers have charged for everything"
        units = floor.units_of(session, number)
        assert {part.operator for unit in units for part in floor.parts_of(session, unit)} == {
            CREW[UnitStatus.BUILD], CREW[UnitStatus.BOXING],
        }
        serials = session.scalars(sa.select(AsBuiltPart.serial).where(AsBuiltPart.serial.is_not(None))).all()
        assert len(set(serials)) == len(serials) == 12
        assert set(session.scalars(sa.select(AsBuiltPart.lot).where(AsBuiltPart.serial.is_not(None)))) == {
            "PO-2026-000001", "PO-2026-000002",
        }


def test_a_machine_that_fails_is_reworked_with_a_spare_from_the_supplier() -> None:
    number = paid(1)
    said = passes(defects=1)
    assert status_of(number) is OrderStatus.DELIVERED
    steps = [line.split()[0] for line in said if line.split()[0] in {"test", "rework"}]
    assert steps[0] == "test"
    assert steps[-1] == "test"
    assert "rework" in steps
    with transaction() as session:
        assert len(list(floor.claims(session))) == 1
        assert balance(session, Account.SCRAP).minor > 0
        assert findings(session) == []


def test_labels_on_the_shelf_are_the_same_however_often_they_are_looked_at() -> None:
    number = paid(1)
    run_until_idle()
    with transaction() as session:
        unit = floor.units_of(session, number)[0]
        first, again = shelf_labels(session, unit), shelf_labels(session, unit)
    assert first == again
    assert len(first) == 7


def test_a_whole_pass_can_be_done_in_one_transaction() -> None:
    number = paid(1)
    run_until_idle()
    with transaction() as session:
        assert [line.split()[0] for line in work_the_floor(session)] == ["gate", "gate"]
    assert status_of(number) is OrderStatus.PAID


def killed_before_the_commit(act: Act) -> None:
    """Everything is written, nothing is committed."""
    with transaction() as session:
        act.do(session)
        session.flush()
        raise KeyboardInterrupt


def test_an_act_that_dies_half_way_leaves_nothing_and_is_done_the_next_time() -> None:
    number = paid(1)
    died = 0
    for _ in range(40):
        run_until_idle()
        with reading() as session:
            acts = look_around(session)
        if not acts:
            break
        for act in acts:
            with pytest.raises(KeyboardInterrupt):
                killed_before_the_commit(act)
            died += 1
            with transaction() as session:
                act.do(session)
    assert died == 12
    assert status_of(number) is OrderStatus.DELIVERED
    with transaction() as session:
        assert findings(session) == []
        assert len(floor.units_of(session, number)) == 1


def test_two_crews_at_once_do_everything_once() -> None:
    number = paid(2)
    for _ in range(30):
        run_until_idle()
        with reading() as session:
            acts = look_around(session)
        if not acts:
            break
        for act in acts:
            for _ in range(2):
                _try(act.do)
    assert status_of(number) is OrderStatus.DELIVERED
    with transaction() as session:
        assert findings(session) == []


def _try(do: Callable[[Session], str]) -> None:
    try:
        with transaction() as session:
            do(session)
    except Refusal:
        return


def test_the_command_works_until_the_last_order_is_delivered(app: Flask) -> None:
    number = paid(1)
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not jobs.work_one():
                over.wait(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        result = app.test_cli_runner().invoke(args=["floor", "run", "--pace", "0", "--until-idle"])
    finally:
        over.set()
        worker.join()
    assert result.exit_code == 0, result.output
    assert "leaves with wayfare" in result.output
    assert "delivered at Portland, OR" in result.output
    assert status_of(number) is OrderStatus.DELIVERED
