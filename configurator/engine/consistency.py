"""Which rules go together? For those who write models: what contradicts, what is implied, what can never be broken.

A SAT solver is given every rule twice, as it is and the other way round, each behind a switch of its own; a question
is which switches may be on together. Nothing is compiled, so hundreds of questions cost less than one diagram.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pysat.solvers import Solver

from configurator.engine.clauses import Clauses
from configurator.engine.constraints import Constraints
from configurator.language.conditions import And, Condition, Not
from configurator.language.specification import Model, Rule


class Consistency:
    """Questions about the rules of one model; a rule is meant by its id."""

    def __init__(self, model: Model) -> None:
        rules = model.rules
        clauses = Clauses(Constraints(replace(model, rules=(*rules, *map(broken, rules)))))
        self.kept: Mapping[str, int] = {rule.id: clauses.selectors[place] for place, rule in enumerate(rules)}
        """For each rule the switch that it is kept."""
        self.broken: Mapping[str, int] = {rule.id: clauses.selectors[len(rules) + place] for place, rule in enumerate(rules)}
        """For each rule the switch that it is broken."""
        self._solver = Solver("minisat22", bootstrap_with=clauses.clauses)

    def contradiction(self) -> list[str] | None:
        """A smallest part of the rules that no machine keeps together; None if some machine keeps all."""
        return self._conflict(self.kept, [])

    def is_breakable(self, rule: str) -> bool:
        """Some machine that can be imagined breaks the rule."""
        return bool(self._solver.solve(assumptions=[self.broken[rule]]))

    def implied_by(self, rule: str) -> list[str] | None:
        """A smallest part of the other rules that a rule follows from; None if some machine breaks it and keeps the others."""
        return self._conflict((other for other in self.kept if other != rule), [self.broken[rule]])

    def _conflict(self, rules: Iterable[str], assumed: list[int]) -> list[str] | None:
        """The rules that cannot be kept together, none of which could be missed for that."""
        switches = {self.kept[rule]: rule for rule in rules}
        if self._solver.solve(assumptions=[*assumed, *switches]):
            return None
        guilty = self._core(switches)
        for switch in sorted(guilty):
            rest = [other for other in guilty if other != switch]
            if switch in guilty and not self._solver.solve(assumptions=[*assumed, *rest]):
                guilty = self._core(rest)
        return [rule for switch, rule in switches.items() if switch in guilty]

    def _core(self, switches: Iterable[int]) -> list[int]:
        named = set(self._solver.get_core() or ())
        return [switch for switch in switches if switch in named]


def broken(rule: Rule) -> Rule:
    """The rule that a machine breaks the rule."""
    against: Condition = Not(rule.require)
    if rule.when is not None:
        against = And((rule.when, against))
    return replace(rule, when=None, require=against)
