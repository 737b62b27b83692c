"""Two people at once at the same desk, for real: threads, committed transactions, both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly import allocating, releasing, reworking, watching
from fulfillment.assembly import service as floor
from fulfillment.assembly.labels import BadScan
from fulfillment.assembly.models import PartNeed, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.inventory.models import Reservation, Stock
from fulfillment.inventory.service import lock_stock
from fulfillment.kernel.alerts import open_alerts, raise_alert
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger.models import Entry
from fulfillment.orders import jobs as order_jobs
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.orders.service import cancel_order, get_order
from fulfillment.purchasing.models import PurchaseStatus
from fulfillment.purchasing.service import purchase_orders, receive_parts
from fulfillment.shipping import dispatching
from fulfillment.shipping.models import Shipment, TrackingEvent
from fulfillment.shipping.models import ShipmentStatus as Way
from tests.builders import assembly, shipping
from tests.builders.assembly import bags, laptops, make_parts, put_on_shelf, release_of, unit_of
from tests.builders.at_once import before_commit
from tests.builders.walk import findings, pay, walk_order, work_jobs

pytestmark = pytest.mark.usefixtures("db")


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do the acts at the same moment; "done" or the words of the refusal, for each."""
    ready = threading.Barrier(len(acts))
    said: list[str] = [""] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        ready.wait()
        try:
            act()
            said[place] = "done"
        except Refusal as refusal:
            said[place] = str(refusal)

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def walked(up_to: str, machines: int = 1) -> tuple[str, list[str]]:
    """An order that was walked and committed: its number, and its tags."""
    with transaction() as session:
        order = walk_order(session, laptops(machines), up_to=up_to, stock=True)
        return order.number, [unit.tag for unit in floor.units_of(session, order.number)]


def desk(act: Callable[..., object], tag: str, key: str) -> Callable[[], None]:
    def do() -> None:
        with transaction() as session:
            act(session, tag, key=key)

    return do


def kinds() -> list[str]:
    with reading() as session:
        return list(session.scalars(sa.select(Entry.kind).order_by(Entry.seq)))


def told(kind: str) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent).filter_by(kind=kind)) or 0


STEPS: Sequence[tuple[str, Callable[..., object], str, str]] = (
    ("released", assembly.kit, "UnitKitted", "stands at the build desk"),
    ("kitted", assembly.build, "UnitBuilt", "stands at the test desk"),
    ("built", assembly.pass_test, "UnitTested", "stands at the boxing desk"),
    ("tested", assembly.box, "UnitBoxed", "is boxed already"),
)


@pytest.mark.parametrize(("up_to", "act", "event", "said"), STEPS)
def test_of_two_operators_with_the_same_unit_one_works_and_the_other_reads_where_it_is(
    up_to: str, act: Callable[..., object], event: str, said: str,
) -> None:
    _, (tag,) = walked(up_to)
    answers = sorted(at_once(desk(act, tag, "one"), desk(act, tag, "two")))
    assert answers.count("done") == 1
    assert any(said in answer for answer in answers), answers
    assert told(event) == 1


def test_a_double_scan_at_the_same_moment_is_one_act() -> None:
    _, (tag,) = walked("released")
    with reading() as session:
        scans = assembly.kit_labels(floor.find_unit(session, tag))

    def scan() -> None:
        with transaction() as session:
            floor.kit(session, tag, scans=scans, operator="Kofi", key="the same")

    assert at_once(scan, scan) == ["done", "done"]
    assert kinds().count("parts_issued") == 1
    with reading() as session:
        assert len(floor.parts_of(session, floor.find_unit(session, tag))) == 7


def test_a_part_scanned_into_two_machines_at_once_is_in_one() -> None:
    _, (one, two) = walked("released", machines=2)
    with reading() as session:
        scans = assembly.kit_labels(floor.find_unit(session, one))
    with pytest.raises(BadScan, match=f"is on record in unit {one}"):
        before_commit(lambda session: assembly.kit(session, one, scans=scans), lambda session: assembly.kit(session, two, scans=scans))


def test_two_boxers_with_the_last_two_machines_call_the_dispatcher_once() -> None:
    number, tags = walked("tested", machines=2)
    assert at_once(*(desk(assembly.box, tag, f"box {tag}") for tag in tags)) == ["done", "done"]
    assert told("OrderReady") == 1
    with transaction() as session:
        assert release_of(session, number) is ReleaseStatus.READY
        work_jobs(session)
        assert session.scalar(sa.select(sa.func.count()).select_from(Shipment)) == 1


