"""Every page of the desks: within its query budget, in both languages, without a line of inline script or style."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.assembly.models import UnitStatus, WorkOrder
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading
from fulfillment.purchasing.models import PurchaseOrder
from tests.builders.assembly import bags, laptops
from tests.builders.desks import walked
from tests.builders.people import sign_in_staff
from tests.conftest import Queries

BUDGET = 12
UNIT_PAGES = (UnitStatus.KITTING, UnitStatus.BUILD, UnitStatus.TEST, UnitStatus.BOXING)


@pytest.fixture
def addresses(client: FlaskClient) -> list[str]:
    """Every page, on a floor with work at each station."""
    sign_in_staff(client)
    delivered, (tag,) = walked(laptops(), bags(), up_to="delivered")
    for step in ("released", "kitted", "built", "tested"):
        walked(laptops(2), up_to=step)
    ready, _tags = walked(laptops(2), up_to="boxed")
    unpaid, _tags = walked(up_to="booked")
    waiting, _tags = walked(laptops(99), up_to="released", stock=False)
    with reading() as session:
        stands = dict(session.execute(sa.select(WorkOrder.status, sa.func.max(WorkOrder.tag)).group_by(WorkOrder.status)).all())
        bought = session.scalars(sa.select(PurchaseOrder.number).order_by(PurchaseOrder.number.desc())).first()
    stations = [f"/desk/{status.value}/{stands[status]}" for status in UNIT_PAGES]
    orders = [f"/desk/orders/{number}" for number in (delivered, ready, unpaid, waiting)]
    return [
        "/desk", "/desk/board", "/desk/badge", "/desk/kitting", "/desk/build", "/desk/test", "/desk/boxing", "/desk/dispatch", *stations,
        f"/desk/units/{tag}", f"/desk/dispatch/{delivered}", f"/desk/dispatch/{ready}", "/desk/orders", "/desk/orders?q=ada", *orders,
        "/desk/purchasing", "/desk/purchasing?status=received", f"/desk/purchasing/{bought}", "/desk/purchasing/suppliers",
        "/desk/purchasing/invoices", "/desk/purchasing/claims",
        "/desk/stock", "/desk/stock?q=mem", "/desk/stock?page=9", "/desk/stock/CPU-T8",
        "/desk/books", "/desk/books/journal", "/desk/books/accounts/1403", "/desk/books/entries/3",
        "/desk/jobs", "/desk/jobs/scheduled", "/desk/jobs/mail", "/desk/alerts",
    ]


def test_every_page_is_within_its_budget_and_clean(client: FlaskClient, addresses: list[str], queries: Queries) -> None:
    over, unclean = {}, []
    for address in addresses:
        with queries as statements:
            page = client.get(address)
        assert page.status_code == 200, address
        if len(statements) > BUDGET:
            over[address] = len(statements)
        if re.search(r"\sstyle=|<style|<script(?! src=)|\son[a-z]+=|javascript:", page.text):
            unclean.append(address)
        if address != "/desk/board" and page.text.count("<h1") != 1:
            unclean.append(f"{address}: {page.text.count('<h1')} h1")
    assert over == {}
    assert unclean == []


def test_every_page_opens_in_chinese(client: FlaskClient, addresses: list[str]) -> None:
    client.set_cookie("language", "zh")
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 200, address
        assert 'lang="zh-Hans"' in page.text or address == "/desk/board", address


def test_the_board_tells_queues_lateness_and_what_blocks(client: FlaskClient) -> None:
    sign_in_staff(client)
    walked(laptops(2), up_to="kitted")
    board = client.get("/desk/board").text
    assert re.search(r">Kitting</a></th>\s*<td class=\"num\">0</td>", board) is not None
    assert re.search(r">Build</a></th>\s*<td class=\"num\">2</td>", board) is not None
    assert "<svg" in board
    done = re.search(r"<b>(\d+)</b><span>kitted</span>", board)
    assert done is not None
    assert done[1] == "2"
    with frozen(now() + timedelta(days=60)):
        late = client.get("/desk/board").text
    assert "late" in late


def test_a_machine_without_its_parts_is_shown_with_what_it_waits_for_and_by_which_order(client: FlaskClient) -> None:
    sign_in_staff(client)
    _number, (tag,) = walked(laptops(), up_to="released", stock=False)
    with reading() as session:
        orders = session.scalars(sa.select(PurchaseOrder.number).order_by(PurchaseOrder.number)).all()
    board = client.get("/desk/board").text
    waiting = board[board.index(tag):]
    assert "2 × MEM-T16" in waiting
    assert all(number in waiting for number in orders)
    assert "OSL-TP" not in waiting


def test_the_floor_renews_itself_with_a_fragment(client: FlaskClient) -> None:
    sign_in_staff(client, "operator")
    page = client.get("/desk").text
    assert 'hx-get="/desk/board" hx-trigger="every 5s"' in page
    assert "<html" not in client.get("/desk/board").text
