"""The payment page shows an order's own figures, to the cent, or is not opened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.billing.hosted_page import Bill, DoesNotAddUp, ShownLine, session_request
from fulfillment.kernel.money import Money, total

EXPIRES = datetime(2026, 11, 26, 12, tzinfo=UTC)


def line(unit: int = 129_900, quantity: int = 1, net: int | None = None) -> ShownLine:
    amount = unit * quantity if net is None else net
    return ShownLine({"en": "Skein 14", "zh": "轻梭 14"}, quantity, Money(unit), Money(amount))


def bill(*lines: ShownLine, shipping: int = 1_900, tax: int = 10_717, locale: str = "en", off_by: int = 0) -> Bill:
    goods = total(one.net for one in lines)
    return Bill("SO-2026-000001", "ada@example.com", locale, lines, Money(shipping), Money(tax), goods + Money(shipping + tax + off_by))


def request(of: Bill) -> dict[str, Any]:
    return session_request(of, payment_id="p1", success_url="https://shop/ok", cancel_url="https://shop/back", expires_at=EXPIRES)


def shown(of: Bill) -> list[tuple[str, int, int]]:
    items = [(item["price_data"], item["quantity"]) for item in request(of)["line_items"]]
    return [(price["product_data"]["name"], price["unit_amount"], quantity) for price, quantity in items]


def test_the_page_lists_goods_delivery_and_tax() -> None:
    assert shown(bill(line(quantity=2))) == [("Skein 14", 129_900, 2), ("Delivery", 1_900, 1), ("Sales tax", 10_717, 1)]


def test_the_page_speaks_the_orders_language() -> None:
    made = request(bill(line(), locale="zh"))
    assert made["locale"] == "zh"
    assert [item["price_data"]["product_data"]["name"] for item in made["line_items"]] == ["轻梭 14", "配送", "销售税"]
    assert made["payment_intent_data"]["description"] == "订单 SO-2026-000001"


def test_nothing_is_shown_for_free_delivery_or_no_tax() -> None:
    assert shown(bill(line(), shipping=0, tax=0)) == [("Skein 14", 129_900, 1)]


def test_a_price_that_does_not_divide_is_shown_as_one_item() -> None:
    assert shown(bill(line(unit=333, quantity=3, net=1_000), shipping=0, tax=0)) == [("3 × Skein 14", 1_000, 1)]


def test_an_order_that_does_not_add_up_has_no_page() -> None:
    with pytest.raises(DoesNotAddUp, match=r"SO-2026-000001 costs 1425\.18 USD"):
        request(bill(line(), off_by=1))


def test_the_page_carries_who_it_is_for() -> None:
    made = request(bill(line()))
    assert made["client_reference_id"] == "SO-2026-000001"
    assert made["metadata"] == made["payment_intent_data"]["metadata"] == {"order": "SO-2026-000001", "payment": "p1"}
    assert (made["mode"], made["ui_mode"], made["customer_email"]) == ("payment", "hosted_page", "ada@example.com")
    assert made["payment_intent_data"]["capture_method"] == "automatic"
    assert made["expires_at"] == 1_795_694_400


amounts = st.integers(1, 5_000_000)


goods_of_an_order = st.lists(st.tuples(amounts, st.integers(1, 99), st.integers(-5, 5)), min_size=1, max_size=8)


@given(goods_of_an_order, st.integers(0, 99_999), st.integers(0, 999_999))
def test_what_is_shown_is_what_is_charged(goods: list[tuple[int, int, int]], shipping: int, tax: int) -> None:
    lines = [line(unit, quantity, max(1, unit * quantity + odd)) for unit, quantity, odd in goods]
    whole = bill(*lines, shipping=shipping, tax=tax)
    assert sum(unit * quantity for _, unit, quantity in shown(whole)) == whole.total.minor
