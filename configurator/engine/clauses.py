"""The rules as clauses for a SAT solver, each rule behind a switch of its own.

A class of values that behave alike is one literal: a decision between two classes is one Boolean variable, one between
more has a variable for each, exactly one of which is true. A rule holds where its switch (a "selector") is assumed;
so the rules that matter for a question can be told from those that do not. Formulas inside formulas get a name that
implies them; they stand without negation, so one direction is enough (Plaisted and Greenbaum 1986). A sum or a
table is spelled out along its own small decision diagram (Eén and Sörensson 2006; Abío et al. 2012).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from configurator.engine.building import DEAD, Builder
from configurator.engine.constraints import Constraints
from configurator.engine.deadlines import NEVER_ENDING, Deadline
from configurator.engine.formulas import ALWAYS, NEVER, Among, Inside, Joined, Within
from configurator.engine.layering import Classes, classes_of, layers_of, scope_of

_PAIRWISE = 6
"""Up to so many literals, "at most one" is said of every two of them."""
LEAF_BUDGET = 200_000
"""States that the diagram of one sum or table may visit."""


class Clauses:
    """The clauses of a model. Literals are whole numbers as in DIMACS: negative for "not"."""

    def __init__(self, constraints: Constraints, classes: Classes | None = None, deadline: Deadline = NEVER_ENDING) -> None:
        self.constraints = constraints
        self.classes = classes_of(constraints) if classes is None else classes
        self.deadline = deadline
        """When the clauses must be there; OutOfTime is raised then."""
        self.names = 0
        """How many Boolean variables there are."""
        self.clauses: list[list[int]] = []
        self._named: dict[int, int] = {}
        self._tables: dict[tuple[int, int], int] = {}
        self.by_class = [self._literals(max(numbers) + 1) for numbers in self.classes]
        """For each variable, the literal of each class of its values."""
        self.selectors = [self._switch(rule) for rule in constraints.rules]
        """For each rule the literal that puts it in force."""

    def literal(self, variable: int, value: int) -> int:
        """The literal that says that the variable has the value, or one that behaves alike."""
        return self.by_class[variable][self.classes[variable][value]]

    def _name(self) -> int:
        self.names += 1
        return self.names

    def _literals(self, count: int) -> list[int]:
        """One literal for each class, exactly one of them true."""
        if count <= 2:
            name = self._name()
            if count == 1:
                self.clauses.append([name])
                return [name]
            return [-name, name]
        literals = [self._name() for _ in range(count)]
        self.clauses.append(list(literals))
        self._at_most_one(literals)
        return literals

    def _at_most_one(self, literals: Sequence[int]) -> None:
        """Say it of every two, or group by group with a name for "one of the group" (Klieber and Kwon 2007)."""
        if len(literals) <= _PAIRWISE:
            self.clauses += [[-one, -other] for one, other in itertools.combinations(literals, 2)]
            return
        commanders = []
        for begin in range(0, len(literals), _PAIRWISE - 2):
            group = literals[begin : begin + _PAIRWISE - 2]
            commander = self._name()
            self.clauses += [[-literal, commander] for literal in group]
            self._at_most_one(group)
            commanders.append(commander)
        self._at_most_one(commanders)

    def _switch(self, rule: int) -> int:
        """Put a rule behind a literal of its own."""
        selector = self._name()
        self._imply(selector, rule)
        return selector

    def _imply(self, name: int, formula: int) -> None:
        """The formula holds where the name is true."""
        self.deadline.check()
        node = self.constraints.formulas.nodes[formula]
        match node:
            case Joined(how="all", parts=parts):
                for part in parts:
                    self._imply(name, part)
            case Among(variables=variables, rows=rows, listed=False):
                for row in rows:
                    self.clauses.append([-name, *(-self.literal(*pair) for pair in zip(variables, row, strict=True))])
            case Within() | Among():
                self._imply_diagram(name, formula)
            case _ if formula != ALWAYS:
                self.clauses.append([-name, *self._any_of(formula)])

    def _any_of(self, formula: int) -> list[int]:
        """Literals of which one must be true for the formula to hold."""
        node = self.constraints.formulas.nodes[formula]
        match node:
            case None:
                assert formula == NEVER
                return []
            case Inside(variable=variable, values=values):
                numbers = self.classes[variable]
                return [self.by_class[variable][number] for number in sorted({numbers[value] for value in _bits(values)})]
            case Joined(how="any", parts=parts):
                return [literal for part in parts for literal in self._any_of(part)]
        name = self._named.get(formula)
        if name is None:
            name = self._named[formula] = self._name()
            self._imply(name, formula)
        return [name]

    def _imply_diagram(self, name: int, formula: int) -> None:
        """Follow the diagram of a sum or a table: a name for each node, which a value hands on to the next."""
        builder, root = leaf_diagram(self.constraints, formula, sorted(scope_of(self.constraints, formula)), self.classes, self.deadline)
        if root == DEAD:
            self.clauses.append([-name])
            return
        names = {root: name}
        for layer, nodes, free in zip(builder.layers, builder.nodes, builder.free[1:], strict=True):
            rows = {number: children for children, number in nodes.items()}
            below: dict[int, int] = {}
            for node, above in names.items():
                for literal, child in zip(self.by_class[layer.variable], rows[node], strict=True):
                    if child == DEAD:
                        self.clauses.append([-above, -literal])
                    elif child != free:
                        if child not in below:
                            below[child] = self._name()
                        self.clauses.append([-above, -literal, below[child]])
            names = below


def leaf_diagram(
    constraints: Constraints, formula: int, order: Sequence[int], classes: Sequence[Sequence[int]], deadline: Deadline = NEVER_ENDING
) -> tuple[Builder, int]:
    """Build the diagram of one sum or table alone. Raises TooLarge."""
    builder = Builder(constraints.formulas, layers_of(constraints, order, classes), LEAF_BUDGET, deadline=deadline)
    return builder, builder.build([formula])


def _bits(values: int) -> Iterable[int]:
    return (place for place in range(values.bit_length()) if values >> place & 1)
