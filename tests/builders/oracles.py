"""The oracle: what a model means, said once more by other means, to judge the engine by.

A `Theory` is variables with values and rules between them as plain formulas. `oracles_files` reads one from a public
file, `oracles_rules` from the rules of a `Model`; neither knows the importers or the engine. Here a SAT solver answers
for a theory (one literal for each value, a single one for a variable of two values), `oracles_counting` counts and
`oracles_costs` optimises.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from pysat.solvers import Solver

Assignment = Mapping[str, str]
"""Variable -> value."""
Clause = list[int]

BOOLEAN = ("no", "yes")


# ---------------------------------------------------------------- formulas


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A variable has one of some values, or formulas joined. Parts may be shared."""

    kind: Literal["is", "not", "and", "or"]
    parts: tuple[Formula, ...] = ()
    variable: str = ""
    values: frozenset[str] = frozenset()

    def variables(self) -> set[str]:
        """Every variable it speaks of."""
        found, waiting, seen = set(), [self], set()
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += one.parts
                found |= {one.variable} if one.kind == "is" else set()
        return found


def has(variable: str, *values: str) -> Formula:
    return Formula("is", variable=variable, values=frozenset(values))


def negation(part: Formula) -> Formula:
    return part.parts[0] if part.kind == "not" else Formula("not", (part,))


def all_of(parts: Iterable[Formula]) -> Formula:
    found = tuple(parts)
    if not found:
        return ALWAYS
    return found[0] if len(found) == 1 else Formula("and", found)


def any_of(parts: Iterable[Formula]) -> Formula:
    found = tuple(parts)
    if not found:
        return NEVER
    return found[0] if len(found) == 1 else Formula("or", found)


def implies(left: Formula, right: Formula) -> Formula:
    return any_of([negation(left), right])


ALWAYS, NEVER = Formula("and"), Formula("or")


Term = Mapping[int, Formula]
"""A number that depends on choices: each amount it can be, and when. One of the formulas always holds, and only one."""


def term(variable: str, gains: Mapping[str, int]) -> Term:
    """What the value of a variable adds."""
    by_gain: dict[int, list[str]] = {}
    for value, gain in gains.items():
        by_gain.setdefault(gain, []).append(value)
    return {gain: has(variable, *values) for gain, values in by_gain.items()}


def within(terms: Sequence[Term], lowest: float, highest: float) -> Formula:
    """The terms add up to something between two bounds, both included.

    Worked out term by term, those that take away last; what must still be reached is a formula that is shared.
    """
    terms = sorted(terms, key=min, reverse=True)
    least, most = [0], [0]
    for gains in reversed(terms):
        least.append(least[-1] + min(gains))
        most.append(most[-1] + max(gains))
    least, most = least[::-1], most[::-1]
    known: dict[tuple[int, int], Formula] = {}

    def rest(place: int, total: int) -> Formula:
        if total + least[place] >= lowest and total + most[place] <= highest:
            return ALWAYS
        if total + most[place] < lowest or total + least[place] > highest:
            return NEVER
        if (place, total) not in known:
            ways = [(when, rest(place + 1, total + gain)) for gain, when in terms[place].items()]
            known[place, total] = any_of(when if way is ALWAYS else all_of([when, way]) for when, way in ways if way is not NEVER)
        return known[place, total]

    return rest(0, 0)


@dataclass
class Theory:
    """Variables with their values, and the rules between them, each with a name."""

    name: str
    domains: dict[str, tuple[str, ...]]
    rules: list[tuple[str, Formula]] = field(default_factory=list)
    prices: dict[tuple[str, str], int] = field(default_factory=dict)
    """What a value adds to the price, in minor units; nothing where it is not named."""
    base_price: int = 0

    def obeys(self, assignment: Assignment) -> bool:
        """Tell whether an assignment of all variables keeps all rules."""
        known: dict[Formula, bool] = {}
        return all(_holds(rule, assignment, known) for _, rule in self.rules)

    def price(self, assignment: Assignment) -> int:
        """What a full assignment costs."""
        return self.base_price + sum(self.prices.get(pair, 0) for pair in assignment.items())


