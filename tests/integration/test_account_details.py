"""A customer's own address book and details, and what nobody else may see or touch of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from fulfillment.customers.address import Address
from fulfillment.customers.models import Account, SavedAddress
from fulfillment.customers.service import addresses_of, save_address
from fulfillment.kernel.db import reading, transaction
from tests.builders.orders import make_order
from tests.builders.people import make_account, make_address
from tests.builders.visitor import SHIP_TO, Visitor, guarded


@pytest.fixture
def visit(app: Flask) -> Callable[[], Visitor]:
    """Another browser each time."""
    shop = guarded(app)
    return lambda: Visitor(shop)


def account(email: str = "ada@example.com") -> Account:
    with reading() as session:
        return session.scalars(sa.select(Account).filter_by(email=email)).one()


class TestTheAddressBook:
    def test_keeps_an_address_once_and_gives_it_back(self, visit: Callable[[], Visitor]) -> None:
        me = make_account()
        visitor = visit().signed_in()
        for _ in range(2):
            assert visitor.post("/account/addresses", SHIP_TO).status_code == 303
        with reading() as session:
            (saved,) = addresses_of(session, me)
        assert Address.from_json(saved.address) == make_address()
        assert [visitor.post(f"/account/addresses/{saved.id}/remove").status_code for _ in range(2)] == [303, 404]

    def test_somebody_elses_address_is_not_there(self, visit: Callable[[], Visitor]) -> None:
        hers = make_account()
        make_account("eve@example.com")
        with transaction() as session:
            saved = save_address(session, hers, make_address()).id
        visitor = visit().signed_in("eve@example.com")
        assert visitor.post(f"/account/addresses/{saved}/remove").status_code == 404
        assert "Willow" not in visitor.get("/account/addresses").text
        with reading() as session:
            assert session.get(SavedAddress, saved) is not None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "   "),
            ("line1", "\t"),
            ("city", ""),
            ("state", ""),
            ("state", "XX"),
            ("postcode", "7870"),
            ("postcode", "٧٨٧٠١"),
            ("postcode", "78701\r\nX"),
            ("phone", "-------"),
            ("phone", "call me"),
            ("name", "x" * 81),
            ("name", "Ada\x07Moss"),
            ("line1", "\u202egnp"),
        ],
    )
    def test_what_no_carrier_could_read_is_refused_in_words(self, visit: Callable[[], Visitor], field: str, value: str) -> None:
        me = make_account()
        answer = visit().signed_in().post("/account/addresses", {**SHIP_TO, field: value})
        assert answer.status_code == 422
        assert "Please check what you entered." in answer.text
        assert f'id="{field}-error"' in answer.text
        with reading() as session:
            assert addresses_of(session, me) == []

    def test_a_line_break_cannot_add_a_line_to_a_label(self, visit: Callable[[], Visitor]) -> None:
        me = make_account()
        visit().signed_in().post("/account/addresses", {**SHIP_TO, "name": "Ada\r\nDANGEROUS GOODS"})
        with reading() as session:
            assert addresses_of(session, me)[0].address["name"] == "Ada DANGEROUS GOODS"


class TestDetails:
    def test_are_changed_and_nothing_else_is(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor, before = visit().signed_in(), account()
        fields = {"name": "Ada M. Moss", "phone": "", "locale": "zh", "email": "eve@example.com", "epoch": "9", "password_hash": "x"}
        assert [visitor.post("/account/details", fields).status_code for _ in range(2)] == [303, 303]
        after = account()
        assert (after.name, after.locale) == ("Ada M. Moss", "zh")
        assert (after.id, after.epoch, after.password_hash) == (before.id, before.epoch, before.password_hash)

    @pytest.mark.parametrize("locale", ["", "xx", "en/../zh", "zh\r\nX: y"])
    def test_an_unknown_language_is_refused(self, visit: Callable[[], Visitor], locale: str) -> None:
        make_account()
        assert visit().signed_in().post("/account/details", {"name": "Ada", "phone": "", "locale": locale}).status_code == 422
        assert account().locale == "en"

    def test_another_account_sees_nothing_of_mine(self, visit: Callable[[], Visitor]) -> None:
        me: UUID = make_account()
        make_account("eve@example.com", name="Eve")
        with transaction() as session:
            number = make_order(session, account_id=me).number
        eve = visit().signed_in("eve@example.com")
        for path in ("/account", "/account/details", "/account/addresses"):
            assert number not in eve.get(path).text
            assert "Ada Moss" not in eve.get(path).text
        assert eve.get(f"/account/orders/{number}").status_code == 404
        assert number in visit().signed_in().get("/account").text


def test_the_account_page_asks_the_database_little(visit: Callable[[], Visitor], queries: Any) -> None:
    me = make_account()
    with transaction() as session:
        for _ in range(3):
            make_order(session, account_id=me)
    visitor = visit().signed_in()
    with queries as statements:
        assert visitor.client.get("/account").status_code == 200
    assert len(statements) <= 6, statements
