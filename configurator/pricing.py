"""List prices: a configuration's total and its lines, and the totals of its resources (watts, gigabytes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from configurator.language.specification import Model
from configurator.language.truth import Configuration, total_of
from fulfillment.kernel.money import Money, total


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What one chosen option adds to the price."""

    group: str
    option: str
    price: Money


def price_lines(model: Model, configuration: Configuration) -> tuple[PriceLine, ...]:
    """List the chosen options with their list prices, in the order of the model; the base price is not among them."""
    return tuple(PriceLine(group.id, option, group.by_id[option].price) for group in model.groups for option in configuration[group.id])


def list_price(model: Model, configuration: Configuration) -> Money:
    """Add up the list price of one machine, tax excluded."""
    return model.base_price + total((line.price for line in price_lines(model, configuration)), model.base_price.currency)


def list_difference(model: Model, configuration: Configuration, group: str, option: str) -> Money:
    """What the price list says an option costs more than what is chosen in its group.

    What it really costs with all that must change with it, only the engine knows.
    """
    chosen = configuration[group]
    price = model.by_id[group].by_id[option].price
    if model.by_id[group].kind == "many":
        return Money(0, price.currency) if option in chosen else price
    return price - model.by_id[group].by_id[chosen[0]].price


def resources(model: Model, configuration: Configuration) -> Mapping[str, Fraction]:
    """Add up the model's named sums for one machine."""
    return {name: total_of(model, name, configuration) for name in model.sums}
