"""What a SAT solver tells of a question: the same as a walk over a diagram, each thing when it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain

import numpy as np

from configurator.engine import solving
from configurator.engine.answers import Change
from configurator.engine.diagram import Ints
from configurator.engine.finding import Found, changes, completed
from configurator.engine.solving import Machine, Question
from configurator.engine.sweeps import Bools
from fulfillment.kernel.money import Money


class Sought(Found):
    """All options of one question to a model that has no diagram."""

    def __init__(self, question: Question, limit: Money | None, by: dt.date | None) -> None:
        self.question = question
        self.compiled = question.compiled
        self.limit, self.by = limit, by
        self.possible = possible(question)
        self.valid = solving.feasible(question)
        self._known: dict[int, Ints] = {}

    @cached_property
    def best(self) -> Machine:
        return completed(self.question)

    def machines(self) -> int | None:
        return None

    def machine(self, number: int) -> Ints:
        if number not in self._known:
            question = self.question.wanting(number).firmly()
            values = solving.least(question, question.costs)
            assert values is not None
            self._known[number] = values
        return self._known[number]

    def changes_of(self, number: int) -> tuple[Change, ...]:
        return changes(self.compiled, self.best.values, self.machine(number), int(self.compiled.variable_of[number]))

    def price_of(self, number: int) -> Money | None:
        return self.question.price(self.machine(number)) if self.possible[number] else None

    def difference_of(self, number: int) -> Money | None:
        price = self.price_of(number)
        return None if price is None else price - self.price

    def ready_of(self, number: int) -> dt.date | None:
        return self.question.ready(self.machine(number)) if self.possible[number] else None

    @property
    def earliest(self) -> dt.date | None:
        return earliest(self.question.firmly())

    def earliest_of(self, number: int) -> dt.date | None:
        return earliest(self.question.wanting(number).firmly())


def possible(question: Question, refused: Sequence[int] = ()) -> Bools:
    """Which values some machine has with all choices kept, and without all refused values, in the other decisions."""
    compiled, satisfier = question.compiled, question.compiled.satisfier
    if question.too_late:
        return np.zeros(len(question.barred), dtype=np.bool_)
    barred = (-satisfier.literals[question.barred]).tolist()
    wanted: dict[int, list[int]] = {}
    for variable, value in question.own.items():
        wanted.setdefault(variable, []).append(int(satisfier.literals[compiled.number(variable, value)]))
    for number in refused:
        wanted.setdefault(int(compiled.variable_of[number]), []).append(-int(satisfier.literals[number]))
    goes = satisfier.possible([*barred, *chain.from_iterable(wanted.values())], *question.priced)
    for variable in wanted:
        others = [literal for other, literals in wanted.items() if other != variable for literal in literals]
        here = slice(int(compiled.offsets[variable]), int(compiled.offsets[variable + 1]))
        goes[here] = satisfier.possible([*barred, *others], *question.priced, among=here)
    return goes & ~question.barred


def earliest(question: Question) -> dt.date | None:
    """The earliest day on which a machine can be had, every choice a must; None without dates or such a machine."""
    if question.dates is None or not solving.feasible(question):
        return None
    days = np.unique(np.maximum(question.dates.values[~question.barred], question.dates.base)).tolist()
    low, high = 0, len(days) - 1
    while low < high:
        middle = (low + high) // 2
        if solving.feasible(replace(question, by=days[middle])):
            high = middle
        else:
            low = middle + 1
    return dt.date.fromordinal(days[low])
