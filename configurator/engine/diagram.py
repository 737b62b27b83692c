"""The compiled form of a model: a layered decision diagram in flat arrays.

Each layer is one variable, each arc one class of its values that behave alike under the rules, and each path from the
root to the end is a machine that can be built: no path is missing and none leads nowhere. So any question is one walk
along the layers (see `sweeps`). Variables that no rule speaks of are not in the diagram at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configurator.engine.building import DEAD, Builder, Layer, TooLarge
from configurator.engine.constraints import Constraints, Total
from configurator.engine.formulas import Inside, Joined, Within
from configurator.engine.frontiers import narrowest_order
from configurator.engine.ordering import candidate_orders

Ints = NDArray[np.int32]
Wide = NDArray[np.int64]

NODE_BUDGET = 60_000
"""States a compilation may visit: some seconds of work, and some milliseconds per question."""
LAYER_BUDGET = 300


class CannotCompile(ValueError):
    """The model has no machine at all, or its rules are too entangled for the budget."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Layers from the root (node 0) to the end (the last node); every path passes every layer, every node is on one."""

    order: tuple[int, ...]
    """The variable of each layer."""
    classes: tuple[tuple[int, ...], ...]
    """For each variable of the model, the class of each of its values: 0 and up."""
    free: tuple[int, ...]
    """The variables without a layer: any value goes with everything."""
    node_starts: Ints
    """The first node of each layer, then the end, then the number of nodes."""
    arc_starts: Ints
    """The first arc of each layer, then the number of arcs."""
    src: Ints
    dst: Ints
    """The nodes each arc comes from and leads to. Arcs are sorted by layer, `src` and `cls`."""
    cls: Ints
    """The class of each arc, within its layer."""

    @property
    def size(self) -> tuple[int, int]:
        """How many nodes and arcs there are."""
        return int(self.node_starts[-2]), len(self.src)