def test_two_dispatchers_ship_an_order_once() -> None:
    number, _ = walked("boxed")

    def dispatch(key: str) -> Callable[[], None]:
        def do() -> None:
            with transaction() as session:
                shipping.dispatch(session, number, key=key)

        return do

    answers = sorted(at_once(dispatch("one"), dispatch("two")))
    assert answers == [f"Order {number} has left the house already.", "done"]
    assert kinds().count("goods_dispatched") == kinds().count("sale_recognised") == 1


def test_the_last_part_is_reserved_once_when_two_orders_are_released_at_once() -> None:
    numbers = []
    with transaction() as session:
        make_parts(session)
        put_on_shelf(session, {sku: count for sku, count in assembly.STOCKED.items() if sku != "CPU-T8"} | {"CPU-T8": 1})
        for _ in range(3):
            order = walk_order(session, up_to="booked")
            pay(session, order.number)
            numbers.append(order.number)

    def release(number: str) -> Callable[[], None]:
        def do() -> None:
            with transaction() as session:
                releasing.release(session, number)

        return do

    assert at_once(*map(release, numbers)) == ["done"] * 3
    with reading() as session:
        assert session.scalars(sa.select(Reservation.quantity).filter_by(sku="CPU-T8")).all() == [1]
        assert sorted(session.scalars(sa.select(PartNeed.missing).filter_by(sku="CPU-T8"))) == [0, 1, 1]
        assert len(set(session.scalars(sa.select(WorkOrder.tag)))) == 3


def test_a_delivery_is_dealt_out_once_when_two_workers_do_it() -> None:
    with transaction() as session:
        numbers = [walk_order(session, up_to="released").number for _ in range(2)]
        put_on_shelf(session, assembly.STOCKED)

    def deal() -> None:
        with transaction() as session:
            allocating.allocate(session)

    assert at_once(deal, deal) == ["done", "done"]
    with transaction() as session:
        assert sorted(unit_of(session, number).status for number in numbers) == [UnitStatus.KITTING, UnitStatus.PRE_PRODUCTION]
        assert all(stock.on_hand == stock.reserved for stock in session.scalars(sa.select(Stock)))
        assert [finding for finding in findings(session) if "reserved" in finding] == []


def test_what_a_truck_brings_while_another_order_is_released_goes_to_those_it_was_called_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        first = walk_order(session, up_to="released").number
        second = walk_order(session, up_to="booked").number
        pay(session, second)
        called = {order.number: {line.sku: line.quantity for line in order.lines} for order in purchase_orders(session, source=first)}
    in_between, brought = threading.Event(), threading.Event()
    reserve = allocating.reserve_or_wait

    def reserve_slowly(*args: Any) -> Any:
        in_between.set()
        brought.wait(0.5)
        return reserve(*args)

    monkeypatch.setattr(releasing, "reserve_or_wait", reserve_slowly)

    def release() -> None:
        with transaction() as session:
            releasing.release(session, second)

    def bring() -> None:
        in_between.wait()
        for number, pieces in called.items():
            with transaction() as session:
                receive_parts(session, number, pieces, number)
        brought.set()

    assert at_once(release, bring) == ["done", "done"]
    with transaction() as session:
        work_jobs(session)
    with reading() as session:
        assert floor.missing_parts(session, first) == []
        assert unit_of(session, first).status is UnitStatus.KITTING
        assert {need.sku: need.missing for need in floor.missing_parts(session, second)} == assembly.STOCKED
        coming = [order for order in purchase_orders(session, source=second) if order.status is PurchaseStatus.ORDERED]
        assert {line.sku: line.quantity for order in coming for line in order.lines} == assembly.STOCKED


def test_a_cancellation_and_the_first_scan_cannot_both_win() -> None:
    number, (tag,) = walked("released")

    def cancel() -> None:
        with transaction() as session:
            cancel_order(session, number, "changed my mind", by="customer")

    answers = at_once(cancel, desk(assembly.kit, tag, "kit"))
    assert answers.count("done") == 1
    with transaction() as session:
        order = get_order(session, number)
        assert order.status is (OrderStatus.CANCELLED if answers[0] == "done" else OrderStatus.IN_PRODUCTION)
        work_jobs(session)
        unit = floor.find_unit(session, tag)
        assert unit.status is (UnitStatus.CANCELLED if answers[0] == "done" else UnitStatus.BUILD)


