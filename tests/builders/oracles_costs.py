"""The best machine of a theory by solvers that look for it: CP-SAT for the cheapest, RC2 MaxSAT for the fewest choices lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ortools.sat.python import cp_model
from pysat.examples.rc2 import RC2
from pysat.formula import WCNF

from tests.builders.oracles import Clauses, Meanings, Pair, Theory, plain_meanings


class Cheapest:
    """CP-SAT over the clauses of a theory and its prices."""

    def __init__(self, theory: Theory, meanings: Meanings | None = None) -> None:
        self.theory = theory
        self.clauses = Clauses(theory)
        self.meanings = meanings or plain_meanings(theory)
        self.model = cp_model.CpModel()
        self.literals = [self.model.new_bool_var(f"x{number}") for number in range(self.clauses.top)]
        for clause in self.clauses.everything():
            self.model.add_bool_or([self.literal(number) for number in clause])

    def literal(self, number: int) -> Any:
        return self.literals[number] if number > 0 else self.literals[-number].negated()

    def price(self, pairs: Iterable[Pair], prices: Mapping[Pair, int] | None = None) -> int | None:
        """Return the least price of a machine with these options; None if there is none. `prices`: others than the theory's."""
        model = self.model.clone()
        costs = self.theory.prices if prices is None else prices
        fixed = [self.clauses.literals[value] for pair in pairs for value in self.meanings[pair].items()]
        if fixed:
            model.add_bool_and([self._in(model, number) for number in fixed])
        model.minimize(sum(cost * self._in(model, self.clauses.literals[pair]) for pair, cost in costs.items()))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return None
        assert status == cp_model.OPTIMAL, solver.status_name(status)
        return self.theory.base_price + round(solver.objective_value)

    @staticmethod
    def _in(model: cp_model.CpModel, number: int) -> Any:
        literal = model.get_bool_var_from_proto_index(abs(number))
        return literal if number > 0 else literal.negated()


def fewest_lost(clauses: Clauses, meanings: Meanings, wanted: Sequence[Pair], choices: Iterable[Pair]) -> int | None:
    """Return how few of the choices must be given up for the wanted options; None if no machine has them."""
    problem = WCNF()
    problem.extend(clauses.everything())
    problem.extend([[clauses.literals[value]] for pair in wanted for value in meanings[pair].items()])
    helper = clauses.top
    for pair in choices:
        literals = [clauses.literals[value] for value in meanings[pair].items()]
        problem.extend([[-helper, literal] for literal in literals])
        problem.append([helper], weight=1)
        helper += 1
    with RC2(problem) as solver:
        return solver.cost if solver.compute() is not None else None
