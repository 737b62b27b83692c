"""Why an option is out: the fewest of the customer's own choices, and the fewest rules, that exclude it together.

Both sets are minimal: without any one of the choices some machine has the option, and without any one of the rules
too. A SAT solver finds them: it is given what is assumed, says which of it did not go together, and each of those is
then left out on trial. The choices are tried with all rules in force, then the rules with those choices.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pysat.solvers import Solver

from configurator.engine.answers import Reason
from configurator.engine.clauses import Clauses
from configurator.engine.satisfying import least_cost
from configurator.engine.sweeps import Bools, Longs

if TYPE_CHECKING:
    from configurator.engine.compilation import Compiled

Item = TypeVar("Item")


def why_not(compiled: Compiled, own: Mapping[int, int], variable: int, value: int) -> Reason | None:
    """Explain why a value is excluded by the own choices of other decisions; None if it is not."""
    others = {other: chosen for other, chosen in own.items() if other != variable}
    return _explained(compiled, others, [compiled.explainer.literal(variable, value)])


def contradiction(compiled: Compiled, own: Mapping[int, int]) -> Reason | None:
    """Explain why the own choices do not go together; None if they do."""
    return _explained(compiled, own, [])


def warm_up(compiled: Compiled) -> None:
    """Make the first explanation as quick as the others."""
    compiled.explainer.conflict([], [])


def minimal_conflict(items: Sequence[Item], consistent: Callable[[Sequence[Item]], bool]) -> list[Item]:
    """Return a minimal inconsistent part of the items, which must be inconsistent together (QuickXplain, Junker 2004)."""

    def search(background: list[Item], *, grown: bool, candidates: Sequence[Item]) -> list[Item]:
        if grown and not consistent(background):
            return []
        if len(candidates) == 1:
            return list(candidates)
        half = len(candidates) // 2
        first, second = candidates[:half], candidates[half:]
        from_second = search([*background, *first], grown=True, candidates=second)
        from_first = search([*background, *from_second], grown=bool(from_second), candidates=first)
        return [*from_first, *from_second]

    if not items or not consistent([]):
        return []
    return search([], grown=False, candidates=items)


class Explainer:
    """Two solvers that know a model: one with all rules in force, one where each has its switch. Threads may share it."""

    def __init__(self, clauses: Clauses) -> None:
        self.clauses = clauses
        self._lock = threading.Lock()
        self._firm = Solver("minisat22", bootstrap_with=[*clauses.clauses, *([selector] for selector in clauses.selectors)])
        self._loose = Solver("cadical153", bootstrap_with=clauses.clauses)
        self._rule_of = {selector: place for place, selector in enumerate(clauses.selectors)}

    def literal(self, variable: int, value: int) -> int:
        """The literal of a value."""
        return self.clauses.literal(variable, value)

    def conflict(self, choices: Sequence[int], wanted: Sequence[int]) -> tuple[list[int], list[int]] | None:
        """Which of the choices (literals), and which rules (by place), exclude what is wanted; None if nothing does."""
        with self._lock:
            if self._firm.solve(assumptions=[*wanted, *choices]):
                return None
            guilty = self._guilty_choices(self._core(self._firm, choices), wanted)
            assumed = [*wanted, *guilty]
            self._loose.solve(assumptions=[*assumed, *self.clauses.selectors])
            rules = _shrunk(self._loose, self._core(self._loose, self.clauses.selectors), assumed)
        return guilty, sorted(self._rule_of[selector] for selector in rules)

    def rules_against(self, out: Bools, prices: Longs | None, bound: int) -> list[int]:
        """A minimal set of rules (by place) that leave no machine without the values that are out, at most at the bound."""
        values = self.values
        allowed = set(values[~out].tolist())
        never = sorted({-literal for literal in values.tolist()} - {-literal for literal in allowed})
        with self._lock:
            if prices is None:
                self._loose.solve(assumptions=[*never, *self.clauses.selectors])
                rules = _shrunk(self._loose, self._core(self._loose, self.clauses.selectors), never)
            else:
                costs: dict[int, int] = {}
                for literal, price in zip(values[~out].tolist(), prices[~out].tolist(), strict=True):
                    costs[literal] = min(price, costs.get(literal, price))
                firm = [*self.clauses.clauses, *([literal] for literal in never)]
                rules = minimal_conflict(
                    self.clauses.selectors,
                    lambda some: least_cost([*firm, *([rule] for rule in some)], costs.items()) <= bound,
                )
        return sorted(self._rule_of[selector] for selector in rules)

    @cached_property
    def values(self) -> Longs:
        """The literal of each value."""
        clauses = self.clauses
        pairs = ((literals, numbers) for literals, numbers in zip(clauses.by_class, clauses.classes, strict=True))
        return np.array([literals[number] for literals, numbers in pairs for number in numbers], dtype=np.int64)

    def _guilty_choices(self, choices: list[int], wanted: Sequence[int]) -> list[int]:
        """A minimal part of the choices; a single one if there is such a one."""
        if self._firm.solve(assumptions=list(wanted)):
            for choice in choices:
                if not self._firm.solve(assumptions=[*wanted, choice]):
                    return [choice]
            return _shrunk(self._firm, choices, wanted)
        return []

    def _core(self, solver: Solver, items: Sequence[int]) -> list[int]:
        """Which of the items the solver last found at fault, in their order."""
        core = set(solver.get_core() or ())
        return [item for item in items if item in core]


def _shrunk(solver: Solver, items: list[int], assumed: Sequence[int]) -> list[int]:
    """Leave out on trial each of the items that are inconsistent with what is assumed; return a minimal part of them."""
    needed: list[int] = []
    while items:
        item, *items = items
        if not solver.solve(assumptions=[*assumed, *needed, *items]):
            core = set(solver.get_core() or ())
            items = [other for other in items if other in core]
        else:
            needed.append(item)
    return needed


def _explained(compiled: Compiled, own: Mapping[int, int], wanted: list[int]) -> Reason | None:
    literals = {compiled.explainer.literal(variable, value): (variable, value) for variable, value in own.items()}
    found = compiled.explainer.conflict(list(literals), wanted)
    if found is None:
        return None
    guilty = {literals[literal] for literal in found[0]}
    choices = [(variable, value) for variable, value in own.items() if (variable, value) in guilty]
    return Reason(
        tuple((compiled.variables[variable].group, compiled.variables[variable].values[value]) for variable, value in choices),
        tuple(compiled.model.rules[place] for place in found[1]),
    )
