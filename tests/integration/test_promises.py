"""A promised day is worked out when it is given, for as many pieces as are ordered, and again when the order is paid late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from configurator.models import QuoteLine
from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.service import units_of
from fulfillment.inventory.service import reserve
from fulfillment.kernel.clock import add_working_days, frozen
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail
from fulfillment.orders.models import OrderLine, SalesOrder
from fulfillment.orders.readiness import items, machines, ready_dates
from fulfillment.orders.service import get_order
from fulfillment.parts.models import Part
from tests.builders.assembly import STOCKED, laptops, put_on_shelf
from tests.builders.parts import make_part
from tests.builders.programs import Program, make_order
from tests.builders.visitor import Visitor, guarded
from tests.builders.walk import pay, walk_order, work_jobs

NOVEMBER, DECEMBER = datetime(2026, 11, 25, 15, tzinfo=UTC), datetime(2026, 12, 24, 15, tzinfo=UTC)


def shelve_parts_of(line: QuoteLine, machines: int) -> None:
    """Enough of each part for so many of this machine."""
    with transaction() as session:
        stocked = {entry["sku"]: entry["qty"] for entry in line.bom if entry["stocked"]}
        put_on_shelf(session, {sku: qty * machines for sku, qty in stocked.items()})


def quoted() -> QuoteLine:
    with reading() as session:
        return session.scalars(sa.select(QuoteLine)).one()


def longest_lead(line: QuoteLine) -> int:
    """Working days until the last part of it, which has to be called, is on the shelf."""
    with reading() as session:
        return 1 + max(session.scalars(sa.select(Part.lead_days).where(Part.sku.in_([e["sku"] for e in line.bom if e["stocked"]]))))


class TestWhatCouldLeaveUs:
    def test_asks_for_all_pieces_of_all_lines_together(self, session: Session) -> None:
        make_part(session, "MEM", on_hand=4, lead_days=3)
        bom = [{"sku": "MEM", "qty": 2, "build_days": 2}]
        with frozen(NOVEMBER):
            here, called = add_working_days(NOVEMBER.date(), 2), add_working_days(NOVEMBER.date(), 3 + 1 + 2)
            assert ready_dates(session, [machines(bom, 2)]) == [here]
            assert ready_dates(session, [machines(bom, 3)]) == [called]
            assert ready_dates(session, [machines(bom, 2), items("MEM", 1)]) == [called, add_working_days(NOVEMBER.date(), 5)]
            assert ready_dates(session, []) == []

    def test_is_cautious_of_a_parts_list_that_does_not_say_how_long_it_takes(self, session: Session) -> None:
        make_part(session, "MEM", on_hand=4)
        with frozen(NOVEMBER):
            assert ready_dates(session, [machines([{"sku": "MEM", "qty": 1}], 1)]) == [date(2026, 12, 1)]


@pytest.mark.stocked
class TestAQuote:
    def test_that_is_old_promises_from_the_day_it_is_ordered(self, app: Flask) -> None:
        visitor, program = Visitor(guarded(app)), Program(app.test_client())
        with frozen(NOVEMBER):
            token = visitor.quote()
        line = quoted()
        with frozen(DECEMBER):
            leaves = add_working_days(DECEMBER.date(), longest_lead(line) + 2)
            assert leaves > line.ready_on
            visitor.post(f"/cart/quotes/{token}", on=f"/quotes/{token}")
            for path in ("/cart", f"/quotes/{token}"):
                page = visitor.get(path).text
                assert f"{leaves:%b} {leaves.day}, {leaves.year}" in page
                assert f"{line.ready_on:%b} {line.ready_on.day}, {line.ready_on.year}" not in page
            program.post("/orders", make_order(items=[], quotes=[token]), key="k" * 20)  # booked, though no payment page answers
        with reading() as session:
            assert session.scalars(sa.select(OrderLine.ready_on)).one() == leaves
            assert session.scalars(sa.select(SalesOrder.promised_on)).one() == add_working_days(leaves, 5)

    def test_over_99_machines_is_dated_for_99(self, app: Flask) -> None:
        visitor = Visitor(guarded(app))
        with frozen(NOVEMBER):
            visitor.quote()
            shelve_parts_of(quoted(), 98)
            for quantity, waits in (("98", 0), ("99", longest_lead(quoted()))):
                token = visitor.quote(quantity=quantity)
                leaves = add_working_days(NOVEMBER.date(), waits + 2)
                assert f"{leaves:%b} {leaves.day}, {leaves.year}" in visitor.get(f"/quotes/{token}").text, quantity

    def test_over_a_machine_of_several_modules_is_dated_for_all_of_them(self, app: Flask) -> None:
        program = Program(app.test_client())
        with frozen(NOVEMBER):
            program.quote("hearth-t")
            line = quoted()
            several = [entry for entry in line.bom if entry["stocked"] and entry["qty"] > 1]
            assert several, "the tower as it stands has no part twice"
            shelve_parts_of(line, 1)
            soon = add_working_days(NOVEMBER.date(), 3).isoformat()
            told = program.post("/models/hearth-t/configure", {"choices": {}}).json or {}
            assert told["ready_on"] == soon
            with transaction() as session:
                reserve(session, "WO-1", {several[0]["sku"]: 1})
            told = program.post("/models/hearth-t/configure", {"choices": {}}).json or {}
            window = next(m for m in (program.get("/models?limit=100").json or {})["models"] if m["id"] == "hearth-t")
            assert soon < told["ready_on"] == window["ready_on"] == program.quote("hearth-t")["lines"][0]["ready_on"]

    def test_that_has_expired_names_no_day(self, app: Flask) -> None:
        visitor = Visitor(guarded(app))
        with frozen(NOVEMBER):
            token = visitor.quote()
            visitor.post(f"/cart/quotes/{token}", on=f"/quotes/{token}")
        with frozen(DECEMBER + timedelta(days=30)):
            assert "could leave us on" not in visitor.get("/cart").text
            assert f"<dd>{quoted().ready_on:%b}" not in visitor.get(f"/quotes/{token}").text


class TestAnOrderPaidLate:
    def paid_after(self, session: Session, days: int, *, shelf: bool) -> SalesOrder:
        with frozen(NOVEMBER):
            number = walk_order(session, laptops(2), up_to="booked").number
        with frozen(NOVEMBER + timedelta(days=days)):
            if shelf:
                put_on_shelf(session, {sku: 2 * count for sku, count in STOCKED.items()})
            pay(session, number)
            work_jobs(session)
        return get_order(session, number)

    def letters(self, session: Session) -> list[str]:
        return [subject for subject in session.scalars(sa.select(Mail.subject)) if "new date" in subject]

    def test_is_promised_another_day_when_its_parts_cannot_be_here(self, session: Session) -> None:
        order = self.paid_after(session, 7, shelf=False)
        # paid on 2 December: five days to the gate, one to the shelf, four to build, five on the way
        assert order.promised_on == add_working_days(date(2026, 12, 2), 15)
        assert order.first_promised_on == add_working_days(date(2026, 11, 25), 15)
        assert self.letters(session) == [f"A new date for your order {order.number}"]
        assert {unit.promised_on for unit in units_of(session, order.number)} == {order.promised_on}

    def test_keeps_the_day_that_was_paid_for_when_its_parts_are_here(self, session: Session) -> None:
        order = self.paid_after(session, 7, shelf=True)
        assert order.promised_on == order.first_promised_on
        assert self.letters(session) == []

    def test_keeps_it_when_it_is_paid_in_time(self, session: Session) -> None:
        order = self.paid_after(session, 0, shelf=False)
        assert order.promised_on == order.first_promised_on
        assert session.scalars(sa.select(WorkOrder.promised_on).distinct()).all() == [order.promised_on]
        assert self.letters(session) == []