def compile_constraints(constraints: Constraints, budget: int = NODE_BUDGET) -> Diagram:
    """Build the smallest diagram that a few orders of the variables give. Raises CannotCompile."""
    classes = _classes(constraints)
    decisive = [variable for variable, numbers in enumerate(classes) if max(numbers) > 0]
    if len(decisive) > LAYER_BUDGET:
        raise CannotCompile(f"rules speak of {len(decisive)} decisions, more than {LAYER_BUDGET}: simplify the model")
    scopes = [scope_of(constraints, rule) & set(decisive) for rule in constraints.rules]
    widths = {variable: max(classes[variable]) + 1 for variable in decisive}
    narrowest = narrowest_order(widths, [_marks(constraints, rule, classes) for rule in constraints.rules])
    candidates = candidate_orders(decisive, scopes) if narrowest is None else [narrowest]
    orders = [layers_of(constraints, order, classes) for order in candidates]
    found = None
    if len(orders) > 1:
        found = _smallest(constraints, orders, budget // 50) or _smallest(constraints, orders, budget // 10)
    found = found or _first(constraints, orders, budget)
    if found is None:
        raise CannotCompile(
            f"the rules are too entangled: more than {budget} states. Let sums run over fewer groups, "
            "or give their attributes rounder numbers"
        )
    builder, root = found
    if root == DEAD:
        raise CannotCompile("no machine keeps all rules: some rules contradict each other")
    free = tuple(variable for variable, numbers in enumerate(classes) if max(numbers) == 0)
    return _flattened(builder, root, classes, free)


_Orders = Sequence[Sequence[Layer]]


def _smallest(constraints: Constraints, orders: _Orders, limit: int) -> tuple[Builder, int] | None:
    """Build with every order, each within what the best so far needed; None if all go beyond the limit."""
    best = None
    for place in range(len(orders)):
        better = _first(constraints, orders[place : place + 1], limit)
        if better is not None:
            best, limit = better, better[0].work
    return best


def _first(constraints: Constraints, orders: _Orders, limit: int) -> tuple[Builder, int] | None:
    """Build with the first order that stays within the limit: the builder and the root."""
    for layers in orders:
        builder = Builder(constraints.formulas, layers, limit)
        try:
            return builder, builder.build(constraints.rules)
        except TooLarge:
            continue
    return None


def scope_of(constraints: Constraints, formula: int) -> frozenset[int]:
    """Return the variables a formula speaks of, directly or through a total."""
    formulas = constraints.formulas
    scope = {place for place in range(len(constraints.variables)) if formulas.variables[formula] >> place & 1}
    for number in formulas.totals[formula]:
        leaf = formulas.nodes[number]
        assert isinstance(leaf, Within)
        scope |= {variable for variable, _ in constraints.totals[leaf.total]}
    return frozenset(scope)


def layers_of(constraints: Constraints, order: Sequence[int], classes: Sequence[Sequence[int]]) -> list[Layer]:
    """Return the layers for an order of variables."""
    gains: dict[int, dict[int, tuple[int, ...]]] = {}
    for total, terms in enumerate(constraints.totals):
        for variable, values in terms:
            gains.setdefault(variable, {})[total] = values
    layers = []
    for variable in order:
        numbers = classes[variable]
        representatives = tuple(numbers.index(number) for number in range(max(numbers) + 1))
        by_total = {total: tuple(values[value] for value in representatives) for total, values in gains.get(variable, {}).items()}
        layers.append(Layer(variable, representatives, by_total))
    return layers


def _classes(constraints: Constraints) -> tuple[tuple[int, ...], ...]:
    """Number the classes of each variable's values: alike in every leaf of the rules and in every bound on a total."""
    marks: list[list[Wide]] = [[np.zeros(len(variable.values), dtype=np.int64)] for variable in constraints.variables]
    for leaf in _leaves(constraints, constraints.rules):
        for variable, told in _told_apart(constraints, leaf):
            marks[variable].append(told)
    return tuple(_numbered(np.stack(rows)) for rows in marks)


def _told_apart(constraints: Constraints, leaf: Inside | Within) -> Iterator[tuple[int, Wide]]:
    """For each variable of a leaf, which of its values the leaf tells apart: a number per value."""
    if isinstance(leaf, Within):
        yield from _tellable(constraints.totals[leaf.total], leaf.bound)
        return
    size = len(constraints.variables[leaf.variable].values)
    packed = np.frombuffer(leaf.values.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
    yield leaf.variable, np.unpackbits(packed, count=size, bitorder="little").astype(np.int64)


def _marks(constraints: Constraints, rule: int, classes: Sequence[Sequence[int]]) -> dict[int, Wide]:
    """For each variable of a rule, which of its classes the rule tells apart."""
    rows: dict[int, list[Wide]] = {}
    for leaf in _leaves(constraints, [rule]):
        for variable, told in _told_apart(constraints, leaf):
            rows.setdefault(variable, []).append(told)
    first = {variable: np.unique(np.array(classes[variable]), return_index=True)[1] for variable in rows}
    return {variable: np.array(_numbered(np.stack(told)[:, first[variable]])) for variable, told in rows.items()}


def _tellable(total: Total, bound: int) -> Iterator[tuple[int, Wide]]:
    """For each variable of a total, which of its values the bound can tell apart.

    Values so small that the bound holds with them whatever else is chosen are alike, and so are those above it alone.
    """
    most = sum(max(gains) for _, gains in total)
    for variable, gains in total:
        others = most - max(gains)
        numbers: dict[int, int] = {}
        seen = [-1 if gain + others <= bound else min(gain, bound + 1) for gain in gains]
        yield variable, np.array([numbers.setdefault(amount, len(numbers)) for amount in seen])


def _numbered(marks: Wide) -> tuple[int, ...]:
    """Number the different columns in the order in which they come."""
    _, first, column = np.unique(marks, axis=1, return_index=True, return_inverse=True)
    return tuple(np.argsort(np.argsort(first))[column.ravel()].tolist())


def _leaves(constraints: Constraints, rules: Sequence[int]) -> list[Inside | Within]:
    """Every leaf of some rules, once."""
    leaves: list[Inside | Within] = []
    seen: set[int] = set()
    waiting = list(rules)
    while waiting:
        number = waiting.pop()
        node = constraints.formulas.nodes[number]
        if number in seen or node is None:
            continue
        seen.add(number)
        if isinstance(node, Joined):
            waiting.extend(node.parts)
        else:
            leaves.append(node)
    return leaves


def _flattened(builder: Builder, root: int, classes: tuple[tuple[int, ...], ...], free: tuple[int, ...]) -> Diagram:
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
        free,
        np.array([*node_starts, node_starts[-1] + 1], dtype=np.int32),
        np.array(arc_starts, dtype=np.int32),
        *columns,
    )
