"""A visitor's way through the shop without script: choosing, quoting, laying aside, checking out."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from configurator.models import Quote, QuoteLine
from fulfillment.kernel.db import reading
from fulfillment.kernel.money import Money
from storefront.cart.models import CartLine

pytestmark = pytest.mark.stocked


def test_choosing_shows_what_it_costs_and_keeps_own_choices_and_the_way_back_in_the_address(client: FlaskClient) -> None:
    page = client.get("/configure/skein-14")
    assert page.status_code == 200
    sent = {"own": "", "was.cpu": "v8", "cpu": "v6", "was.lid": "graphite", "lid": "graphite"}
    moved = client.get("/configure/skein-14", query_string=sent)
    assert moved.status_code == 303
    assert moved.headers["Location"] == "/configure/skein-14?cpu=v6&undo=cpu"
    shown = client.get("/configure/skein-14?cpu=v6").text
    assert "$1,420.00" in shown
    assert "your choice" in shown


def quote_of(client: FlaskClient, **choices: str) -> Quote:
    answer = client.post("/configure/skein-14", data={"quantity": "1", "then": "quote", **choices})
    assert answer.status_code == 303, answer.text
    token = answer.headers["Location"].rsplit("/", 1)[1]
    with reading() as session:
        return session.scalars(sa.select(Quote).filter_by(token=token)).one()


def test_a_quote_is_numbered_priced_and_final(client: FlaskClient) -> None:
    quote = quote_of(client, cpu="v6")
    assert re.fullmatch(r"Q-\d{4}-000001", quote.number)
    assert quote.total == Money(142_000)
    page = client.get(f"/quotes/{quote.token}")
    assert quote.number in page.text
    paper = client.get(f"/quotes/{quote.token}/quote.pdf")
    assert paper.data.startswith(b"%PDF")


def test_impossible_choices_posted_by_hand_are_refused_with_the_reason_and_change_nothing(client: FlaskClient) -> None:
    answer = client.post("/configure/skein-14", data={"quantity": "1", "then": "quote", "cpu": "h12", "memory": "d32"})
    assert answer.status_code == 422
    assert "do not go together" in answer.text
    with reading() as session:
        assert session.scalars(sa.select(QuoteLine)).all() == []


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "1000000000", "", "١", "1e3", " "])
def test_a_quantity_that_is_none_is_refused(client: FlaskClient, quantity: str) -> None:
    assert client.post("/configure/skein-14", data={"quantity": quantity, "then": "quote"}).status_code == 422
    assert client.post("/cart/items", data={"sku": "MON-24", "quantity": quantity}).status_code == 422
    with reading() as session:
        assert session.scalars(sa.select(CartLine)).all() == []
        assert session.scalars(sa.select(Quote)).all() == []


def test_unknown_models_options_items_and_quotes_are_not_found_in_words(client: FlaskClient) -> None:
    assert client.get("/configure/no-such").status_code == 404
    assert client.get("/configure/skein-14?cpu=no-such").status_code == 422
    assert client.post("/cart/items", data={"sku": "NO-SUCH", "quantity": "1"}).status_code == 404
    assert client.get("/quotes/no-such").status_code == 404


def test_the_page_cannot_set_a_price(client: FlaskClient) -> None:
    quote = quote_of(client, cpu="v6", price="1.00", unit_price_minor="100", total="1")
    assert quote.total == Money(142_000)
    client.post("/cart/items", data={"sku": "MON-24", "quantity": "1", "price": "0.01", "unit_price": "1"})
    assert "$189.00" in client.get("/cart").text
