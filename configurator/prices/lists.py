"""The price of every option under given terms, and which rule won it.

From strong to weak: the agreement, the customer group's book, the market's book, the list, the model's own price. Of
several books of one kind the one that became valid last wins as a whole; inside a book an option's own price beats
those of its parts, then the largest quantity reached, then the newest. Promotions come off what won. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from configurator.language.specification import Model, Option, PartSpec, Text
from configurator.prices.discounts import PERCENT_WHOLE, Discount, best, takes_off
from configurator.prices.terms import BASE, ContractRule, Target, Terms, hidden_options
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.refusals import Refusal

Key = tuple[str, str]
"""An option by group and id; the bare machine is ("base", its SKU)."""
RuleKind = Literal["model", "list", "market", "group", "agreement", "promotion", "shaping"]

OWN: Text = {"en": "The model's own price", "zh": "机型自身价格"}


class NoPrice(Refusal):
    """Something of the machine has no price in this currency."""


@dataclass(frozen=True, slots=True)
class Won:
    """The rule that made a price."""

    kind: RuleKind
    name: Text
    id: str = ""
    from_quantity: int = 1

    def to_json(self) -> dict[str, Any]:
        """As a quote keeps it."""
        return {"kind": self.kind, "name": dict(self.name), "id": self.id, "from_quantity": self.from_quantity}


ITS_OWN = Won("model", OWN)


@dataclass(frozen=True, slots=True)
class Entry:
    """A price in a book, as it is written there: with or without tax as the book says."""

    minor: int
    target: Target
    from_quantity: int
    first_day: dt.date
    last_day: dt.date | None = None

    def holds(self, quantity: int, day: dt.date) -> bool:
        """Whether it is in force for so many pieces on that day."""
        return quantity >= self.from_quantity and self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Book:
    """Prices that hold together: in one currency, for a market, a customer group or everyone, from a day on."""

    code: str
    name: Text
    currency: str
    first_day: dt.date
    last_day: dt.date | None = None
    market: str = ""
    customer_group: str = ""
    tax_thousandths: int | None = None
    """For a book whose prices contain tax: its rate in thousandths of a percent, taken out entry by entry. None: net."""
    entries: tuple[Entry, ...] = ()

    @property
    def kind(self) -> RuleKind:
        """How near it is to the customer: a group's book is a group's wherever it holds."""
        return "group" if self.customer_group else "market" if self.market else "list"

    def is_for(self, terms: Terms) -> bool:
        """Whether it is in force for these terms."""
        assert terms.day is not None
        wanted = self.currency == terms.currency and self.market in {"", terms.market} and self.customer_group in {"", terms.customer_group}
        return wanted and self.first_day <= terms.day and (self.last_day is None or terms.day <= self.last_day)

    def net(self, minor: int) -> Money:
        """A price of the book without tax."""
        amount = Money(minor, self.currency)
        return amount if self.tax_thousandths is None else amount.times(PERCENT_WHOLE, PERCENT_WHOLE + self.tax_thousandths)


STRENGTH: Mapping[RuleKind, int] = {"list": 1, "market": 2, "group": 3}


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of an option, what the list says, and how it came about: the rule that won, then what came off it."""

    price: Money
    list: Money
    rules: tuple[Won, ...]
    off: tuple[tuple[Discount, Money], ...] = ()
    """What each promotion took off."""


@dataclass(frozen=True)
class PriceList:
    """Every option of a model under some terms; made once, asked often."""

    model_id: str
    terms: Terms
    priced: Mapping[Key, Priced]
    machine: tuple[Discount, ...] = ()
    """What comes off the machine's total, in this order."""
    order: tuple[Discount, ...] = ()
    """What comes off all machines together."""
    hidden: frozenset[Key] = frozenset()
    """Options these terms are not shown."""

    @property
    def currency(self) -> str:
        """Of every price."""
        return self.terms.currency

    @cached_property
    def is_own(self) -> bool:
        """Whether every price is the model's own: the engine has those ready."""
        return all(rule.kind == "model" for priced in self.priced.values() for rule in priced.rules)

    def price_of(self, group: str, option: str) -> Money:
        """The price of an option, as the engine asks for it."""
        return self.priced[group, option].price


@dataclass(frozen=True, slots=True)
class _Item:
    """Something to be priced: an option, or the bare machine."""

    group: str
    option: str
    own: Money
    parts: tuple[PartSpec, ...]

    @property
    def skus(self) -> frozenset[str]:
        """Its parts."""
        return frozenset(part.sku for part in self.parts)


def price_list(model: Model, terms: Terms, books: Sequence[Book], discounts: Sequence[Discount]) -> PriceList:
    """Work out the price of every option. The terms name their day. Raises NoPrice where the currency has none."""
    usable = [discount for discount in discounts if discount.is_for(terms, model.id)]
    pricing = _Pricing(model, terms, books, usable)
    return PriceList(
        model.id, terms, {(item.group, item.option): pricing.priced(item) for item in _items(model)},
        best(usable, "machine"), best(usable, "order"), hidden_options(model, terms),
    )


