"""Another day: for a customer whose order is late, and for a purchase order whose supplier is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.console.models import StaffAct
from fulfillment.kernel.alerts import Alert
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail
from fulfillment.orders.jobs import watch_promises
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import get_order
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
