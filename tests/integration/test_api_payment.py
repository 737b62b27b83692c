"""An order of a program's, paid on the card provider's own page; and many programs at one moment."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

import storefront.checkout.api
from configurator.models import Quote
from fulfillment.billing.models import Payment
from fulfillment.kernel.db import reading
from fulfillment.orders.models import SalesOrder
from tests.builders.billing import VISA, CardShop
from tests.builders.programs import Program

pytest_plugins = ("tests.builders.card_shop",)
pytestmark = pytest.mark.stocked


def count(table: type[SalesOrder | Payment | Quote]) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_an_order_is_paid_on_the_page_whose_address_it_came_with(app: Flask, shop: CardShop) -> None:
    program, key = Program(app.test_client()), str(uuid.uuid4())
    booked = program.order(key=key).json or {}
    assert booked["payment_url"].startswith(shop.simulator.url)
    assert (program.order(key=key).json or {})["payment_url"] == booked["payment_url"]
    shop.simulator.pay(booked["payment_url"], VISA)
    shop.work()
    told = program.get(f"/orders/{booked['number']}", proof="78701").json or {}
    assert (told["status"], [event["kind"] for event in told["timeline"]]) == ("paid", ["received", "payment_received"])
    assert (program.order(key=key).json or {})["payment_url"] is None
    assert (count(SalesOrder), count(Payment)) == (1, 1)


def test_the_same_key_many_times_at_once_is_one_quote_and_one_order(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storefront.checkout.api, "start_checkout", lambda number, **_: f"https://pay.example/{number}")
    key = str(uuid.uuid4())

    def send(_: int) -> tuple[int, int, str, str]:
        program = Program(app.test_client())
        quote, order = program.post("/quotes", {"model": "skein-14"}, key=key), program.order(key=key)
        return quote.status_code, order.status_code, (quote.json or {})["number"], (order.json or {})["number"]

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(6)))
    [(quoted, ordered, _, _)] = answers
    assert (quoted, ordered) == (201, 201)
    assert (count(Quote), count(SalesOrder)) == (1, 1)
