"""A bound on a sum of weights as clauses: the weights of the true literals are added in binary and compared.

A sorter or a decision diagram would tell the solver more, but their size grows with the weights; prices in cents are
large and all different. (Adders: Eén and Sörensson, "Translating pseudo-Boolean constraints into SAT", 2006.)
"""

from __future__ import annotations

from collections.abc import Iterable


def at_most(terms: Iterable[tuple[int, int]], bound: int, names: int) -> list[list[int]]:
    """Return clauses that hold exactly if the weights of true literals add up to at most the bound.

    New names begin after `names`.
    """
    clauses: list[list[int]] = []
    if bound < 0:
        return [[names + 1], [-names - 1]]
    columns: list[list[int]] = []
    for literal, weight in terms:
        for place in range(weight.bit_length()):
            while len(columns) <= place:
                columns.append([])
            if weight >> place & 1:
                columns[place].append(literal)
    digits: list[int | None] = []
    place = 0
    while place < len(columns):
        column = columns[place]
        while len(column) > 1:
            inputs, column = column[:3], column[3:]
            total, carry = names + 1, names + 2
            names += 2
            clauses += _added(inputs, total, carry)
            column.append(total)
            if place + 1 == len(columns):
                columns.append([])
            columns[place + 1].append(carry)
        digits.append(column[0] if column else None)
        place += 1
    return clauses + _compared(digits, bound)


def _added(inputs: list[int], total: int, carry: int) -> list[list[int]]:
    """Two or three digits make a digit and a carry."""
    clauses = []
    for pattern in range(1 << len(inputs)):
        given = [literal if pattern >> place & 1 else -literal for place, literal in enumerate(inputs)]
        against = [-literal for literal in given]
        ones = pattern.bit_count()
        clauses.append([*against, total if ones & 1 else -total])
        clauses.append([*against, carry if ones > 1 else -carry])
    return clauses


def _compared(digits: list[int | None], bound: int) -> list[list[int]]:
    """The number is at most the bound: where it has a one and the bound none, it lacks a higher one that the bound has."""
    clauses = []
    for place, digit in enumerate(digits):
        if digit is None or bound >> place & 1:
            continue
        higher = range(place + 1, max(len(digits), bound.bit_length()))
        ones = [digits[other] if other < len(digits) else None for other in higher if bound >> other & 1]
        if None not in ones:
            clauses.append([-digit, *(-other for other in ones if other is not None)])
    return clauses
