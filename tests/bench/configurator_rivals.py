"""The engine's rivals doing its work, each in its sensible best use: PySAT, CP-SAT, and a BDD library (CUDD by dd).

All know the same theory and are asked after the same clicks. The price asked of them is the easier one: the cheapest
machine with an option, without defaults to be kept first. What a rival cannot do is left out of its column.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ortools.sat.python import cp_model
from pysat.examples.rc2 import RC2Stratified
from pysat.formula import WCNF

from tests.bench.configurator_clicks import Bench
from tests.builders.oracles import Clauses, Oracle, Pair, RuleOracle
from tests.builders.oracles_costs import fewest_lost
from tests.builders.oracles_counting import Diagram, without_dead_values

Work = Callable[[Sequence[Pair]], object]
Ask = Callable[[Sequence[Pair], Pair], object]


class Rival(Protocol):
    """Something that answers for a theory."""

    def works(self) -> Mapping[str, Work]:
        """By the kind of answer, what works it out for all options after a click."""

    def asks(self) -> Mapping[str, Ask]:
        """By the kind of answer ("repair", "explain"), what works it out for one excluded option."""


def others(bench: Bench, choices: Sequence[Pair], pair: Pair) -> list[Pair]:
    """The choices but for that of the option's own group."""
    return [each for each in choices if bench.subject.decisions[each] != bench.subject.decisions[pair]]


class Pysat:
    """A call for each literal, with assumptions, and every machine found used for all later answers."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        subject = bench.subject
        self.oracle = Oracle(subject.theory, subject.meanings, subject.decisions)
        self.clauses = Clauses(subject.theory)
        self.rules = RuleOracle(subject.theory, subject.meanings)
        self.days = sorted(set(bench.day_of.values()))

    def works(self) -> Mapping[str, Work]:
        return {"domains": self.oracle.possible, "dates": self.dates, "prices": self.prices}

    def asks(self) -> Mapping[str, Ask]:
        return {"repair": self.repair, "explain": self.explain}

    def dates(self, choices: Sequence[Pair]) -> object:
        """From the first day on: what is possible with nothing later; an option is asked for until it is."""
        found: dict[Pair, int] = {}
        for day in self.days:
            late = [-(self.oracle.clauses.top + self.oracle.place[pair]) for pair, its in self.bench.day_of.items() if its > day]
            for pair in self.oracle.pairs:
                if pair not in found:
                    wanted = [self.oracle.clauses.top + self.oracle.place[each] for each in (*others(self.bench, choices, pair), pair)]
                    if self.oracle.solver.solve(assumptions=[*wanted, *late]):
                        found[pair] = day
        return found

    def prices(self, choices: Sequence[Pair]) -> object:
        """MaxSAT (RC2, stratified) for each option."""
        return [self._least([*others(self.bench, choices, pair), pair]) for pair in self.oracle.possible(choices)]

    def _least(self, wanted: Sequence[Pair]) -> int:
        meanings, literals = self.bench.subject.meanings, self.clauses.literals
        problem = WCNF()
        problem.extend(self.clauses.everything())
        problem.extend([[literals[value]] for pair in wanted for value in meanings[pair].items()])
        floor = min(self.bench.price_of.values())
        for helper, (pair, price) in enumerate(self.bench.price_of.items(), start=self.clauses.top):
            values = [literals[value] for value in meanings[pair].items()]
            problem.append([helper, *(-value for value in values)])
            if price > floor:
                problem.append([-helper], weight=price - floor)
        with RC2Stratified(problem) as solver:
            solver.compute()
            return int(solver.cost)

    def repair(self, choices: Sequence[Pair], wanted: Pair) -> object:
        return fewest_lost(self.clauses, self.bench.subject.meanings, [wanted], others(self.bench, choices, wanted))

    def explain(self, choices: Sequence[Pair], wanted: Pair) -> object:
        """The core of one call, then each of its members tried without."""
        rules, literals = self.rules, self.rules.clauses.literals
        target = [literals[value] for value in rules.meanings[wanted].items()]
        own = {literals[value] for pair in others(self.bench, choices, wanted) for value in rules.meanings[pair].items()}
        rules.solver.solve(assumptions=[*target, *own, *rules.selectors.values()])
        core = [each for each in rules.solver.get_core() or [] if each not in target]
        for each in list(core):
            rest = [other for other in core if other != each]
            if not rules.solver.solve(assumptions=[*target, *rest]):
                core = [other for other in rules.solver.get_core() or [] if other not in target]
        return core


class CpSat:
    """A model built once; for each question a copy with what is fixed and what is wanted least."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        subject = bench.subject
        clauses = Clauses(subject.theory)
        self.model = cp_model.CpModel()
        variables = [self.model.new_bool_var("") for _ in range(clauses.top)]
        literal = [*variables, *(variable.negated() for variable in reversed(variables[1:]))]
        for clause in clauses.everything():
            self.model.add_bool_or([literal[number] for number in clause])
        self.options: dict[Pair, int] = {}
        for pair, values in subject.meanings.items():
            option = self.model.new_bool_var("")
            inside = [literal[clauses.literals[value]] for value in values.items()]
            self.model.add_bool_and(inside).only_enforce_if(option)
            self.model.add_bool_or([option, *(each.negated() for each in inside)])
            self.options[pair] = option.index

    def works(self) -> Mapping[str, Work]:
        return {"domains": self.domains, "dates": self.dates, "prices": self.prices}

    def asks(self) -> Mapping[str, Ask]:
        return {"repair": self.repair}

    def _solve(self, wanted: Sequence[Pair], least: Callable[[cp_model.CpModel, dict[Pair, Any]], object] | None) -> set[Pair]:
        model = self.model.clone()
        options = {pair: model.get_bool_var_from_proto_index(index) for pair, index in self.options.items()}
        model.add_bool_and([options[pair] for pair in wanted])
        if least:
            least(model, options)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return set()
        return {pair for pair, option in options.items() if solver.boolean_value(option)}

    def _for_all(self, choices: Sequence[Pair], least: Callable[[cp_model.CpModel, dict[Pair, Any]], object] | None) -> set[Pair]:
        """Solve for each option; without anything to be least, machines found show others to be possible."""
        found: set[Pair] = set()
        for pair in self.options:
            if pair not in found or least:
                machine = self._solve([*others(self.bench, choices, pair), pair], least)
                found |= machine if set(choices) <= machine else machine & {pair}
        return found

    def domains(self, choices: Sequence[Pair]) -> object:
        return self._for_all(choices, None)

    def prices(self, choices: Sequence[Pair]) -> object:
        prices = self.bench.price_of
        return self._for_all(choices, lambda model, options: model.minimize(sum(prices[pair] * each for pair, each in options.items())))

    def dates(self, choices: Sequence[Pair]) -> object:
        days = self.bench.day_of

        def least(model: cp_model.CpModel, options: dict[Pair, Any]) -> None:
            latest = model.new_int_var(min(days.values()), max(days.values()), "")
            for pair, option in options.items():
                model.add(latest >= days[pair]).only_enforce_if(option)
            model.minimize(latest)

        return self._for_all(choices, least)

    def repair(self, choices: Sequence[Pair], wanted: Pair) -> object:
        own = others(self.bench, choices, wanted)
        return self._solve([wanted], lambda model, options: model.minimize(sum(1 - options[pair] for pair in own)))


