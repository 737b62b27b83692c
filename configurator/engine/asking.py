"""Answers for every option what choosing it would mean: possible or not, price, changes, dates; counts and repairs too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np

from configurator.engine import causes, solving, sweeps
from configurator.engine.answers import Answer, Change, Finished, GroupAnswer, OptionAnswer, Reason, Repair
from configurator.engine.compilation import Choices, Compiled, UnknownChoice
from configurator.engine.diagram import Ints
from configurator.engine.solving import Machine, PriceOf, Question, dates_for, prices_for
from configurator.engine.sweeps import NONE, Bools, Longs
from configurator.language.specification import Group
from configurator.language.truth import contribution
from fulfillment.kernel.money import CurrencyMismatch, Money

Hidden = frozenset[tuple[str, str]]
"""Options (group, option) that a customer is not shown."""
Goal = Literal["cheapest", "fastest", "strongest"]
LIMIT = ("limit", "")
BY = ("by", "")
"""How the limit and the day stand among choices that are given up."""


class NothingLeft(ValueError):
    """No machine can be built from the options a customer is shown."""


def answer(
    compiled: Compiled,
    choices: Choices,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Answer:
    """Answer for every option of every group, given the choices in the other groups.

    `dates` says when each SKU can be here; all hardware of the model must be in it. `hidden` options are never
    possible. The machine may cost at most `limit` and its parts must be here `by` then: both are choices like any
    other. Raises UnknownChoice for choices the model does not have or show, LookupError for a SKU without a date,
    ValueError for a day without dates, CurrencyMismatch, NothingLeft.
    """
    found = Found(_question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today), limit, by)
    return Answer(found, {group.id: found.group(group) for group in compiled.model.groups if not group.hidden})


def repair(
    compiled: Compiled,
    choices: Choices,
    wanted: tuple[str, str],
    *,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Repair | None:
    """Find the least to give up for a wanted option; None if no machine has it. Raises as `answer`."""
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today)
    variable, value = compiled.decision_of(*wanted)
    machine = solving.complete(question.wanting(compiled.number(variable, value)))
    if machine is None:
        return None
    before = _completed(question)
    return Repair(
        give_up=_given_up(question, machine),
        configuration=_configuration(compiled, machine.values),
        price=question.price(machine.values),
        changes=_changes(compiled, before.values, machine.values),
        difference=question.price(machine.values) - question.price(before.values),
        ready=question.ready(machine.values),
    )


def why_not(
    compiled: Compiled,
    choices: Choices,
    wanted: tuple[str, str],
    *,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Reason | None:
    """Explain why an option is not possible with the other choices; None if it is. Raises as `answer`."""
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today)
    return causes.why_not(question, compiled.number(*compiled.decision_of(*wanted)))


def count_machines(compiled: Compiled, choices: Choices, *, hidden: Hidden = frozenset()) -> int:
    """Count, exactly, the different machines that keep the choices. Raises UnknownChoice."""
    return _count(_question(compiled, choices, hidden=hidden))


def domains(compiled: Compiled, choices: Choices) -> Mapping[str, frozenset[str]]:
    """The options of every group that go with the choices in the other groups. Raises UnknownChoice."""
    question = _question(compiled, choices)
    allowed = np.zeros(compiled.arcs.classes, dtype=np.bool_)
    allowed[compiled.class_of[~question.broken]] = True
    goes = sweeps.possible(compiled.arcs, allowed)[compiled.class_of]
    found: dict[str, set[str]] = {group.id: set() for group in compiled.model.groups}
    for number in np.flatnonzero(goes).tolist():
        if compiled.value_names[number]:
            found[compiled.variables[compiled.variable_of[number]].group].add(compiled.value_names[number])
    return {group: frozenset(options) for group, options in found.items()}


def finish(
    compiled: Compiled,
    choices: Choices,
    goal: Goal,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Finished | None:
    """Complete the choices for a goal, all of them kept; None if they do not go together. Raises as `answer`.

    The cheapest machine has the least price, whatever the defaults; the fastest is here first and then keeps defaults,
    then is cheap; the strongest has the most `power` added up, and then the least price.
    """
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today).firmly()
    power = np.array([int(contribution(option, "power")) if option else 0 for option in compiled.options], dtype=np.int64)
    if goal == "fastest":
        if question.dates is None:
            raise ValueError("the fastest machine needs the dates of parts")
        day, _ = solving.earliest(question)
        if day >= NONE:
            return None
        question = replace(question, by=day)
    machine = solving.least(question, _goal_costs(question, goal, power))
    if machine is None:
        return None
    return Finished(
        configuration=_configuration(compiled, machine),
        price=question.price(machine),
        ready=question.ready(machine),
        power=int(power[machine].sum()) if power.any() else None,
    )


def _goal_costs(question: Question, goal: Goal, power: Longs) -> Longs:
    """What a goal keeps low, times the question's unit, plus price."""
    if goal == "fastest":
        return question.costs
    most = np.maximum.reduceat(power, question.compiled.offsets[:-1])[question.compiled.variable_of]
    missing = most - power if goal == "strongest" else np.zeros(len(power), dtype=np.int64)
    if int(most.max(initial=0)) * question.unit * len(question.compiled.slots) >= NONE:
        raise ValueError("powers of options are too large to be compared exactly")
    return np.where(question.barred, NONE, missing * question.unit + question.shifted)


