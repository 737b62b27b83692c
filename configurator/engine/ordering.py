"""In which order the diagram asks its variables: those that rules tie together should stand close to each other.

FORCE (Aloul, Markov, Sakallah 2003) moves each variable to the middle of its rules until nothing gets closer. Very
wide rules (a power budget over everything) pull at nobody; variables that are only in those come last or first, and
the diagram keeps whichever order makes it smallest.
"""

from __future__ import annotations

from collections.abc import Sequence

_ROUNDS = 40


def candidate_orders(variables: Sequence[int], scopes: Sequence[frozenset[int]]) -> list[list[int]]:
    """Return orders worth trying, the most promising first. `scopes` are the variables of each rule."""
    wide = max(4, len(variables) // 2)
    narrow = [scope for scope in scopes if 1 < len(scope) <= wide]
    tied = {variable for scope in narrow for variable in scope}
    inner = _force([variable for variable in variables if variable in tied], narrow)
    outer = [variable for variable in variables if variable not in tied]
    orders = [[*inner, *outer], [*outer, *inner], [*reversed(inner), *outer], list(variables)]
    return [order for place, order in enumerate(orders) if order not in orders[:place]]


def _force(variables: list[int], scopes: Sequence[frozenset[int]]) -> list[int]:
    """Move variables to the middle of their scopes; keep the best arrangement seen."""
    best = list(variables)
    order = list(variables)
    for _ in range(_ROUNDS):
        places = {variable: place for place, variable in enumerate(order)}
        pulls: dict[int, list[float]] = {variable: [] for variable in order}
        for scope in scopes:
            middle = sum(places[variable] for variable in scope) / len(scope)
            for variable in scope:
                pulls[variable].append(middle)
        moved = sorted(order, key=lambda variable: sum(pulls[variable]) / len(pulls[variable]))
        if moved == order:
            break
        order = moved
        if _span(order, scopes) < _span(best, scopes):
            best = order
    return best


def _span(order: Sequence[int], scopes: Sequence[frozenset[int]]) -> int:
    """How far apart the variables of each scope stand, added up."""
    places = {variable: place for place, variable in enumerate(order)}
    return sum(max(places[variable] for variable in scope) - min(places[variable] for variable in scope) for scope in scopes)