def _strength(book: Book) -> tuple[int, dt.date, str]:
    return STRENGTH[book.kind], book.first_day, book.code


def _items(model: Model) -> list[_Item]:
    options: list[tuple[str, Option]] = [(group.id, option) for group in model.groups for option in group.options]
    base = _Item(BASE, model.base.sku, model.base_price, (model.base,))
    return [base, *(_Item(group, option.id, option.price, option.parts) for group, option in options)]


class _Pricing:
    """The rules for one model under some terms, laid out to be asked about one thing after the other."""

    def __init__(self, model: Model, terms: Terms, books: Sequence[Book], discounts: Sequence[Discount]) -> None:
        assert terms.day is not None
        self.model, self.terms, self.day = model, terms, terms.day
        self.shelves = [_Shelf(book) for book in sorted((book for book in books if book.is_for(terms)), key=_strength, reverse=True)]
        self.on_list = [shelf for shelf in self.shelves if shelf.book.kind == "list"]
        self.on_options = [discount for discount in discounts if discount.scope == "option"]

    def priced(self, item: _Item) -> Priced:
        """The price of one thing. Raises NoPrice."""
        own = self._own(item)
        listed = self._in_books(item, 1, self.on_list) or own
        found = self._agreed(item, self._in_books(item, self.terms.quantity, self.shelves) or own)
        if found is None:
            what = f"{self.model.id} {item.group} {item.option}"
            raise NoPrice("{what} has no price in {currency}.", what=what, currency=self.terms.currency)
        price, won = found
        about = [discount for discount in self.on_options if discount.covers(self.model.id, item.group, item.option, item.skus)]
        off = takes_off(price, best(about, "option")) if about else ()
        if not off:
            return Priced(price, (listed or found)[0], (won,))
        rules = (won, *(Won("promotion", discount.name, discount.id) for discount, _amount in off))
        return Priced(price - total((amount for _, amount in off), price.currency), (listed or found)[0], rules, off)

    def _own(self, item: _Item) -> tuple[Money, Won] | None:
        """What the model itself says; nothing costs nothing in every currency."""
        if item.own.currency == self.terms.currency:
            return item.own, ITS_OWN
        return None if item.own else (Money(0, self.terms.currency), ITS_OWN)

    def _in_books(self, item: _Item, quantity: int, shelves: Sequence[_Shelf]) -> tuple[Money, Won] | None:
        """The price in the strongest book that has one."""
        for shelf in shelves:
            found = shelf.price(self.model.id, item, quantity, self.day)
            if found is not None:
                return found
        return None

    def _agreed(self, item: _Item, without: tuple[Money, Won] | None) -> tuple[Money, Won] | None:
        """The price under the agreement, if that says anything about it; else the one without."""
        if not self.terms.contract:
            return without
        rules = [rule for rule in self.terms.contract if self._binds(rule, item) and (without is not None or rule.price is not None)]
        if not rules:
            return without
        rule = max(rules, key=lambda rule: (rule.target.nearness, rule.from_units, rule.first_day or dt.date.min, rule.name))
        agreed = Won("agreement", rule.words, from_quantity=max(rule.from_units, 1))
        if rule.price is not None or without is None:
            return (rule.price, agreed) if rule.price is not None else None
        price, _won = without
        return (price - price.times(rule.off, PERCENT_WHOLE) if price.minor > 0 else price), agreed

    def _binds(self, rule: ContractRule, item: _Item) -> bool:
        """Whether a rule of the agreement is about this. A fixed price of another currency is about nothing here."""
        in_force = (rule.first_day or self.day) <= self.day <= (rule.last_day or self.day)
        reached = self.terms.volume + self.terms.quantity >= rule.from_units
        payable = rule.price is None or rule.price.currency == self.terms.currency
        return in_force and reached and payable and rule.target.covers(self.model.id, item.group, item.option, item.skus)


class _Shelf:
    """A book, opened: its entries by what they are about."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.by_target: dict[Target, list[Entry]] = {}
        for entry in book.entries:
            self.by_target.setdefault(entry.target, []).append(entry)

    def price(self, model: str, item: _Item, quantity: int, day: dt.date) -> tuple[Money, Won] | None:
        """What the book says about an option for so many machines: its own price, else those of all its parts."""
        entry = self._entry(Target(model, item.group, item.option), quantity, day)
        if entry is not None:
            return self.book.net(entry.minor), self._won(entry.from_quantity)
        if not item.parts:
            return None
        minor, largest = 0, 1
        for part in item.parts:
            entry = self._entry(Target(sku=part.sku), part.qty * quantity, day)
            if entry is None:
                return None
            minor, largest = minor + entry.minor * part.qty, max(largest, entry.from_quantity)
        return self.book.net(minor), self._won(largest)

    def _entry(self, target: Target, quantity: int, day: dt.date) -> Entry | None:
        holding = [entry for entry in self.by_target.get(target, ()) if entry.holds(quantity, day)]
        return max(holding, key=lambda entry: (entry.from_quantity, entry.first_day, -entry.minor), default=None)

    def _won(self, from_quantity: int) -> Won:
        return Won(self.book.kind, self.book.name, self.book.code, from_quantity)
