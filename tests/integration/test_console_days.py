"""Another day: for a customer whose order is late, and for a purchase order whose supplier is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.console.models import StaffAct
from fulfillment.inventory.models import IncomingPart
from fulfillment.kernel.alerts import Alert
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail
from fulfillment.orders.jobs import watch_promises
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import get_order
from fulfillment.purchasing.models import PurchaseOrder, PurchaseStatus
from fulfillment.purchasing.service import get_purchase_order, purchase_orders, receive_parts, watch_overdue
from tests.builders.assembly import laptops
from tests.builders.desks import hidden, walked
from tests.builders.people import sign_in_staff


@pytest.fixture
def office(client: FlaskClient) -> FlaskClient:
    sign_in_staff(client)
    return client


def acts() -> list[tuple[str, str]]:
    with reading() as session:
        return [(act.what, act.detail) for act in session.scalars(sa.select(StaffAct).order_by(StaffAct.at, StaffAct.id))]


def alerts() -> list[tuple[str, str | None]]:
    """Every alert there was, and who settled it."""
    with reading() as session:
        return [(alert.kind, alert.resolved_by) for alert in session.scalars(sa.select(Alert).order_by(Alert.at, Alert.id))]


def late_order() -> str:
    """An order that should have left today, with its alert."""
    number, _tags = walked(up_to="paid")
    with transaction() as session:
        session.execute(sa.update(SalesOrder).filter_by(number=number).values(promised_on=today()))
        watch_promises(session)
    return number


def test_a_late_order_is_given_another_day_once_and_its_alert_is_settled(office: FlaskClient) -> None:
    number = late_order()
    assert alerts() == [("order_late", None)]
    page = office.get(f"/desk/orders/{number}")
    new_day = today() + timedelta(days=9)
    form = {"press": hidden(page, "press"), "day": new_day.isoformat(), "reason": "the boards came late"}
    assert [office.post(f"/desk/orders/{number}/promise", data=form).status_code for _ in range(2)] == [303, 303]
    with reading() as session:
        assert get_order(session, number).promised_on == new_day
        letters = sa.select(Mail.subject).where(Mail.subject.contains("new date"))
        assert session.scalars(letters).all() == [f"A new date for your order {number}"]
    assert alerts() == [("order_late", "Administrator of the tests")]
    assert acts() == [("promise_moved", f"{new_day}: the boards came late")]
    after = office.get(f"/desk/orders/{number}").text
    assert "the boards came late" in after
    assert "Why the date moved" in after


@pytest.mark.parametrize(("days", "reason"), [(0, "late"), (-1, "late"), (400, "late"), (None, "late"), (3, "")])
def test_a_promise_is_a_day_to_come_and_has_a_reason(office: FlaskClient, days: int | None, reason: str) -> None:
    number = late_order()
    day = "soon" if days is None else (today() + timedelta(days=days)).isoformat()
    refused = office.post(f"/desk/orders/{number}/promise", data={"day": day, "reason": reason})
    assert (refused.status_code, "Choose a day from tomorrow on" in refused.text) == (422, True)
    assert (acts(), alerts()) == ([], [("order_late", None)])


def test_the_day_of_an_order_that_has_left_is_not_moved(office: FlaskClient) -> None:
    number, _tags = walked(up_to="shipped", stock=True)
    day = (today() + timedelta(days=3)).isoformat()
    assert "Another day" not in office.get(f"/desk/orders/{number}").text
    assert office.post(f"/desk/orders/{number}/promise", data={"day": day, "reason": "late"}).status_code == 409
    assert acts() == []


def late_purchase() -> str:
    """A purchase order that should have come yesterday, with its alert: two laptops wait for it."""
    walked(laptops(2), up_to="released", stock=False)
    with transaction() as session:
        order = next(order for order in purchase_orders(session) if order.supplier_code == "S-SILICON")
        order.due_on = today() - timedelta(days=1)
        session.flush()
        watch_overdue(session)
        return order.number


def test_another_day_of_a_supplier_is_known_at_once_and_settles_the_alert(office: FlaskClient) -> None:
    number = late_purchase()
    assert alerts() == [("purchase_overdue", None)]
    page = office.get(f"/desk/purchasing/{number}")
    new_day = today() + timedelta(days=12)
    form = {"press": hidden(page, "press"), "day": new_day.isoformat()}
    assert [office.post(f"/desk/purchasing/{number}/day", data=form).status_code for _ in range(2)] == [303, 303]
    with reading() as session:
        assert get_purchase_order(session, number).due_on == new_day
        assert set(session.scalars(sa.select(IncomingPart.due_on).filter_by(source=number))) == {new_day}
    assert alerts() == [("purchase_overdue", "the supplier")]
    assert acts() == [("purchase_put_off", str(new_day))]
    for wrong in ("", "tomorrow", str(today() - timedelta(days=1)), "9999-12-31"):
        assert office.post(f"/desk/purchasing/{number}/day", data={"day": wrong}).status_code == 422, wrong


def called(number: str) -> dict[str, int]:
    with reading() as session:
        return {line.sku: line.missing for line in get_purchase_order(session, number).lines}


def test_what_is_cancelled_with_a_supplier_is_ordered_anew_for_those_who_wait(office: FlaskClient) -> None:
    number = late_purchase()
    with transaction() as session:
        receive_parts(session, number, {"SSD-T1": 2}, "note-1")
    lost = called(number)
    page = office.get(f"/desk/purchasing/{number}")
    address, form = f"/desk/purchasing/{number}/cancel", {"press": hidden(page, "press"), "reason": "out of business"}
    assert office.post(address, data={**form, "reason": ""}).status_code == 422
    assert [office.post(address, data=form).status_code for _ in range(2)] == [303, 303]
    with reading() as session:
        assert get_purchase_order(session, number).status is PurchaseStatus.CANCELLED
        fresh = session.scalars(sa.select(PurchaseOrder.number).where(PurchaseOrder.source == "missing parts")).one()
    assert called(fresh) == {sku: count for sku, count in lost.items() if count} == {"CPU-T8": 2, "MEM-T16": 4}
    assert f"Ordered instead: {fresh}." in office.get(f"/desk/purchasing/{number}").text
    assert (acts(), alerts()) == ([("purchase_cancelled", "out of business")], [("purchase_overdue", "Administrator of the tests")])
    again = office.post(address, data={"reason": "once more"})
    assert (again.status_code, "is Cancelled" in again.text or "is cancelled" in again.text) == (409, True)


def test_nothing_is_moved_or_cancelled_of_an_order_that_came_whole(office: FlaskClient) -> None:
    number = late_purchase()
    with transaction() as session:
        receive_parts(session, number, called(number), "note-1")
    page = office.get(f"/desk/purchasing/{number}").text
    assert "Cancel the rest" not in page
    assert office.post(f"/desk/purchasing/{number}/day", data={"day": str(today())}).status_code == 409
    assert office.post(f"/desk/purchasing/{number}/cancel", data={"reason": "too late"}).status_code == 409
    assert acts() == []