def _question(
    compiled: Compiled,
    choices: Choices,
    by_sku: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Question:
    """Put a question into the engine's terms. Raises as `answer`."""
    wishes = compiled.read(choices)
    prices = prices_for(compiled, price_of)
    if limit is not None and limit.currency != prices.currency:
        raise CurrencyMismatch(f"the limit is in {limit.currency}, the prices are in {prices.currency}")
    if by is not None and by_sku is None:
        raise ValueError("a day by which parts must be here needs the dates of parts")
    forbidden = np.zeros(len(prices.values), dtype=np.bool_)
    for group, option in hidden:
        forbidden[compiled.number(*compiled.decision_of(group, option))] = True
    for variable, value in wishes.own.items():
        if forbidden[compiled.number(variable, value)]:
            chosen = compiled.variables[variable]
            raise UnknownChoice(f"{chosen.group} of {compiled.model.id} has no option {chosen.values[value]!r} for this customer")
    return Question(
        compiled,
        wishes.own,
        wishes.preferred,
        prices,
        dates_for(compiled, by_sku, today) if by_sku is not None else None,
        forbidden,
        None if limit is None else limit.minor,
        None if by is None else by.toordinal(),
    )


class Found:
    """All options of one question, ready to be told."""

    def __init__(self, question: Question, limit: Money | None, by: dt.date | None) -> None:
        self.question = question
        self.compiled = question.compiled
        self.limit, self.by = limit, by
        self.walk, self.best_values = solving.cheapest(question, question.costs)
        self.totals = self.walk.rest[self.compiled.class_of] + question.costs
        firm = (self.totals < NONE) & (self.totals // question.own_unit == question.broken) & (not question.too_late)
        self.totals -= question.broken * question.own_unit
        if question.limit is not None:
            firm &= self._affordable()
        self.firm = firm
        self.best = _completed(question)
        self.price = question.price(self.best.values)
        self.ready = question.ready(self.best.values)
        self.configuration: Mapping[str, tuple[str, ...]] = _configuration(self.compiled, self.best.values)
        self.given_up = _given_up(question, self.best)
        self.possible = firm.tolist()
        self.chosen = frozenset(self.best.values.tolist())

    def _affordable(self) -> Bools:
        """Which values some machine has that keeps the own choices within the limit."""
        question = self.question
        prices = np.where(question.barred, NONE, question.shifted)
        walk, _ = solving.cheapest(question, np.where(question.broken, NONE, prices))
        affordable: Bools = walk.rest[self.compiled.class_of] + prices <= question.bound
        return affordable

    @cached_property
    def prices(self) -> list[int]:
        """The price of the best machine with each possible value, counted from the floor."""
        question = self.question
        prices = self.totals % question.unit
        dear = self.firm & (prices > question.bound)
        if dear.any():
            costs = question.costs - question.broken * question.own_unit
            least = solving.within(question, np.where(question.broken, NONE, question.costs)).least(costs)
            prices[dear] = least[dear] % question.unit
        found: list[int] = (prices + question.floor).tolist()
        return found

    @cached_property
    def days(self) -> tuple[int, list[int]] | None:
        """The earliest day for the own choices, and with each value."""
        if self.question.dates is None:
            return None
        best, values = solving.earliest(self.question)
        return best, values.tolist()

    @property
    def earliest(self) -> dt.date | None:
        return _day(self.days[0]) if self.days else None

    def conflict(self) -> Reason | None:
        return causes.contradiction(self.question)

    def machines(self) -> int | None:
        return None if self.question.limit is not None else _count(self.question)

    def is_chosen(self, number: int) -> bool:
        return number in self.chosen

    def is_possible(self, number: int) -> bool:
        possible: bool = self.possible[number]
        return possible

    def price_of(self, number: int) -> Money | None:
        return self.question.prices.money(self.prices[number]) if self.possible[number] else None

    def machine(self, number: int) -> Ints:
        """The best machine with a possible value."""
        question = self.question
        if int(self.totals[number]) % question.unit > question.bound:
            found = solving.complete(question.wanting(number))
            assert found is not None
            return found.values
        values = self.best_values[self.walk.path(int(self.compiled.class_of[number]))]
        values[self.compiled.slot_of[self.compiled.variable_of[number]]] = number
        return values

    def changes_of(self, number: int) -> tuple[Change, ...]:
        keep = int(self.compiled.variable_of[number])
        return _changes(self.compiled, self.best.values, self.machine(number), keep)

    def ready_of(self, number: int) -> dt.date | None:
        if not self.possible[number] or self.question.dates is None:
            return None
        return self.question.ready(self.machine(number))

    def earliest_of(self, number: int) -> dt.date | None:
        return _day(self.days[1][number]) if self.days else None

    def reason_of(self, number: int) -> Reason | None:
        return causes.why_not(self.question, number)

    def give_up_of(self, number: int) -> tuple[tuple[str, str], ...] | None:
        machine = solving.complete(self.question.wanting(number))
        return None if machine is None else _given_up(self.question, machine)

    def group(self, group: Group) -> GroupAnswer:
        """Answer for a group."""
        options = []
        own = False
        for place, option in enumerate(group.options):
            many = group.kind == "many"
            variable = self.compiled.index[group.id, option.id if many else None]
            number = self.compiled.number(variable, 1 if many else place)
            options.append(OptionAnswer(option.id, self, number, number - 1 if many else None))
            own = own or (variable in self.question.own and variable not in self.best.lost)
        return GroupAnswer(group.id, self.configuration[group.id], own, tuple(options))


def _completed(question: Question) -> Machine:
    """The best machine there is. Raises NothingLeft."""
    machine = solving.complete(question)
    if machine is None:
        raise NothingLeft(f"no machine of {question.compiled.model.id} can be built from the options that are shown")
    return machine


def _count(question: Question) -> int:
    if question.too_late:
        return 0
    compiled = question.compiled
    allowed = ~(question.broken | question.barred)
    ways = np.bincount(compiled.class_of[allowed], minlength=compiled.arcs.classes)
    return sweeps.count(compiled.arcs, ways)


def _day(ordinal: int) -> dt.date | None:
    """A day, if there is one."""
    return dt.date.fromordinal(ordinal) if ordinal < NONE else None


def _configuration(compiled: Compiled, machine: Ints) -> dict[str, tuple[str, ...]]:
    """Name the options of a machine, group by group in the order of the model."""
    chosen: dict[str, tuple[str, ...]] = {group.id: () for group in compiled.model.groups}
    for variable, slot in enumerate(compiled.slot_of):
        option = compiled.value_names[machine[slot]]
        if option:
            chosen[compiled.variables[variable].group] += (option,)
    return chosen


def _changes(compiled: Compiled, before: Ints, after: Ints, keep: int | None = None) -> tuple[Change, ...]:
    """Tell two machines apart, group by group in the order of the model, but for one variable and what is hidden."""
    slots = compiled.slot_of[np.flatnonzero((before != after)[compiled.slot_of])]
    by_group: dict[str, tuple[list[str], list[str]]] = {}
    for slot in slots.tolist():
        variable = compiled.slots[slot]
        if variable == keep or variable in compiled.hidden:
            continue
        lost, gained = by_group.setdefault(compiled.variables[variable].group, ([], []))
        lost += filter(None, [compiled.value_names[before[slot]]])
        gained += filter(None, [compiled.value_names[after[slot]]])
    return tuple(Change(group, tuple(lost), tuple(gained)) for group, (lost, gained) in by_group.items())


def _given_up(question: Question, machine: Machine) -> tuple[tuple[str, str], ...]:
    """Name the choices a machine does not keep."""
    variables = question.compiled.variables
    lost = [(variables[variable].group, variables[variable].values[question.own[variable]]) for variable in machine.lost]
    return (*lost, *([LIMIT] if machine.over else []), *([BY] if machine.late else []))
