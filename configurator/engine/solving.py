"""A question in the engine's terms, and the best machine for it.

"Best" is, in this order: the customer's own choices kept (a limit on price and a day by which all parts must be here
are choices too), defaults kept, price. Cost is one whole number for it: price, counted from the lowest there is, plus
`unit` for each default lost, plus `own_unit` for each choice lost; so one walk over the diagram finds it, and every
part can be read off it again.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from configurator.engine import sweeps
from configurator.engine.compilation import Compiled
from configurator.engine.diagram import Ints
from configurator.engine.sweeps import NONE, Bools, Longs
from fulfillment.kernel.money import CurrencyMismatch, Money

PriceOf = Callable[[str, str], Money]
"""The price of an option, by group and option; of the bare machine for ("base", its SKU)."""

_NO_DATE = 1
"""The ordinal of the first day there is: what needs no part is there at once."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What is charged, in minor units: the bare machine and each value."""

    base: int
    currency: str
    values: Longs

    def money(self, minor: int) -> Money:
        """An amount in the currency of the prices."""
        return Money(int(minor), self.currency)


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


@dataclass(frozen=True, slots=True)
class Dates:
    """Days as ordinals: when the parts of each value are here, and those of the bare machine."""

    base: int
    values: Longs


def dates_for(compiled: Compiled, by_sku: Mapping[str, dt.date], today: dt.date | None = None) -> Dates:
    """Put the dates of SKUs on the values. Raises LookupError for hardware without a date.

    What must not leave for some days counts them from `today`; left out, from the first of the dates.
    """
    skus, numbers, places = compiled.hardware
    missing = sorted(sku for sku in skus if sku not in by_sku)
    if missing:
        raise LookupError(f"no date is known for {', '.join(missing)}")
    days = np.array([by_sku[sku].toordinal() for sku in skus], dtype=np.int64)
    start = (today or min(by_sku.values())).toordinal()
    values = np.where(compiled.waiting > 0, start + compiled.waiting, _NO_DATE)
    np.maximum.at(values, numbers, days[places])
    return Dates(int(days[0]), values)


@dataclass(frozen=True)
class Question:
    """What a customer asks: choices, prices, dates; all by variable or by value number."""

    compiled: Compiled
    own: Mapping[int, int]
    preferred: tuple[int, ...]
    prices: Prices
    dates: Dates | None
    forbidden: Bools
    """Values this customer is not shown."""
    limit: int | None
    """The most the whole machine may cost, in minor units."""
    by: int | None
    """The ordinal of the day by which all parts must be here."""

    @cached_property
    def lowest(self) -> Longs:
        """The lowest price of each variable's values."""
        lowest: Longs = np.minimum.reduceat(self.prices.values, self.compiled.offsets[:-1])
        return lowest

    @cached_property
    def floor(self) -> int:
        """What prices are counted from: the bare machine and the lowest price of every variable."""
        return self.prices.base + int(self.lowest.sum())

    @cached_property
    def shifted(self) -> Longs:
        """The price of each value above the lowest of its variable."""
        shifted: Longs = self.prices.values - self.lowest[self.compiled.variable_of]
        return shifted

    @cached_property
    def unit(self) -> int:
        """What one lost default costs: more than all prices together. Raises ValueError for prices beyond all reason."""
        unit = int(np.maximum.reduceat(self.shifted, self.compiled.offsets[:-1]).sum()) + 1
        if unit * (len(self.compiled.slots) + 2) ** 2 >= NONE:
            raise ValueError("prices of options are too large to be compared exactly")
        return unit

    @property
    def own_unit(self) -> int:
        """What one lost choice costs: more than all defaults together."""
        return self.unit * (len(self.compiled.slots) + 1)

    @property
    def bound(self) -> int:
        """The limit as a price counted from the floor."""
        return NONE if self.limit is None else self.limit - self.floor

    @property
    def priced(self) -> tuple[Longs | None, int]:
        """The prices that the limit is about, and the bound on them; nothing without a limit."""
        return (None, NONE) if self.limit is None else (self.shifted, self.bound)

    @cached_property
    def broken(self) -> Bools:
        """Values that go against an own choice."""
        compiled = self.compiled
        broken = np.zeros(len(self.forbidden), dtype=np.bool_)
        for variable, value in self.own.items():
            broken[compiled.offsets[variable] : compiled.offsets[variable + 1]] = True
            broken[compiled.number(variable, value)] = False
        return broken

    @cached_property
    def barred(self) -> Bools:
        """Values that are out of the question: not shown, or late."""
        if self.by is None or self.dates is None:
            return self.forbidden
        return self.forbidden | (self.dates.values > self.by)

    @property
    def too_late(self) -> bool:
        """The bare machine alone comes too late."""
        return self.by is not None and self.dates is not None and self.dates.base > self.by

    @cached_property
    def costs(self) -> Longs:
        """The cost of each value; NONE for one that is barred."""
        lost = ~self.compiled.indifferent
        lost[self.compiled.offsets[:-1] + np.array(self.preferred)] = False
        costs: Longs = self.shifted + lost * self.unit + self.broken * self.own_unit
        costs[self.barred] = NONE
        return costs

    def money(self, cost: int) -> Money:
        """The price of a machine with this cost."""
        return self.prices.money(self.floor + cost % self.unit)

    def price(self, machine: Ints) -> Money:
        """The price of a machine."""
        return self.prices.money(self.prices.base + int(self.prices.values[machine].sum()))

    def ready(self, machine: Ints) -> dt.date | None:
        """When all parts of a machine are here; None without dates."""
        if self.dates is None:
            return None
        return dt.date.fromordinal(max(self.dates.base, int(self.dates.values[machine].max())))

    def lost(self, machine: Ints, keep: int | None = None) -> tuple[int, ...]:
        """The variables whose own choice a machine does not keep, but for one."""
        broken = {self.compiled.slots[slot] for slot in np.flatnonzero(self.broken[machine])}
        return tuple(variable for variable in self.own if variable in broken and variable != keep)

    def wanting(self, number: int) -> Question:
        """The same question where one value is a must, whatever was chosen there."""
        compiled = self.compiled
        variable = int(compiled.variable_of[number])
        forbidden = self.forbidden.copy()
        forbidden[compiled.offsets[variable] : compiled.offsets[variable + 1]] = True
        forbidden[number] = self.forbidden[number]
        own = {other: value for other, value in self.own.items() if other != variable}
        return replace(self, own=own, forbidden=forbidden)

    def firmly(self) -> Question:
        """The same question where every own choice is a must."""
        return replace(self, own={}, forbidden=self.forbidden | self.broken)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that was found: its values by slot, and what it does not keep."""

    values: Ints
    lost: tuple[int, ...]
    over: bool = False
    """It costs more than the limit."""
    late: bool = False
    """Its parts come later than wanted."""

    @property
    def given_up(self) -> int:
        """How many of the customer's choices it does not keep."""
        return len(self.lost) + self.over + self.late


