"""From the cart to a paid order by the pages alone: every figure is the shop's, and what is pressed twice happens once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from configurator.models import Quote
from fulfillment.billing.models import Payment
from fulfillment.customers.service import addresses_of, save_address
from fulfillment.kernel.clock import add_working_days, frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import day
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import Settings
from fulfillment.orders.delivery import OPTIONS
from fulfillment.orders.models import OrderLine, OrderStatus, SalesOrder
from fulfillment.orders.readiness import items, ready_dates
from fulfillment.orders.service import cancel_order
from storefront.cart.models import Cart, CartLine
from tests.builders.billing import DECLINED, VISA, CardShop, impatient
from tests.builders.people import make_account, make_address
from tests.builders.stripe_sim import NotPaid, StripeSimulator
from tests.builders.visitor import DETAILS, Visitor, guarded
from tests.conftest import Queries

pytest_plugins = ("tests.builders.card_shop",)
pytestmark = pytest.mark.stocked


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(guarded(app))


@pytest.fixture
def till(app: Flask, provider: StripeSimulator, chosen_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CardShop]:
    """A card provider behind the pages."""
    impatient(monkeypatch)
    with CardShop.open(provider, chosen_settings) as shop:
        yield shop


def orders() -> list[SalesOrder]:
    with reading() as session:
        return list(session.scalars(sa.select(SalesOrder).order_by(SalesOrder.number)))


def cart_lines() -> list[CartLine]:
    with reading() as session:
        return list(session.scalars(sa.select(CartLine).order_by(CartLine.added_at)))


def filled(visitor: Visitor, **choices: str) -> str:
    """Put a quoted laptop and a monitor into the cart; the quote's token."""
    token = visitor.quote(**choices)
    assert visitor.post(f"/cart/quotes/{token}", on=f"/quotes/{token}").status_code == 303
    assert visitor.post("/cart/items", {"sku": "MON-24", "quantity": "2"}, on="/accessories/MON-24").status_code == 303
    return token


def reviewed(visitor: Visitor, **details: str) -> str:
    """Enter the details; the summary."""
    assert visitor.post("/checkout", {**DETAILS, **details}, on="/checkout").status_code == 303
    return visitor.get("/checkout/review").text


class TestTheSummary:
    def test_says_everything_once_more_and_adds_it_up(self, visitor: Visitor) -> None:
        filled(visitor, cpu="v6")
        page = reviewed(visitor, delivery="express")
        # 1,420.00 + 2 x 189.00 = 1,798.00 and 39.00 of express; Texas taxes both at 6.25 %: 114.81
        for figure in ("$1,420.00", "$378.00", "$1,798.00"):
            assert figure in page
        (total,) = re.findall(r"Pay (\$[\d,.]+)", page)
        assert total == total_of(page)
        assert "ada@example.com" in page
        assert "12 Willow Road" in page

    def test_names_the_day_of_every_way_and_books_the_one_that_was_shown(self, visitor: Visitor) -> None:
        with frozen(datetime(2026, 11, 25, 15, tzinfo=UTC)):
            visitor.post("/cart/items", {"sku": "MON-24", "quantity": "99"})
            with reading() as session:
                (ready,) = ready_dates(session, [items("MON-24", 99)])
            assert ready > date(2026, 11, 26)
            page = visitor.get("/checkout").text
            days = {code: day(add_working_days(ready, option.days), "full") for code, option in OPTIONS.items()}
            assert re.findall(r"At your door by ([^.]+)\.", page) == list(days.values())
            page = reviewed(visitor, delivery="express")
            assert f"Express: at your door by {days['express']}" in page
            visitor.post("/checkout/pay")
        assert [day(order.promised_on, "full") for order in orders()] == [days["express"]]

    def test_of_an_empty_cart_is_the_cart(self, visitor: Visitor) -> None:
        assert visitor.get("/checkout").headers["Location"] == "/cart"
        assert visitor.get("/checkout/review").headers["Location"] == "/checkout"
        assert visitor.post("/checkout", DETAILS).headers["Location"] == "/cart"
        assert visitor.post("/checkout/pay").headers["Location"] == "/checkout"
        assert orders() == []

    def test_of_a_cart_that_was_emptied_meanwhile_is_refused_in_words(self, visitor: Visitor) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        reviewed(visitor)
        (line,) = cart_lines()
        visitor.post(f"/cart/lines/{line.id}/remove")
        answer = visitor.post("/checkout/pay")
        assert answer.status_code == 422
        assert "Your cart is empty." in answer.text
        assert orders() == []

    def test_asks_the_database_little(self, visitor: Visitor, queries: Queries) -> None:
        make_account()
        visitor.signed_in()
        token = filled(visitor)
        reviewed(visitor)
        for path in ("/configure/skein-14?cpu=v6", f"/quotes/{token}", "/cart", "/checkout", "/checkout/review"):
            visitor.get(path)
            with queries as statements:
                assert visitor.client.get(path).status_code == 200
            assert len(statements) <= 12, (path, statements)


