"""The hosted pages, walked like a browser without JavaScript walks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.builders.stripe_sim import NotPaid, StripeSimulator, connect, open_session

SUCCESS = "http://shop.example/paid?session="
FORM = {"number": "4242 4242 4242 4242", "expiry": "12/40", "cvc": "123", "name": "Robin Lark"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    with StripeSimulator.start(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def shop(simulator: StripeSimulator) -> stripe.StripeClient:
    simulator.control("reset")
    return connect(simulator.url)


def result(shop: stripe.StripeClient, session: stripe.checkout.Session) -> Any:
    return shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "line_items"]})


def address(session: stripe.checkout.Session) -> str:
    assert session.url is not None
    return session.url


def events(shop: stripe.StripeClient) -> list[str]:
    return [event.type for event in shop.v1.events.list({"limit": 100}).data]


def test_a_card_that_pays_leads_back_to_the_shop(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    session = open_session(shop, payment_intent_data={"metadata": {"order": "SO-2026-000001"}})
    assert (session.status, session.payment_status, session.amount_total, session.payment_intent) == (
        "open",
        "unpaid",
        129_900,
        None,
    )

    assert simulator.pay(address(session)) == SUCCESS + session.id

    paid = result(shop, session)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.client_reference_id, paid.metadata["order"], paid.customer_details.email) == (
        "SO-2026-000001",
        "SO-2026-000001",
        "buyer@example.com",
    )
    assert (paid.payment_intent.amount_received, paid.payment_intent.metadata["order"]) == (129_900, "SO-2026-000001")
    assert paid.payment_intent.latest_charge.billing_details.name == "Robin Lark"
    assert [(item.description, item.quantity, item.amount_total) for item in paid.line_items.data] == [
        ("Skein 14", 1, 129_900)
    ]
    assert events(shop) == [
        "checkout.session.completed",
        "charge.updated",
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]


def test_a_declined_card_may_be_followed_by_another(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    session = open_session(shop)
    with pytest.raises(NotPaid) as no:
        simulator.pay(address(session), card="4000000000000002")

    assert (no.value.status, no.value.reason) == (
        402,
        "The payment was not made Your card was declined. Please try another card.",
    )
    assert (result(shop, session).status, result(shop, session).payment_intent.status) == (
        "open",
        "requires_payment_method",
    )
    assert simulator.pay(address(session)) == SUCCESS + session.id
    assert [charge.status for charge in shop.v1.charges.list().data] == ["succeeded", "failed"]
    assert len(shop.v1.payment_intents.list().data) == 1


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("4000000000009995", "insufficient funds"),
        ("4000000000000069", "has expired"),
        ("4000000000000127", "security code is incorrect"),
        ("4000000000000119", "could not be processed"),
    ],
)
def test_the_page_says_why_the_bank_declined(
    shop: stripe.StripeClient, simulator: StripeSimulator, card: str, words: str
) -> None:
    with pytest.raises(NotPaid, match=words):
        simulator.pay(address(open_session(shop)), card=card)
    assert shop.v1.balance_transactions.list().data == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"number": "4242424242424241"}, "number"),
        ({"expiry": "10/20"}, "expiry"),
        ({"expiry": "soon"}, "expiry"),
        ({"cvc": "1"}, "cvc"),
        ({"number": ""}, "number"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_a_typing_mistake_is_pointed_out_and_tried_with_no_bank(
    shop: stripe.StripeClient, typed: dict[str, str], field: str
) -> None:
    session = open_session(shop, customer_email=None if field == "email" else "buyer@example.com")
    answer = requests.post(
        address(session), data={**FORM, "email": "a@example.com", **typed}, allow_redirects=False, timeout=10
    )

    assert answer.status_code == 402
    assert re.search(rf'<input id="{field}"[^>]*aria-invalid="true" aria-describedby="problem"', answer.text)
    assert 'value="Robin Lark"' in answer.text
    assert "4242 4242 4242 4241" not in answer.text
    assert shop.v1.charges.list().data == []


def test_three_d_secure_is_passed_on_the_banks_page(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    session = open_session(shop)
    first = requests.post(
        address(session), data={**FORM, "number": "4000002500003155"}, allow_redirects=False, timeout=10
    )
    assert (first.status_code, "/3ds/" in first.headers["Location"]) == (303, True)
    assert result(shop, session).payment_intent.status == "requires_action"
    assert shop.v1.charges.list().data == []

    bank = requests.get(first.headers["Location"], timeout=10)
    assert "$1,299.00" in bank.text
    assert "3155" in bank.text
    assert requests.get(address(session), timeout=10).status_code == 200  # the buyer may still take another card

    done = requests.post(first.headers["Location"], data={"outcome": "pass"}, allow_redirects=False, timeout=10)
    again = requests.post(first.headers["Location"], data={"outcome": "fail"}, allow_redirects=False, timeout=10)
    assert [answer.headers["Location"] for answer in (done, again)] == [SUCCESS + session.id] * 2
    assert [charge.amount for charge in shop.v1.charges.list().data] == [129_900]
    assert "payment_intent.requires_action" in events(shop)


@pytest.mark.parametrize("card", ["4000002500003155", "4000000000003220"])
def test_three_d_secure_failed_leads_back_to_the_form(
    shop: stripe.StripeClient, simulator: StripeSimulator, card: str
) -> None:
    session = open_session(shop)
    with pytest.raises(NotPaid, match="You were not authenticated") as no:
        simulator.pay(address(session), card=card, authenticate=False)

    assert no.value.status == 200
    assert result(shop, session).payment_intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert shop.v1.charges.list().data == []
    assert simulator.pay(address(session), card=card) == SUCCESS + session.id


def test_a_disputed_card_pays_and_is_disputed(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    simulator.pay(address(open_session(shop)), card="4000000000000259")
    assert [(one.amount, one.status, one.reason) for one in shop.v1.disputes.list().data] == [
        (129_900, "needs_response", "fraudulent")
    ]


def test_five_clicks_on_pay_are_one_charge(shop: stripe.StripeClient) -> None:
    session = open_session(shop)

    def click(_: int) -> str:
        return requests.post(address(session), data=FORM, allow_redirects=False, timeout=20).headers["Location"]

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(click, range(5))) == {SUCCESS + session.id}
    assert [charge.amount for charge in shop.v1.charges.list().data] == [129_900]
    assert events(shop).count("checkout.session.completed") == 1


def test_a_paid_page_says_so_and_an_expired_one_takes_no_money(
    shop: stripe.StripeClient, simulator: StripeSimulator
) -> None:
    paid, given_up, late = open_session(shop), open_session(shop), open_session(shop)
    simulator.pay(address(paid))
    assert "This order is paid" in requests.get(address(paid), timeout=10).text

    shop.v1.checkout.sessions.expire(given_up.id)
    simulator.control("clock", advance=86_400)
    for session in (given_up, late):
        answer = requests.post(address(session), data=FORM, allow_redirects=False, timeout=10)
        assert (answer.status_code, "This page has expired" in answer.text) == (410, True)
        assert result(shop, session).status == "expired"
        assert result(shop, session).url is None
    assert len(shop.v1.charges.list().data) == 1
    assert events(shop).count("checkout.session.expired") == 2
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.checkout.sessions.expire(paid.id)


def test_a_session_expired_during_three_d_secure_takes_no_money(shop: stripe.StripeClient) -> None:
    session = open_session(shop)
    bank = requests.post(
        address(session), data={**FORM, "number": "4000000000003220"}, allow_redirects=False, timeout=10
    ).headers["Location"]
    shop.v1.checkout.sessions.expire(session.id)

    after = requests.post(bank, data={"outcome": "pass"}, allow_redirects=False, timeout=10)
    assert after.headers["Location"].endswith(f"/c/pay/{session.id}")
    assert result(shop, session).payment_intent.status == "canceled"
    assert shop.v1.charges.list().data == []


def test_a_hold_completes_the_session_unpaid(shop: stripe.StripeClient, simulator: StripeSimulator) -> None:
    session = open_session(shop, payment_intent_data={"capture_method": "manual"})
    assert "Authorise $1,299.00" in requests.get(address(session), timeout=10).text
    simulator.pay(address(session))

    held = result(shop, session)
    assert (held.status, held.payment_status, held.payment_intent.status) == ("complete", "unpaid", "requires_capture")
    shop.v1.payment_intents.capture(held.payment_intent.id)
    assert shop.v1.balance.retrieve().pending[0].amount == 126_103


def test_the_page_speaks_the_sessions_language_or_the_browsers(shop: stripe.StripeClient) -> None:
    chosen, open_ = open_session(shop, locale="zh"), open_session(shop)

    def page(session: stripe.checkout.Session, language: str) -> str:
        return requests.get(address(session), headers={"Accept-Language": language}, timeout=10).text

    assert '<html lang="zh-CN">' in page(chosen, "en")
    assert "测试模式 – 不会向真实银行卡扣款" in page(chosen, "en")
    assert "支付 US$1,299.00" in page(open_, "zh-CN,zh;q=0.9")
    english = page(open_, "fr,en;q=0.5")
    assert "TEST MODE – no real card is charged" in english
    assert "Pay $1,299.00" in english
    refused = requests.post(address(chosen), data={**FORM, "number": "4000000000000002"}, timeout=10).text
    assert "您的银行卡被拒绝" in refused


def test_the_page_shows_the_order_and_runs_nothing(shop: stripe.StripeClient) -> None:
    price: Any = {
        "currency": "usd",
        "unit_amount": 5_000,
        "product_data": {"name": "<script>alert(1)</script>", "description": "two of them"},
    }
    session = open_session(shop, line_items=[{"quantity": 2, "price_data": price}])
    answer = requests.get(address(session), timeout=10)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text)
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", "style-src 'self'"]
    assert policy[-2:] == ["frame-ancestors 'none'", "form-action 'self' http://shop.example"]
    for part in (
        "Quantity 2 · $50.00 each",
        "$100.00",
        "SO-2026-000001",
        'href="http://shop.example/cart"',
        "buyer@example.com",
    ):
        assert part in answer.text
    for name in ("number", "expiry", "cvc", "name"):
        assert f'<label for="{name}">' in answer.text
    css = requests.get(answer.url.split("/c/")[0] + "/assets/pay.css", timeout=10)
    assert (css.status_code, "prefers-color-scheme: dark" in css.text) == (200, True)


def test_there_is_no_page_for_a_session_that_is_not(simulator: StripeSimulator) -> None:
    for path in ("/c/pay/cs_test_unknown", "/3ds/pi_unknown"):
        answer = requests.get(simulator.url + path, timeout=10)
        assert (answer.status_code, "There is no such page" in answer.text) == (404, True)


def test_an_intent_of_the_api_returns_to_its_own_address(shop: stripe.StripeClient) -> None:
    intent: Any = shop.v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_threeDSecure2Required",
            "automatic_payment_methods": {"enabled": True},
            "return_url": "http://shop.example/back?order=1",
        }
    )
    assert intent.status == "requires_action"
    bank = intent.next_action.redirect_to_url.url
    done = requests.post(bank, data={"outcome": "pass"}, allow_redirects=False, timeout=10)

    assert (
        done.headers["Location"]
        == f"http://shop.example/back?order=1&payment_intent={intent.id}&redirect_status=succeeded"
    )
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("changes", "status", "param"),
    [
        ({"line_items": []}, 400, "line_items"),
        ({"success_url": "shop.example/paid"}, 400, "success_url"),
        ({"customer_email": "nobody"}, 400, "customer_email"),
        ({"expires_at": 1_000_000_000}, 400, "expires_at"),
        ({"client_reference_id": "x" * 201}, 400, "client_reference_id"),
        ({"line_items": [{"quantity": 1, "price": "price_1"}]}, 404, "line_items[0][price]"),
        (
            {"line_items": [{"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "x"}}}]},
            400,
            "line_items[0][quantity]",
        ),
        (
            {
                "line_items": [
                    {"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 49, "product_data": {"name": "x"}}}
                ]
            },
            400,
            "line_items",
        ),
        (
            {
                "line_items": [
                    {
                        "quantity": 0,
                        "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "x"}},
                    }
                ]
            },
            400,
            "line_items[0][quantity]",
        ),
        ({"currency": "eur"}, 400, "line_items"),
        ({"mode": "setup"}, 501, None),
        ({"automatic_tax": {"enabled": True}}, 501, None),
        ({"discounts": [{"coupon": "TEN"}]}, 501, None),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(
    shop: stripe.StripeClient, changes: dict[str, Any], status: int, param: str | None
) -> None:
    with pytest.raises(stripe.StripeError) as refused:
        open_session(shop, **changes)
    assert (refused.value.http_status, getattr(refused.value, "param", None)) == (status, param)
    assert shop.v1.checkout.sessions.list().data == []
