"""Promotions: what they take off an option, a machine or an order, and which of several hold together.

One that does not stack is alone on what it takes off from; those that do follow one another, the higher priority first.
Whatever comes off is rounded once and never makes less than nothing. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from configurator.language.specification import Text
from configurator.prices.terms import Target, Terms
from fulfillment.kernel.money import Money

PERCENT_WHOLE = 100_000
"""The whole, in thousandths of a percent."""
Scope = Literal["option", "machine", "order"]


@dataclass(frozen=True, slots=True)
class Discount:
    """A promotion as far as prices know it."""

    id: str
    name: Text
    scope: Scope
    off: int = 0
    """Thousandths of a percent."""
    amount: Money | None = None
    """Instead of a share: so much."""
    targets: tuple[Target, ...] = ()
    """Any of them; none: everything."""
    code: str = ""
    """What has to be entered; empty: it holds by itself."""
    stackable: bool = False
    priority: int = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    market: str = ""
    customer_group: str = ""
    used_up: bool = False
    """A limit on all its uses is reached."""

    def is_meant_for(self, terms: Terms) -> bool:
        """Whether it is for such customers, whatever the day."""
        return self.market in {"", terms.market} and self.customer_group in {"", terms.customer_group}

    def is_for(self, terms: Terms, model: str) -> bool:
        """Whether it holds for a machine of this model; the terms name their day."""
        assert terms.day is not None
        in_time = (self.first_day or terms.day) <= terms.day <= (self.last_day or terms.day)
        payable = self.amount is None or self.amount.currency == terms.currency
        named = not self.code or self.code in terms.codes
        about = not self.targets or any(target.model in {"", model} for target in self.targets)
        return in_time and payable and named and about and self.is_meant_for(terms) and not self.used_up

    def covers(self, model: str, group: str, option: str, skus: frozenset[str]) -> bool:
        """Whether it is about this option."""
        return not self.targets or any(target.covers(model, group, option, skus) for target in self.targets)

    def of(self, price: Money) -> Money:
        """What comes off a price: never more than the price, and nothing off less than nothing."""
        if price.minor <= 0:
            return Money(0, price.currency)
        wanted = price.times(self.off, PERCENT_WHOLE) if self.amount is None else self.amount
        return min(wanted, price)


def best(discounts: Sequence[Discount], scope: Scope) -> tuple[Discount, ...]:
    """Those that hold together, in the order they come off: the strongest alone, or all that stack if it does."""
    ranked = sorted((each for each in discounts if each.scope == scope), key=lambda each: (-each.priority, each.id))
    if not ranked or not ranked[0].stackable:
        return tuple(ranked[:1])
    return tuple(each for each in ranked if each.stackable)


def takes_off(price: Money, discounts: Sequence[Discount]) -> tuple[tuple[Discount, Money], ...]:
    """What each takes off, one after the other; those that take nothing are left out."""
    taken = []
    for discount in discounts:
        amount = discount.of(price)
        if amount:
            taken.append((discount, amount))
            price -= amount
    return tuple(taken)


def after(price: Money, discounts: Sequence[Discount]) -> Money:
    """What is left to pay; the more before, the more after."""
    for discount in discounts:
        price -= discount.of(price)
    return price


def dearest_before(limit: Money, discounts: Sequence[Discount]) -> Money:
    """The highest price that costs no more than the limit once everything came off."""
    if not discounts:
        return limit
    low, high = limit.minor, max(limit.minor, 1)
    while after(Money(high, limit.currency), discounts) <= limit and high < 10**12:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if after(Money(middle, limit.currency), discounts) <= limit:
            low = middle
        else:
            high = middle
    return Money(low, limit.currency)
