"""An order as its customer watches it: found by a proof, told step by step, with its papers, and cancelled while that is possible."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from fulfillment.assembly.service import units_of
from fulfillment.billing.invoice_document import SELLER
from fulfillment.billing.invoicing import invoices_of
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import day
from fulfillment.orders.models import OrderEvent, OrderStatus, SalesOrder
from fulfillment.orders.service import get_order, move_promise
from fulfillment.shipping.models import ShipmentStatus
from tests.builders import assembly, shipping
from tests.builders.orders import make_order
from tests.builders.people import make_account
from tests.builders.visitor import Visitor, guarded
from tests.builders.walk import findings, walk_order
from tests.conftest import Queries

STEPS = ("Received", "Processing", "Pre-production", "Kitting", "Build", "Test", "Boxing", "Shipped", "Delivered")


@pytest.fixture
def shop(app: Flask) -> Flask:
    return guarded(app)


@pytest.fixture
def visitor(shop: Flask) -> Visitor:
    return Visitor(shop)


def walked(up_to: str, *, machines: int = 1, locale: str = "en") -> str:
    """The number of an order that came so far."""
    with transaction() as session:
        return walk_order(session, assembly.laptops(machines), assembly.bags(), up_to=up_to, locale=locale, stock=True).number


def found(visitor: Visitor, number: str, proof: str = "ada@example.com") -> Visitor:
    """The visitor, who has looked the order up."""
    answer = visitor.post("/status", {"number": number, "proof": proof}, on="/status")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{number}")
    return visitor


def status_of(number: str) -> OrderStatus:
    with reading() as session:
        return get_order(session, number).status


class TestLookingUp:
    @pytest.mark.parametrize("proof", ["ada@example.com", " ADA@Example.com ", "+1 (512) 555-0101", "512-555-0101", "78701", "78701-1234"])
    def test_takes_the_number_and_what_only_the_customer_knows(self, visitor: Visitor, proof: str) -> None:
        with transaction() as session:
            number = make_order(session).number
        assert number in found(visitor, number, proof).get(f"/orders/{number}").text

    def test_takes_a_number_as_people_type_it(self, visitor: Visitor) -> None:
        with transaction() as session:
            number = make_order(session).number
        _, year, count = number.split("-")
        answer = visitor.post("/status", {"number": f" so {year} {int(count)} ", "proof": "78701"})
        assert answer.headers["Location"] == f"/orders/{number}"

    def test_asks_for_both(self, visitor: Visitor) -> None:
        with transaction() as session:
            number = make_order(session).number
        for fields in ({"number": number}, {"proof": "78701"}, {}, {"number": number, "proof": "  "}):
            assert visitor.post("/status", fields).status_code in {404, 422}
            assert visitor.get(f"/orders/{number}").status_code == 404

    def test_lists_what_was_found_in_this_visit(self, visitor: Visitor) -> None:
        with transaction() as session:
            numbers = [make_order(session).number for _ in range(2)]
        for number in numbers:
            found(visitor, number)
        assert re.findall(r"SO-\d{4}-\d{6}(?=</a>)", visitor.get("/status").text) == numbers

    def test_from_the_account_needs_no_proof(self, shop: Flask) -> None:
        me = make_account()
        with transaction() as session:
            number = make_order(session, account_id=me).number
        visitor = Visitor(shop).signed_in()
        assert visitor.get(f"/account/orders/{number}").headers["Location"] == f"/orders/{number}"
        assert visitor.get(f"/orders/{number}").status_code == 200
        assert visitor.get("/account/orders/SO-2026-999999").status_code == 404


class TestAZipCode:
    def test_shows_where_an_order_stands_but_neither_address_nor_papers(self, visitor: Visitor) -> None:
        number = walked("delivered")
        with reading() as session:
            (invoice,) = invoices_of(session, number)
        page = found(visitor, number, "97209").get(f"/orders/{number}").text
        assert "Delivered on" in page
        assert "Portland, OR" in page
        for private in ("Ada Moss", "Willow", "97209", ".pdf"):
            assert private not in page.split("<main", 1)[1]
        for path in (f"/orders/{number}/invoices/{invoice.number}.pdf", f"/orders/{number}/packing-slip.pdf"):
            answer = visitor.get(path)
            assert (answer.status_code, b"%PDF" in answer.data) == (403, False)

    def test_cancels_and_pays_nothing(self, visitor: Visitor) -> None:
        number = walked("booked")
        page = found(visitor, number, "97209").get(f"/orders/{number}").text
        assert "Cancel this order" not in page
        assert 'id="pay"' not in page
        for path in ("cancel", "pay"):
            answer = visitor.post(f"/orders/{number}/{path}")
            assert answer.status_code == 403
            assert "For this we need its e-mail address or telephone number." in answer.text
        assert visitor.get(f"/orders/{number}/paid").status_code == 403
        assert status_of(number) is OrderStatus.BOOKED

    @pytest.mark.parametrize("proof", ["ada@example.com", "+1 512 555 0101"])
    def test_is_made_up_for_by_a_better_proof(self, visitor: Visitor, proof: str) -> None:
        number = walked("booked")
        found(found(visitor, number, "97209"), number, proof)
        assert "Willow" in visitor.get(f"/orders/{number}").text
        assert visitor.post(f"/orders/{number}/cancel").status_code == 303
        assert status_of(number) is OrderStatus.CANCELLED

    def test_is_enough_for_the_account_the_order_is_in(self, visitor: Visitor) -> None:
        me = make_account()
        with transaction() as session:
            number = make_order(session, account_id=me).number
        found(visitor.signed_in(), number, "78701")
        assert visitor.post(f"/orders/{number}/cancel").status_code == 303


class TestThePage:
    @pytest.mark.parametrize(
        ("up_to", "now", "told"),
        [
            ("booked", "Processing", "This order waits for its payment."),
            ("released", "Kitting", "Your order is in the workshop."),
            ("kitted", "Build", "It is being put together."),
            ("built", "Test", "It is being tested under load."),
            ("tested", "Boxing", "All tests passed. It is being boxed."),
            ("boxed", "Shipped", "It is in its box."),
            ("shipped", "Delivered", "It has left us."),
            ("delivered", "", "Delivered on"),
        ],
    )
    def test_tells_each_step_when_it_happens(self, visitor: Visitor, up_to: str, now: str, told: str) -> None:
        number = walked(up_to)
        page = found(visitor, number).get(f"/orders/{number}").text
        assert told in page
        assert current(page) == now

    def test_as_a_fragment_is_the_part_that_moves(self, visitor: Visitor) -> None:
        number = walked("built")
        whole = found(visitor, number).get(f"/orders/{number}").text
        part = visitor.client.get(f"/orders/{number}", headers={"HX-Request": "true"})
        assert part.text.lstrip().startswith('<div id="live-order"')
        assert current(part.text) == current(whole) == "Test"
        assert "hx-get" in part.text

    def test_stops_asking_for_news_when_there_will_be_none(self, visitor: Visitor) -> None:
        number = walked("delivered")
        assert "hx-get" not in found(visitor, number).get(f"/orders/{number}").text

    def test_tells_nothing_that_is_ours(self, visitor: Visitor) -> None:
        number = walked("delivered")
        page = found(visitor, number).get(f"/orders/{number}").text
        with reading() as session:
            hidden = session.scalars(sa.select(OrderEvent.kind).filter_by(public=False)).all()
        assert hidden
        assert not any(f"> {kind}" in page for kind in hidden)
        for ours in ("cost", "S-SILICON", "operator", "PO-20"):
            assert ours not in page

    def test_speaks_the_readers_language(self, visitor: Visitor) -> None:
        number = walked("delivered")
        found(visitor, number).get("/language/zh")
        page = visitor.get(f"/orders/{number}").text
        main = re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1].split("</main")[0])
        assert not any(step in main for step in STEPS)

    @pytest.mark.parametrize("up_to", ["booked", "boxed", "delivered"])
    def test_asks_the_database_little_however_many_machines(self, visitor: Visitor, queries: Queries, up_to: str) -> None:
        number = walked(up_to, machines=3)
        found(visitor, number).get(f"/orders/{number}")
        for headers in ({}, {"HX-Request": "true"}):
            with queries as statements:
                assert visitor.client.get(f"/orders/{number}", headers=headers).status_code == 200
            assert len(statements) <= 12, statements


def current(page: str) -> str:
    """The step that is going on."""
    items = re.findall(r'<li[^>]*aria-current="step"[^>]*>(.*?)</li>', page, re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", items[0]) if items else ""
    return next((step for step in STEPS if step in words), "")


class TestPapers:
    def test_are_there_once_it_has_left_us(self, visitor: Visitor) -> None:
        number = walked("delivered")
        with reading() as session:
            (invoice,) = invoices_of(session, number)
        page = found(visitor, number).get(f"/orders/{number}").text
        for path in (f"/orders/{number}/invoices/{invoice.number}.pdf", f"/orders/{number}/packing-slip.pdf"):
            assert path in page
            paper = visitor.get(path)
            assert paper.data.startswith(b"%PDF")
            assert paper.headers["Cache-Control"] == "private, no-store"
            assert paper.headers["Content-Disposition"].startswith("inline; filename=")

    def test_are_not_there_before(self, visitor: Visitor) -> None:
        number = walked("boxed")
        assert "Documents" not in found(visitor, number).get(f"/orders/{number}").text.split("<main")[1]
        assert visitor.get(f"/orders/{number}/packing-slip.pdf").status_code == 404

    def test_of_another_order_are_not_to_be_had_by_way_of_ones_own(self, visitor: Visitor) -> None:
        with transaction() as session:
            hers = walk_order(session, up_to="delivered").number
            mine = make_order(session, email="eve@example.com").number
        with reading() as session:
            (invoice,) = invoices_of(session, hers)
        found(visitor, mine, "eve@example.com")
        answer = visitor.get(f"/orders/{mine}/invoices/{invoice.number}.pdf")
        assert answer.status_code == 404
        assert b"%PDF" not in answer.data


class TestCancelling:
    @pytest.mark.parametrize("up_to", ["booked", "paid", "released"])
    def test_is_possible_until_the_parts_are_taken(self, visitor: Visitor, up_to: str) -> None:
        number = walked(up_to)
        found(visitor, number).get(f"/orders/{number}")
        answers = [visitor.again(f"/orders/{number}/cancel", {"reason": "too late"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        page = visitor.get(f"/orders/{number}").text
        assert "The order is cancelled." in page
        assert "Cancel this order" not in page
        assert status_of(number) is OrderStatus.CANCELLED
        with reading() as session:
            kinds = session.scalars(sa.select(OrderEvent.kind).join(SalesOrder).where(SalesOrder.number == number)).all()
        assert kinds.count("cancelled") == 1

    @pytest.mark.parametrize("up_to", ["kitted", "boxed", "shipped", "delivered"])
    def test_is_refused_in_words_once_they_are(self, visitor: Visitor, up_to: str) -> None:
        number = walked(up_to)
        before = status_of(number)
        assert "Cancel this order" not in found(visitor, number).get(f"/orders/{number}").text
        answer = visitor.post(f"/orders/{number}/cancel", {"reason": "too late"})
        assert answer.status_code == 409
        assert "is being built or on its way already, so it can no longer be cancelled." in answer.text
        assert status_of(number) is before
        with transaction() as session:
            assert findings(session) == []

    def test_keeps_a_reason_of_any_length_and_shows_it_to_nobody_outside(self, visitor: Visitor) -> None:
        number = walked("paid")
        found(visitor, number).post(f"/orders/{number}/cancel", {"reason": "secret " * 500})
        assert "secret" not in visitor.get(f"/orders/{number}").text
        with reading() as session:
            detail = session.scalars(sa.select(OrderEvent.detail).filter_by(kind="cancelled_by")).one()
        assert (len(detail["reason"]), detail["by"]) == (300, "customer")


class TestTracking:
    def test_names_the_carrier_and_the_places(self, visitor: Visitor) -> None:
        number = walked("shipped")
        page = found(visitor, number).get(f"/orders/{number}").text
        assert "<h2>On its way</h2>" in page
        assert "Wayfare Parcel" in page
        with transaction() as session:
            shipping.carrier_says(session, shipping.shipment_of(session, number), ShipmentStatus.IN_TRANSIT)
        assert "On its way. Portland, OR" in visitor.get(f"/orders/{number}").text

    def test_of_what_has_arrived_is_not_on_its_way(self, visitor: Visitor) -> None:
        number = walked("delivered")
        page = found(visitor, number).get(f"/orders/{number}").text
        assert "<h2>On its way</h2>" not in page
        assert "<h2>Delivered</h2>" in page

    def test_tells_both_days_when_one_has_moved(self, visitor: Visitor) -> None:
        with transaction() as session:
            number = make_order(session, up_to="paid").number
            before = get_order(session, number).promised_on
            after = before + timedelta(days=3)
            move_promise(session, number, after, "a part is late")
        told = f"The date has changed from {day(before)} to {day(after)}."
        assert told in found(visitor, number).get(f"/orders/{number}").text


class TestHelp:
    def test_is_a_click_away_from_every_page(self, visitor: Visitor) -> None:
        for path in ("/", "/cart", "/no-such-page"):
            page = visitor.get(path).text
            assert {"/support", "/contact", "/terms"} <= set(re.findall(r'href="([^"#]+)', page)), path
        page = visitor.get("/contact").text
        assert "mailto:orders@larkmill.example" in page
        assert all(part in page for part in SELLER.split(" · "))
        assert all(f'id="{part}"' in visitor.get("/terms").text for part in ("sale", "returns", "privacy"))

    def test_by_service_tag_is_linked_from_the_order_and_the_account_once_it_has_left_us(self, visitor: Visitor) -> None:
        me = make_account()
        with transaction() as session:
            numbers = [walk_order(session, up_to=up_to, stock=True, account_id=me).number for up_to in ("boxed", "delivered")]
            here, out = (units_of(session, number)[0].tag for number in numbers)
        account = visitor.signed_in().get("/account").text
        for page in (account, *(visitor.get(f"/orders/{number}").text for number in numbers)):
            assert f"/support/{here}" not in page
        assert f'href="/support/{out}"' in account
        assert f'href="/support/{out}"' in page
        assert visitor.get(f"/support/{out}").status_code == 200


class TestSupport:
    def tag_of(self, number: str) -> str:
        with reading() as session:
            return units_of(session, number)[0].tag

    def test_shows_what_is_inside_and_nothing_of_who_bought_it(self, visitor: Visitor, queries: Queries) -> None:
        number = walked("delivered")
        tag = self.tag_of(number)
        assert visitor.post("/support", {"tag": f" {tag.lower()} "}).headers["Location"] == f"/support/{tag}"
        visitor.get(f"/support/{tag}")
        with queries as statements:
            page = visitor.client.get(f"/support/{tag}")
        assert page.status_code == 200
        assert len(statements) <= 12, statements
        main = page.text.split("<main", 1)[1]
        for private in (number, "ada@example.com", "Ada Moss", "Willow", "$"):
            assert private not in main

    @pytest.mark.parametrize("up_to", ["kitted", "boxed"])
    def test_does_not_tell_a_machine_that_is_still_here_from_a_tag_that_was_never_given(self, visitor: Visitor, up_to: str) -> None:
        tag = self.tag_of(walked(up_to))
        pages = [visitor.get(f"/support/{asked}") for asked in (tag, "ZZZZZZ9", "not-a-tag", "%25", "0" * 300)]
        assert [page.status_code for page in pages] == [404] * 5
        hidden = r'name="(csrf_token|press|tag)" value="[^"]*"|next=[^"]*'
        assert len({re.sub(hidden, "", page.text) for page in pages}) == 1

    @pytest.mark.parametrize("tag", ["", "  "])
    def test_asks_for_a_tag_when_none_is_given(self, visitor: Visitor, tag: str) -> None:
        answer = visitor.post("/support", {"tag": tag})
        assert "Please enter the service tag" in answer.text
