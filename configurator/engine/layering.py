"""What stands between the rules and a diagram's layers: the classes of values that behave alike, and what rules speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from configurator.engine.building import Layer
from configurator.engine.constraints import Constraints, Total
from configurator.engine.formulas import Among, Inside, Joined, Within

Marks = NDArray[np.int64]
Classes = tuple[tuple[int, ...], ...]
"""For each variable, the class of each of its values."""


def scope_of(constraints: Constraints, formula: int) -> frozenset[int]:
    """Return the variables a formula speaks of, directly or through a total."""
    formulas = constraints.formulas
    mask = formulas.variables[formula]
    scope = set()
    while mask:
        lowest = mask & -mask
        scope.add(lowest.bit_length() - 1)
        mask ^= lowest
    for number in formulas.totals[formula]:
        leaf = formulas.nodes[number]
        assert isinstance(leaf, Within)
        scope |= {variable for variable, _ in constraints.totals[leaf.total]}
    return frozenset(scope)


def layers_of(constraints: Constraints, order: Sequence[int], classes: Sequence[Sequence[int]]) -> list[Layer]:
    """Return the layers for an order of variables."""
    wanted = set(order)
    gains: dict[int, dict[int, tuple[int, ...]]] = {}
    for total, terms in enumerate(constraints.totals):
        for variable, values in terms:
            if variable in wanted:
                gains.setdefault(variable, {})[total] = values
    layers = []
    for variable in order:
        numbers = classes[variable]
        representatives = tuple(numbers.index(number) for number in range(max(numbers) + 1))
        by_total = {total: tuple(values[value] for value in representatives) for total, values in gains.get(variable, {}).items()}
        layers.append(Layer(variable, representatives, by_total))
    return layers


def classes_of(constraints: Constraints) -> Classes:
    """Number the classes of each variable's values: alike in every leaf of the rules and in every bound on a total."""
    marks: list[list[Marks]] = [[np.zeros(len(variable.values), dtype=np.int64)] for variable in constraints.variables]
    for leaf in _leaves(constraints, constraints.rules):
        for variable, told in _told_apart(constraints, leaf):
            marks[variable].append(told)
    return tuple(_numbered(np.stack(rows)) for rows in marks)


def marks_of(constraints: Constraints, rule: int, classes: Classes) -> dict[int, Marks]:
    """For each variable of a rule, which of its classes the rule tells apart."""
    rows: dict[int, list[Marks]] = {}
    for leaf in _leaves(constraints, [rule]):
        for variable, told in _told_apart(constraints, leaf):
            rows.setdefault(variable, []).append(told)
    first = {variable: np.unique(np.array(classes[variable]), return_index=True)[1] for variable in rows}
    return {variable: np.array(_numbered(np.stack(told)[:, first[variable]])) for variable, told in rows.items()}


def _told_apart(constraints: Constraints, leaf: Inside | Within | Among) -> Iterator[tuple[int, Marks]]:
    """For each variable of a leaf, which of its values the leaf tells apart: a number per value."""
    formulas = constraints.formulas
    match leaf:
        case Within(total=total, bound=bound):
            yield from _tellable(constraints.totals[total], bound)
        case Among(variables=variables):
            number = formulas.numbers[leaf]
            for variable in variables:
                values = range(len(constraints.variables[variable].values))
                yield variable, np.array([formulas.assigned(number, variable, value) for value in values])
        case Inside(variable=variable, values=bits):
            size = len(constraints.variables[variable].values)
            packed = np.frombuffer(bits.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
            yield variable, np.unpackbits(packed, count=size, bitorder="little").astype(np.int64)


def _tellable(total: Total, bound: int) -> Iterator[tuple[int, Marks]]:
    """For each variable of a total, which of its values the bound can tell apart.

    Values so small that the bound holds with them whatever else is chosen are alike, and so are those above it alone.
    """
    most = sum(max(gains) for _, gains in total)
    for variable, gains in total:
        others = most - max(gains)
        numbers: dict[int, int] = {}
        seen = [-1 if gain + others <= bound else min(gain, bound + 1) for gain in gains]
        yield variable, np.array([numbers.setdefault(amount, len(numbers)) for amount in seen])


def _numbered(marks: Marks) -> tuple[int, ...]:
    """Number the different columns in the order in which they come."""
    _, first, column = np.unique(marks, axis=1, return_index=True, return_inverse=True)
    return tuple(np.argsort(np.argsort(first))[column.ravel()].tolist())


def _leaves(constraints: Constraints, rules: Sequence[int]) -> list[Inside | Within | Among]:
    """Every leaf of some rules, once."""
    leaves: list[Inside | Within | Among] = []
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