def total_of(page: str) -> str:
    """The sum of goods, delivery and tax, as the summary lists them."""
    listed = re.findall(r"<dd[^>]*>\s*(?:<[^>]+>\s*)*\$([\d,]+\.\d\d)", page.split("<aside", 1)[1])
    goods, delivery, tax, total = (Money.parse(amount.replace(",", "")) for amount in listed)
    assert goods + delivery + tax == total
    return f"${total.decimal():,}"


class TestTheAddress:
    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("email", "nobody", "Invalid email address."), ("email", "", "This field is required."),
            ("name", " ", "This field is required."),
            ("state", "XX", "Not a valid choice."), ("state", "", "This field is required."), ("phone", "12", "Digits, please"),
            ("postcode", "ABCDE", "Five digits, or five and four"), ("delivery", "drone", "Not a valid choice."),
            ("line1", "x" * 101, "Field cannot be longer than 100 characters."),
        ],
    )
    def test_is_refused_in_words_and_what_was_entered_stays(self, visitor: Visitor, field: str, value: str, told: str) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        answer = visitor.post("/checkout", {**DETAILS, "line2": "Unit 7", field: value})
        assert answer.status_code == 422
        assert told in answer.text
        assert 'value="Unit 7"' in answer.text
        assert visitor.get("/checkout/review").headers["Location"] == "/checkout"

    def test_of_the_invoice_counts_only_when_asked_for(self, visitor: Visitor) -> None:
        visitor.post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        other = {f"billing-{name}": value for name, value in DETAILS.items()} | {"billing-line1": "1 Bank Street", "billing-state": "OR"}
        assert "1 Bank Street" not in reviewed(visitor, **other)
        assert visitor.post("/checkout", {**DETAILS, "other_billing": "y"}).status_code == 422
        assert "1 Bank Street" in reviewed(visitor, **other, other_billing="y")

    def test_from_the_book_is_ones_own(self, visitor: Visitor) -> None:
        hers, mine = make_account(), make_account("eve@example.com")
        with transaction() as session:
            theirs = save_address(session, hers, make_address(line1="1 Secret Lane")).id
            own = save_address(session, mine, make_address(line1="2 Open Road")).id
        visitor.signed_in("eve@example.com").post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        assert "Secret Lane" not in visitor.get(f"/checkout?address={theirs}").text
        assert 'value="2 Open Road"' in visitor.get(f"/checkout?address={own}").text

    def test_is_kept_in_the_book_when_asked_for(self, visitor: Visitor) -> None:
        me = make_account()
        visitor.signed_in().post("/cart/items", {"sku": "MON-24", "quantity": "1"})
        for _ in range(2):
            reviewed(visitor, keep_address="yes")
        with reading() as session:
            assert len(addresses_of(session, me)) == 1


