"""What one walk over the diagram tells of every option, and how the rest is found out when it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from configurator.engine import causes, solving, sweeps
from configurator.engine.answers import Change, Reason
from configurator.engine.compilation import Compiled
from configurator.engine.diagram import Ints
from configurator.engine.solving import Machine, Question
from configurator.engine.sweeps import NONE, Bools, Longs
from fulfillment.kernel.money import Money

LIMIT = ("limit", "")
BY = ("by", "")
"""How the limit and the day stand among choices that are given up."""


class NothingLeft(ValueError):
    """No machine can be built from the options a customer is shown."""


class Found:
    """All options of one question, ready to be told; what one walk does not tell is found out when it is asked for."""

    def __init__(self, question: Question, limit: Money | None, by: dt.date | None) -> None:
        self.question = question
        self.compiled = question.compiled
        self.limit, self.by = limit, by
        self.walk, self.best_values = solving.cheapest(question, question.costs)
        totals = self.walk.rest[self.compiled.class_of] + question.costs - question.broken * question.own_unit
        self.possible: Bools = (totals < question.own_unit) & (not question.too_late)
        """Values that some machine has with all other choices kept."""
        self.prices: Longs = totals % question.unit
        """The price, above the floor, of the best machine with each possible value."""
        self.dear: Longs = np.zeros(0, dtype=np.int64)
        """The possible values whose best machine is not the one of `walk`, which costs more than the limit."""
        self.valid = self.walk.best < question.own_unit and not question.too_late
        if question.limit is not None:
            self._keep_limit(question)
        if not self.valid:
            self.best = completed(question)

    def _keep_limit(self, question: Question) -> None:
        """Prune what no machine within the limit has, and find the best ones that are within."""
        prices = np.where(question.barred, NONE, question.shifted)
        walk, _ = solving.cheapest(question, np.where(question.broken, NONE, prices))
        self.possible &= walk.rest[self.compiled.class_of] + prices <= question.bound
        self.valid = self.valid and walk.best <= question.bound
        self.dear = np.flatnonzero(self.possible & (self.prices > question.bound))
        if len(self.dear):
            costs = question.costs - question.broken * question.own_unit
            self.bounded = solving.within(question, np.where(question.broken, NONE, question.costs))
            self.rests = self.bounded.least(costs) - costs
            self.prices[self.dear] = (self.rests + costs)[self.dear] % question.unit

    @cached_property
    def best(self) -> Machine:
        """The completed machine."""
        question = self.question
        if self.valid and self.walk.best % question.unit <= question.bound:
            return Machine(self.best_values[self.walk.path()], ())
        return completed(question)

    @cached_property
    def price(self) -> Money:
        return self.question.price(self.best.values)

    @cached_property
    def ready(self) -> dt.date | None:
        return self.question.ready(self.best.values)

    @cached_property
    def configuration(self) -> Mapping[str, tuple[str, ...]]:
        return configuration(self.compiled, self.best.values)

    @cached_property
    def given_up(self) -> tuple[tuple[str, str], ...]:
        return () if self.valid else given_up(self.question, self.best)

    @cached_property
    def chosen(self) -> frozenset[int]:
        """The values of the completed machine."""
        return frozenset(self.best.values.tolist())

    @cached_property
    def days(self) -> tuple[int, Longs] | None:
        """The earliest day for the own choices, and with each value, as ordinals."""
        return None if self.question.dates is None else solving.earliest(self.question)

    @cached_property
    def readies(self) -> Longs:
        """The day the best machine with each possible value is ready, as ordinals; there must be dates."""
        assert self.question.dates is not None
        dates = self.question.dates
        by_class = np.where(self.best_values < 0, 0, dates.values[self.best_values])
        rest = self.walk.latest(by_class)[self.compiled.class_of]
        days: Longs = np.maximum(np.maximum(rest, dates.values), dates.base)
        for number in self.dear.tolist():
            days[number] = max(dates.base, int(dates.values[self.machine(number)].max()))
        return days

    @property
    def earliest(self) -> dt.date | None:
        return _day(self.days[0]) if self.days else None

    def conflict(self) -> Reason | None:
        return causes.contradiction(self.question)

    def machines(self) -> int | None:
        return None if self.question.limit is not None else count(self.question)

    def is_chosen(self, number: int) -> bool:
        return number in self.chosen

    def is_possible(self, number: int) -> bool:
        return self._possible[number]

    def price_of(self, number: int) -> Money | None:
        return self.question.money(self._prices[number]) if self._possible[number] else None

    def difference_of(self, number: int) -> Money | None:
        return self.question.prices.money(self._prices[number] - self._best_price) if self._possible[number] else None

    @cached_property
    def _best_price(self) -> int:
        """The price of the completed machine above the floor."""
        return self.price.minor - self.question.floor

    @cached_property
    def _possible(self) -> list[bool]:
        """What is possible as Python has it: quicker to tell one by one."""
        return self.possible.tolist()  # type: ignore[no-any-return]

    @cached_property
    def _prices(self) -> list[int]:
        return self.prices.tolist()  # type: ignore[no-any-return]

    @cached_property
    def _readies(self) -> list[int]:
        return self.readies.tolist()  # type: ignore[no-any-return]

    @cached_property
    def _earliest(self) -> list[int]:
        """Empty without dates."""
        return self.days[1].tolist() if self.days else []

    def machine(self, number: int) -> Ints:
        """The best machine with a possible value."""
        if number in self.bounded_machines:
            return self.bounded_machines[number]
        values = self.best_values[self.walk.path(int(self.compiled.class_of[number]))]
        values[self.compiled.slot_of[self.compiled.variable_of[number]]] = number
        return values

    @cached_property
    def bounded_machines(self) -> dict[int, Ints]:
        """The best machine within the limit with each value of `dear`."""
        return {number: self.bounded.machine_with(number, int(self.rests[number])) for number in self.dear.tolist()}

    @cached_property
    def _as_walked(self) -> bool:
        """The completed machine is the one that `walk` found."""
        return self.walk.best < NONE and np.array_equal(self.best.values, self.best_values[self.walk.path()])

    @cached_property
    def differences(self) -> tuple[list[int], list[int], list[int]]:
        """For each class, what differs in the best machine with it: its slots and values stand from one start to the next."""
        starts, slots, values = self.walk.differences(self.best_values)
        return starts.tolist(), slots.tolist(), values.tolist()

    def changes_of(self, number: int) -> tuple[Change, ...]:
        keep = int(self.compiled.variable_of[number])
        if number in self.bounded_machines or not self._as_walked:
            return changes(self.compiled, self.best.values, self.machine(number), keep)
        starts, slots, values = self.differences
        begin, end = starts[self.compiled.class_of[number] : self.compiled.class_of[number] + 2]
        before = self.best.values
        return told_changes(self.compiled, [(slots[at], int(before[slots[at]]), values[at]) for at in range(begin, end)])

    def ready_of(self, number: int) -> dt.date | None:
        if self.question.dates is None or not self._possible[number]:
            return None
        return dt.date.fromordinal(self._readies[number])

    def earliest_of(self, number: int) -> dt.date | None:
        return _day(self._earliest[number]) if self._earliest else None

    def reason_of(self, number: int) -> Reason | None:
        if number not in self._reasons:
            self._reasons[number] = causes.why_not(self.question, number)
        return self._reasons[number]

    @cached_property
    def _reasons(self) -> dict[int, Reason | None]:
        """The reasons told so far."""
        return {}

    def give_up_of(self, number: int) -> tuple[tuple[str, str], ...] | None:
        if number not in self._given_up:
            machine = solving.complete(self.question.wanting(number))
            self._given_up[number] = None if machine is None else given_up(self.question, machine)
        return self._given_up[number]

    @cached_property
    def _given_up(self) -> dict[int, tuple[tuple[str, str], ...] | None]:
        """What was told to give up so far."""
        return {}

    def groups(self) -> tuple[str, ...]:
        return tuple(group.id for group in self.compiled.model.groups if not group.hidden)

    def is_own(self, group_id: str) -> bool:
        group = self.compiled.model.by_id[group_id]
        variables = [self.compiled.index[group_id, option] for option in ([None] if group.kind == "one" else group.by_id)]
        return any(variable in self.question.own and variable not in self.best.lost for variable in variables)

    def options(self, group_id: str) -> tuple[tuple[str, int, int | None], ...]:
        group = self.compiled.model.by_id[group_id]
        numbers = self.numbers(group_id)
        without = [number - 1 for number in numbers] if group.kind == "many" else [None] * len(numbers)
        return tuple(zip((option.id for option in group.options), numbers, without, strict=True))

    def numbers(self, group_id: str) -> Sequence[int]:
        """The numbers of a group's options, in the order of the model."""
        group = self.compiled.model.by_id[group_id]
        if group.kind == "one":
            first = self.compiled.number(self.compiled.index[group_id, None], 0)
            return range(first, first + len(group.options))
        return [self.compiled.number(self.compiled.index[group_id, option.id], 1) for option in group.options]


