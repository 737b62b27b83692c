"""From the price list to what a customer pays: promotions on the whole machine and on all of them, cent by cent. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from configurator.engine import Answer
from configurator.engine.answers import Findings
from configurator.language.specification import Model
from configurator.prices.discounts import Discount, after, takes_off
from configurator.prices.lists import PriceList, Won
from configurator.prices.shaping import Deal, Offer
from configurator.prices.terms import BASE
from fulfillment.kernel.money import Money, total

Off = tuple[Discount, Money]


@dataclass(frozen=True, slots=True)
class Lot:
    """Machines of one price: of several with an order's discount between them, a cent can lie on some."""

    quantity: int
    unit_price: Money
    order_off: tuple[Off, ...]
    """Per machine."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What machines of one configuration come to, tax excluded."""

    options_off: tuple[Off, ...]
    """What promotions took off the chosen options, per machine; contained in `before`."""
    before: Money
    """One machine before what comes off it as a whole."""
    machine_off: tuple[Off, ...]
    """Per machine."""
    unit: Money
    order_off: tuple[Off, ...]
    """Off all machines together."""
    total: Money
    lots: tuple[Lot, ...]
    excessive: tuple[Discount, ...]
    """Those that would have taken off more than there is."""
    quantity_bound: bool
    """The price holds for this quantity alone."""


def bill(prices: PriceList, model: Model, configuration: Mapping[str, Sequence[str]], quantity: int) -> Bill:
    """Reckon up so many machines of a configuration: rounded once per discount, and no cent is lost between machines."""
    chosen = [prices.priced[BASE, model.base.sku], *(prices.priced[group, one] for group, ones in configuration.items() for one in ones)]
    before = total((priced.price for priced in chosen), prices.currency)
    machine_off = takes_off(before, prices.machine)
    unit = before - total((amount for _, amount in machine_off), prices.currency)
    order_off = takes_off(unit * quantity, prices.order)
    bound = bool(order_off) or any(rule.from_quantity > 1 for priced in chosen for rule in priced.rules)
    return Bill(
        tuple(off for priced in chosen for off in priced.off), before, machine_off, unit, order_off,
        unit * quantity - total((amount for _, amount in order_off), prices.currency), _lots(unit, quantity, order_off),
        (*_excessive(before, prices.machine), *_excessive(unit * quantity, prices.order)), bound,
    )


def _lots(unit: Money, quantity: int, order_off: Sequence[Off]) -> tuple[Lot, ...]:
    """Share the order's discounts between the machines; those with the same shares are one lot, the dearest last."""
    shares = [amount.split([1] * quantity) for _discount, amount in order_off]
    each: Counter[tuple[Money, ...]] = Counter(zip(*shares, strict=True)) if shares else Counter({(): quantity})
    lots = [
        Lot(count, unit - total(amounts, unit.currency), tuple((off[0], amount) for off, amount in zip(order_off, amounts, strict=True)))
        for amounts, count in each.items()
    ]
    return tuple(sorted(lots, key=lambda lot: lot.unit_price.minor))


def _excessive(price: Money, discounts: Sequence[Discount]) -> list[Discount]:
    """Those whose fixed amount is more than what is left when their turn comes."""
    found = []
    for discount in discounts:
        if discount.amount is not None and price < discount.amount:
            found.append(discount)
        price -= discount.of(price)
    return found


def pays(answer: Answer, discounts: Sequence[Discount], limit: Money | None) -> Answer:
    """The engine's answer in the prices a customer pays, when something comes off the whole machine; with the limit he named."""
    if not discounts:
        return answer
    return Answer(_Paid(answer.findings, discounts, limit))


class _Paid:
    """Findings with other prices: the more something costs before, the more it costs after, so nothing else is different."""

    def __init__(self, found: Findings, discounts: Sequence[Discount], limit: Money | None) -> None:
        self._found, self._discounts, self.limit = found, discounts, limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    @property
    def price(self) -> Money:
        return after(self._found.price, self._discounts)

    def price_of(self, number: int) -> Money | None:
        price = self._found.price_of(number)
        return None if price is None else after(price, self._discounts)

    def difference_of(self, number: int) -> Money | None:
        price = self.price_of(number)
        return None if price is None else price - self.price


def offer_pays(offer: Offer, discounts: Sequence[Discount]) -> Offer:
    """An offer in the prices a customer pays."""
    return replace(offer, price_before=after(offer.price_before, discounts), price_after=after(offer.price_after, discounts))


def with_deals(prices: PriceList, deals: Sequence[Deal]) -> PriceList:
    """The price list with the options of taken offers at their price."""
    if not deals:
        return prices
    priced = dict(prices.priced)
    for deal in deals:
        normal = priced[deal.group, deal.option]
        shaped = Won("shaping", deal.rule.name, deal.rule.code)
        priced[deal.group, deal.option] = replace(normal, price=deal.offered, rules=(*normal.rules, shaped))
    return replace(prices, priced=priced)
