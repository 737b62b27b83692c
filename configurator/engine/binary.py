"""Compiles a large model by way of a binary decision diagram: what is known first, then an order, then the rules.

Values no machine has are left out, decisions that follow from another stand right behind it and their rules speak of
the leader, and the rest is ordered so that rules span little (`pruning`, `ordering`). The rules are then conjoined
from the bottom up in a process of its own (`conjoining`), which is ended when its time is up.
"""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from configurator.engine.building import DEAD, Builder, Layer
from configurator.engine.clauses import LEAF_BUDGET, Clauses
from configurator.engine.constraints import Constraints
from configurator.engine.deadlines import NEVER_ENDING, Deadline
from configurator.engine.diagram import Diagram
from configurator.engine.formulas import ALWAYS, Among, Inside, Joined, Within
from configurator.engine.layering import layers_of, scope_of
from configurator.engine.ordering import close_orders
from configurator.engine.pruning import Known, Rewriter, learn

_ROOT = Path(__file__).parents[2]


class OutOfBudget(Exception):
    """The process took more nodes or more time than it may."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is conjoined: in parts, each of them rules (formulas) that hold together; some part holds."""

    known: Known
    order: tuple[int, ...]
    """The open decisions, followers right behind their leaders."""
    parts: tuple[tuple[int, ...], ...]


class Planner:
    """Plans for one model, which has at least one machine as `known` says."""

    def __init__(self, constraints: Constraints, clauses: Clauses, known: Known, deadline: Deadline = NEVER_ENDING) -> None:
        self.deadline = deadline
        self.constraints = constraints
        self.clauses = clauses
        self.known = known
        self.rules = self._rules(known)
        scopes = (scope_of(constraints, rule) for rule in self.rules)
        self.leaders = [variable for variable, alive in enumerate(known.alive) if len(alive) > 1 and variable not in known.follows]
        self.scopes = sorted({self._led(scope) for scope in scopes}, key=sorted)
        """The leaders each rule speaks of."""

    def _led(self, scope: Iterable[int]) -> frozenset[int]:
        follows = self.known.follows
        led = {follows[variable][0] if variable in follows else variable for variable in scope}
        return frozenset(variable for variable in led if len(self.known.alive[variable]) > 1)

    def _rules(self, known: Known) -> list[int]:
        """The rules with what is known put in, taken apart where they are several."""
        formulas = self.constraints.formulas
        rewriter = Rewriter(formulas, self.clauses.classes, known)
        apart: set[int] = set()
        for rule in self.constraints.rules:
            self.deadline.check()
            left = rewriter.rewritten(rule)
            node = formulas.nodes[left]
            apart.update(node.parts if isinstance(node, Joined) and node.how == "all" else (left,))
        return sorted(apart - {ALWAYS})

    def orders(self) -> list[list[int]]:
        """Orders of the leaders worth trying, the most promising first."""
        return close_orders(self.leaders, self.scopes, self.deadline)

    def whole(self, leaders: Sequence[int]) -> Plan:
        """All rules at once, in an order of the leaders."""
        order = self._with_followers(leaders)
        return Plan(self.known, order, (self._sorted([*self._links(self.known), *self.rules], order),))

    def split(self, leaders: Sequence[int]) -> Plan:
        """One part for each class of the decision most rules speak of: what else is known then makes the rules small."""
        hub = max(self.leaders, key=lambda variable: sum(variable in scope for scope in self.scopes) * len(self.known.alive[variable]))
        order = self._with_followers(leaders)
        parts = []
        for number in self.known.alive[hub]:
            known = learn(self.clauses, [self.clauses.by_class[hub][number]], self.deadline)
            assert known is not None
            facts = [self._among(variable, known.alive[variable]) for variable in order]
            parts.append(self._sorted([*facts, *self._links(known), *self._rules(known)], order))
        return Plan(self.known, order, tuple(parts))

    def _with_followers(self, leaders: Sequence[int]) -> tuple[int, ...]:
        followers: dict[int, list[int]] = {}
        for variable, (leader, _) in sorted(self.known.follows.items()):
            followers.setdefault(leader, []).append(variable)
        return tuple(variable for leader in leaders for variable in (leader, *followers.get(leader, ())))

    def _among(self, variable: int, numbers: Sequence[int]) -> int:
        """The variable has one of these classes."""
        wanted = set(numbers)
        values = sum(1 << value for value, number in enumerate(self.clauses.classes[variable]) if number in wanted)
        return self.constraints.formulas.inside(variable, values)

    def _links(self, known: Known) -> list[int]:
        """For each follower the rule that it follows, in parts by what follows."""
        formulas = self.constraints.formulas
        links = []
        for variable, (leader, table) in known.follows.items():
            for follower in sorted(set(table.values())):
                leading = self._among(leader, [number for number, follows in table.items() if follows == follower])
                links.append(formulas.any_of([formulas.negated(leading), self._among(variable, [follower])]))
        return [link for link in links if link != ALWAYS]

    def _sorted(self, rules: Iterable[int], order: Sequence[int]) -> tuple[int, ...]:
        """Rules in the order in which they are conjoined: those that begin furthest down first."""
        places = {variable: place for place, variable in enumerate(order)}

        def span(rule: int) -> tuple[int, int, int]:
            self.deadline.check()
            inside = [places[variable] for variable in scope_of(self.constraints, rule) if variable in places]
            return -min(inside, default=0), -max(inside, default=0), rule

        return tuple(sorted(set(rules) - {ALWAYS}, key=span))


