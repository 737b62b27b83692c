"""The order of variables for models with wide groups: where to cut so that few half-made machines differ.

After some variables have their values, the diagram needs a node for each way in which the rules that are still open can
stand. A rule's part in that is at most what the placed side can tell it apart by, and at most what the open side can;
a variable's part is at most how many of its values its open rules tell apart. The product over rules and that over
variables both bound the nodes of a cut; times the width of the next group it bounds the arcs. Of all orders the
one with the least sum is found by going through the sets of variables placed (Held and Karp 1962).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

MOST_VARIABLES = 13
"""So many have 8,192 sets."""
WIDE = 24
"""Groups with fewer classes are no reason to think about widths."""

Marks = Mapping[int, NDArray[np.int64]]
"""For each variable of a rule, which of the variable's classes the rule tells apart: a number per class."""


def narrowest_order(widths: Mapping[int, int], rules: Sequence[Marks]) -> list[int] | None:
    """Return the order with the smallest estimate, or None for models with many or only narrow variables.

    `widths` are the numbers of classes of the variables to be ordered.
    """
    variables = sorted(widths)
    if not 1 < len(variables) <= MOST_VARIABLES or max(widths.values()) < WIDE:
        return None
    cuts = _Cuts(variables, rules)
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for placed in range(1, 1 << len(variables)):
        options = []
        for place, variable in enumerate(variables):
            if placed >> place & 1:
                before = placed & ~(1 << place)
                arcs, order = best[before]
                options.append((arcs + cuts.nodes(before) * widths[variable], (*order, variable)))
        best[placed] = min(options)
    return list(best[(1 << len(variables)) - 1][1])


class _Cuts:
    """Estimates the nodes of a cut, by the set (bits) of variables placed."""

    def __init__(self, variables: Sequence[int], rules: Sequence[Marks]) -> None:
        self.variables = variables
        self.marks = [{place: rule[variable] for place, variable in enumerate(variables) if variable in rule} for rule in rules]
        self.scopes = [sum(1 << place for place in marks) for marks in self.marks]
        self.told = [{place: len(np.unique(numbers)) for place, numbers in marks.items()} for marks in self.marks]
        self.joint = cache(self._joint)

    def nodes(self, placed: int) -> float:
        """The estimate: the smaller of both products."""
        pending = [rule for rule, scope in enumerate(self.scopes) if scope & placed and scope & ~placed]
        by_rule = math.prod(self._sides(rule, placed) for rule in pending)
        by_variable = 1.0
        for place in range(len(self.variables)):
            if placed >> place & 1:
                by_variable *= self.joint(place, tuple(rule for rule in pending if place in self.marks[rule]))
        return float(min(by_rule, by_variable))

    def _sides(self, rule: int, placed: int) -> float:
        """How many ways a rule can stand: by what is placed of it, or by what is open."""
        told = self.told[rule].items()
        left = math.prod(number for place, number in told if placed >> place & 1)
        right = math.prod(number for place, number in told if not placed >> place & 1)
        return float(min(left, right + 1))

    def _joint(self, place: int, pending: tuple[int, ...]) -> int:
        """How many of a variable's classes these rules tell apart together."""
        if not pending:
            return 1
        return int(np.unique(np.stack([self.marks[rule][place] for rule in pending]), axis=1).shape[1])
