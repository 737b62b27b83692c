"""What an order must be before it is booked, how it is delivered, and how its number may be written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.customers.address import BadAddress
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.orders.delivery import OPTIONS, NoSuchDelivery, promise
from fulfillment.orders.draft import BadOrder, check, digits
from fulfillment.orders.finding import tidy_number
from tests.builders.orders import item_line, make_draft, system_line
from tests.builders.people import make_address


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 10**9, 100, True, "2", None])
def test_a_quantity_that_is_none_is_refused_in_words(quantity: Any) -> None:
    line = replace(system_line(), quantity=quantity)
    with pytest.raises(BadOrder, match="a whole number from 1 to 99 of “Hearth T”"):
        check(make_draft(line))


@pytest.mark.parametrize("quantity", [1, 99])
def test_from_one_to_ninety_nine_is_a_quantity(quantity: int) -> None:
    check(make_draft(item_line(quantity=quantity)))


@pytest.mark.parametrize(("changes", "words"), [
    ({"email": "ada"}, "e-mail address"),
    ({"email": "ada@example.com\nBcc: all@example.com"}, "e-mail address"),
    ({"email": "a" * 250 + "@example.com"}, "e-mail address"),
    ({"lines": ()}, "nothing in this order"),
    ({"lines": tuple(item_line() for _ in range(41))}, "40 lines at most"),
    ({"lines": (replace(system_line(), bom=()),)}, "a machine without parts"),
    ({"lines": (item_line(price=Money(-1)),)}, "no price"),
    ({"lines": (item_line(price=Money(100, "EUR")),)}, "no price"),
    ({"lines": (system_line(99, price=Money(1_100_000)),)}, "more than a card can pay"),
    ({"phone": "1" * 30}, "too long"),
])
def test_what_cannot_be_booked_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadOrder, match=words):
        check(replace(make_draft(), **changes))


def test_an_unknown_way_of_delivery_is_refused() -> None:
    with pytest.raises(NoSuchDelivery):
        check(make_draft(delivery="teleport"))


def test_an_address_abroad_is_refused() -> None:
    with pytest.raises(BadAddress):
        make_draft(ship_to=make_address(state="ON", postcode="K1A 0A9"))


def test_the_fingerprint_tells_orders_apart_and_not_their_writing() -> None:
    draft = make_draft(key="cart-1")
    assert replace(draft, email=" ADA@example.com ").fingerprint() == draft.fingerprint()
    assert replace(draft, locale="zh", account_id=new_id()).fingerprint() == draft.fingerprint()
    assert replace(draft, lines=(system_line(2),)).fingerprint() != draft.fingerprint()
    assert replace(draft, delivery="express").fingerprint() != draft.fingerprint()
    assert replace(draft, ship_to=make_address(line1="13 Willow Road")).fingerprint() != draft.fingerprint()


def test_a_promise_counts_working_days_from_when_the_last_line_is_ready() -> None:
    wednesday = date(2026, 11, 25)
    assert promise([date(2026, 11, 27), wednesday], OPTIONS["express"], wednesday) == date(2026, 12, 1)
    assert promise([wednesday], OPTIONS["standard"], wednesday) == date(2026, 12, 2)


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(st.lists(days, max_size=6), st.sampled_from(sorted(OPTIONS)), days)
def test_a_promise_is_never_in_the_past(ready: list[date], code: str, today: date) -> None:
    promised = promise(ready, OPTIONS[code], today)
    assert promised > today
    assert promised > max(ready, default=today)
    assert promised.weekday() < 5


@pytest.mark.parametrize("written", ["SO-2026-000012", " so 2026 12 ", "so2026-000012", "SO-2026-12"])
def test_an_order_number_may_be_written_as_people_do(written: str) -> None:
    assert tidy_number(written) == "SO-2026-000012"


@pytest.mark.parametrize("written", ["", "12", "SO-2026-000012-9", "O'; DROP TABLE", "ＳＯ２０２６", "x" * 10_000])
def test_what_is_no_order_number_stays_none(written: str) -> None:
    assert tidy_number(written) != "SO-2026-000012"
    assert len(tidy_number(written)) <= 40


@pytest.mark.parametrize("written", ["+1 (512) 555-0101", "512.555.0101", "15125550101"])
def test_a_telephone_number_is_its_digits(written: str) -> None:
    assert digits(written) == "5125550101"
