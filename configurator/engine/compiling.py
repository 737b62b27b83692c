"""Compiles rules into a diagram, within a budget: layer by layer first, by way of a binary diagram where that is not enough.

The builder (`building`) is quick for the shop's models and at home with sums; models of thousands of Boolean rules or
large tables go by way of `binary`. All attempts together have one budget, its seconds by the clock: what exceeds it is refused with what
made it large.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from configurator.engine.binary import OutOfBudget, Plan, Planner, conjoin, task_of
from configurator.engine.blame import contradictory_rules, too_large
from configurator.engine.building import DEAD, Builder, Layer
from configurator.engine.clauses import Clauses
from configurator.engine.constraints import Constraints
from configurator.engine.deadlines import Deadline, TooLarge
from configurator.engine.diagram import CannotCompile, Diagram, NoMachine
from configurator.engine.frontiers import narrowest_order
from configurator.engine.layering import Classes, classes_of, layers_of, marks_of, scope_of
from configurator.engine.ordering import candidate_orders
from configurator.engine.pruning import learn


class TooLargeToCompile(CannotCompile):
    """The model has machines, but its rules are too entangled for the budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a compilation may take before the model goes to the SAT engine."""

    states: int = 60_000
    """States the builder may visit: some seconds of work."""
    seconds: float = 60.0
    """By the clock, for all attempts together."""
    megabytes: int = 600
    """Memory of the nodes of an attempt by way of a binary diagram; there may be two at a time."""
    arcs: int = 1_000_000
    """Arcs of the finished diagram: some ten milliseconds a question."""


BUDGET = Budget()
_WIDE = 4
"""Few but very wide groups may have so many times the arcs: a fifth of a second a click, where the solver takes many seconds."""
_BUILDER_LAYERS = 120
_BUILDER_RULES = 400
_SIDE_BY_SIDE = 2
"""Processes at a time."""


def compile_constraints(constraints: Constraints, budget: Budget = BUDGET, deadline: Deadline | None = None) -> Diagram:
    """Build the smallest diagram that a few orders of the variables give, by the deadline (the budget from now). Raises CannotCompile."""
    deadline = deadline or Deadline(budget.seconds)
    classes = classes_of(constraints)
    decisive = [variable for variable, numbers in enumerate(classes) if max(numbers) > 0]
    orders = _builder_orders(constraints, classes, decisive)
    few = budget.states // 50
    if len(orders) > 1:
        found = _smallest(constraints, orders, few, deadline)
    else:
        found = _first(constraints, orders, budget.states, deadline, most_arcs=_WIDE * budget.arcs)
    if found is None and len(orders) == 1:
        raise TooLargeToCompile(too_large(constraints))  # few but wide groups: a binary diagram, a variable a value, is no smaller
    if found is None:
        diagram = by_binary(constraints, budget, deadline)
        if diagram is not None:
            return diagram
        found = _smallest(constraints, orders, budget.states // 10, deadline) or _first(constraints, orders, budget.states, deadline)
    if found is None:
        raise TooLargeToCompile(too_large(constraints))
    builder, root = found
    if root == DEAD:
        raise NoMachine(contradictory_rules(Clauses(constraints)))
    return _flattened(builder, root, classes)


def _builder_orders(constraints: Constraints, classes: Classes, decisive: Sequence[int]) -> list[list[Layer]]:
    """Orders that the builder should try; none for models that are not for it."""
    if len(decisive) > _BUILDER_LAYERS or len(constraints.rules) > _BUILDER_RULES:
        return []
    widths = {variable: max(classes[variable]) + 1 for variable in decisive}
    narrowest = narrowest_order(widths, [marks_of(constraints, rule, classes) for rule in constraints.rules])
    scopes = [scope_of(constraints, rule) & set(decisive) for rule in constraints.rules]
    candidates = candidate_orders(decisive, scopes) if narrowest is None else [narrowest]
    return [layers_of(constraints, order, classes) for order in candidates]


def by_binary(constraints: Constraints, budget: Budget, deadline: Deadline) -> Diagram | None:
    """Try orders with little memory, then with all of it, then split; None if nothing stays within the budget."""
    try:
        clauses = Clauses(constraints, deadline=deadline)
        known = learn(clauses, deadline=deadline)
        if known is None:
            raise NoMachine(contradictory_rules(clauses))
        planner = Planner(constraints, clauses, known, deadline)
        orders = planner.orders()
        plans = [planner.whole(order) for order in orders]
        found = _conjoined(planner, plans[:4], budget, deadline.left / 10, budget.megabytes // 6)
        if found is None:
            found = _conjoined(planner, plans[:2], budget, deadline.left * 2 / 3, budget.megabytes)
        if found is None and planner.leaders:
            plans = [plans[-1], planner.split(orders[0])]
            found = _conjoined(planner, plans, budget, deadline.left, budget.megabytes)
    except TooLarge:
        return None
    return found


def _conjoined(planner: Planner, plans: Sequence[Plan], budget: Budget, seconds: float, megabytes: int) -> Diagram | None:
    """Run plans side by side, each for so long at most; the smallest diagram, or None if all exceed their time or memory."""
    tasks = [task_of(planner, plan, seconds=seconds, megabytes=megabytes) for plan in plans]

    def run(plan: Plan, task: bytes) -> Diagram | None:
        try:
            diagram = conjoin(planner.clauses.classes, plan, task, min(seconds, planner.deadline.left))
        except OutOfBudget:
            return None
        return diagram if diagram.size[1] <= budget.arcs else None

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = [diagram for diagram in pool.map(run, plans, tasks) if diagram is not None]
    return min(found, key=lambda diagram: diagram.size, default=None)


_Orders = Sequence[Sequence[Layer]]


def _smallest(constraints: Constraints, orders: _Orders, limit: int, deadline: Deadline) -> tuple[Builder, int] | None:
    """Build with every order, each within what the best so far needed; None if all go beyond the limit."""
    best = None
    for place in range(len(orders)):
        better = _first(constraints, orders[place : place + 1], limit, deadline)
        if better is not None:
            best, limit = better, better[0].work
    return best


def _first(
    constraints: Constraints, orders: _Orders, limit: int, deadline: Deadline, *, most_arcs: int = BUDGET.arcs
) -> tuple[Builder, int] | None:
    """Build with the first order that stays within the limit: the builder and the root."""
    for layers in orders:
        try:
            builder = Builder(constraints.formulas, layers, limit, most_arcs=most_arcs, deadline=deadline)
            return builder, builder.build(constraints.rules)
        except TooLarge:
            continue
    return None


def _flattened(builder: Builder, root: int, classes: Classes) -> Diagram:
    """Turn the builder's nodes into arrays, without those that cannot be reached from the root."""
    wanted = [root]
    node_starts, arc_starts = [0], [0]
    arcs: list[tuple[int, int, int]] = []
    for nodes in builder.nodes:
        rows = {number: children for children, number in nodes.items()}
        reached = sorted({child for number in wanted for child in rows[number] if child != DEAD})
        below = {child: node_starts[-1] + len(wanted) + place for place, child in enumerate(reached)}
        for node, number in enumerate(wanted, node_starts[-1]):
            arcs += [(node, below[child], cls) for cls, child in enumerate(rows[number]) if child != DEAD]
        node_starts.append(node_starts[-1] + len(wanted))
        arc_starts.append(len(arcs))
        wanted = reached
    columns = np.array(arcs, dtype=np.int32).reshape(-1, 3).T.copy()
    return Diagram(
        tuple(layer.variable for layer in builder.layers),
        classes,
        tuple(variable for variable, numbers in enumerate(classes) if max(numbers) == 0),
        np.array([*node_starts, node_starts[-1] + 1], dtype=np.int32),
        np.array(arc_starts, dtype=np.int32),
        *columns,
    )


def unconstrained(constraints: Constraints) -> Diagram:
    """The diagram that says nothing: any value of any variable goes with everything."""
    classes = tuple((0,) * len(variable.values) for variable in constraints.variables)
    nothing = np.zeros(0, dtype=np.int32)
    starts = np.array([0, 1], dtype=np.int32)
    return Diagram((), classes, tuple(range(len(classes))), starts, np.zeros(1, dtype=np.int32), nothing, nothing, nothing)
