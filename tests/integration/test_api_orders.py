"""Orders for programs: booked once per key, priced by us, shown and cancelled for whoever proves that they are his."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

import storefront.checkout.api
from fulfillment.assembly.service import express_code, spoken, units_of
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Unavailable, WrongStatus
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import get_order
from fulfillment.shipping.dispatching import find_shipment
from tests.builders.people import make_account, sign_in_account
from tests.builders.programs import SHIP_TO, Program, faults, make_order
from tests.builders.walk import pay, walk_order
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZIP = "97209"
"""Where `walk_order` sends."""
NOT_YOURS = "We have no order with this number and this e-mail address, telephone number or ZIP code."
STEPS = ["received", "processing", "pre_production", "kitting", "build", "test", "boxing", "shipped", "delivered"]


@pytest.fixture
def program(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program, and a card provider that answers at once."""
    monkeypatch.setattr(storefront.checkout.api, "start_checkout", lambda number, **_: f"https://pay.example/{number}")
    return Program(client)


def orders() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) or 0


def minor(told: dict[str, Any], *names: str) -> list[int]:
    return [told[name]["minor"] for name in names]


def test_an_order_of_quotes_and_items_is_booked_and_priced_by_us(program: Program) -> None:
    with frozen(MONDAY):
        quote = program.quote(quantity=2)
        answer = program.order({"quotes": [quote["token"]], "delivery": "express"})
    told = answer.json or {}
    assert answer.status_code == 201
    assert (told["number"], told["status"], told["payment_url"]) == ("SO-2026-000001", "booked", "https://pay.example/SO-2026-000001")
    assert answer.headers["Location"] == told["links"]["self"] == "http://localhost/api/v1/orders/SO-2026-000001"
    net = 2 * 151_000 + 2 * 18_900
    assert minor(told, "net", "shipping", "tax", "total") == [339_800, 3_900, 18_875 + 2_363 + 244, 339_800 + 3_900 + 21_482]
    assert net == 339_800
    assert [(line["kind"], line["code"], line["quantity"], line["price"]["minor"], line["quote"]) for line in told["lines"]] == [
        ("system", "skein-14", 2, 302_000, quote["number"]), ("item", "MON-24", 2, 37_800, None),
    ]
    with reading() as session:
        order = get_order(session, told["number"])
        assert (order.channel, order.account_id, order.locale, order.email) == ("api", None, "en", "ada@example.com")
        assert order.ship_address.postcode == order.bill_address.postcode == "78701"


def test_a_key_sent_twice_is_one_order(program: Program) -> None:
    key = str(uuid.uuid4())
    first, second = program.order(key=key), program.order(key=key)
    assert (first.status_code, second.status_code, orders()) == (201, 201, 1)
    assert second.json == first.json
    other = program.order({"email": "eve@example.com"}, key=key)
    assert (other.status_code, orders()) == (409, 1)
    assert "SO-" not in other.text


def test_without_a_key_nothing_is_ordered(program: Program) -> None:
    answer = program.post("/orders", make_order())
    assert (answer.status_code, faults(answer), orders()) == (400, {"Idempotency-Key": "This header is missing."}, 0)


def test_the_key_of_a_paid_order_gives_the_order_without_a_page(program: Program) -> None:
    key = str(uuid.uuid4())
    number = (program.order(key=key).json or {})["number"]
    with transaction() as session:
        pay(session, number)
    told = program.order(key=key).json or {}
    assert (told["number"], told["status"], told["payment_url"]) == (number, "paid", None)