def _holds(formula: Formula, assignment: Assignment, known: dict[Formula, bool]) -> bool:
    if formula.kind == "is":
        return assignment[formula.variable] in formula.values
    if formula not in known:
        parts = (_holds(part, assignment, known) for part in formula.parts)
        match formula.kind:
            case "not":
                known[formula] = not next(parts)
            case "and":
                known[formula] = all(parts)
            case _:
                known[formula] = any(parts)
    return known[formula]


# ---------------------------------------------------------------- clauses


class Clauses:
    """A theory as clauses: `structure` (each variable has one value) and those of each rule.

    Parts of a formula get a literal of their own, equivalent to them (Tseitin 1968), and its clauses belong to the rule.
    """

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self.literals: dict[tuple[str, str], int] = {}
        self.structure: list[Clause] = []
        self._numbers = itertools.count(1)
        for variable, values in theory.domains.items():
            self._number(variable, values)
        self.rules = [self._rule(rule) for _, rule in theory.rules]
        self.top = next(self._numbers)
        """A number that no literal has yet, nor any above it."""

    def _number(self, variable: str, values: Sequence[str]) -> None:
        if len(values) == 2:
            number = next(self._numbers)
            self.literals |= {(variable, values[0]): -number, (variable, values[1]): number}
            return
        numbers = [next(self._numbers) for _ in values]
        self.literals |= {(variable, value): number for value, number in zip(values, numbers, strict=True)}
        self.structure += [numbers, *([-one, -other] for one, other in itertools.combinations(numbers, 2))]

    def _rule(self, rule: Formula) -> list[Clause]:
        clauses: list[Clause] = []
        known: dict[Formula, int] = {}
        for part in rule.parts if rule.kind == "and" else (rule,):
            clauses.append(list(self._as_clause(part, known, clauses)))
        return clauses

    def _as_clause(self, formula: Formula, known: dict[Formula, int], clauses: list[Clause]) -> Iterator[int]:
        if formula.kind == "or":
            for part in formula.parts:
                yield from self._as_clause(part, known, clauses)
        elif formula.kind == "is":
            yield from (self.literals[formula.variable, value] for value in sorted(formula.values))
        else:
            yield self._literal(formula, known, clauses)

    def _literal(self, formula: Formula, known: dict[Formula, int], clauses: list[Clause]) -> int:
        """The literal that is true exactly if the formula is."""
        if formula.kind == "not":
            return -self._literal(formula.parts[0], known, clauses)
        if formula.kind == "is" and len(formula.values) == 1:
            (value,) = formula.values
            return self.literals[formula.variable, value]
        if formula not in known:
            if formula.kind == "is":
                inside = [self.literals[formula.variable, value] for value in sorted(formula.values)]
            else:
                inside = [self._literal(part, known, clauses) for part in formula.parts]
            sign = -1 if formula.kind == "and" else 1
            own = known[formula] = next(self._numbers)
            clauses.append([-sign * own, *(sign * one for one in inside)])
            clauses += ([sign * own, -sign * one] for one in inside)
        return known[formula]

    def everything(self) -> list[Clause]:
        """All clauses together."""
        return [*self.structure, *(clause for rule in self.rules for clause in rule)]


# ---------------------------------------------------------------- what is possible

Pair = tuple[str, str]
"""A group of a model and one of its options."""
Meanings = Mapping[Pair, Assignment]
"""What each option of a model is in the theory: its values of one or several variables."""


def plain_meanings(theory: Theory) -> dict[Pair, Assignment]:
    """Every variable is a group, and its values the options."""
    return {(variable, value): {variable: value} for variable, values in theory.domains.items() for value in values}


