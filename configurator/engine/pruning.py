"""What a SAT solver knows of a model before it is compiled: values no machine has, and decisions that follow others.

Real models are full of both (a mandatory feature, an attribute that is the board's in all but name). Without them the
rules fall apart into smaller ones, and a good order of the variables shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pysat.solvers import Solver

from configurator.engine.clauses import Clauses
from configurator.engine.deadlines import NEVER_ENDING, Deadline
from configurator.engine.formulas import ALWAYS, NEVER, Among, Formulas, Inside, Joined


@dataclass(frozen=True, slots=True)
class Known:
    """Facts about every machine."""

    alive: tuple[tuple[int, ...], ...]
    """For each variable, the classes that some machine has."""
    follows: Mapping[int, tuple[int, Mapping[int, int]]]
    """A variable whose class follows from that of another: the other, and class by class what follows."""


def learn(clauses: Clauses, assumed: Sequence[int] = (), deadline: Deadline = NEVER_ENDING) -> Known | None:
    """Find out what is known of the machines for which the assumed literals hold; None if there are none. Raises OutOfTime."""
    with Solver("glucose4", bootstrap_with=clauses.clauses) as solver:
        for literal in [*clauses.selectors, *assumed]:
            solver.add_clause([literal])
        if not solver.solve():
            return None
        alive = _alive(solver, clauses.by_class, deadline)
        return Known(alive, _followers(solver, clauses.by_class, alive, deadline))


def _alive(solver: Solver, by_class: Sequence[Sequence[int]], deadline: Deadline) -> tuple[tuple[int, ...], ...]:
    """Ask for every class whether some machine has it; each machine found answers for all of its classes."""
    unseen = {literal: None for literals in by_class for literal in literals}
    dead = set()
    while unseen:
        for literal in solver.get_model():
            unseen.pop(literal, None)
        while unseen:
            deadline.check()
            literal = next(iter(unseen))
            if solver.solve(assumptions=[literal]):
                break
            del unseen[literal]
            dead.add(literal)
            solver.add_clause([-literal])
    return tuple(tuple(number for number, literal in enumerate(literals) if literal not in dead) for literals in by_class)


def _followers(
    solver: Solver, by_class: Sequence[Sequence[int]], alive: Sequence[Sequence[int]], deadline: Deadline
) -> dict[int, tuple[int, Mapping[int, int]]]:
    """Find decisions that follow from another by unit propagation, whatever the other's class is."""
    meaning = {
        literals[number]: (variable, number)
        for variable, literals in enumerate(by_class)
        for number in alive[variable]
        if len(alive[variable]) > 1
    }
    determined: dict[int, dict[int, dict[int, int]]] = {}
    for variable, numbers in enumerate(alive):
        if len(numbers) == 1:
            continue
        tables: dict[int, dict[int, int]] | None = None
        for number in numbers:
            deadline.check()
            _, implied = solver.propagate(assumptions=[by_class[variable][number]])
            decided = dict(meaning[literal] for literal in implied if literal in meaning)
            if tables is None:
                tables = {other: {} for other in decided if other != variable}
            tables = {other: {**table, number: decided[other]} for other, table in tables.items() if other in decided}
            if not tables:
                break
        determined[variable] = tables or {}
    return _leaders(determined)


def _leaders(determined: Mapping[int, Mapping[int, Mapping[int, int]]]) -> dict[int, tuple[int, Mapping[int, int]]]:
    """Choose for each follower a leader that follows nobody; of two that follow each other the earlier one leads."""
    leaders: dict[int, list[int]] = {}
    for variable, tables in determined.items():
        for other in tables:
            if other > variable or variable not in determined[other]:
                leaders.setdefault(other, []).append(variable)
    follows = {}
    for follower, candidates in leaders.items():
        top = next((leader for leader in candidates if leader not in leaders), None)
        if top is not None:
            follows[follower] = (top, determined[top][follower])
    return follows


