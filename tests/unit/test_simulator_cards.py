"""Test cards and the words of the provider's pages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.billing.simulator.balance import card_fee
from fulfillment.billing.simulator.cards import MESSAGES, OUTCOMES, Card, brand, passes_luhn, read_card
from fulfillment.billing.simulator.errors import StripeRefusal
from fulfillment.billing.simulator.faults import Fault, FaultKind, WebhookBehaviour
from fulfillment.billing.simulator.words import CHINESE, ENGLISH, TEST_CARDS, price, words

TODAY = (2026, 11)


def read(number: str = "4242 4242 4242 4242", expiry: str = "12/34", cvc: str = "123") -> Card:
    return read_card(number, expiry, cvc, today=TODAY)


def refusal(**typed: str) -> str:
    with pytest.raises(StripeRefusal) as refused:
        read(**typed)
    return str(refused.value.error["code"])


def test_a_card_is_read_as_people_type_it() -> None:
    assert read() == Card("4242424242424242", 12, 2034)
    assert read("4242-4242-4242-4242", " 1 / 2027 ", " 123 ") == Card("4242424242424242", 1, 2027)
    assert read("378282246310005", "11/26", "1234").last4 == "0005"


@pytest.mark.parametrize("number", ["", "4242", "4242 4242 4242 4241", "4242 4242 4242 424a", "0" * 40])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    assert refusal(number=number) == "incorrect_number"


@pytest.mark.parametrize(
    ("expiry", "code"),
    [
        ("", "invalid_expiry_month"),
        ("1234", "invalid_expiry_month"),
        ("13/34", "invalid_expiry_month"),
        ("00/34", "invalid_expiry_month"),
        ("10/26", "invalid_expiry_year"),
        ("12/25", "invalid_expiry_year"),
        ("12/2099", "invalid_expiry_year"),
        ("12/123", "invalid_expiry_month"),
    ],
)
def test_a_date_that_is_past_or_none_is_refused(expiry: str, code: str) -> None:
    assert refusal(expiry=expiry) == code


@pytest.mark.parametrize("cvc", ["", "12", "1234", "abc"])
def test_a_security_code_has_three_digits(cvc: str) -> None:
    assert refusal(cvc=cvc) == "invalid_cvc"


def test_every_test_card_passes_the_check_digit() -> None:
    assert [number for number in OUTCOMES if not passes_luhn(number)] == []
    assert [number for number, _ in TEST_CARDS if not passes_luhn(number.replace(" ", ""))] == []
    assert [brand(number) for number in ("4242424242424242", "5555555555554444", "378282246310005", "9")] == [
        "visa",
        "mastercard",
        "amex",
        "unknown",
    ]


@given(st.from_regex(r"[0-9]{15}", fullmatch=True))
def test_exactly_one_check_digit_fits(number: str) -> None:
    assert sum(passes_luhn(number + digit) for digit in "0123456789") == 1


@pytest.mark.parametrize(("amount", "fee"), [(50, 31), (1_000, 59), (129_900, 3_797), (10_050, 321), (10_052, 322)])
def test_the_fee_is_29_per_mille_and_thirty_cents(amount: int, fee: int) -> None:
    assert card_fee(amount) == fee


def test_both_languages_say_the_same_things() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
    for name, text in ENGLISH.items():
        assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", CHINESE[name])), name
    assert {effect for _, effect in TEST_CARDS} <= ENGLISH.keys()
    assert MESSAGES.keys() <= ENGLISH.keys()


@pytest.mark.parametrize(
    ("wanted", "accepted", "lang"),
    [
        ("zh", "en", "zh-CN"),
        ("en", "zh-CN,zh;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("auto", "fr,zh", "zh-CN"),
        (None, None, "en"),
        ("fr", None, "en"),
    ],
)
def test_the_session_chooses_the_language_or_else_the_browser(
    wanted: str | None, accepted: str | None, lang: str
) -> None:
    assert words(wanted, accepted)["lang"] == lang


def test_amounts_are_shown_in_their_currency() -> None:
    assert price(129_905, "usd", "en") == "$1,299.05"
    assert price(129_905, "usd", "zh-CN") == "US$1,299.05"
    assert price(1_299, "jpy", "en") == "¥1,299"


def test_a_fault_hits_by_method_and_path() -> None:
    fault = Fault.read({"match": "POST /v1/payment_intents/*", "kind": "drop_after"})
    assert fault.kind is FaultKind.DROP_AFTER
    assert fault.hits("POST", "/v1/payment_intents/pi_1/capture")
    assert not fault.hits("GET", "/v1/payment_intents/pi_1")
    with pytest.raises(ValueError, match="explode"):
        Fault.read({"match": "*", "kind": "explode"})


def test_webhooks_are_orderly_unless_told_otherwise() -> None:
    assert WebhookBehaviour().plan("charge.succeeded") == ("due", 0.0)
    assert WebhookBehaviour.read({"drop": ["charge.*"]}).plan("charge.succeeded") == ("dropped", 0.0)
    assert WebhookBehaviour.read({"reorder": True, "delay": 3}).plan("charge.succeeded") == ("held", 0.0)
    assert [WebhookBehaviour.read({"retry": [1, 2]}).wait(tries) for tries in (1, 2, 3)] == [1, 2, 2]