class Oracle:
    """A SAT solver that knows a theory: a call for each option that no machine seen so far has shown to be possible.

    A machine seen is kept as the set of its options, one bit for each.
    """

    def __init__(self, theory: Theory, meanings: Meanings | None = None, decisions: Mapping[Pair, str] | None = None) -> None:
        self.theory = theory
        self.clauses = Clauses(theory)
        self.meanings = meanings or plain_meanings(theory)
        self.decisions = decisions or {pair: pair[0] for pair in self.meanings}
        """Options of one decision exclude each other; a choice says nothing about its own decision."""
        self.solver = Solver(name="cadical153", bootstrap_with=self.clauses.everything())
        self.pairs = list(self.meanings)
        self.place = {pair: place for place, pair in enumerate(self.pairs)}
        for number, assignment in enumerate(self.meanings.values(), start=self.clauses.top):
            literals = [self.clauses.literals[pair] for pair in assignment.items()]
            self.solver.add_clause([number, *(-literal for literal in literals)])
            self.solver.append_formula([[-number, literal] for literal in literals])
        self.seen: deque[int] = deque(maxlen=400)
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.solver.delete()

    def machine(self, choices: Iterable[Pair]) -> int:
        """Return the options of a machine that keeps the choices, as bits and one bit beyond them; 0 if there is none."""
        self.calls += 1
        if not self.solver.solve(assumptions=[self.clauses.top + self.place[pair] for pair in choices]):
            return 0
        model = self.solver.get_model()[self.clauses.top - 1 : self.clauses.top - 1 + len(self.pairs)]
        bits = int.from_bytes(np.packbits(np.array(model) > 0, bitorder="little").tobytes(), "little") | 1 << len(self.pairs)
        self.seen.append(bits)
        return bits

    def bits(self, pairs: Iterable[Pair]) -> int:
        return sum({1 << self.place[pair] for pair in pairs})

    def possible(self, choices: Sequence[Pair], within: frozenset[Pair] | None = None) -> frozenset[Pair]:
        """Return every option that goes together with the choices of all other decisions.

        `within`: what was possible with some of these choices; nothing else is looked at.
        """
        found: set[Pair] = set()
        own = {self.decisions[pair] for pair in choices}
        candidates = [pair for pair in self.pairs if self.decisions[pair] not in own]
        self._search(found, choices, candidates if within is None else [pair for pair in candidates if pair in within])
        for chosen in choices:
            same = [pair for pair in self.pairs if self.decisions[pair] == self.decisions[chosen]]
            self._search(found, [pair for pair in choices if pair != chosen], same)
        return frozenset(found)

    def _search(self, found: set[Pair], choices: Sequence[Pair], candidates: Sequence[Pair]) -> None:
        held = self.bits(choices)
        known = 0
        for machine in self.seen:
            if machine & held == held:
                known |= machine
        known = known or self.machine(choices)
        if not known:
            return
        for pair in candidates:
            if not known >> self.place[pair] & 1:
                known |= self.machine([*choices, pair])
            if known >> self.place[pair] & 1:
                found.add(pair)


class RuleOracle:
    """A SAT solver in which every rule can be left out: it judges explanations."""

    def __init__(self, theory: Theory, meanings: Meanings | None = None) -> None:
        self.clauses = Clauses(theory)
        self.meanings = meanings or plain_meanings(theory)
        self.solver = Solver(name="cadical153", bootstrap_with=self.clauses.structure)
        self.selectors = {name: self.clauses.top + place for place, (name, _) in enumerate(theory.rules)}
        for (name, _), clauses in zip(theory.rules, self.clauses.rules, strict=True):
            for clause in clauses:
                self.solver.add_clause([-self.selectors[name], *clause])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.solver.delete()

    def some_obeys(self, pairs: Iterable[Pair], rules: Iterable[str]) -> bool:
        """Tell whether some assignment has these options and keeps these rules."""
        wanted = [self.clauses.literals[value] for pair in pairs for value in self.meanings[pair].items()]
        return bool(self.solver.solve(assumptions=[*wanted, *(self.selectors[rule] for rule in rules)]))
