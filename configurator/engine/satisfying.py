"""Answers by a SAT solver, for models that do not compile: slower, and every bit as exact.

What is possible is asked literal by literal, but a machine found once answers for all its values: machines are kept
for the next question, the solver is told to look for values not seen yet, and what was excluded stays excluded when
choices are added. The best machine is a MaxSAT problem (RC2, Ignatiev et al. 2019), a limit on the price a binary
adder (Eén and Sörensson 2006).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np
from pysat.examples.rc2 import RC2Stratified
from pysat.formula import WCNF
from pysat.solvers import Solver

from configurator.engine.adding import at_most
from configurator.engine.clauses import Clauses
from configurator.engine.sweeps import NONE, Bools, Longs

_MACHINES = 500
_QUESTIONS = 200
EVERY = slice(None)


class Satisfier:
    """A model's rules in a solver. Values are numbered as in `Compiled`; threads may share it."""

    def __init__(self, clauses: Clauses) -> None:
        self.literals = np.array([literal for literals in clauses.by_class for literal in literals], dtype=np.int64)
        """The literal of each value; in these clauses every value is a class of its own."""
        self.names = clauses.names + 1
        hard = [*clauses.clauses, *([selector] for selector in clauses.selectors), [self.names]]
        silent = {abs(literal) for literals in clauses.by_class for literal in literals} - {abs(name) for clause in hard for name in clause}
        self._hard = [*hard, *([self.names, name] for name in silent)]
        """The clauses; a solver only decides what it has heard of, so something is said of every value."""
        self._solver = Solver("glucose4", bootstrap_with=self._hard)
        self._limited: tuple[tuple[bytes, int], Solver] | None = None
        self._lock = threading.Lock()
        self._machines: OrderedDict[frozenset[int], None] = OrderedDict()
        """Machines found, each by its literals, the latest last."""
        self._excluded: OrderedDict[frozenset[int], frozenset[int]] = OrderedDict()
        """For assumptions of earlier questions, the literals that they exclude."""

    def possible(self, assumed: Iterable[int], prices: Longs | None = None, bound: int = NONE, *, among: slice = EVERY) -> Bools:
        """Which values (among some) a machine has for which the assumed literals hold, within the bound on its price."""
        assumptions = frozenset(assumed)
        asked = self.literals[among]
        with self._lock:
            if prices is None:
                excluded = self._excluding(self._solver, assumptions, set(asked.tolist()))
            else:
                excluded = self._looked(self._bounded(prices, bound), assumptions, set(asked.tolist()), set(), ())
        return ~np.isin(asked, np.array(sorted(excluded), dtype=np.int64))

    def feasible(self, assumed: Iterable[int], prices: Longs | None = None, bound: int = NONE) -> bool:
        """Tell whether there is such a machine at all."""
        with self._lock:
            solver = self._solver if prices is None else self._bounded(prices, bound)
            found: bool = solver.solve(assumptions=list(assumed))
        return found

    def _excluding(self, solver: Solver, assumptions: frozenset[int], asked: set[int]) -> frozenset[int]:
        known = self._excluded.get(assumptions)
        if known is None:
            before = [excluded for some, excluded in self._excluded.items() if some <= assumptions]
            known = self._looked(solver, assumptions, asked, set[int]().union(*before), list(self._machines))
            if len(asked) == len(self.literals):
                self._excluded[assumptions] = known
            while len(self._excluded) > _QUESTIONS:
                self._excluded.popitem(last=False)
        return known

    def _looked(
        self, solver: Solver, assumptions: frozenset[int], every: set[int], excluded: set[int], machines: Sequence[frozenset[int]]
    ) -> frozenset[int]:
        """Find all of these literals that are excluded, beginning with some that are known to be."""
        consistent, implied = solver.propagate(assumptions=list(assumptions))
        if not consistent or not solver.solve(assumptions=list(assumptions)):
            return frozenset(every)
        forced = set(implied)
        open_ones = every - excluded - forced - {-literal for literal in forced}
        excluded = excluded | {literal for literal in every if -literal in forced}
        for machine in machines:
            if assumptions <= machine:
                open_ones -= machine
        open_ones -= self._noted(solver)
        while open_ones:
            literal = min(open_ones, key=abs)
            solver.set_phases(sorted(open_ones))
            if solver.solve(assumptions=[*assumptions, literal]):
                open_ones -= self._noted(solver)
            else:
                excluded.add(literal)
            open_ones.discard(literal)
        return frozenset(excluded)

    def _noted(self, solver: Solver) -> frozenset[int]:
        """Keep the machine just found for later questions."""
        machine = frozenset(solver.get_model()[: self.names])
        self._machines[machine] = None
        while len(self._machines) > _MACHINES:
            self._machines.popitem(last=False)
        return machine

    def _bounded(self, prices: Longs, bound: int) -> Solver:
        """A solver that also knows of a limit on price; the last one is kept."""
        key = (prices.tobytes(), bound)
        if self._limited is None or self._limited[0] != key:
            if self._limited is not None:
                self._limited[1].delete()
            clauses = at_most(self._terms(prices), bound, self.names)
            self._limited = key, Solver("glucose4", bootstrap_with=[*self._hard, *clauses])
        return self._limited[1]

    def _terms(self, costs: Longs) -> list[tuple[int, int]]:
        """What each literal costs; without those that cost nothing or never are."""
        return [(literal, cost) for literal, cost in zip(self.literals.tolist(), costs.tolist(), strict=True) if 0 < cost < NONE]

    def cheapest(self, costs: Longs, prices: Longs | None = None, bound: int = NONE) -> Longs | None:
        """The values of the machine with the least costs (NONE: never), within the bound on its price; None if there is none."""
        never = [[-literal] for literal in self.literals[costs >= NONE].tolist()]
        limit = [] if prices is None else at_most(self._terms(prices), bound, self.names)
        hard = [*self._hard, *never, *limit]
        model = _optimum(hard, self._terms(costs))
        if model is None:
            return None
        return np.flatnonzero(np.isin(self.literals, np.array(model, dtype=np.int64)))


def least_cost(clauses: Sequence[Sequence[int]], terms: Iterable[tuple[int, int]]) -> int:
    """The least that the true literals of a solution cost; NONE without a solution."""
    costs = dict(terms)
    model = _optimum(clauses, [(literal, cost) for literal, cost in costs.items() if cost])
    return NONE if model is None else sum(costs.get(literal, 0) for literal in model)


def _optimum(clauses: Sequence[Sequence[int]], terms: Sequence[tuple[int, int]]) -> list[int] | None:
    """The solution whose true literals cost least (RC2), as a list of literals; None if there is none."""
    with Solver("glucose4", bootstrap_with=clauses) as solver:
        if not solver.solve():
            return None
        model: list[int] = solver.get_model()
    if terms:
        problem = WCNF()
        problem.extend(clauses)
        problem.extend([[-literal] for literal, _ in terms], weights=[cost for _, cost in terms])
        with RC2Stratified(problem, solver="g4", adapt=True, exhaust=True, minz=True) as optimum:
            model = optimum.compute()
    return model
