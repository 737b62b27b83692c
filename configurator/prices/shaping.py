"""Demand shaping: while a chosen option is short, one of its group in good supply for a better price.

A rule says what counts as short, what is given, and how much must stay above cost; the engine has said already which
options go with the customer's choices. An offer is only made when the machine is sooner and the price is better. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from configurator.engine import Answer, Change, OptionAnswer
from configurator.language.specification import Group, Model, Option, Text
from configurator.prices.discounts import PERCENT_WHOLE
from configurator.prices.lists import PriceList
from fulfillment.kernel.money import Money, total

MOST_OFFERS = 3
"""Beside one machine: more than that nobody weighs."""
MARK = "~"
"""Between the parts of a token; no id has it."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """A rule of the staff's."""

    id: str
    code: str
    name: Text
    min_days: int
    """An option is short when its parts are not here within so many days."""
    give: Literal["free", "percent", "amount"]
    off: int = 0
    """Thousandths of a percent off the option."""
    amount: Money | None = None
    margin: int = 0
    """Thousandths of a percent above the cost of the option's parts that its price keeps."""
    model: str = ""
    group: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    def is_for(self, model: str, group: str, day: dt.date) -> bool:
        """Whether it holds for a group of a model on that day."""
        in_time = (self.first_day or day) <= day <= (self.last_day or day)
        return in_time and self.model in {"", model} and self.group in {"", group}


@dataclass(frozen=True, slots=True)
class Deal:
    """One option instead of a short one of its group, at the price of a rule."""

    rule: Shaping
    group: str
    instead: str
    option: str
    normal: Money
    """What the option costs without the rule."""
    offered: Money

    @property
    def given(self) -> Money:
        """What the option costs less than without the rule."""
        return self.normal - self.offered

    @property
    def token(self) -> str:
        """What an address says when it was taken."""
        return MARK.join((self.rule.code, self.group, self.instead, self.option))


@dataclass(frozen=True, slots=True)
class Offer:
    """A deal beside a configuration, with the whole machine before and after. Prices are per machine, days those of its parts."""

    deal: Deal
    price_before: Money
    price_after: Money
    ready_before: dt.date
    ready_after: dt.date
    changes: tuple[Change, ...] = ()
    """What else would change."""

    @property
    def token(self) -> str:
        """What an address says when it was taken."""
        return self.deal.token


@dataclass(frozen=True, slots=True)
class Supply:
    """When the parts of the model's options can be here."""

    model: Model
    dates: Mapping[str, dt.date]
    """By SKU, of all its hardware."""
    day: dt.date
    """Today."""
    prices: PriceList
    """Without what shaping rules give."""

    def here(self, option: Option) -> dt.date:
        """When all parts of an option are here."""
        return max((self.dates[part.sku] for part in option.parts if part.kind == "hardware"), default=self.day)

    def is_short(self, option: Option, rule: Shaping) -> bool:
        """Whether an option keeps the customer waiting for longer than the rule allows."""
        return self.here(option) > self.day + dt.timedelta(days=rule.min_days)


def deal_of(rules: Sequence[Shaping], supply: Supply, token: str) -> Deal | None:
    """The deal of a token, if its rule, the shortage and the better price still stand."""
    parts = token.split(MARK)
    rule = next((rule for rule in rules if rule.code == parts[0]), None)
    if rule is None or len(parts) != 4:
        return None
    group = supply.model.by_id.get(parts[1])
    if group is None or parts[2] not in group.by_id or parts[3] not in group.by_id:
        return None
    return _deal(rule, supply, group, group.by_id[parts[2]], group.by_id[parts[3]])


def _deal(rule: Shaping, supply: Supply, group: Group, instead: Option, option: Option) -> Deal | None:
    if not rule.is_for(supply.model.id, group.id, supply.day) or group.kind != "one" or group.hidden or instead.id == option.id:
        return None
    if instead.absent or option.absent or not option.parts or (group.id, option.id) in supply.prices.hidden:
        return None
    if not supply.is_short(instead, rule) or supply.is_short(option, rule):
        return None
    normal, offered = supply.prices.price_of(group.id, option.id), _offered(rule, supply.prices, group.id, instead, option)
    return Deal(rule, group.id, instead.id, option.id, normal, offered) if offered < normal else None


def _offered(rule: Shaping, prices: PriceList, group: str, instead: Option, option: Option) -> Money:
    """What the rule asks for an option: never less than its parts cost with what must stay above."""
    normal = prices.price_of(group, option.id)
    if rule.give == "free":
        wanted = prices.price_of(group, instead.id)
    elif rule.give == "percent":
        wanted = normal - normal.times(rule.off, PERCENT_WHOLE)
    elif rule.amount is not None and rule.amount.currency == normal.currency:
        wanted = normal - rule.amount
    else:
        return normal
    cost = total((part.cost * part.qty for part in option.parts), normal.currency)
    floor = cost.times(PERCENT_WHOLE + rule.margin, PERCENT_WHOLE)
    return normal if floor.currency != normal.currency or floor > normal else max(wanted, floor, key=lambda amount: amount.minor)


def offers(rules: Sequence[Shaping], supply: Supply, answer: Answer) -> tuple[Offer, ...]:
    """What can be offered beside a completed configuration: for each short option the best alternative."""
    if not rules or answer.ready is None:
        return ()
    groups = [group for group in supply.model.groups if group.id in answer.groups]
    found = [best for group in groups if (best := _best_of(rules, supply, answer, group)) is not None]
    return tuple(sorted(found, key=lambda offer: (offer.ready_after, offer.price_after.minor, offer.token))[:MOST_OFFERS])


def _best_of(rules: Sequence[Shaping], supply: Supply, answer: Answer, group: Group) -> Offer | None:
    asked = answer.groups[group.id]
    if group.kind != "one" or not asked.chosen or answer.ready is None:
        return None
    instead = group.by_id[asked.chosen[0]]
    wanted = [rule for rule in rules if rule.is_for(supply.model.id, group.id, supply.day) and supply.is_short(instead, rule)]
    if not wanted:
        return None
    sooner = [
        (option, told) for option, told in zip(group.options, asked.options, strict=True)
        if told.possible and told.ready is not None and told.ready < answer.ready
    ]
    deals = [(_deal(rule, supply, group, instead, option), told) for rule in wanted for option, told in sooner]
    possible = [offer for deal, told in deals if deal is not None and (offer := _offer(deal, answer, told)) is not None]
    return min(possible, key=lambda offer: (offer.ready_after, offer.price_after.minor, offer.token), default=None)


def _offer(deal: Deal, answer: Answer, told: OptionAnswer) -> Offer | None:
    """The whole machine with it, which is sooner here and gets no choice of the customer's own changed."""
    if told.price is None or told.ready is None or answer.ready is None:
        return None
    return Offer(deal, answer.price, told.price - deal.given, answer.ready, told.ready, told.changes)
