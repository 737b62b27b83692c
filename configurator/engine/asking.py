"""Answers for every option what choosing it would mean: possible or not, price, changes, dates; counts and repairs too."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping

import numpy as np

from configurator.engine import explain, sweeps
from configurator.engine.answers import Answer, Change, GroupAnswer, OptionAnswer, Reason, Repair
from configurator.engine.compilation import Choices, Compiled, Wishes
from configurator.engine.diagram import Ints
from configurator.engine.solving import Dates, PriceOf, Prices, Solved, dates_for, earliest, prices_for, solve
from configurator.language.specification import Group
from fulfillment.kernel.money import Money


def answer(compiled: Compiled, choices: Choices, dates: Mapping[str, dt.date] | None = None, price_of: PriceOf | None = None) -> Answer:
    """Answer for every option of every group, given the choices in the other groups.

    `dates` says when each SKU can be here; all hardware of the model must be in it. Raises UnknownChoice for choices
    the model does not have, LookupError for a SKU without a date.
    """
    table = _Table(compiled, compiled.read(choices), price_of, dates)
    return Answer(
        configuration=_configuration(compiled, table.solved.best),
        price=table.prices.money(table.best_price),
        ready=table.dates.ready(table.solved.best) if table.dates else None,
        earliest=table.day(table.earliest.overall) if table.earliest else None,
        valid=not table.given_up,
        given_up=table.given_up,
        conflict=explain.contradiction(compiled, table.wishes.own) if table.given_up else None,
        groups={group.id: table.group(group) for group in compiled.model.groups},
    )


def repair(compiled: Compiled, choices: Choices, wanted: tuple[str, str]) -> Repair | None:
    """Find the least to give up for a wanted option; None if no machine has it. Raises UnknownChoice."""
    wishes = compiled.read(choices)
    variable, value = compiled.decision_of(*wanted)
    prices = prices_for(compiled, None)
    solved = solve(compiled, wishes, prices)
    number = compiled.number(variable, value)
    if not solved.exists[number]:
        return None
    machine = solved.machines[number]
    return Repair(
        give_up=_given_up(compiled, wishes, solved, machine, keep=variable),
        configuration=_configuration(compiled, machine),
        price=prices.money(prices.base + int(prices.values[machine].sum())),
    )


def why_not(compiled: Compiled, choices: Choices, wanted: tuple[str, str]) -> Reason | None:
    """Explain why an option is not possible with the other choices; None if it is. Raises UnknownChoice."""
    wishes = compiled.read(choices)
    return explain.why_not(compiled, wishes.own, *compiled.decision_of(*wanted))


def count_machines(compiled: Compiled, choices: Choices) -> int:
    """Count, exactly, the different machines that keep the choices. Raises UnknownChoice."""
    wishes = compiled.read(choices)
    ways = [0] * int(compiled.class_offsets[-1])
    for variable, numbers in enumerate(compiled.diagram.classes):
        first = int(compiled.class_offsets[compiled.slot_of[variable]])
        for value, number in enumerate(numbers):
            ways[first + number] += wishes.own.get(variable, value) == value
    limits = compiled.class_offsets.tolist()
    by_slot = [ways[begin:end] for begin, end in itertools.pairwise(limits)]
    machines = sweeps.count(compiled.diagram, by_slot[: compiled.layers])
    for (free,) in by_slot[compiled.layers :]:
        machines *= free
    return machines


class _Table:
    """All options of one question, ready to be told."""

    def __init__(self, compiled: Compiled, wishes: Wishes, price_of: PriceOf | None, by_sku: Mapping[str, dt.date] | None) -> None:
        self.compiled = compiled
        self.wishes = wishes
        self.prices: Prices = prices_for(compiled, price_of)
        self.solved: Solved = solve(compiled, wishes, self.prices)
        self.totals = (self.prices.base + self.prices.values[self.solved.machines].sum(axis=1)).tolist()
        self.best_price = self.prices.base + int(self.prices.values[self.solved.best].sum())
        self.possible = (self.solved.exists & (self.solved.lost == 0)).tolist()
        self.dates: Dates | None = dates_for(compiled, by_sku) if by_sku is not None else None
        self.earliest = earliest(compiled, self.solved, self.dates) if self.dates else None
        self.given_up = _given_up(compiled, wishes, self.solved, self.solved.best)
        self.chosen = set(self.solved.best.tolist())
        self.changes = self._changes()

    def _changes(self) -> dict[int, tuple[Change, ...]]:
        """What else is different in the machine with each value, in the order of the model."""
        solved, names = self.solved, self.compiled.value_names
        changed = (solved.machines != solved.best)[:, self.compiled.slot_of]
        changed[np.arange(len(changed)), self.compiled.variable_of] = False
        numbers, variables = np.nonzero(changed)
        slots = self.compiled.slot_of[variables]
        rows = zip(numbers.tolist(), variables.tolist(), solved.best[slots].tolist(), solved.machines[numbers, slots].tolist(), strict=True)
        by_group: dict[int, dict[str, tuple[list[str], list[str]]]] = {}
        for number, variable, before, after in rows:
            group = self.compiled.variables[variable].group
            lost, gained = by_group.setdefault(number, {}).setdefault(group, ([], []))
            if names[before]:
                lost.append(names[before])
            if names[after]:
                gained.append(names[after])
        return {
            number: tuple(Change(group, tuple(lost), tuple(gained)) for group, (lost, gained) in groups.items())
            for number, groups in by_group.items()
        }

    def group(self, group: Group) -> GroupAnswer:
        """Answer for a group."""
        options = []
        kept = []
        for place, option in enumerate(group.options):
            many = group.kind == "many"
            variable = self.compiled.constraints.index[group.id, option.id if many else None]
            number = self.compiled.number(variable, 1 if many else place)
            options.append(self.option(option.id, variable, number, many=many))
            kept.append(variable in self.wishes.own and not self.solved.broken[self.solved.best[self.compiled.slot_of[variable]]])
        chosen = tuple(answered.option for answered in options if answered.chosen)
        return GroupAnswer(group.id, chosen, any(kept), tuple(options))

    def option(self, option: str, variable: int, number: int, *, many: bool) -> OptionAnswer:
        """Answer for an option: the value of a variable."""
        without = self.compiled.number(variable, 0)
        removal = self.difference(without) if many and self.possible[without] else None
        if not self.possible[number]:
            machine = self.solved.machines[number]
            attainable = self.solved.exists[number]
            value = number - self.compiled.number(variable, 0)
            return OptionAnswer(
                option,
                chosen=number in self.chosen,
                possible=False,
                removal=removal,
                reason=explain.why_not(self.compiled, self.wishes.own, variable, value),
                give_up=_given_up(self.compiled, self.wishes, self.solved, machine, keep=variable) if attainable else None,
            )
        return OptionAnswer(
            option,
            chosen=number in self.chosen,
            possible=True,
            difference=self.difference(number),
            price=self.prices.money(self.totals[number]),
            changes=self.changes.get(number, ()),
            ready=self.dates.ready(self.solved.machines[number]) if self.dates else None,
            earliest=self.day(int(self.earliest.values[number])) if self.earliest else None,
            removal=removal,
        )

    def difference(self, number: int) -> Money:
        """What the machine with a value costs more than the best one."""
        return self.prices.money(self.totals[number] - self.best_price)

    def day(self, ordinal: int) -> dt.date | None:
        """A day, if there is one."""
        return dt.date.fromordinal(ordinal) if ordinal < sweeps.NONE else None


def _configuration(compiled: Compiled, machine: Ints) -> dict[str, tuple[str, ...]]:
    """Name the options of a machine, group by group in the order of the model."""
    chosen: dict[str, tuple[str, ...]] = {group.id: () for group in compiled.model.groups}
    for variable, slot in enumerate(compiled.slot_of):
        option = compiled.value_names[machine[slot]]
        if option:
            chosen[compiled.variables[variable].group] += (option,)
    return chosen


def _given_up(compiled: Compiled, wishes: Wishes, solved: Solved, machine: Ints, keep: int | None = None) -> tuple[tuple[str, str], ...]:
    """Name the own choices a machine does not keep, but for that of one variable."""
    broken = {compiled.slots[slot] for slot in np.flatnonzero(solved.broken[machine])}
    lost = [variable for variable in wishes.own if variable in broken and variable != keep]
    return tuple((compiled.variables[variable].group, compiled.variables[variable].values[wishes.own[variable]]) for variable in lost)
