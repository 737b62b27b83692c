"""Money loses no cent and never becomes a float."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.kernel.money import CurrencyMismatch, Money, rounded, total

amounts = st.integers(-(10**14), 10**14)


@given(amounts, st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_split_loses_no_cent_and_no_part_has_the_other_sign(minor: int, weights: list[int]) -> None:
    parts = Money(minor).split(weights)
    assert total(parts) == Money(minor)
    assert all(part.minor * minor >= 0 for part in parts)
    assert all(not part for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(amounts, st.integers(1, 10**6))
def test_rounding_is_half_away_from_zero(numerator: int, denominator: int) -> None:
    result = rounded(numerator, denominator)
    assert abs(2 * result * denominator - 2 * numerator) <= denominator
    assert rounded(-numerator, denominator) == -result


@pytest.mark.parametrize(("text", "minor"), [("1299", 129_900), ("0.05", 5), ("-3.10", -310), ("90071992547409.93", 9_007_199_254_740_993)])
def test_an_amount_is_read_exactly(text: str, minor: int) -> None:
    assert Money.parse(text).minor == minor


@pytest.mark.parametrize("text", ["", "1,299", "1.005", "1e3", "NaN", "١٢", "12 ", "$5"])
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Money.parse(text)


def test_currencies_do_not_mix_and_floats_do_not_enter() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "USD") + Money(1, "CNY")
    with pytest.raises(TypeError):
        Money(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(True)
    with pytest.raises(ValueError, match="unknown currency"):
        Money(1, "XXX")


def test_a_currency_has_its_own_exponent() -> None:
    assert Money.parse("1299", "JPY") == Money(1299, "JPY")
    assert str(Money(1299, "KWD")) == "1.299 KWD"
