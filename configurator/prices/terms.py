"""Under which terms somebody asks for a price: who, where, when, how many, and what was agreed.

A shopper has none but the market's; a company's agreement brings its customer group and its contract rules. The same
configuration is priced under either by the same code. Frozen and hashable, so that a price list is kept per terms. Pure.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from configurator.language.specification import EVERYONE, Model, Text, Visibility
from fulfillment.kernel.money import SHOP_CURRENCY, Money

HOME_MARKET = "US"
BASE = "base"
"""The group of the bare machine, whose only option is its SKU."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a price or a discount is about; what is left empty is any."""

    model: str = ""
    group: str = ""
    option: str = ""
    sku: str = ""

    def covers(self, model: str, group: str, option: str, skus: frozenset[str]) -> bool:
        """Whether an option of a model, which is made of these parts, is meant; a SKU means an option made of it alone."""
        named = (not self.model or self.model == model) and (not self.group or self.group == group)
        return named and (not self.option or self.option == option) and (not self.sku or skus == {self.sku})

    @property
    def nearness(self) -> int:
        """How closely it names an option: option, SKU, group, model, everything."""
        return 4 if self.option else 3 if self.sku else 2 if self.group else 1 if self.model else 0


@dataclass(frozen=True, slots=True)
class ContractRule:
    """What an agreement says about a price: so much off, or a fixed price.

    Of several that cover an option the closest named wins, then the highest tier reached, then the newest.
    """

    name: tuple[tuple[str, str], ...]
    """Of the agreement, by language: a mapping as pairs, so that the rule can be hashed."""
    target: Target = Target()
    off: int = 0
    """Thousandths of a percent off the price without the agreement; not used with a fixed price."""
    price: Money | None = None
    """Fixed, tax excluded."""
    from_units: int = 0
    """The tier: units bought under the agreement in its period, with those asked for now."""
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    @property
    def words(self) -> Text:
        """The agreement's name."""
        return dict(self.name)


@dataclass(frozen=True, slots=True)
class Terms:
    """Who asks for a price, and how much of it is agreed already."""

    customer_group: str = ""
    market: str = HOME_MARKET
    """The country, ISO 3166."""
    currency: str = SHOP_CURRENCY
    contract: tuple[ContractRule, ...] = ()
    volume: int = 0
    """Units bought under the agreement before, in its period."""
    quantity: int = 1
    """Machines asked for now."""
    codes: tuple[str, ...] = ()
    """Promotion codes as they were entered."""
    day: dt.date | None = None
    """The day of the price; None: today."""

    def on(self, day: dt.date) -> Terms:
        """The same terms, on this day if they name none; codes as they are kept."""
        codes = tuple(dict.fromkeys(clean for code in self.codes if (clean := clean_code(code))))
        return replace(self, day=self.day or day, codes=codes)


SHOPPER = Terms()
"""Somebody in the shop, without an agreement."""


def clean_code(code: str) -> str:
    """A promotion code as it is kept: capitals, without spaces."""
    return "".join(code.split()).upper()[:40]


def is_shown(visibility: Visibility, terms: Terms) -> bool:
    """Whether somebody with these terms is shown an option; the terms name their day."""
    assert terms.day is not None
    in_time = (visibility.first_day or terms.day) <= terms.day <= (visibility.last_day or terms.day)
    here = not visibility.markets or terms.market in visibility.markets
    return in_time and here and (not visibility.customer_groups or terms.customer_group in visibility.customer_groups)


def hidden_options(model: Model, terms: Terms) -> frozenset[tuple[str, str]]:
    """The options, by group and id, that somebody with these terms is not shown."""
    return frozenset(
        (group.id, option.id)
        for group in model.groups
        for option in group.options
        if option.visibility != EVERYONE and not is_shown(option.visibility, terms)
    )
