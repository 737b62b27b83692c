"""Money as whole minor units of a currency.

Nothing here ever becomes a float: amounts are integers, a rate is a pair of integers, and
rounding (half up, away from zero) happens once, in `rounded`. Splitting hands out every cent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

EXPONENT = {"USD": 2, "EUR": 2, "GBP": 2, "CNY": 2, "JPY": 0, "KWD": 3}
"""Decimal digits of each currency. Source: ISO 4217."""

SHOP_CURRENCY = "USD"

_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum."""


def rounded(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero; `denominator` is positive."""
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += 2 * rest >= denominator
    return quotient if numerator >= 0 else -quotient


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: `minor` units (cents, say) of `currency`."""

    minor: int
    currency: str = SHOP_CURRENCY

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money is counted in whole minor units, not {self.minor!r}")
        if self.currency not in EXPONENT:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def parse(cls, text: str, currency: str = SHOP_CURRENCY) -> Money:
        """Read "1299" or "1299.50". Raises ValueError for anything finer than the minor unit."""
        if not _AMOUNT.fullmatch(text):
            raise ValueError(f"not an amount: {text!r}")
        scaled = Decimal(text).scaleb(EXPONENT[currency])
        if scaled != int(scaled):
            raise ValueError(f"{text} is finer than {currency} allows")
        return cls(int(scaled), currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.minor * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def decimal(self) -> Decimal:
        """The amount in major units, exact: for display and export only."""
        return Decimal(self.minor).scaleb(-EXPONENT[self.currency])

    def times(self, numerator: int, denominator: int) -> Money:
        """A share or a rate of it, rounded once, half up (away from zero)."""
        return Money(rounded(self.minor * numerator, denominator), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share by weights without losing a cent: the largest remainders get the odd cents.

        Weights are not negative and not all zero. A part never has the opposite sign.
        """
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            raise ValueError("weights must be zero or more, and not all zero")
        sign = -1 if self.minor < 0 else 1
        shares = [divmod(abs(self.minor) * weight, whole) for weight in weights]
        odd = abs(self.minor) - sum(share for share, _ in shares)
        by_rest = sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))
        lucky = set(by_rest[:odd])
        return [Money(sign * (share + (i in lucky)), self.currency) for i, (share, _) in enumerate(shares)]


def total(amounts: Iterable[Money], currency: str = SHOP_CURRENCY) -> Money:
    """Add up; an empty sum is zero of `currency`."""
    result: Money | None = None
    for amount in amounts:
        result = amount if result is None else result + amount
    return result if result is not None else Money(0, currency)