def test_a_parcel_cancelled_before_the_truck_came_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        number = walk_order(session, bags(), up_to="boxed", stock=True).number
    with transaction() as session:
        cancel_order(session, number, "changed my mind", by="customer")
    at_the_dock, taken_back = threading.Event(), threading.Event()
    open_shipment = dispatching.open_shipment

    def open_slowly(*args: Any) -> Any:
        at_the_dock.set()
        taken_back.wait(0.5)
        return open_shipment(*args)

    monkeypatch.setattr(dispatching, "open_shipment", open_slowly)

    def dispatch() -> None:
        with transaction() as session:
            shipping.dispatch(session, number)

    def take_back() -> None:
        at_the_dock.wait(0.5)
        with transaction() as session:
            releasing.cancel_release(session, number)
        taken_back.set()

    assert at_once(dispatch, take_back) == [f"Order {number} was cancelled by its customer. Unpack it.", "done"]
    with reading() as session:
        assert release_of(session, number) is ReleaseStatus.CANCELLED
        assert session.scalars(sa.select(Reservation)).all() == []


@pytest.mark.parametrize(
    ("up_to", "module", "watch", "move"),
    [
        ("boxed", order_jobs, order_jobs.watch_promises, lambda session, number, _: shipping.dispatch(session, number)),
        ("kitted", watching, watching.watch_stations, lambda session, _, tag: assembly.build(session, tag)),
    ],
)
def test_no_alert_stays_of_what_moved_while_it_was_looked_at(
    up_to: str, module: ModuleType, watch: Callable[[Session], object], move: Callable[[Session, str, str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number, (tag,) = walked(up_to)
    with transaction() as session:
        session.execute(sa.update(SalesOrder).values(promised_on=today()))
        session.execute(sa.update(WorkOrder).values(status_since=now() - timedelta(days=2)))
    looked, moved = threading.Event(), threading.Event()

    def raise_slowly(*args: Any, **told: Any) -> None:
        looked.set()
        moved.wait(0.5)
        raise_alert(*args, **told)

    monkeypatch.setattr(module, "raise_alert", raise_slowly)

    def look() -> None:
        with transaction() as session:
            watch(session)

    def go_on() -> None:
        looked.wait(5)
        with transaction() as session:
            move(session, number, tag)
        with transaction() as session:
            work_jobs(session)
        moved.set()

    assert at_once(look, go_on) == ["done", "done"]
    with reading() as session:
        assert open_alerts(session) == []


def test_the_same_message_of_a_carrier_over_two_lines_is_kept_once() -> None:
    number, _ = walked("shipped")

    def say() -> None:
        with transaction() as session:
            shipping.carrier_says(session, shipping.shipment_of(session, number), Way.DELIVERED, event_id="e1")

    assert at_once(say, say) == ["done", "done"]
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TrackingEvent)) == 1
    assert told("OrderDelivered") == 1


def test_who_reworks_and_who_takes_the_same_parts_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _, (tag,) = walked("built")
    with transaction() as session:
        assembly.fail_test(session, tag)
        work_jobs(session)  # MEM-T16 is laid by
    begun, taken = threading.Event(), threading.Event()
    replace = reworking._replace

    def replace_slowly(*args: Any) -> None:
        begun.set()
        taken.wait(0.5)
        replace(*args)

    monkeypatch.setattr(reworking, "_replace", replace_slowly)

    def rework() -> None:
        with transaction() as session:
            floor.rework(session, tag, old=f"CPU-T8/{tag}1", new="CPU-T8/NEW1", failure="ERRORS", operator="Mats", key="r1")

    def take() -> None:
        begun.wait(5)
        with transaction() as session:
            lock_stock(session, ["CPU-T8", "MEM-T16"])
        taken.set()

    assert at_once(rework, take) == ["done", "done"]


def test_no_spare_is_laid_by_for_a_machine_that_is_mended_at_this_moment() -> None:
    _, (tag,) = walked("built")
    with transaction() as session:
        assembly.fail_test(session, tag)
    before_commit(
        lambda session: floor.rework(session, tag, old="", new="", failure="NOT-FOUND", operator="Mats", key="plug"),
        lambda session: reworking.lay_spare_by(session, tag),
    )
    with reading() as session:
        assert floor.find_unit(session, tag).status is UnitStatus.TEST
        assert session.scalars(sa.select(PartNeed)).all() == []
        assert session.scalars(sa.select(Reservation)).all() == []