class Bdd:
    """The theory as one BDD, a bit for a value; a click is a cofactor, an option one more; costs by a walk over the nodes."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        subject = bench.subject
        alive = without_dead_values(subject.theory)
        with Oracle(subject.theory, subject.meanings, subject.decisions) as oracle:
            possible = oracle.possible([])
        self.meanings = {
            pair: {variable: value for variable, value in values.items() if variable in alive.domains}
            for pair, values in subject.meanings.items()
            if pair in possible
        }
        self.diagram = Diagram(alive, bit_a_value=True)
        self.manager = self.diagram.manager
        self.costs = self._bit_costs()
        sys.setrecursionlimit(100_000)

    def works(self) -> Mapping[str, Work]:
        return {"domains": self.domains, "counts": self.count, "prices": self.prices}

    def asks(self) -> Mapping[str, Ask]:
        return {}

    def cofactor(self, pairs: Sequence[Pair]) -> Any:
        code: dict[str, bool] = {}
        for pair in pairs:
            code |= self.diagram.code(self.meanings[pair])
        return self.manager.let(code, self.diagram.root) if code else self.diagram.root

    def _each(self, choices: Sequence[Pair]) -> Iterator[Any]:
        """The cofactor of each option that is possible."""
        now = self.cofactor(choices)
        own = {self.bench.subject.decisions[pair] for pair in choices}
        for pair, values in self.meanings.items():
            if self.bench.subject.decisions[pair] in own:
                node = self.cofactor([*others(self.bench, choices, pair), pair])
            else:
                code = self.diagram.code(values)
                node = self.manager.let(code, now) if code else now
            if node != self.manager.false:
                yield node

    def domains(self, choices: Sequence[Pair]) -> object:
        return sum(1 for _ in self._each(choices))

    def count(self, choices: Sequence[Pair]) -> object:
        """CUDD's own, a float."""
        return self.cofactor(choices).count(len(self.manager.vars))

    def prices(self, choices: Sequence[Pair]) -> object:
        """The shortest path to true for each option."""
        return [self._least(node, {}) for node in self._each(choices)]

    def _bit_costs(self) -> dict[str, tuple[int, int]]:
        """What a bit costs if it is not set, and if it is: the price of the option that alone is told by the value.

        One of the two is 0, so a bit that a path leaves out costs nothing.
        """
        meanings, theory = self.meanings, self.diagram.theory
        told = Counter(value for values in meanings.values() for value in values.items())
        costs: dict[str, tuple[int, int]] = {}
        for pair, values in meanings.items():
            if not values:
                continue  # in every machine
            variable, value = min(values.items(), key=lambda each: told[each])
            wide = len(theory.domains[variable]) > 2
            for bit, is_set in self.diagram.code({variable: value}).items():
                low, high = costs.get(bit, (0, 0))
                price = self.bench.price_of[pair]
                costs[bit] = (low, price) if is_set else (low if wide else price, high)
        return {bit: (low - min(low, high), high - min(low, high)) for bit, (low, high) in costs.items()}

    def _least(self, node: Any, known: dict[int, float]) -> float:
        if node == self.manager.true:
            return 0
        if node == self.manager.false:
            return float("inf")
        if int(node) not in known:
            low, high = (~node.low, ~node.high) if node.negated else (node.low, node.high)
            unset, is_set = self.costs.get(node.var, (0, 0))
            known[int(node)] = min(unset + self._least(low, known), is_set + self._least(high, known))
        return known[int(node)]


RIVALS: Mapping[str, Callable[[Bench], Rival]] = {"PySAT": Pysat, "CP-SAT": CpSat, "CUDD": Bdd}