def completed(question: Question) -> Machine:
    """The best machine there is. Raises NothingLeft."""
    machine = solving.complete(question)
    if machine is None:
        raise NothingLeft(f"no machine of {question.compiled.model.id} can be built from the options that are shown")
    return machine


def count(question: Question) -> int:
    """How many machines keep the own choices and the day, exactly."""
    if question.too_late:
        return 0
    compiled = question.compiled
    allowed = ~(question.broken | question.barred)
    ways = np.bincount(compiled.class_of[allowed], minlength=compiled.arcs.classes)
    return sweeps.count(compiled.arcs, ways)


def possible_values(question: Question, refused: Sequence[int] = ()) -> Bools:
    """Which values go with all own choices, and without all refused values, of the other decisions."""
    compiled = question.compiled
    kept = ~(question.broken | question.barred)
    kept[np.array(refused, dtype=np.int64)] = False
    allowed = np.zeros(compiled.arcs.classes, dtype=np.bool_)
    allowed[compiled.class_of[kept]] = True
    goes: Bools = sweeps.possible(compiled.arcs, allowed)[compiled.class_of] & ~question.barred
    return goes


def _day(ordinal: int) -> dt.date | None:
    """A day, if there is one."""
    return dt.date.fromordinal(ordinal) if ordinal < NONE else None


