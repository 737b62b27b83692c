"""Sales tax by state: every state has a rate, each line is rounded by itself, dates decide."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.customers.address import STATES
from fulfillment.kernel.money import Money, total
from fulfillment.orders.tax import RATES, SCALE, NoSuchState, rate_of, sales_tax

DAY = date(2026, 11, 25)

amounts = st.integers(0, 10**9).map(Money)


def test_every_state_we_deliver_to_has_a_rate() -> None:
    assert set(RATES) == set(STATES)


def test_rates_of_a_state_stand_in_the_order_of_their_days() -> None:
    assert [state for state, rates in RATES.items() if [r.since for r in rates] != sorted({r.since for r in rates})] == []


@pytest.mark.parametrize(("state", "thousandths"), [
    ("TX", 6_250), ("CA", 7_250), ("NJ", 6_625), ("MN", 6_875), ("MO", 4_225), ("NM", 4_875), ("LA", 5_000), ("SD", 4_200), ("DC", 6_000),
])
def test_rates_of_today(state: str, thousandths: int) -> None:
    assert rate_of(state, DAY).thousandths == thousandths


@pytest.mark.parametrize("state", ["AK", "DE", "MT", "NH", "OR"])
def test_five_states_take_nothing(state: str) -> None:
    assert sales_tax(state, [Money(128_400)], Money(3_900), DAY) == [Money(0), Money(0)]


def test_texas_taxes_goods_and_their_delivery() -> None:
    assert sales_tax("TX", [Money(128_400), Money(2_900)], Money(3_900), DAY) == [Money(8_025), Money(181), Money(244)]


def test_california_does_not_tax_a_delivery_stated_by_itself() -> None:
    assert sales_tax("CA", [Money(100_000)], Money(3_900), DAY) == [Money(7_250), Money(0)]


def test_a_half_cent_is_rounded_up() -> None:
    assert sales_tax("PA", [Money(75)], Money(0), DAY) == [Money(5), Money(0)]  # 4.5 cents


def test_the_day_decides_which_rate() -> None:
    assert [rate_of("LA", day).thousandths for day in (date(2024, 12, 31), date(2025, 1, 1))] == [4_450, 5_000]
    assert [rate_of("SD", day).thousandths for day in (date(2027, 6, 30), date(2027, 7, 1))] == [4_200, 4_500]
    assert not rate_of("KS", DAY).delivery
    assert rate_of("KS", date(2023, 6, 30)).delivery
    assert rate_of("TX", date(1999, 1, 1)).thousandths == 6_250


def test_an_unknown_state_is_refused_in_words() -> None:
    with pytest.raises(NoSuchState, match="choose a state"):
        sales_tax("XX", [Money(1)], Money(0), DAY)


@given(st.sampled_from(sorted(RATES)), st.lists(amounts, min_size=1, max_size=12), amounts, st.integers(0, 3_650))
def test_tax_is_what_each_line_would_pay_alone(state: str, nets: list[Money], shipping: Money, days: int) -> None:
    day = date(2020, 1, 1) + timedelta(days=days)
    taxes = sales_tax(state, nets, shipping, day)
    assert len(taxes) == len(nets) + 1
    assert taxes[:-1] == [sales_tax(state, [net], Money(0), day)[0] for net in nets]
    rate = rate_of(state, day).thousandths
    for net, tax in zip(nets, taxes[:-1], strict=True):
        assert abs(tax.minor * SCALE - net.minor * rate) * 2 <= SCALE
        assert Money(0) <= tax <= net
    assert taxes[-1] in (Money(0), shipping.times(rate, SCALE))


@given(st.lists(amounts, min_size=1, max_size=20))
def test_rounding_by_line_is_never_further_off_than_half_a_cent_a_line(nets: list[Money]) -> None:
    exact = sum(net.minor for net in nets) * 6_875
    rounded = total(sales_tax("MN", nets, Money(0), DAY)).minor * SCALE
    assert abs(rounded - exact) * 2 <= SCALE * len(nets)
