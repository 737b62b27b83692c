"""What a customer cannot do to the shop or to another customer: quantities, quotes, carts, orders and papers that are not his."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from configurator.language import put_together
from configurator.models import Quote, QuoteLine, Release
from configurator.releasing import release_model, released
from configurator.seed import CATALOGUE
from configurator.service import starting_price
from fulfillment.customers.models import Account
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import Base, reading, transaction
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.mail import Mail, compose
from fulfillment.kernel.money import Money
from fulfillment.orders.models import OrderStatus, SalesOrder
from storefront.cart.models import Cart, CartLine
from tests.builders.orders import item_line, make_order, system_line
from tests.builders.people import PASSWORD, make_account, make_address
from tests.builders.visitor import DETAILS, Visitor, guarded

pytestmark = pytest.mark.stocked

XSS = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
NO_QUANTITIES = ("0", "-1", "1.5", "1000000000", "100", "", " ", "1e3", "٣", "²", "0x1", "+1", "1,000", "NaN", "1" * 4000)


@pytest.fixture
def shop(app: Flask) -> Flask:
    return guarded(app)


@pytest.fixture
def visitor(shop: Flask) -> Visitor:
    return Visitor(shop)


def lines() -> list[tuple[str | None, int]]:
    with reading() as session:
        return [(line.sku, line.quantity) for line in session.scalars(sa.select(CartLine).order_by(CartLine.added_at))]


def line_ids() -> list[str]:
    with reading() as session:
        return [str(line) for line in session.scalars(sa.select(CartLine.id).order_by(CartLine.added_at))]


def counted(table: type[Base]) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def carts() -> list[Cart]:
    with reading() as session:
        return list(session.scalars(sa.select(Cart).order_by(Cart.created_at)))


class TestQuantities:
    @pytest.mark.parametrize("quantity", NO_QUANTITIES, ids=range(len(NO_QUANTITIES)))
    def test_that_are_none_change_nothing_and_are_told_so(self, visitor: Visitor, quantity: str) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "2"})
        (line,) = line_ids()
        asked = [
            visitor.post("/configure/skein-14", {"quantity": quantity, "then": "quote"}),
            visitor.post("/cart/items", {"sku": "MON-24", "quantity": quantity}),
        ]
        if quantity != "0":  # in the cart, none of something takes it out
            asked.append(visitor.post(f"/cart/lines/{line}", {"quantity": quantity}))
        for answer in asked:
            assert answer.status_code == 422
            assert re.search("whole number|quantity from 1 to 99", answer.text)
        assert lines() == [("MON-24", 2)]
        assert counted(Quote) == 0

    def test_do_not_add_up_to_more_than_a_line_holds(self, visitor: Visitor) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "60"})
        assert visitor.post("/cart/items", {"sku": "MON-24", "quantity": "40"}).status_code == 422
        assert lines() == [("MON-24", 60)]

    def test_none_takes_a_line_out(self, visitor: Visitor) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "2"})
        (line,) = line_ids()
        visitor.get("/cart")
        assert [visitor.again(f"/cart/lines/{line}", {"quantity": "0"}).status_code for _ in range(2)] == [303, 303]
        assert lines() == []


class TestPressedTwice:
    def test_an_item_is_added_once_and_on_purpose_twice(self, visitor: Visitor) -> None:
        visitor.get("/accessories/MON-24")
        for _ in range(2):
            assert visitor.again("/cart/items", {"sku": "MON-24", "quantity": "1"}).status_code == 303
        assert lines() == [("MON-24", 1)]
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"}, on="/accessories/MON-24")
        assert lines() == [("MON-24", 2)]
        assert len(carts()) == 1

    def test_a_quote_is_issued_once_and_put_into_the_cart_once(self, visitor: Visitor) -> None:
        visitor.get("/configure/skein-14")
        places = {visitor.again("/configure/skein-14", {"quantity": "1", "then": "cart"}).headers["Location"] for _ in range(2)}
        assert counted(Quote) == 1
        (place,) = places
        for _ in range(2):
            assert visitor.again(place).status_code == 303
        assert len(lines()) == 1

    def test_a_quote_is_mailed_once(self, visitor: Visitor) -> None:
        token = visitor.quote()
        for _ in range(2):
            assert visitor.post(f"/quotes/{token}/send", {"email": "bob@example.com"}, on=f"/quotes/{token}").status_code == 303
        assert counted(Mail) == 1

    def test_a_line_is_removed_once(self, visitor: Visitor) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        (line,) = line_ids()
        visitor.get("/cart")
        assert [visitor.again(f"/cart/lines/{line}/remove").status_code for _ in range(2)] == [303, 303]

    def test_signing_in_keeps_the_cart(self, visitor: Visitor) -> None:
        make_account()
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        visitor.signed_in().signed_in()
        assert "MON-24" in visitor.get("/cart").text


class TestTheCart:
    def test_of_a_guest_comes_along_when_he_signs_in_and_joins_his_older_one(self, shop: Flask) -> None:
        make_account()
        at_home, away = Visitor(shop).signed_in(), Visitor(shop)
        at_home.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        away.post("/cart/items", {"sku": "MON-24", "quantity": "3"})
        away.post("/cart/items", {"sku": "MON-27", "quantity": "1"})
        token = at_home.quote()
        at_home.post(f"/cart/quotes/{token}")
        page = away.signed_in().get("/cart").text
        with reading() as session:
            number = session.scalars(sa.select(Quote.number)).one()
        assert number in page
        assert "MON-27" in page
        open_carts = [cart for cart in carts() if cart.closed_at is None]
        assert len(open_carts) == 1
        assert {("MON-24", 3), ("MON-27", 1), (None, 1)} <= set(lines())

    def test_of_somebody_else_is_never_adopted(self, shop: Flask) -> None:
        make_account()
        make_account("eve@example.com")
        ada = Visitor(shop).signed_in()
        ada.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        (hers,) = carts()
        ada.post("/account/sign-in", {"email": "eve@example.com", "password": PASSWORD})
        assert "Your cart is empty" in ada.get("/cart").text
        (still,) = carts()
        assert (still.account_id, still.closed_at) == (hers.account_id, None)
        assert "MON-24" in Visitor(shop).signed_in().get("/cart").text

    def test_line_of_somebody_else_is_not_there(self, shop: Flask) -> None:
        Visitor(shop).post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        (line,) = line_ids()
        eve = Visitor(shop)
        eve.post("/cart/items", {"sku": "MON-27", "quantity": "1"})
        for path, fields in ((f"/cart/lines/{line}", {"quantity": "9"}), (f"/cart/lines/{line}/remove", {})):
            assert eve.post(path, fields).status_code == 404
        assert lines() == [("MON-24", 1), ("MON-27", 1)]

    def test_sells_a_quoted_machine_as_quoted_when_the_model_has_changed_since(
        self, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = visitor.quote(cpu="v6")
        visitor.post(f"/cart/quotes/{token}")
        text = put_together(CATALOGUE / "skein-14.toml").text
        dearer = text.replace('"329.00"', '"829.00"')
        assert dearer != text
        with transaction() as session:
            release_model(session, dearer, "skein-14.toml")
        monkeypatch.setattr("configurator.releasing.LOOK_AGAIN_SECONDS", 0)
        assert starting_price(released("skein-14").model) == Money(151_000 + 50_000)
        assert "$1,420.00" in visitor.get("/cart").text
        visitor.post("/checkout", DETAILS)
        visitor.post("/checkout/pay")
        with reading() as session:
            order = session.scalars(sa.select(SalesOrder)).one()
            quoted = session.scalars(sa.select(QuoteLine)).one()
            assert session.scalar(sa.select(sa.func.count()).select_from(Release).filter_by(model_id="skein-14")) == 2
        assert order.net == Money(142_000) == quoted.unit_price

    def test_holds_no_end_of_lines(self, visitor: Visitor) -> None:
        for count in range(41):
            answer = visitor.post(f"/cart/quotes/{quote_of(visitor, count)}")
        assert answer.status_code == 422
        assert "A cart holds 40 lines at most." in answer.text
        assert len(lines()) == 40

    @pytest.mark.parametrize("sku", ["", "NO-SUCH", "mon-24", "MON-24' OR '1'='1", "CPU-16", XSS, "%"])
    def test_takes_only_what_we_sell(self, visitor: Visitor, sku: str) -> None:
        answer = visitor.post("/cart/items", {"sku": sku, "quantity": "1"})
        assert answer.status_code == 404
        assert XSS not in answer.text
        assert lines() == []
        assert carts() == []


def quote_of(visitor: Visitor, nth: int) -> str:
    return visitor.quote(quantity=str(nth % 99 + 1))


class TestQuotes:
    @pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token.swapcase(), lambda _: "Q-2026-000001", lambda _: "%"])
    def test_are_found_by_their_whole_secret_alone(self, visitor: Visitor, change: Callable[[str], str]) -> None:
        token = visitor.quote()
        wrong = change(token)
        assert wrong != token
        stranger = Visitor(visitor.client.application)
        for answer in (
            stranger.get(f"/quotes/{wrong}"), stranger.get(f"/quotes/{wrong}/quote.pdf"), stranger.post(f"/cart/quotes/{wrong}"),
            stranger.post(f"/quotes/{wrong}/send", {"email": "eve@example.com"}),
        ):
            assert answer.status_code == 404
        assert (lines(), counted(Mail)) == ([], 0)

    @pytest.mark.parametrize(
        "choices",
        [{"cpu": "nothing"}, {"cpu": "v6' --"}, {"cpu": ["v6", "v8"]}, {"cpu": XSS}, {"cpu": "h12", "memory": "d32"}, {"memory": ""}],
    )
    def test_of_what_cannot_be_built_are_refused_in_words(self, visitor: Visitor, choices: dict[str, Any]) -> None:
        answer = visitor.post("/configure/skein-14", {"quantity": "1", "then": "quote", **choices})
        assert answer.status_code == 422
        assert "That did not work" in answer.text
        assert "<script>alert" not in answer.text
        assert counted(Quote) == 0

    def test_ignore_what_the_model_does_not_ask(self, visitor: Visitor) -> None:
        token = visitor.quote(turbo="yes", version="99", release_id="x", price="1", ready_on="2020-01-01", expires="2099-01-01")
        with reading() as session:
            quote = session.scalars(sa.select(Quote).filter_by(token=token)).one()
        assert quote.total == Money(151_000)
        assert (quote.valid_until - quote.issued_at.date()).days == 30

    @pytest.mark.parametrize("to", ["", "bob", "bob@example.com\r\nBcc: eve@example.com", "bob@example.com, eve@example.com", "a@b.c" * 60])
    def test_are_mailed_to_one_address(self, visitor: Visitor, to: str) -> None:
        token = visitor.quote()
        answer = visitor.post(f"/quotes/{token}/send", {"email": to})
        assert answer.status_code == 422
        assert counted(Mail) == 0

    def test_link_in_the_letter_is_ours(self, visitor: Visitor) -> None:
        token = visitor.quote()
        visitor.get(f"/quotes/{token}")
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Cookie": f"shop={visitor.cookie()}"}
        stranger = visitor.client.application.test_client(use_cookies=False)
        sent = stranger.post(f"/quotes/{token}/send", data={"csrf_token": visitor.token, "email": "bob@example.com"}, headers=evil)
        assert sent.status_code == 303
        with reading() as session:
            mail = session.scalars(sa.select(Mail)).one()
        assert f"http://localhost/quotes/{token}" in mail.text
        assert b"evil" not in compose(mail).as_bytes()


class TestOrders:
    def test_and_papers_of_somebody_else_are_not_there(self, shop: Flask) -> None:
        make_account("eve@example.com")
        with transaction() as session:
            hers = make_order(session, up_to="delivered").number
            away = make_address(postcode="97201", state="OR", phone="503 555 0199")
            mine = make_order(session, email="eve@example.com", ship_to=away).number
        eve = Visitor(shop).signed_in("eve@example.com")
        eve.post("/status", {"number": mine, "proof": "eve@example.com"})
        assert eve.get(f"/orders/{mine}").status_code == 200
        for number in (hers, "SO-2026-999999", "%", mine.lower()):
            for path in ("", "/paid", "/packing-slip.pdf", "/invoices/INV-2026-000001.pdf"):
                assert eve.get(f"/orders/{number}{path}").status_code == 404, path
            assert eve.post(f"/orders/{number}/cancel").status_code == 404
            assert eve.get(f"/account/orders/{number}").status_code == 404
        with reading() as session:
            statuses = dict(session.execute(sa.select(SalesOrder.number, SalesOrder.status)).all())
        assert statuses == {hers: OrderStatus.DELIVERED, mine: OrderStatus.BOOKED}

    @pytest.mark.parametrize(
        "proof", ["", "eve@example.com", "%", "78702", "5125550102", "0101", "78701' OR '1'='1", "@", "00000", "nobody@invalid"]
    )
    def test_are_not_found_by_a_guess_and_unknown_numbers_get_the_same_answer(self, visitor: Visitor, proof: str) -> None:
        with transaction() as session:
            number = make_order(session).number
        pages = []
        for asked in (number, "SO-2026-777777"):
            answer = visitor.post("/status", {"number": asked, "proof": proof})
            pages.append((answer.status_code, answer.text.replace(asked, "")))
            assert visitor.get(f"/orders/{asked}").status_code == 404
        assert pages[0][0] == pages[1][0] in {404, 422}
        hidden = r'name="(csrf_token|press)" value="[^"]*"'
        assert re.sub(hidden, "", pages[0][1]) == re.sub(hidden, "", pages[1][1])

    def test_number_in_ones_own_session_came_from_us(self, visitor: Visitor) -> None:
        with transaction() as session:
            number = make_order(session).number
        for fields in ({"orders": number}, {"number": number, "proof": "wrong", "orders": number}):
            visitor.post("/status", fields)
        assert visitor.get(f"/orders/{number}?orders={number}").status_code == 404


class TestScripts:
    """What people type is shown as what they typed."""

    def shown(self, visitor: Visitor, *paths: str) -> None:
        for path in paths:
            page = visitor.get(path).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path

    def test_in_names_and_addresses_are_text(self, visitor: Visitor) -> None:
        visitor.post("/account/sign-up", {"name": XSS, "email": "ada@example.com", "password": PASSWORD})
        visitor.signed_in()
        visitor.post("/account/details", {"name": XSS, "phone": "+1 512 555 0101", "locale": "en"})
        address = {**DETAILS, "name": XSS, "company": XSS, "line1": XSS, "line2": XSS, "city": XSS[:60]}
        assert visitor.post("/account/addresses", address).status_code == 303
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        assert visitor.post("/checkout", address).status_code == 303
        visitor.post("/checkout/pay")
        with reading() as session:
            order = session.scalars(sa.select(SalesOrder)).one()
            assert session.scalars(sa.select(Account.name)).one() == XSS
        assert order.ship_to["name"] == XSS
        visitor.post(f"/orders/{order.number}/cancel", {"reason": XSS})
        pages = ("/", "/account", "/account/details", "/account/addresses", "/checkout", "/checkout/review", f"/orders/{order.number}")
        self.shown(visitor, *pages)
        run_until_idle()
        with reading() as session:
            assert not any("<script>alert" in (mail.html or "") for mail in session.scalars(sa.select(Mail)))

    def test_in_questions_are_text(self, visitor: Visitor) -> None:
        asked = f"q={XSS}&number={XSS}&cpu={XSS}&models={XSS}&next={XSS}&address={XSS}"
        pages = ("/search", "/status", "/compare", "/configure/skein-14", "/account/sign-in", "/cart")
        self.shown(visitor, *(f"{path}?{asked}" for path in pages))
        self.shown(visitor, f"/support/{XSS.replace('/', '')}", f"/configure/{XSS.replace('/', '')}", f"/{XSS}")
        for path in ("/account/sign-in", "/account/sign-up", "/account/forgotten", "/status", "/support"):
            fields = dict.fromkeys(("email", "name", "number", "proof", "tag", "password"), XSS)
            assert "<script>alert" not in visitor.post(path, fields).text

    def test_in_the_floors_pages_are_text(self, shop: Flask) -> None:
        from tests.builders.people import make_staff

        with transaction() as session:
            number = make_order(session, system_line(), item_line(), ship_to=make_address(name=XSS, company=XSS, line1=XSS)).number
        desk = Visitor(shop)
        desk.post("/desk/sign-in", {"login": make_staff(), "password": PASSWORD}, on="/desk/sign-in")
        self.shown(desk, "/desk", "/desk/orders", f"/desk/orders/{number}", f"/desk/orders?q={XSS}")


def test_time_alone_makes_no_expired_quote_good(visitor: Visitor) -> None:
    token = visitor.quote()
    with frozen(now() + timedelta(days=31)):
        for _ in range(2):
            assert visitor.post(f"/cart/quotes/{token}").status_code == 409
    assert lines() == []
    assert carts() == []
