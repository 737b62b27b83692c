"""Rules as formulas that shrink while a machine is being put together.

A formula is a number in a store that never holds the same formula twice, so equal states of a half-made machine are
equal numbers. Its leaves are "this variable has one of these values", "this running total is at most so much" and
"these variables, read together, stand in a table"; negation has been pushed into the leaves. Giving a variable its
value, or a total its outcome, yields a smaller formula.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

NEVER = 0
ALWAYS = 1


@dataclass(frozen=True, slots=True)
class Inside:
    """The variable's value is one of the set bits of `values`."""

    variable: int
    values: int


@dataclass(frozen=True, slots=True)
class Within:
    """The running total is at most the bound (or, if not `at_most`, above it)."""

    total: int
    bound: int
    at_most: bool


@dataclass(frozen=True, slots=True)
class Among:
    """The variables' values, read together, are one of the rows (or, if not `listed`, none of them)."""

    variables: tuple[int, ...]
    rows: frozenset[tuple[int, ...]]
    listed: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts hold, or any of them."""

    how: Literal["all", "any"]
    parts: tuple[int, ...]


Formula = Inside | Within | Among | Joined


class Formulas:
    """The store. `sizes` are the numbers of values of the variables."""

    def __init__(self, sizes: list[int]) -> None:
        self.full = [(1 << size) - 1 for size in sizes]
        self.nodes: list[Formula | None] = [None, None]
        self.numbers: dict[Formula, int] = {}
        self.variables: list[int] = [0, 0]
        """Per formula: the variables of its `Inside` leaves, as bits."""
        self.totals: list[frozenset[int]] = [frozenset(), frozenset()]
        """Per formula: its `Within` leaves, as formula numbers."""
        self._assigned: dict[tuple[int, int, int], int] = {}
        self._rows: dict[tuple[int, int], dict[int, list[tuple[int, ...]]]] = {}

    def _number(self, formula: Formula) -> int:
        known = self.numbers.get(formula)
        if known is not None:
            return known
        number = self.numbers[formula] = len(self.nodes)
        self.nodes.append(formula)
        match formula:
            case Inside(variable=variable):
                self.variables.append(1 << variable)
                self.totals.append(frozenset())
            case Within():
                self.variables.append(0)
                self.totals.append(frozenset({number}))
            case Among(variables=among):
                self.variables.append(sum(1 << variable for variable in among))
                self.totals.append(frozenset())
            case Joined(parts=parts):
                variables = 0
                for part in parts:
                    variables |= self.variables[part]
                self.variables.append(variables)
                self.totals.append(frozenset().union(*(self.totals[part] for part in parts)))
        return number

    def inside(self, variable: int, values: int) -> int:
        """The variable has one of the values (bits)."""
        if values == 0:
            return NEVER
        return ALWAYS if values == self.full[variable] else self._number(Inside(variable, values))

    def within(self, total: int, bound: int, *, at_most: bool) -> int:
        """The total is at most the bound, or above it."""
        return self._number(Within(total, bound, at_most))

    def among(self, variables: tuple[int, ...], rows: Collection[tuple[int, ...]], *, listed: bool) -> int:
        """The (different) variables' values are one of the rows, or none of them."""
        if not rows:
            return NEVER if listed else ALWAYS
        if len(variables) == 1:
            values = sum(1 << value for (value,) in set(rows))
            return self.inside(variables[0], values if listed else self.full[variables[0]] & ~values)
        every = frozenset(rows)
        if len(every) == math.prod(self.full[variable].bit_length() for variable in variables):
            return ALWAYS if listed else NEVER
        return self._number(Among(variables, every, listed))

    def all_of(self, parts: Iterable[int]) -> int:
        """Every part holds."""
        return self._join("all", parts)

    def any_of(self, parts: Iterable[int]) -> int:
        """At least one part holds."""
        return self._join("any", parts)

    def _join(self, how: Literal["all", "any"], parts: Iterable[int]) -> int:
        """Join parts: flatten, merge leaves of the same variable, and see through constants."""
        decisive, idle = (NEVER, ALWAYS) if how == "all" else (ALWAYS, NEVER)
        leaves: dict[int, int] = {}
        others: set[int] = set()
        waiting = list(parts)
        while waiting:
            part = waiting.pop()
            node = self.nodes[part]
            if part == decisive:
                return decisive
            if isinstance(node, Joined) and node.how == how:
                waiting.extend(node.parts)
            elif isinstance(node, Inside):
                before = leaves.get(node.variable)
                if before is None:
                    leaves[node.variable] = node.values
                else:
                    leaves[node.variable] = before & node.values if how == "all" else before | node.values
            elif part != idle:
                others.add(part)
        for variable, values in leaves.items():
            leaf = self.inside(variable, values)
            if leaf == decisive:
                return decisive
            others.add(leaf)
        others.discard(idle)
        if not others:
            return idle
        return others.pop() if len(others) == 1 else self._number(Joined(how, tuple(sorted(others))))

    def negated(self, formula: int) -> int:
        """The formula does not hold."""
        match self.nodes[formula]:
            case None:
                return ALWAYS if formula == NEVER else NEVER
            case Inside(variable=variable, values=values):
                return self.inside(variable, self.full[variable] & ~values)
            case Within(total=total, bound=bound, at_most=at_most):
                return self.within(total, bound, at_most=not at_most)
            case Among(variables=variables, rows=rows, listed=listed):
                return self._number(Among(variables, rows, not listed))
            case Joined(how=how, parts=parts):
                return self._join("any" if how == "all" else "all", [self.negated(part) for part in parts])

    def assigned(self, formula: int, variable: int, value: int) -> int:
        """What is left of the formula when the variable has the value."""
        if not self.variables[formula] >> variable & 1:
            return formula
        key = (formula, variable, value)
        left = self._assigned.get(key)
        if left is None:
            node = self.nodes[formula]
            if isinstance(node, Joined):
                left = self._join(node.how, [self.assigned(part, variable, value) for part in node.parts])
            elif isinstance(node, Among):
                others = tuple(other for other in node.variables if other != variable)
                left = self.among(others, self.rows_by(formula, variable).get(value, ()), listed=node.listed)
            else:
                assert isinstance(node, Inside)
                left = ALWAYS if node.values >> value & 1 else NEVER
            self._assigned[key] = left
        return left

    def rows_by(self, formula: int, variable: int) -> Mapping[int, Sequence[tuple[int, ...]]]:
        """Sort the rows of an `Among` leaf by their value of one variable, which is cut out of them."""
        key = (formula, variable)
        if key not in self._rows:
            node = self.nodes[formula]
            assert isinstance(node, Among)
            place = node.variables.index(variable)
            by_value: dict[int, list[tuple[int, ...]]] = {}
            for row in node.rows:
                by_value.setdefault(row[place], []).append(row[:place] + row[place + 1 :])
            self._rows[key] = by_value
        return self._rows[key]

    def decided(self, formula: int, outcomes: Mapping[int, bool]) -> int:
        """What is left of the formula when some of its `Within` leaves have their outcomes."""
        if not any(leaf in outcomes for leaf in self.totals[formula]):
            return formula
        node = self.nodes[formula]
        if isinstance(node, Joined):
            return self._join(node.how, [self.decided(part, outcomes) for part in node.parts])
        return ALWAYS if outcomes[formula] else NEVER