def test_a_provider_that_is_away_loses_no_order(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    key = str(uuid.uuid4())

    def away(_number: str, **_: str) -> str:
        raise Unavailable("Card payment does not answer right now. Nothing was charged; please try again in a minute.")

    with monkeypatch.context() as patch:
        patch.setattr(storefront.checkout.api, "start_checkout", away)
        answer = program.order(key=key)
    assert (answer.status_code, answer.content_type, answer.headers["Retry-After"]) == (503, "application/problem+json", "5")
    assert orders() == 1
    assert program.order(key=key).status_code == 201
    assert orders() == 1


def test_an_order_that_is_paid_at_this_very_moment_needs_no_page(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def paid(number: str, **_: str) -> str:
        raise WrongStatus("Order {number} is not waiting for a payment.", number=number)

    monkeypatch.setattr(storefront.checkout.api, "start_checkout", paid)
    answer = program.order()
    assert (answer.status_code, (answer.json or {})["payment_url"]) == (201, None)


def test_what_cannot_be_ordered_is_named_value_by_value(program: Program) -> None:
    quote = program.quote()["token"]
    assert faults(program.order({"quotes": ["unknown"]})) == {"#/quotes/0": "There is no such quote. Please check the link."}
    assert faults(program.order({"quotes": [quote, quote]})) == {"#/quotes/1": "This was given twice."}
    assert faults(program.order({"items": [{"sku": "CPU-M8"}]})) == {"#/items/0/sku": "We do not sell CPU-M8."}
    twice = [{"sku": "MON-24"}, {"sku": "MON-24", "quantity": 2}]
    assert faults(program.order({"items": twice})) == {"#/items/1": "This was given twice."}
    assert faults(program.order({"items": [{"sku": "MON-24", "quantity": 100, "price": 1}], "email": "ada", "total": 5})) == {
        "#/items/0/quantity": "The most is 99.", "#/items/0/price": "There is no such field.", "#/total": "There is no such field.",
        "#/email": "Please give an e-mail address that we can write to.",
    }
    wrong = {**SHIP_TO, "state": "ZZ"}
    assert faults(program.order({"ship_to": wrong})) == {"#/ship_to": "We deliver within the United States: please choose a state."}
    wrong = {**SHIP_TO, "name": " ", "line1": "a\x00b", "postcode": "7870", "country": "DE"}
    assert set(faults(program.order({"bill_to": wrong}))) == {
        "#/bill_to/name", "#/bill_to/line1", "#/bill_to/postcode", "#/bill_to/country",
    }
    assert faults(program.order({"delivery": "drone"})) == {
        "#/delivery": "Please give one of these: 'standard', 'express' or 'appointment'.",
    }
    empty = program.order({"items": []})
    assert (empty.status_code, (empty.json or {})["detail"]) == (422, "There is nothing in this order.")
    assert orders() == 0


def test_an_expired_quote_is_not_ordered(program: Program) -> None:
    with frozen(MONDAY):
        token = program.quote()["token"]
    with frozen(MONDAY + timedelta(days=31)):
        answer = program.order({"quotes": [token]})
    assert (answer.status_code, orders()) == (409, 0)
    assert faults(answer)["#/quotes/0"].startswith("Quote Q-2026-000001 was valid until Dec 23, 2026.")


def test_the_cookie_of_somebody_signed_in_means_nothing_here(program: Program) -> None:
    make_account()
    sign_in_account(program.client)
    answer = program.order()
    assert "Set-Cookie" not in answer.headers
    number = (answer.json or {})["number"]
    with reading() as session:
        assert get_order(session, number).account_id is None
    assert program.get(f"/orders/{number}").status_code == 401


def test_a_delivered_order_tells_its_whole_story(program: Program) -> None:
    with frozen(MONDAY), transaction() as session:
        number = walk_order(session, up_to="delivered").number
        [unit] = units_of(session, number)
        shipment = find_shipment(session, number)
    assert shipment is not None
    told = program.get(f"/orders/{number}", proof="ada@example.com").json or {}
    assert (told["status"], told["cancellable"], told["paid_at"]) == ("delivered", False, "2026-11-23T09:00:00Z")
    assert [(step["code"], step["state"]) for step in told["steps"]] == [(code, "done") for code in STEPS]
    assert told["units"] == [{
        "tag": unit.tag, "express_service_code": spoken(express_code(unit.tag)), "model": "skein-14", "name": "Skein 14", "line": 1,
        "status": "shipped", "since": "2026-11-23T09:00:00Z",
    }]
    [sent] = told["shipments"]
    assert (sent["number"], sent["tracking"], sent["status"], sent["boxes"]) == (shipment.number, shipment.tracking, "delivered", 1)
    assert [event["status"] for event in sent["events"]] == ["in_transit", "out_for_delivery", "delivered"]
    kinds = [event["kind"] for event in told["timeline"]]
    assert (kinds[0], kinds[1], kinds[-1]) == ("received", "payment_received", "delivered")
    assert not {"held", "cancelled_by", "production_started"} & set(kinds)


def test_an_answer_about_an_order_names_no_person(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="booked").number
    answer = program.get(f"/orders/{number}", proof=ZIP)
    assert answer.status_code == 200
    assert [word for word in ("ada@example.com", "Moss", "Willow", "555 01", "Portland", ZIP) if word in answer.text] == []


def test_each_proof_opens_the_order_and_nothing_else_does(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="paid").number
    for proof in ("ada@example.com", " ADA@Example.com", "+1 512 555 0101", "5125550101", ZIP, f"{ZIP}-2345"):
        assert program.get(f"/orders/{number}", proof=proof).status_code == 200, proof
    for proof in ("eve@example.com", "78701", "972", "0101", "%", "nobody@invalid", "0000000000", "00000", "x" * 3000):
        answer = program.get(f"/orders/{number}", proof=proof)
        assert (answer.status_code, (answer.json or {})["detail"]) == (404, NOT_YOURS), proof


def test_somebody_else_s_order_and_no_order_are_the_same_answer(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="paid").number
    wrong = program.get(f"/orders/{number}", proof="eve@example.com")
    for path in ("/orders/SO-2026-999999", "/orders/nonsense", "/orders/%00", "/orders/SO-2026-000001%27--"):
        answer = program.get(path, proof="ada@example.com" if "0000" not in path else "eve@example.com")
        assert (answer.status_code, answer.text, dict(answer.headers)) == (404, wrong.text, dict(wrong.headers)), path
    assert program.post(f"/orders/{number}/cancel", proof="eve@example.com").text == wrong.text
    with reading() as session:
        assert get_order(session, number).cancelled_at is None


def test_without_a_proof_the_header_is_asked_for(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="booked").number
    for path in (f"/orders/{number}", "/orders/SO-2026-999999"):
        answer = program.get(path)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Order-Proof")
        assert faults(answer) == {"Order-Proof": "This header is missing."}
    assert program.get(f"/orders/{number}?proof=78701").status_code == 401
    assert program.post(f"/orders/{number}/cancel").status_code == 401
    assert program.get(f"/orders/{number}", proof=" ").status_code == 401


def test_an_order_is_cancelled_once_while_nothing_is_built(program: Program) -> None:
    number = (program.order().json or {})["number"]
    answer = program.post(f"/orders/{number}/cancel", {"reason": "Ordered twice."}, proof="ada@example.com")
    told = answer.json or {}
    assert (answer.status_code, told["status"], told["cancellable"]) == (200, "cancelled", False)
    assert [event["kind"] for event in told["timeline"]] == ["received", "cancelled"]
    assert "Ordered twice" not in answer.text
    again = program.client.post(f"/api/v1/orders/{number}/cancel", headers={"Order-Proof": "ada@example.com", "Accept-Language": "en"})
    assert again.json == told


def test_a_zip_code_cancels_nothing(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="paid").number
    answer = program.post(f"/orders/{number}/cancel", proof=ZIP)
    assert (answer.status_code, "its e-mail address or telephone number" in answer.text) == (403, True)
    with reading() as session:
        assert get_order(session, number).cancelled_at is None
    assert program.post(f"/orders/{number}/cancel", proof="+1 512 555 0101").status_code == 200


def test_an_order_that_is_built_is_not_cancelled(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="kitted").number
    answer = program.post(f"/orders/{number}/cancel", proof="ada@example.com")
    assert (answer.status_code, "can no longer be cancelled" in answer.text) == (409, True)
    assert (program.get(f"/orders/{number}", proof=ZIP).json or {})["status"] == "in_production"


def test_a_machine_is_known_by_tag_and_code_once_it_has_left_us(program: Program) -> None:
    with frozen(MONDAY), transaction() as session:
        number = walk_order(session, up_to="shipped").number
        [unit] = units_of(session, number)
    code = express_code(unit.tag)
    told = program.get(f"/units/{unit.tag}").json or {}
    assert {name: told[name] for name in told if name != "parts"} == {
        "tag": unit.tag, "express_service_code": spoken(code), "model": "skein-14", "name": "Skein 14", "shipped_on": "2026-11-23",
        "warranty_from": unit.warranty_from.isoformat() if unit.warranty_from else None,
    }
    assert {"name": "Fan", "quantity": 3} in told["parts"]
    for asked in (unit.tag.lower(), f"{unit.tag[:3]}%20{unit.tag[3:]}", str(code), spoken(code)):
        assert program.get(f"/units/{asked}").json == told, asked
    told_text = program.get(f"/units/{unit.tag}").text
    assert [word for word in (number, "ada@", "Moss", ZIP, "price", "serial") if word in told_text] == []


def test_tags_that_are_unknown_malformed_or_not_out_yet_are_the_same_answer(program: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="boxed").number
        [unit] = units_of(session, number)
    answers = [program.get(f"/units/{tag}") for tag in ("BBBBBBB", "nonsense", "%00", "99999999999999999999", "ı234567", unit.tag)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}


def test_the_order_keeps_the_budget(program: Program, queries: Queries) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="delivered").number
    with queries as statements:
        assert program.get(f"/orders/{number}", proof=ZIP).status_code == 200
    assert len(statements) <= 9, statements
