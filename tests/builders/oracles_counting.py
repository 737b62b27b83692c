"""Counting the machines of a theory exactly, with binary decision diagrams (CUDD by `dd`).

A variable is written in as many bits as its values need. The variables stand where FORCE puts them (Aloul 2003), and CUDD
reorders as it likes. The count walks the finished diagram with whole numbers: CUDD's own is a float.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

from dd import cudd

from tests.builders.oracles import ALWAYS, NEVER, Assignment, Formula, Oracle, Theory, all_of, any_of, has, negation

MEMORY = 3 << 30


def force(variables: Sequence[str], scopes: Sequence[set[str]], rounds: int = 60) -> list[str]:
    """Put variables that share rules near each other; of all rounds, the order in which the rules span least."""
    place = {variable: float(number) for number, variable in enumerate(variables)}
    best, shortest = list(variables), float("inf")
    for _ in range(rounds):
        pulls: dict[str, list[float]] = {variable: [] for variable in variables}
        for scope in scopes:
            centre = mean(place[variable] for variable in scope)
            for variable in scope:
                pulls[variable].append(centre)
        order = sorted(variables, key=lambda variable: mean(pulls[variable]) if pulls[variable] else place[variable])
        place = {variable: float(number) for number, variable in enumerate(order)}
        span = sum(max(place[one] for one in scope) - min(place[one] for one in scope) for scope in scopes)
        if span < shortest:
            best, shortest = order, span
    return best


def without_dead_values(theory: Theory) -> Theory:
    """The same machines, with the values that no machine has left out of domains and formulas (SAT tells which)."""
    with Oracle(theory) as oracle:
        alive = oracle.possible([])
    domains = {variable: tuple(value for value in values if (variable, value) in alive) for variable, values in theory.domains.items()}
    known: dict[Formula, Formula] = {}

    def simpler(formula: Formula) -> Formula:
        if formula not in known:
            known[formula] = _simplified(formula, [simpler(part) for part in formula.parts], domains)
        return known[formula]

    rules = [(name, simpler(rule)) for name, rule in theory.rules]
    kept = {variable: values for variable, values in domains.items() if len(values) > 1}
    return Theory(theory.name, kept, [(name, rule) for name, rule in rules if rule is not ALWAYS])


def _simplified(formula: Formula, parts: Sequence[Formula], domains: Mapping[str, Sequence[str]]) -> Formula:
    if formula.kind == "is":
        inside = formula.values.intersection(domains[formula.variable])
        return ALWAYS if len(inside) == len(domains[formula.variable]) else has(formula.variable, *inside) if inside else NEVER
    if formula.kind == "not":
        return NEVER if parts[0] is ALWAYS else ALWAYS if parts[0] is NEVER else negation(parts[0])
    decided, neutral = (NEVER, ALWAYS) if formula.kind == "and" else (ALWAYS, NEVER)
    if decided in parts:
        return decided
    left = [part for part in parts if part is not neutral]
    return (all_of(left) if formula.kind == "and" else any_of(left)) if left else neutral


class Diagram:
    """A theory as one BDD; with `bit_a_value` a variable has a bit for each of its values, of which one is set."""

    def __init__(self, theory: Theory, *, bit_a_value: bool = False) -> None:
        self.theory = theory
        self.bit_a_value = bit_a_value
        self.manager = cudd.BDD(memory_estimate=MEMORY)
        self.manager.configure(reordering=True)
        scopes = [scope for scope in (rule.variables() for _, rule in theory.rules) if len(scope) > 1]
        self.order = force(list(theory.domains), scopes)
        self.bits: dict[str, list[str]] = {}
        self.literals: dict[tuple[str, str], Any] = {}
        for number, variable in enumerate(self.order):
            values = theory.domains[variable]
            bits = len(values) if bit_a_value and len(values) > 2 else (len(values) - 1).bit_length()
            self.bits[variable] = [f"v{number}_{bit}" for bit in range(bits)]
            self.manager.declare(*self.bits[variable])
            for place, value in enumerate(values):
                self.literals[variable, value] = self.manager.cube(self._code(variable, place))
        self.root = self._conjoined()

    def _code(self, variable: str, place: int) -> dict[str, bool]:
        code = 1 << place if self.bit_a_value and len(self.theory.domains[variable]) > 2 else place
        return {bit: bool(code >> number & 1) for number, bit in enumerate(self.bits[variable])}

    def code(self, assignment: Assignment) -> dict[str, bool]:
        """The bits of some variables' values."""
        found: dict[str, bool] = {}
        for variable, value in assignment.items():
            found |= self._code(variable, self.theory.domains[variable].index(value))
        return found

    def _conjoined(self) -> Any:
        """Conjoin the rules, from those about the last variables upwards."""
        place = {variable: number for number, variable in enumerate(self.order)}
        inside = [has(variable, *values) for variable, values in self.theory.domains.items()]
        rules = [*inside, *(rule for _, rule in self.theory.rules)]
        root = self.manager.true
        for rule in sorted(rules, key=lambda rule: min((place[one] for one in rule.variables()), default=0), reverse=True):
            root &= self.formula(rule, {})
        return root

    def formula(self, formula: Formula, known: dict[Formula, Any]) -> Any:
        """A formula as a BDD."""
        if formula not in known:
            if formula.kind == "is":
                known[formula] = self._joined([self.literals[formula.variable, value] for value in formula.values], any_of=True)
            elif formula.kind == "not":
                known[formula] = ~self.formula(formula.parts[0], known)
            else:
                known[formula] = self._joined([self.formula(part, known) for part in formula.parts], any_of=formula.kind == "or")
        return known[formula]

    def _joined(self, parts: list[Any], *, any_of: bool) -> Any:
        """Join two and two, so that what is joined stays small for long."""
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            parts = [one | other if any_of else one & other for one, other in pairs] + parts[len(parts) & ~1 :]
        return parts[0] if parts else (self.manager.false if any_of else self.manager.true)

    def count(self, choices: Assignment | None = None) -> int:
        """Count the assignments that keep the choices, exactly."""
        root, bits = self.root, len(self.manager.vars)
        if choices:
            code = self.code(choices)
            root, bits = self.manager.let(code, root), bits - len(code)
        fixed = set(self.code(choices or {}))
        levels = sorted(level for bit, level in self.manager.var_levels.items() if bit not in fixed)
        rank = {level: number for number, level in enumerate(levels)} | {self.manager.false.level: bits}
        known: dict[int, int] = {}

        def ways(node: Any) -> int:
            """Over the variables from the node's own downwards."""
            if node == self.manager.true:
                return 1
            if node == self.manager.false:
                return 0
            here = rank[node.level]
            regular = ~node if node.negated else node
            if (number := known.get(int(regular))) is None:
                number = known[int(regular)] = sum(ways(child) << (rank[child.level] - here - 1) for child in (regular.low, regular.high))
            return (1 << (bits - here)) - number if node.negated else number

        return in_deep(lambda: ways(root) << rank[root.level])


def in_deep(work: Callable[[], int]) -> int:
    """Do what recurses deeply in a thread with a stack for it."""
    found: list[int] = []
    before = sys.getrecursionlimit(), threading.stack_size(256 << 20)
    sys.setrecursionlimit(100_000)
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    sys.setrecursionlimit(before[0])
    threading.stack_size(before[1])
    return found[0]