def configuration(compiled: Compiled, machine: Ints) -> dict[str, tuple[str, ...]]:
    """Name the options of a machine, group by group in the order of the model."""
    chosen: dict[str, tuple[str, ...]] = {group.id: () for group in compiled.model.groups}
    for variable, slot in enumerate(compiled.slot_of):
        option = compiled.value_names[machine[slot]]
        if option:
            chosen[compiled.variables[variable].group] += (option,)
    return chosen


def changes(compiled: Compiled, before: Ints, after: Ints, keep: int | None = None) -> tuple[Change, ...]:
    """Tell two machines apart, but for one variable and what is hidden."""
    slots = [slot for slot in np.flatnonzero(before != after).tolist() if compiled.slots[slot] != keep]
    return told_changes(compiled, [(slot, int(before[slot]), int(after[slot])) for slot in slots])


def told_changes(compiled: Compiled, rows: Sequence[tuple[int, int, int]]) -> tuple[Change, ...]:
    """Name what changes, group by group in the order of the model: a slot, the value before and the one after."""
    names, by_group = compiled.value_names, dict[str, tuple[list[str], list[str]]]()
    for variable, before, after in sorted((compiled.slots[slot], before, after) for slot, before, after in rows):
        if variable in compiled.hidden:
            continue
        lost, gained = by_group.setdefault(compiled.variables[variable].group, ([], []))
        if names[before]:
            lost.append(names[before])
        if names[after]:
            gained.append(names[after])
    return tuple(Change(group, tuple(lost), tuple(gained)) for group, (lost, gained) in by_group.items())


def given_up(question: Question, machine: Machine) -> tuple[tuple[str, str], ...]:
    """Name the choices a machine does not keep."""
    variables = question.compiled.variables
    lost = [(variables[variable].group, variables[variable].values[question.own[variable]]) for variable in machine.lost]
    return (*lost, *([LIMIT] if machine.over else []), *([BY] if machine.late else []))