class Rewriter:
    """Writes rules anew without what is known: without dead values, and with leaders in the place of followers."""

    def __init__(self, formulas: Formulas, classes: Sequence[Sequence[int]], known: Known) -> None:
        self.formulas = formulas
        self.classes = classes
        self.known = known
        self.alive = [
            sum(1 << value for value, number in enumerate(numbers) if number in alive)
            for numbers, alive in zip(classes, known.alive, strict=True)
        ]
        """For each variable, the values that are alive, as bits."""
        self._written: dict[int, int] = {NEVER: NEVER, ALWAYS: ALWAYS}

    def rewritten(self, formula: int) -> int:
        """Write a formula anew: the same for every machine that has only values that are alive."""
        written = self._written.get(formula)
        if written is None:
            written = self._written[formula] = self._rewritten(formula)
        return written

    def _rewritten(self, formula: int) -> int:
        match self.formulas.nodes[formula]:
            case Joined(how=how, parts=parts):
                join = self.formulas.all_of if how == "all" else self.formulas.any_of
                return join([self.rewritten(part) for part in parts])
            case Inside(variable=variable, values=values):
                return self._inside(variable, values)
            case Among(variables=variables, rows=rows, listed=listed):
                return self._among(variables, rows, listed=listed)
        return formula

    def _inside(self, variable: int, values: int) -> int:
        alive = self.alive[variable]
        if variable in self.known.follows:
            leader, table = self.known.follows[variable]
            numbers = {number for value, number in enumerate(self.classes[variable]) if values >> value & 1}
            values = sum(1 << value for value, number in enumerate(self.classes[leader]) if table.get(number) in numbers)
            variable, alive = leader, self.alive[leader]
        if values & alive == alive:
            return ALWAYS
        return self.formulas.inside(variable, values & alive)

    def _among(self, variables: tuple[int, ...], rows: frozenset[tuple[int, ...]], *, listed: bool) -> int:
        """Keep what is alive of a table, in terms of the first value of each class; without decided columns."""
        numbered = {tuple(self.classes[variable][value] for variable, value in zip(variables, row, strict=True)) for row in rows}
        alive = [frozenset(self.known.alive[variable]) for variable in variables]
        kept = {row for row in numbered if all(number in numbers for number, numbers in zip(row, alive, strict=True))}
        places = [place for place, numbers in enumerate(alive) if len(numbers) > 1]
        kept = {tuple(row[place] for place in places) for row in kept}
        scope, kept = self._led([variables[place] for place in places], kept)
        if not kept:
            return NEVER if listed else ALWAYS
        if len(kept) == math.prod(len(self.known.alive[variable]) for variable in scope):
            return ALWAYS if listed else NEVER
        firsts = [{number: self.classes[variable].index(number) for number in self.known.alive[variable]} for variable in scope]
        values = [tuple(first[number] for first, number in zip(firsts, row, strict=True)) for row in kept]
        return self.formulas.among(tuple(scope), values, listed=listed)

    def _led(self, scope: list[int], rows: set[tuple[int, ...]]) -> tuple[list[int], set[tuple[int, ...]]]:
        """Put leaders in the place of followers: where the leader has a column already, or has a class for each of theirs."""
        for place in range(len(scope) - 1, -1, -1):
            if scope[place] not in self.known.follows:
                continue
            leader, table = self.known.follows[scope[place]]
            if leader in scope:
                column = scope.index(leader)
                rows = {row[:place] + row[place + 1 :] for row in rows if table[row[column]] == row[place]}
                scope = scope[:place] + scope[place + 1 :]
            elif len(set(table.values())) == len(table):
                back = {follower: number for number, follower in table.items()}
                rows = {(*row[:place], back[row[place]], *row[place + 1 :]) for row in rows if row[place] in back}
                scope = [*scope[:place], leader, *scope[place + 1 :]]
        return scope, rows