class _Task:
    """A plan as JSON for the process."""

    def __init__(self, constraints: Constraints, classes: Sequence[Sequence[int]], plan: Plan, deadline: Deadline) -> None:
        self.deadline = deadline
        self.constraints = constraints
        self.classes = classes
        self.alive = plan.known.alive
        self.layers = {variable: place for place, variable in enumerate(plan.order)}
        self.formulas: list[Any] = []
        self._places: dict[int, int] = {}
        self.widths = [len(self.alive[variable]) for variable in plan.order]
        self.parts = [[self._place(rule) for rule in part] for part in plan.parts]

    def _place(self, formula: int) -> int:
        """Write a formula after its parts; the place where it stands."""
        place = self._places.get(formula)
        if place is None:
            written = self._written(formula)
            place = self._places[formula] = len(self.formulas)
            self.formulas.append(written)
        return place

    def _written(self, formula: int) -> list[Any]:
        self.deadline.check()
        match self.constraints.formulas.nodes[formula]:
            case Inside(variable=variable, values=values):
                first = [self.classes[variable].index(number) for number in self.alive[variable]]
                return ["set", self.layers[variable], [place for place, value in enumerate(first) if values >> value & 1]]
            case Joined(how=how, parts=parts):
                return [how, [self._place(part) for part in parts]]
            case Within() | Among():
                return self._walk(formula)
        return ["all" if formula == ALWAYS else "any", []]

    def _walk(self, formula: int) -> list[Any]:
        """The small diagram of one sum or table. Raises TooLarge."""
        scope = sorted(scope_of(self.constraints, formula), key=lambda variable: self.layers.get(variable, -1))
        layers = [self._living(layer) for layer in layers_of(self.constraints, scope, self.classes)]
        builder = Builder(self.constraints.formulas, layers, LEAF_BUDGET, deadline=self.deadline)
        root = builder.build([formula])
        tables = [[list(children) for children in nodes] for nodes in builder.nodes]
        return ["any", []] if root == DEAD else ["walk", [self.layers.get(variable) for variable in scope], tables, root]

    def _living(self, layer: Layer) -> Layer:
        """A layer without the classes that are dead."""
        alive = self.alive[layer.variable]
        gains = {total: tuple(gain[number] for number in alive) for total, gain in layer.gains.items()}
        return Layer(layer.variable, tuple(layer.representatives[number] for number in alive), gains)

    def text(self, seconds: float, megabytes: int) -> str:
        limits = {"seconds": math.ceil(seconds), "megabytes": megabytes}
        return json.dumps({"widths": self.widths, "formulas": self.formulas, "parts": self.parts, **limits})


def task_of(planner: Planner, plan: Plan, *, seconds: float, megabytes: int) -> bytes:
    """Write down what the process is to do. Raises TooLarge for a sum or table that is too large by itself, OutOfTime."""
    return _Task(planner.constraints, planner.clauses.classes, plan, planner.deadline).text(seconds, megabytes).encode()


def conjoin(classes: Sequence[Sequence[int]], plan: Plan, task: bytes, seconds: float) -> Diagram:
    """Run a plan, for so many seconds by the clock. Raises OutOfBudget."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}
    program = [sys.executable, "-m", "configurator.engine.conjoining"]
    try:
        done = subprocess.run(program, input=task, capture_output=True, timeout=seconds, env=environment, check=False)  # noqa: S603 - our own program
    except subprocess.TimeoutExpired as error:
        raise OutOfBudget from error
    if done.returncode:
        raise OutOfBudget(done.stderr.decode())
    answer = io.BytesIO(done.stdout)
    return _diagram(plan, classes, np.load(answer), np.load(answer))


def _diagram(plan: Plan, classes: Sequence[Sequence[int]], counts: Any, arcs: Any) -> Diagram:
    """Put decided variables, each a layer with one arc, before the layers that were found."""
    alive = plan.known.alive
    decided = [variable for variable, numbers in enumerate(classes) if max(numbers) > 0 and len(alive[variable]) == 1]
    ahead = len(decided)
    numbers = np.array([number for variable in plan.order for number in alive[variable]], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(alive[variable]) for variable in plan.order])]).astype(np.int64)
    node_starts = np.concatenate([np.arange(ahead), ahead + np.concatenate([[0], np.cumsum(counts)])])
    layer = np.searchsorted(node_starts, arcs[:, 0] + ahead, side="right") - 1 - ahead
    top = np.arange(ahead)
    src, dst = (np.concatenate([top + step, arcs[:, step] + ahead]).astype(np.int32) for step in (0, 1))
    cls = np.concatenate([[alive[variable][0] for variable in decided], numbers[offsets[layer] + arcs[:, 2]]]).astype(np.int32)
    order = (*decided, *plan.order)
    ends = np.concatenate([np.arange(ahead), ahead + np.searchsorted(layer, np.arange(len(plan.order) + 1))])
    return Diagram(
        order,
        tuple(tuple(numbers) for numbers in classes),
        tuple(variable for variable, numbers in enumerate(classes) if max(numbers) == 0),
        np.concatenate([node_starts, [node_starts[-1] + 1]]).astype(np.int32),
        ends.astype(np.int32),
        src,
        dst,
        cls,
    )