class TestPaying:
    def test_walks_to_the_providers_page_and_back_to_a_paid_order(self, visitor: Visitor, till: CardShop) -> None:
        filled(visitor, cpu="v6")
        reviewed(visitor)
        answer = visitor.post("/checkout/pay")
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(till.simulator.url)
        back = till.simulator.pay(answer.headers["Location"], VISA)
        (order,) = orders()
        assert back == f"http://localhost/orders/{order.number}/paid"
        returned = visitor.get(f"/orders/{order.number}/paid")
        assert returned.headers["Location"] == f"/orders/{order.number}"
        assert "Your payment has arrived" in visitor.get(f"/orders/{order.number}").text
        till.work()
        (order,) = orders()
        assert order.paid_minor == order.total_minor
        assert order.status is OrderStatus.PAID
        assert "Your cart is empty" in visitor.get("/cart").text
        with reading() as session:
            assert session.scalars(sa.select(Cart.closed_at)).one() is not None

    def test_pressed_five_times_is_one_order_and_one_payment(self, visitor: Visitor, till: CardShop) -> None:
        filled(visitor)
        reviewed(visitor)
        pages = {visitor.again("/checkout/pay").headers["Location"] for _ in range(5)}
        assert len(pages) == 1
        (order,) = orders()
        till.simulator.pay(pages.pop(), VISA)
        till.work()
        for path in ("/checkout/pay", f"/orders/{order.number}/pay"):
            answer = visitor.again(path)
            assert answer.status_code in {303, 409}
            assert answer.headers.get("Location", "/checkout") == "/checkout"
        with reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Payment)) == 1
        assert len(orders()) == 1

    def test_the_second_time_before_the_news_has_come_says_that_it_is_paid(self, visitor: Visitor, till: CardShop) -> None:
        filled(visitor)
        reviewed(visitor)
        till.silent()
        till.simulator.pay(visitor.again("/checkout/pay").headers["Location"], VISA)
        answer = visitor.again("/checkout/pay")
        assert answer.status_code == 409
        assert "is not waiting for a payment" in answer.text
        (order,) = orders()
        assert order.paid_minor == order.total_minor

    def test_coming_back_without_having_paid_is_told_so_and_can_pay(self, visitor: Visitor, till: CardShop) -> None:
        filled(visitor)
        reviewed(visitor)
        page = visitor.post("/checkout/pay").headers["Location"]
        with pytest.raises(NotPaid):
            till.simulator.pay(page, DECLINED)
        (order,) = orders()
        answer = visitor.get(f"/orders/{order.number}/paid")
        assert answer.headers["Location"] == f"/orders/{order.number}"
        shown = visitor.get(f"/orders/{order.number}").text
        assert "Your payment is being confirmed." in shown
        assert "This order waits for its payment." in shown
        assert orders()[0].status is OrderStatus.BOOKED
        assert "Your cart is empty" not in visitor.get("/cart").text
        assert visitor.post(f"/orders/{order.number}/pay").headers["Location"] == page

    def test_while_the_provider_is_away_loses_nothing(self, visitor: Visitor) -> None:
        filled(visitor)
        reviewed(visitor)
        for _ in range(2):
            answer = visitor.post("/checkout/pay")
            assert answer.status_code == 503
            assert "error" not in answer.text.lower().split("<main")[1].split("</main")[0]
        assert [order.status for order in orders()] == [OrderStatus.BOOKED]

    @pytest.mark.usefixtures("till")
    def test_again_after_cancelling_is_another_order(self, visitor: Visitor) -> None:
        filled(visitor)
        reviewed(visitor)
        visitor.post("/checkout/pay")
        with transaction() as session:
            cancel_order(session, orders()[0].number, reason="", by="customer")
        answers = [visitor.post("/checkout/pay") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert [order.status for order in orders()] == [OrderStatus.CANCELLED, OrderStatus.BOOKED]

    @pytest.mark.usefixtures("till")
    def test_in_another_language_is_the_same_order(self, visitor: Visitor) -> None:
        filled(visitor)
        reviewed(visitor)
        visitor.post("/checkout/pay")
        visitor.get("/language/zh")
        visitor.post("/checkout/pay")
        assert len(orders()) == 1

    @pytest.mark.usefixtures("till")
    def test_somebody_elses_order_is_not_possible(self, visitor: Visitor, app: Flask) -> None:
        filled(visitor)
        reviewed(visitor)
        visitor.post("/checkout/pay")
        (order,) = orders()
        eve = Visitor(app)
        hers = f"/orders/{order.number}"
        for answer in (eve.post(f"{hers}/pay"), eve.get(f"{hers}/paid"), eve.get("/orders/SO-2026-999999/paid")):
            assert answer.status_code == 404
            assert "Please look the order up by its number first." in answer.text
        with reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Payment)) == 1


