"""The whole walk in figures: what stands in the books after every step of an order, to the cent."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import WorkOrder
from fulfillment.inventory.models import StockMove
from fulfillment.inventory.service import available
from fulfillment.kernel.jobs import HANDLERS
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import trial_balance
from tests.builders import assembly, shipping
from tests.builders.assembly import BOM, COST, UNIT_COST, bags, laptops, unit_of
from tests.builders.walk import findings, pay, suppliers_deliver, walk_order, work_jobs


def standing(session: Session) -> dict[str, int]:
    """Every account that does not stand at zero, in cents."""
    session.flush()
    return {account.name: amount.minor for (account, _), amount in trial_balance(session).items() if amount}


def test_the_cost_of_a_machine_is_the_standard_cost_of_its_parts() -> None:
    assert sum(COST[sku].minor * count for sku, count in BOM.items() if sku != "OSL-TP") == UNIT_COST.minor == 62_529


def test_an_order_in_figures_from_the_payment_to_the_door(session: Session) -> None:
    """Two laptops at 1,299.00 and three sleeves at 39.00 to Oregon: 2,715.00, no tax. Fee 2.9 % + 0.30."""
    order = walk_order(session, laptops(2), bags(3), up_to="booked")
    assert standing(session) == {}

    pay(session, order.number)
    paid = {"CARD_CLEARING": 263_596, "CARD_FEES": 7_904, "CUSTOMER_DEPOSITS": -271_500}
    assert standing(session) == paid
    work_jobs(session)
    assert standing(session) == paid, "calling parts costs nothing until they are here"

    suppliers_deliver(session)
    assert standing(session) == {**paid, "PARTS": 129_408, "GRNI": -129_408}
    first, second = (unit_of(session, order.number, nth) for nth in (1, 2))
    assembly.kit(session, first.tag)
    assert standing(session) == {**paid, "PARTS": 66_879, "WIP": 62_529, "GRNI": -129_408}
    assembly.kit(session, second.tag)
    for unit in (first, second):
        assembly.build(session, unit.tag)
        assembly.pass_test(session, unit.tag)
    assert standing(session) == {**paid, "PARTS": 4_350, "WIP": 125_058, "GRNI": -129_408}
    assembly.box(session, first.tag)
    assert standing(session) == {**paid, "PARTS": 4_350, "WIP": 62_529, "FINISHED_GOODS": 62_529, "GRNI": -129_408}
    assert findings(session) == []
    assembly.box(session, second.tag)
    work_jobs(session)

    shipping.dispatch(session, order.number)
    assert standing(session) == {
        "CARD_CLEARING": 263_596, "CARD_FEES": 7_904, "GRNI": -129_408, "COGS": 129_408, "REVENUE": -271_500,
    }
    assert findings(session) == []
    assert session.scalars(sa.select(Entry.kind).order_by(Entry.seq)).all() == [
        "payment_captured", "parts_received", "parts_received", "parts_issued", "parts_issued", "build_finished", "build_finished",
        "goods_dispatched", "invoice_issued", "sale_recognised", "deposit_applied",
    ]
    assert set(available(session, BOM).values()) == {0}, "nothing is left on the shelf"


def test_the_books_agree_with_the_floor_after_every_single_step(session: Session) -> None:
    order = walk_order(session, laptops(2), bags(1), up_to="paid")
    work_jobs(session)
    suppliers_deliver(session)
    for act in (assembly.kit, assembly.build, assembly.fail_test):
        for nth in (1, 2):
            if act is assembly.fail_test and nth == 2:
                continue
            act(session, unit_of(session, order.number, nth).tag)
            work_jobs(session)
            assert findings(session) == []


def test_a_short_order_books_nothing_twice_when_every_job_runs_again(session: Session) -> None:
    order = walk_order(session, up_to="delivered")
    before = standing(session), session.scalar(sa.select(sa.func.count()).select_from(StockMove))
    for handler in (_subscriber("assembly.release_order"), _subscriber("shipping.open_shipment")):
        handler(session, number=order.number)
    _subscriber("assembly.allocate")(session, po_number="PO-2026-000001")
    _subscriber("assembly.lay_spare_by")(session, tag=unit_of(session, order.number).tag, passed=True)
    _subscriber("assembly.lay_spare_by")(session, tag=unit_of(session, order.number).tag, passed=False)
    _subscriber("assembly.cover_missing")(session)
    assert (standing(session), session.scalar(sa.select(sa.func.count()).select_from(StockMove))) == before
    assert session.scalar(sa.select(sa.func.count()).select_from(WorkOrder)) == 1
    assert findings(session) == []


def _subscriber(kind: str) -> Callable[..., object]:
    return HANDLERS[kind].call


def test_a_check_notices_a_part_that_was_added_behind_the_books(session: Session) -> None:
    walk_order(session, up_to="kitted")
    session.execute(sa.text("UPDATE as_built_part SET cost_minor = cost_minor + 1 WHERE sku = 'CPU-T8'"))
    (finding,) = findings(session)
    assert finding == f"work in progress: 5001 {Account.WIP.en} stands at 625.29 USD, the work orders say 625.30 USD: -0.01 USD off"
