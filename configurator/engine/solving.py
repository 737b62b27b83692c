"""The best machine for every option at once: costs and dates put on the diagram, and what the walks find.

"Best" is, in this order: own choices kept, defaults kept, price. All three are one whole number, so one walk finds it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configurator.engine import sweeps
from configurator.engine.compilation import Compiled, Wishes
from configurator.engine.diagram import Ints
from fulfillment.kernel.money import CurrencyMismatch, Money

PriceOf = Callable[[str, str], Money]
"""The price of an option, by group and option; of the bare machine for ("base", its SKU)."""

_DEFAULT_LOST = 10**12
_OWN_LOST = 10**15
"""Costs of not keeping a default or a choice: prices stay below the first, lost defaults below the second."""
_NO_DATE = 1
"""The ordinal of the first day there is: what needs no part is there at once."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What is charged, in minor units: the bare machine and each value."""

    base: int
    currency: str
    values: Ints

    def money(self, minor: int) -> Money:
        """An amount in the currency of the prices."""
        return Money(int(minor), self.currency)


@dataclass(frozen=True, slots=True)
class Solved:
    """For each value, the best machine that has it: its values by slot, and the own choices it loses elsewhere."""

    machines: Ints
    exists: NDArray[np.bool_]
    lost: Ints
    best: Ints
    """The best machine of all."""
    broken: NDArray[np.bool_]
    """Values that go against an own choice."""


def prices_for(compiled: Compiled, price_of: PriceOf | None) -> Prices:
    """Ask for every price once; without `price_of` it is the model's own. Raises CurrencyMismatch."""
    model = compiled.model
    if price_of is None:
        return Prices(model.base_price.minor, model.base_price.currency, compiled.list_prices)
    base = price_of("base", model.base.sku)
    values = []
    for variable in compiled.variables:
        for option in variable.values:
            price = price_of(variable.group, option) if option else Money(0, base.currency)
            if price.currency != base.currency:
                raise CurrencyMismatch(f"{variable.group} {option} is priced in {price.currency}, not {base.currency}")
            values.append(price.minor)
    return Prices(base.minor, base.currency, np.array(values, dtype=np.int64))


def solve(compiled: Compiled, wishes: Wishes, prices: Prices) -> Solved:
    """Find the best machine for every value: one walk over the diagram."""
    if int(np.abs(prices.values).max()) * len(compiled.slots) >= _DEFAULT_LOST // 2:
        raise ValueError("prices of options are too large to be compared exactly")
    everything = np.arange(len(prices.values))
    costs = prices.values + _DEFAULT_LOST
    costs[compiled.offsets[:-1] + np.array(wishes.preferred)] -= _DEFAULT_LOST
    broken = np.zeros(len(costs), dtype=np.bool_)
    for variable, value in wishes.own.items():
        broken[compiled.offsets[variable] : compiled.offsets[variable + 1]] = True
        broken[compiled.number(variable, value)] = False
    costs += broken * _OWN_LOST

    ordered = costs[compiled.members]
    class_costs = np.minimum.reduceat(ordered, compiled.class_starts)
    winners = np.flatnonzero(ordered == class_costs[compiled.class_of_member])
    first = np.searchsorted(compiled.class_of_member[winners], np.arange(len(class_costs)))
    best_value = compiled.members[winners[first]]

    layers = compiled.layers
    by_layer = np.split(class_costs, compiled.class_offsets[1:-1])[:layers]
    found = sweeps.cheapest(compiled.diagram, by_layer)
    layer_classes = compiled.class_offsets[:layers]
    free = best_value[compiled.class_offsets[layers:-1]]
    best = np.concatenate([best_value[layer_classes + found.best], free])
    machines = np.empty((len(class_costs), len(compiled.slots)), dtype=np.int64)
    machines[:] = best
    machines[: len(found.rows), :layers] = best_value[layer_classes + found.rows]
    exists = np.ones(len(class_costs), dtype=np.bool_)
    exists[: len(found.exists)] = found.exists

    machines = machines[compiled.class_of]
    machines[everything, compiled.slot_of[compiled.variable_of]] = everything
    lost = broken[machines].sum(axis=1) - broken
    return Solved(machines, exists[compiled.class_of], lost, best, broken)


@dataclass(frozen=True, slots=True)
class Dates:
    """Days as ordinals: when the parts of each value are here, and those of the bare machine."""

    base: int
    values: Ints

    def ready(self, machine: Ints) -> dt.date:
        """When all parts of a machine are here."""
        return dt.date.fromordinal(max(self.base, int(self.values[machine].max())))


def dates_for(compiled: Compiled, by_sku: Mapping[str, dt.date]) -> Dates:
    """Put the dates of SKUs on the values. Raises LookupError for hardware without a date."""
    model = compiled.model
    options = {(group.id, option.id): option for group in model.groups for option in group.options}
    hardware = {key: [part.sku for part in option.parts if part.kind == "hardware"] for key, option in options.items()}
    missing = sorted({model.base.sku, *(sku for skus in hardware.values() for sku in skus)} - by_sku.keys())
    if missing:
        raise LookupError(f"no date is known for {', '.join(missing)}")
    values = [
        max((by_sku[sku].toordinal() for sku in hardware.get((variable.group, option), ())), default=_NO_DATE)
        for variable in compiled.variables
        for option in variable.values
    ]
    return Dates(by_sku[model.base.sku].toordinal(), np.array(values, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Earliest:
    """The earliest day all parts can be here if the own choices are kept: at all, and with each value.

    Without such a machine the number is `sweeps.NONE`.
    """

    overall: int
    values: Ints


def earliest(compiled: Compiled, solved: Solved, dates: Dates) -> Earliest:
    """Find the quickest machine for every value: one more walk over the diagram."""
    allowed = np.where(solved.broken, sweeps.NONE, dates.values)
    class_dates = np.minimum.reduceat(allowed[compiled.members], compiled.class_starts)
    layers = compiled.layers
    by_layer = np.split(class_dates, compiled.class_offsets[1:-1])[:layers]
    through = sweeps.earliest(compiled.diagram, by_layer)
    in_diagram = int(np.maximum(through[0], by_layer[0]).min()) if layers else _NO_DATE
    free = class_dates[compiled.class_offsets[layers:-1]].tolist()
    others = [max([in_diagram, *free[:place], *free[place + 1 :]]) for place in range(len(free))]
    without = np.concatenate([*(np.maximum(date, max(free, default=_NO_DATE)) for date in through), np.array(others, dtype=np.int64)])
    values = np.maximum(np.maximum(without[compiled.class_of], dates.values), dates.base)
    return Earliest(max(in_diagram, dates.base, *free), values)
