"""Questions to the diagram: each is one walk back and one walk forth over the layers, for all classes at once.

What is added up and compared differs (a price, a date, a number of machines); the walks are alike. Costs are whole
numbers; NONE stands for "there is no such machine" and is far larger than any real cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configurator.engine.diagram import Diagram, Ints

NONE = 1 << 61


@dataclass(frozen=True, slots=True)
class Completions:
    """For each class (numbered through all layers), the best machine that has it."""

    exists: NDArray[np.bool_]
    rows: Ints
    """`rows[class, layer]` is the class (within the layer) of that machine; meaningless where none exists."""
    best: Ints
    """The best machine of all: its class in each layer."""


def cheapest(diagram: Diagram, costs: Sequence[Ints]) -> Completions:
    """Find the cheapest machine for each class; `costs[layer][class]`. Ties go to the earlier class."""
    if not diagram.arcs:
        nothing = np.zeros((0, 0), dtype=np.int64)
        return Completions(np.zeros(0, dtype=np.bool_), nothing, np.zeros(0, dtype=np.int64))
    ahead, choice = _costs_ahead(diagram, costs)
    through: list[Ints] = []
    nodes: list[Ints] = []
    parents: list[Ints] = []
    behind = np.zeros(1, dtype=np.int64)
    for arcs, cost, rest in zip(diagram.arcs, costs, ahead, strict=True):
        with_class = behind[:, None] + rest
        nodes.append(with_class.argmin(axis=0))
        through.append(with_class.min(axis=0))
        arriving = (behind[:, None] + cost).ravel()[arcs.into]
        behind = np.minimum.reduceat(arriving, arcs.starts)
        winners = np.flatnonzero(arriving == behind[arcs.targets])
        first = winners[np.searchsorted(arcs.targets[winners], np.arange(len(behind)))]
        parents.append(arcs.into[first])
    rows = np.zeros((sum(len(cost) for cost in costs), len(costs)), dtype=np.int64)
    _trace_ahead(diagram, choice, nodes, rows)
    _trace_back(diagram, parents, nodes, rows)
    return Completions(np.concatenate(through) < NONE // 2, rows, rows[choice[0][0]])


def _costs_ahead(diagram: Diagram, costs: Sequence[Ints]) -> tuple[list[Ints], list[Ints]]:
    """Return per layer: the cost behind each arc (NONE for a dead one), and the best class of each node."""
    ahead: list[Ints] = []
    choice: list[Ints] = []
    below = np.array([0, NONE], dtype=np.int64)
    for arcs, cost in zip(reversed(diagram.arcs), reversed(costs), strict=True):
        rest = below[arcs.children]
        whole = rest + cost
        ahead.append(rest)
        choice.append(whole.argmin(axis=1))
        below = np.append(whole.min(axis=1), NONE)
    return ahead[::-1], choice[::-1]


def _trace_ahead(diagram: Diagram, choice: list[Ints], nodes: list[Ints], rows: Ints) -> None:
    """From each class, at its best node, follow the best classes to the end."""
    at = np.zeros(len(rows), dtype=np.int64)
    begun = 0
    for place, arcs in enumerate(diagram.arcs):
        classes = choice[place][at[:begun]]
        rows[:begun, place] = classes
        width = arcs.children.shape[1]
        own = np.arange(width)
        rows[begun : begun + width, place] = own
        at[:begun] = arcs.children[at[:begun], classes]
        at[begun : begun + width] = arcs.children[nodes[place], own]
        begun += width
        at[at > arcs.targets[-1]] = 0  # no such machine: any path will do


def _trace_back(diagram: Diagram, parents: list[Ints], nodes: list[Ints], rows: Ints) -> None:
    """From each class, at its best node, follow the best arcs back to the root."""
    at = np.zeros(len(rows), dtype=np.int64)
    begun = len(rows)
    for place in range(len(diagram.arcs) - 1, -1, -1):
        width = diagram.arcs[place].children.shape[1]
        at[begun:], rows[begun:, place] = np.divmod(parents[place][at[begun:]], width)
        at[begun - width : begun] = nodes[place]
        begun -= width


def earliest(diagram: Diagram, dates: Sequence[Ints]) -> list[Ints]:
    """Return for each class the best possible latest date of the other layers; NONE if there is no such machine."""
    ahead: list[Ints] = []
    below = np.array([0, NONE], dtype=np.int64)
    for arcs, date in zip(reversed(diagram.arcs), reversed(dates), strict=True):
        ahead.append(below[arcs.children])
        below = np.append(np.maximum(ahead[-1], date).min(axis=1), NONE)
    behind = np.zeros(1, dtype=np.int64)
    through: list[Ints] = []
    for arcs, date, rest in zip(diagram.arcs, dates, reversed(ahead), strict=True):
        through.append(np.maximum(behind[:, None], rest).min(axis=0))
        arriving = np.maximum(behind[:, None], date).ravel()[arcs.into]
        behind = np.minimum.reduceat(arriving, arcs.starts)
    return through


def count(diagram: Diagram, ways: Sequence[Sequence[int]]) -> int:
    """Count the machines, exactly; `ways[layer][class]` is how many values of the class are allowed."""
    below = [1, 0]
    for arcs, ways_here in zip(reversed(diagram.arcs), reversed(ways), strict=True):
        here = [
            sum(number * below[child] for number, child in zip(ways_here, children, strict=True)) for children in arcs.children.tolist()
        ]
        below = [*here, 0]
    return below[0]


def satisfiable(diagram: Diagram, fixed: Mapping[int, int]) -> bool:
    """Tell whether a machine has these classes (layer -> class)."""
    if not fixed:
        return True
    first, last = min(fixed), max(fixed)
    reached = np.arange(len(diagram.arcs[first].children))
    for place in range(first, last + 1):
        arcs = diagram.arcs[place]
        children = arcs.children[reached, fixed[place]] if place in fixed else arcs.children[reached].ravel()
        marks = np.zeros(int(arcs.targets[-1]) + 2, dtype=np.bool_)
        marks[children] = True
        reached = np.flatnonzero(marks[:-1])
        if not len(reached):
            return False
    return True


def pairs(diagram: Diagram) -> NDArray[np.bool_]:
    """Tell for every two classes (numbered through) whether some machine has both; two of one layer are not asked."""
    total = sum(arcs.children.shape[1] for arcs in diagram.arcs)
    together = np.ones((total, total), dtype=np.bool_)
    reached = np.zeros((1, 0), dtype=np.bool_)
    begun = 0
    for arcs in diagram.arcs:
        width = arcs.children.shape[1]
        sources, classes = np.divmod(arcs.into, width)
        arriving = reached[sources]
        for position in range(width):
            met = arriving[classes == position].any(axis=0)
            together[begun + position, :begun] = together[:begun, begun + position] = met
            together[begun + position, begun + position] = (classes == position).any()
        own = classes[:, None] == np.arange(width)
        reached = np.logical_or.reduceat(np.hstack([arriving, own]), arcs.starts, axis=0)
        begun += width
    return together
