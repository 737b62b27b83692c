"""What one page costs: CPU and queries of each, in this process, without a server around it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from configurator.models import Quote
from fulfillment.assembly.models import WorkOrder
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading
from storefront.demo.story import ADDRESS, forms_of
from tests.bench.figures import POSTGRES, SQLITE, Section
from tests.bench.places import PASSWORD, Place
from tests.bench.visits import MODEL, delivered_machine
from tests.conftest import Queries

MOST_QUERIES, MOST_CPU = 12, 15
"""Budgets of a page: queries, and milliseconds of CPU."""
TURNS = 12
PACKED = {"Accept-Encoding": "gzip"}


def measure(app: Flask, places: Mapping[str, Place], rounds: int) -> Section:
    """Every page on each kind of database, round by round."""
    columns = [*(f"{name} ms" for name in places), "queries", "KB packed"]
    section = Section(f"One page: CPU in this process, queries (budget: {MOST_CPU} ms, {MOST_QUERIES} queries)", columns, _RATIO)
    shops = {}
    for name, place in places.items():
        url = place.fresh()
        place.connect(url, "cpu")
        shops[name] = (url, _pages(app))
    for _ in range(rounds):
        for name, (url, pages) in shops.items():
            database.connect(url)
            for page, (client, address) in pages.items():
                section.note(page, **{f"{name}_ms": _cpu(client, address)})
    for page, (client, address) in pages.items():
        statements, size = _queries(client, address)
        section.note(page, queries=statements, KB_packed=size / 1024)
    section.remarks = over_budget(section)
    return section


_RATIO = (f"{SQLITE} ms", f"{POSTGRES} ms")


def over_budget(section: Section) -> list[str]:
    """The pages that cost more than they may."""
    found = []
    for page in section.rows:
        cpu, queries = section.median(page, f"{SQLITE} ms") or 0, section.median(page, "queries") or 0
        if cpu > MOST_CPU or queries > MOST_QUERIES:
            found.append(f"OVER BUDGET: {page} ({cpu:.1f} ms, {queries:.0f} queries)")
    return found or ["every page is within its budget"]


def _pages(app: Flask) -> dict[str, tuple[FlaskClient, str]]:
    """The pages, each with who looks at it: a visitor with a machine in the cart and an order, or one of the staff."""
    visitor, staff = app.test_client(), app.test_client()
    number, postcode = delivered_machine()
    with reading() as session:
        token = session.scalars(sa.select(Quote.token).order_by(Quote.number)).first()
        tag = session.scalars(sa.select(WorkOrder.tag).filter_by(order_number=number).order_by(WorkOrder.number)).first()
    kept = visitor.post(f"/configure/{MODEL}", data={"quantity": "1", "then": "quote"}).headers["Location"]
    visitor.post(f"/cart{kept}")
    visitor.post("/checkout", data={**ADDRESS, "email": "bench@example.com", "delivery": "standard"})
    visitor.post("/status", data={"number": number, "proof": postcode})
    staff.post("/desk/sign-in", data={"login": "admin", "password": PASSWORD})
    shop = {
        "home": "/", "product": f"/products/{MODEL}", "comparison": "/compare", "search": "/search?q=memory", "accessories": "/accessories",
        "configure": f"/configure/{MODEL}", "configurator click": _click(visitor), "quote": f"/quotes/{token}", "cart": "/cart",
        "checkout details": "/checkout", "checkout review": "/checkout/review", "order status": f"/orders/{number}",
        "support by tag": f"/support/{tag}", "API: models": "/api/v1/models",
    }
    desks = {"desk: floor": "/desk", "desk: orders": "/desk/orders", "desk: one order": f"/desk/orders/{number}"}
    pages = {page: (visitor, address) for page, address in shop.items()} | {page: (staff, address) for page, address in desks.items()}
    for page, (client, address) in pages.items():
        status = client.get(address, headers=_headers(address)).status_code
        if status != 200:
            raise RuntimeError(f"{page} ({address}) answered {status}")
    return pages


def _click(client: FlaskClient) -> str:
    """The address that the script asks for when an option is clicked."""
    form = next(form for form in forms_of(client.get(f"/configure/{MODEL}").text) if "own" in dict(form.values))
    values = [(name, value) for name, value in form.values if name not in {"cpu", "csrf_token", "press", "quantity"}]
    return f"/configure/{MODEL}?{urlencode([*values, ('cpu', 'v8')])}"


def _headers(address: str) -> dict[str, str]:
    return {**PACKED, "HX-Request": "true"} if "was." in address else PACKED


def _cpu(client: FlaskClient, address: str) -> float:
    """Milliseconds of CPU of one answer, over a number of them."""
    headers = _headers(address)
    client.get(address, headers=headers)
    began = time.process_time()
    for _ in range(TURNS):
        client.get(address, headers=headers)
    return (time.process_time() - began) / TURNS * 1000


def _queries(client: FlaskClient, address: str) -> tuple[int, int]:
    """Statements that reach the database for one answer, and the bytes of it."""
    with Queries() as statements:
        answer = client.get(address, headers=_headers(address))
    return len(statements), len(answer.data)
