"""Rules as formulas that shrink while a machine is being put together.

A formula is a number in a store that never holds the same formula twice, so equal states of a half-made machine are
equal numbers. Its leaves are "this variable has one of these values" and "this running total is at most so much";
negation has been pushed into the leaves. Giving a variable its value, or a total its outcome, yields a smaller formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
class Joined:
    """All of the parts hold, or any of them."""

    how: Literal["all", "any"]
    parts: tuple[int, ...]


Formula = Inside | Within | Joined


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
            else:
                assert isinstance(node, Inside)
                left = ALWAYS if node.values >> value & 1 else NEVER
            self._assigned[key] = left
        return left

    def decided(self, formula: int, outcomes: Mapping[int, bool]) -> int:
        """What is left of the formula when some of its `Within` leaves have their outcomes."""
        if not any(leaf in outcomes for leaf in self.totals[formula]):
            return formula
        node = self.nodes[formula]
        if isinstance(node, Joined):
            return self._join(node.how, [self.decided(part, outcomes) for part in node.parts])
        return ALWAYS if outcomes[formula] else NEVER