HAND_MADE = {
    "price": "0.01", "unit_price": "1", "unit_price_minor": "1", "total": "1", "total_minor": "1", "net": "1", "tax": "0", "tax_minor": "0",
    "shipping": "0", "shipping_minor": "-500", "currency": "JPY", "discount": "99", "paid": "1", "status": "paid", "quantity": "1",
    "booking_key": "x", "account_id": "018f0000-0000-7000-8000-000000000000", "number": "SO-2026-000099", "promised_on": "2020-01-01",
}


class TestFigures:
    def test_that_are_sent_along_are_not_read(self, visitor: Visitor) -> None:
        token = visitor.quote(cpu="v6", **{name: value for name, value in HAND_MADE.items() if name != "quantity"})
        visitor.post(f"/cart/quotes/{token}", {**HAND_MADE, "quantity": "50"})
        visitor.post("/cart/items", {**HAND_MADE, "sku": "MON-24"})
        visitor.post("/checkout", {**HAND_MADE, **DETAILS, "country": "DE"})
        visitor.post("/checkout/pay", HAND_MADE)
        (order,) = orders()
        assert (order.currency, order.status, order.number[-6:], order.account_id) == ("USD", OrderStatus.BOOKED, "000001", None)
        assert order.net == Money(142_000 + 18_900)
        assert order.total == order.net + order.shipping + order.tax
        assert order.tax.minor > 0
        assert order.ship_to["country"] == "US"
        with reading() as session:
            lines = session.scalars(sa.select(OrderLine).filter_by(order_id=order.id).order_by(OrderLine.position)).all()
        assert [(line.quantity, line.unit_price) for line in lines] == [(1, Money(142_000)), (1, Money(18_900))]

    def test_of_a_quote_hold_until_its_last_day_and_not_a_day_longer(self, visitor: Visitor) -> None:
        token = filled(visitor, cpu="v6")
        reviewed(visitor)
        with frozen(now() + timedelta(days=30)):
            assert "$1,420.00" in visitor.get("/checkout/review").text
        with frozen(now() + timedelta(days=31)):
            assert "This quote has expired." in visitor.get("/cart").text
            assert "expired" in visitor.get(f"/quotes/{token}").text
            for answer in (visitor.get("/checkout/review"), visitor.post("/checkout/pay")):
                assert answer.status_code == 409
                assert "A quote in your cart has expired." in answer.text
            answer = Visitor(visitor.client.application).post(f"/cart/quotes/{token}")
            assert answer.status_code == 409
            assert "Configure the machine again for today&#39;s price." in answer.text
            with reading() as session:
                number = session.scalars(sa.select(Quote.number)).one()
            assert number in answer.text
        assert orders() == []
        assert len(cart_lines()) == 2


def test_the_order_of_somebody_who_signed_in_is_in_the_account(visitor: Visitor) -> None:
    me: UUID = make_account()
    filled(visitor)
    visitor.signed_in()
    reviewed(visitor)
    visitor.post("/checkout/pay")
    run_until_idle()
    (order,) = orders()
    assert order.account_id == me
    assert order.number in visitor.get("/account").text
