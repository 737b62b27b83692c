"""The stock desk: every part with what there is of it, tied to the books, and counted by people."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.assembly import service as floor
from fulfillment.assembly.models import UnitStatus
from fulfillment.console.models import StaffAct
from fulfillment.inventory.models import Stock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import balance
from fulfillment.purchasing.models import PurchaseOrder
from tests.builders.assembly import laptops
from tests.builders.desks import hidden, walked
from tests.builders.parts import make_part
from tests.builders.people import sign_in_staff
from tests.builders.walk import findings


@pytest.fixture
def office(client: FlaskClient) -> FlaskClient:
    sign_in_staff(client, "buyer")
    return client


def row_of(page: str, sku: str) -> list[str]:
    """The figures of a part in the list: on hand, kept, free, on the way."""
    return re.findall(r'class="num">([\d,]+)</td>', page[page.index(f">{sku}</a>"):])[:4]


def on_hand(sku: str) -> int:
    with reading() as session:
        return session.get_one(Stock, sku).on_hand


def test_the_list_shows_every_part_and_its_worth_is_what_the_books_say(office: FlaskClient) -> None:
    walked(laptops(), up_to="kitted")
    walked(laptops(99), up_to="released", stock=False)
    page = office.get("/desk/stock").text
    with reading() as session:
        assert page.count(f"<b>{money(balance(session, Account.PARTS))}</b>") == 2
    assert "differ" not in page
    assert row_of(page, "CPU-T8") == ["9", "9", "0", "90"]
    assert "OSL-TP" not in page, "a licence lies on no shelf"
    assert "<svg" in page
    assert 'href="/desk/stock"' in office.get("/desk").text


def test_parts_are_found_by_number_and_by_name_in_both_languages_and_paged(office: FlaskClient) -> None:
    walked(up_to="booked")
    for words in ("mem-t", "gb MEMORY", "内存"):
        page = office.get("/desk/stock", query_string={"q": words}).text
        assert (">MEM-T16</a>" in page, ">CPU-T8</a>" in page) == (True, False), words
    assert "No part found" in office.get("/desk/stock?q=%25").text
    with transaction() as session:
        for number in range(60):
            make_part(session, f"Z-{number:02}")
    first, second = office.get("/desk/stock").text, office.get("/desk/stock?page=2").text
    assert (">Z-00</a>" in first, ">Z-59</a>" in first, ">Z-59</a>" in second) == (True, False, True)
    for odd in ("?page=-1", "?page=x", "?page=99999999999999999999"):
        assert office.get(f"/desk/stock{odd}").status_code == 200


def test_a_part_shows_who_waits_what_is_coming_and_what_moved_it(office: FlaskClient) -> None:
    number, (tag, _second) = walked(laptops(2), up_to="released", stock=False)
    page = office.get("/desk/stock/CPU-T8").text
    with reading() as session:
        unit = floor.find_unit(session, tag).number
        bought = session.scalars(sa.select(PurchaseOrder.number).filter_by(supplier_code="S-SILICON")).one()
    for wanted in (number, unit, bought, "Who waits for it"):
        assert wanted in page
    walked(laptops(), up_to="kitted", stock=True)
    assert "Handed out" in office.get("/desk/stock/CPU-T8").text
    for unknown in ("NO-SUCH", "OSL-TP"):
        assert office.get(f"/desk/stock/{unknown}").status_code == 404


def test_a_count_is_booked_once_with_who_counted_and_why(office: FlaskClient) -> None:
    walked(up_to="booked")
    form = {"press": hidden(office.get("/desk/stock/FAN-T4"), "press"), "counted": "28", "reason": "the yearly count"}
    assert [office.post("/desk/stock/FAN-T4/count", data=form).status_code for _ in range(2)] == [303, 303]
    assert on_hand("FAN-T4") == 28
    with reading() as session:
        acts = [(act.what, act.about, act.detail, act.who) for act in session.scalars(sa.select(StaffAct))]
        (number,) = re.findall(r"SC-\d{4}-\d{6}", acts[0][2])
        assert acts == [("stock_counted", "FAN-T4", f"{number}: 28 (-2). the yearly count", "Buyer of the tests")]
        assert findings(session) == []
    assert number in office.get("/desk/stock/FAN-T4").text
    assert office.get(f"/desk/find?q={number}").headers["Location"] == "/desk/stock/FAN-T4"
    agreed = office.post("/desk/stock/FAN-T4/count", data={"counted": "28", "reason": "once more"}, follow_redirects=True)
    assert "The count agrees: 28 of FAN-T4." in agreed.text


def test_what_a_count_finds_goes_to_who_waits_and_what_it_misses_is_ordered(office: FlaskClient) -> None:
    _number, (tag,) = walked(laptops(), up_to="released", stock=False)
    for sku, pieces in {"BSE-T14": 1, "CPU-T8": 1, "MEM-T16": 2, "SSD-T1": 1, "FAN-T4": 3, "ADP-T65": 1}.items():
        assert office.post(f"/desk/stock/{sku}/count", data={"counted": str(pieces), "reason": "found behind the door"}).status_code == 303
    with reading() as session:
        assert floor.find_unit(session, tag).status is UnitStatus.KITTING
    less = office.post("/desk/stock/FAN-T4/count", data={"counted": "1", "reason": "gone again"})
    assert (less.status_code, "3 of FAN-T4 are kept for orders" in less.text) == (409, True)
    assert on_hand("FAN-T4") == 3


@pytest.mark.parametrize(("counted", "reason"), [("", "why"), ("-1", "why"), ("1.5", "why"), ("x", "why"), ("9999999", "why"), ("3", "")])
def test_a_count_is_a_number_with_a_reason(office: FlaskClient, counted: str, reason: str) -> None:
    walked(up_to="booked", stock=True)
    before = on_hand("FAN-T4")
    refused = office.post("/desk/stock/FAN-T4/count", data={"counted": counted, "reason": reason})
    assert (refused.status_code, "Enter how many pieces lie there" in refused.text, on_hand("FAN-T4")) == (422, True, before)


def test_a_clerk_neither_sees_nor_counts_the_shelf(client: FlaskClient) -> None:
    sign_in_staff(client, "clerk")
    assert client.get("/desk/stock").status_code == 403
    assert client.post("/desk/stock/FAN-T4/count", data={"counted": "1", "reason": "why not"}).status_code == 403
