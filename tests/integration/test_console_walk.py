"""One order from its release to its customer, by nothing but the pages of the desks."""

from __future__ import annotations

import re

import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.assembly.models import AsBuiltPart, FloorEvent
from fulfillment.assembly.service import find_unit
from fulfillment.kernel.db import reading
from fulfillment.ledger.checks import run_checks
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import get_order
from fulfillment.purchasing.models import PurchaseOrder
from fulfillment.shipping.service import find_shipment
from tests.builders.assembly import laptops
from tests.builders.desks import (
    finish,
    hidden,
    labels_to_box,
    labels_to_build,
    labels_to_kit,
    results,
    scan,
    steps_of,
    walked,
    work,
)
from tests.builders.people import sign_in_staff


def take_in_all_parts(client: FlaskClient) -> None:
    """Every purchase order, received as it was ordered, by its page."""
    with reading() as session:
        numbers = session.scalars(sa.select(PurchaseOrder.number).order_by(PurchaseOrder.number)).all()
    for number in numbers:
        page = client.get(f"/desk/purchasing/{number}")
        came = dict(re.findall(r'name="(came-[^"]+)" value="(\d+)"', page.text))
        assert came
        assert client.post(f"/desk/purchasing/{number}/receive", data={"key": hidden(page), **came}).status_code == 303
    work()


def make(client: FlaskClient, tag: str) -> None:
    """One machine through every station."""
    page = scan(client, f"/desk/kitting/{tag}", *labels_to_kit(tag))
    assert finish(client, f"/desk/kitting/{tag}", page).status_code == 303
    page = scan(client, f"/desk/build/{tag}", *labels_to_build(tag), step=steps_of(tag))
    assert finish(client, f"/desk/build/{tag}", page, step=steps_of(tag)).status_code == 303
    page = client.get(f"/desk/test/{tag}")
    assert client.post(f"/desk/test/{tag}", data={"key": hidden(page), **results(tag)}).status_code == 303
    page = scan(client, f"/desk/boxing/{tag}", *labels_to_box(tag))
    assert finish(client, f"/desk/boxing/{tag}", page).status_code == 303
    work()


def test_an_order_is_made_and_delivered_by_the_pages_alone(client: FlaskClient) -> None:
    sign_in_staff(client)
    number, tags = walked(laptops(2), up_to="released", stock=False)
    assert "pre_production" not in client.get("/desk").text  # states are shown in words
    assert "MEM-T16" in client.get("/desk").text

    take_in_all_parts(client)
    for tag in tags:
        make(client, tag)

    page = client.get(f"/desk/dispatch/{number}")
    sent = client.post(f"/desk/dispatch/{number}", data={"key": hidden(page), "step": ["1", "2"], "do": "finish"})
    assert sent.status_code == 303
    for status in ("in_transit", "delivered"):
        page = client.get(f"/desk/dispatch/{number}")
        told = {"key": hidden(page), "status": status, "place": "Portland, OR"}
        assert client.post(f"/desk/dispatch/{number}/tracking", data=told).status_code == 303
    work()

    with reading() as session:
        assert get_order(session, number).status is OrderStatus.DELIVERED
        assert find_shipment(session, number) is not None
        unit = find_unit(session, tags[0])
        who = session.scalars(sa.select(FloorEvent.operator).filter_by(work_order_id=unit.id).where(FloorEvent.operator != "system")).all()
        assert set(who) == {"Administrator of the tests"}
        fitted = session.scalars(sa.select(AsBuiltPart.operator).filter_by(work_order_id=unit.id)).all()
        assert set(fitted) == {"Administrator of the tests"}
    with reading() as session:
        assert [result.findings for result in run_checks(session) if not result.clean] == []
    assert "What could be asked is clean." in client.get("/desk/books/checks").text
    assert "Delivered" in client.get(f"/desk/orders/{number}").text


def test_a_machine_that_fails_is_mended_and_keeps_its_tag(client: FlaskClient) -> None:
    sign_in_staff(client, "operator")
    _number, (tag,) = walked(laptops(), up_to="built")
    page = client.get(f"/desk/test/{tag}")
    failed = client.post(f"/desk/test/{tag}", data={"key": hidden(page), **results(tag, failed="memory")})
    assert failed.headers["Location"].endswith("/desk/test")
    work()

    bad = next(label for label in labels_inside(tag) if label.startswith("MEM-T16"))
    page = client.get(f"/desk/rework/{tag}")
    assert "was on trial" in page.text
    key = hidden(page)
    half = client.post(f"/desk/rework/{tag}", data={"key": key, "old": bad, "new": "", "failure": "ERRORS", "do": "replace"})
    assert (half.status_code, bad in half.text) == (422, True)
    whole = {"key": key, "old": bad, "new": "MEM-T16/NEW1", "failure": "ERRORS", "do": "replace"}
    assert client.post(f"/desk/rework/{tag}", data=whole).status_code == 303

    assert client.get(f"/desk/test/{tag}").status_code == 200
    history = client.get(f"/desk/units/{tag}").text
    assert "MEM-T16" in history
    assert "NEW1" in history
    assert "taken out: Errors found" in history


def labels_inside(tag: str) -> list[str]:
    with reading() as session:
        unit = find_unit(session, tag)
        parts = session.execute(sa.select(AsBuiltPart.sku, AsBuiltPart.serial).filter_by(work_order_id=unit.id, removed_at=None)).all()
    return [f"{sku}/{serial}" for sku, serial in parts if serial]


def test_results_can_be_written_down_one_at_a_time(client: FlaskClient) -> None:
    sign_in_staff(client, "operator")
    _number, (tag,) = walked(laptops(), up_to="built")
    every = results(tag)
    for code in every["code"]:
        page = client.get(f"/desk/test/{tag}")
        answer = client.post(f"/desk/test/{tag}", data={"key": hidden(page), "code": code, f"result-{code}": "pass"})
        assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/desk/test")
    assert client.get(f"/desk/boxing/{tag}").status_code == 200