def cheapest(question: Question, costs: Longs) -> tuple[sweeps.Cheapest, Ints]:
    """Walk once for costs by value; also return the best value of each class."""
    compiled = question.compiled
    least, values = sweeps.cheapest_values(compiled.class_of, costs, compiled.arcs.classes)
    return sweeps.cheapest(compiled.arcs, least), values


def within(question: Question, costs: Longs) -> sweeps.Bounded:
    """Find what stays within the limit, for costs that are something to be kept low * unit + price."""
    compiled = question.compiled
    prices = np.where(question.barred, NONE, question.shifted)
    terms = {"unit": question.unit, "bound": question.bound}
    return sweeps.bounded(compiled.arcs, compiled.class_of, costs=costs, prices=prices, **terms)


def least(question: Question, costs: Longs) -> Ints | None:
    """Find the machine of the least cost within the limit; None if there is none."""
    if question.too_late:
        return None
    if question.compiled.too_large:
        machine = question.compiled.satisfier.cheapest(costs, *question.priced)
        return None if machine is None else machine.astype(np.int32)
    found, values = cheapest(question, costs)
    if found.best >= NONE:
        return None
    if found.best % question.unit <= question.bound:
        return values[found.path()]
    bounded = within(question, costs)
    return bounded.machine() if bounded.best < NONE else None


def feasible(question: Question) -> bool:
    """Tell whether some machine keeps every choice, limit and day included."""
    out = question.barred | question.broken
    if question.too_late:
        return False
    if question.compiled.too_large:
        literals = question.compiled.satisfier.literals
        return question.compiled.satisfier.feasible((-literals[out]).tolist(), *question.priced)
    return cheapest(question, np.where(out, NONE, question.shifted))[0].best <= min(question.bound, NONE - 1)


def complete(question: Question) -> Machine | None:
    """Find the best machine: as few choices given up as possible, first of all limit and day kept; None if there is none."""
    best: Machine | None = None
    for over, late in itertools.product((False, True), (False, True)):
        if (over and question.limit is None) or (late and question.by is None):
            continue
        if best is not None and best.given_up <= over + late:
            continue
        asked = replace(question, limit=None if over else question.limit, by=None if late else question.by)
        values = least(asked, asked.costs)
        if values is None:
            continue
        found = Machine(values, question.lost(values), over=over, late=late)
        if best is None or found.given_up < best.given_up:
            best = found
    return best


def earliest(question: Question) -> tuple[int, Longs]:
    """The earliest day all parts can be here if every choice is kept: at all, and with each value; NONE if it cannot be."""
    assert question.dates is not None
    compiled, dates = question.compiled, question.dates
    allowed = np.where(question.barred, NONE, dates.values)
    if question.too_late:
        return NONE, np.full(len(allowed), NONE, dtype=np.int64)
    if question.limit is not None:
        return _earliest_within(question)
    firm = np.where(question.broken, NONE, allowed)
    best, rest = sweeps.earliest(compiled.arcs, sweeps.cheapest_values(compiled.class_of, firm, compiled.arcs.classes)[0])
    return max(best, dates.base), np.maximum(np.maximum(rest[compiled.class_of], allowed), dates.base)


def _earliest_within(question: Question) -> tuple[int, Longs]:
    """The same under a limit on price: day by day, what can be had within it."""
    assert question.dates is not None
    compiled, dates = question.compiled, question.dates
    found = np.full(len(dates.values), NONE, dtype=np.int64)
    best = NONE
    for day in np.unique(np.maximum(dates.values, dates.base)).tolist():
        here = np.where(question.barred | (dates.values > day), NONE, question.shifted)
        walk, _ = cheapest(question, np.where(question.broken, NONE, here))
        if walk.best <= question.bound:
            best = min(best, day)
        new = (walk.rest[compiled.class_of] + here <= question.bound) & (found == NONE)
        found[new] = day
    return best, found
