"""In which order the diagram asks its variables: those that rules tie together should stand close to each other.

FORCE (Aloul, Markov, Sakallah 2003) moves each variable to the middle of its rules until nothing gets closer. Where it
ends depends on where it starts: the order of the file mostly is a good start, walks through the rules from different
variables often are better ones. In the shop's models very wide rules (a power budget over everything) pull at nobody;
variables that are only in those come last or first, and the diagram keeps whichever order makes it smallest.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from configurator.engine.deadlines import NEVER_ENDING, Deadline

_ROUNDS = 200
_WORK = 400_000
"""Places that all starts together may look at in a round: what decides how many there are."""
_FEWEST = 3
"""Starts that there are in any case."""
_SHARE = 10
"""Looking for an order may take that part of the time left."""


def candidate_orders(variables: Sequence[int], scopes: Sequence[frozenset[int]]) -> list[list[int]]:
    """Return orders worth trying, the most promising first. `scopes` are the variables of each rule."""
    wide = max(4, len(variables) // 2)
    narrow = [scope for scope in scopes if 1 < len(scope) <= wide]
    tied = {variable for scope in narrow for variable in scope}
    inner = force([variable for variable in variables if variable in tied], narrow)
    outer = [variable for variable in variables if variable not in tied]
    orders = [[*inner, *outer], [*outer, *inner], [*reversed(inner), *outer], list(variables)]
    return [order for place, order in enumerate(orders) if order not in orders[:place]]


def close_orders(variables: Sequence[int], scopes: Iterable[frozenset[int]], deadline: Deadline = NEVER_ENDING) -> list[list[int]]:
    """Return for large models the closest orders of many: the best, the file's own moved together, two more, the file's."""
    together = gathered(scopes)
    starts = max(_FEWEST, min(60, _WORK // (sum(len(scope) for scope in together) + 1)))
    dice = random.Random(len(variables))  # noqa: S311 - the same model gets the same orders
    end = time.monotonic() + deadline.left / _SHARE
    walked: list[list[int]] = []
    while len(walked) < starts and (len(walked) < _FEWEST or time.monotonic() < end):
        deadline.check()
        walked.append(force(_walk(variables, together, dice), together))
    best, *others = sorted(walked, key=lambda order: _span(order, together))
    return [best, force(variables, together), *others[:2], list(variables)]


def gathered(scopes: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Make one scope of variables any two of which are tied: exclusions of every two pull no harder than one rule."""
    different = sorted({scope for scope in scopes if len(scope) > 1}, key=sorted)
    tied: dict[int, set[int]] = {}
    waiting = [scope for scope in different if len(scope) == 2]
    for one, other in waiting:
        tied.setdefault(one, set()).add(other)
        tied.setdefault(other, set()).add(one)
    left = dict.fromkeys(waiting)
    found = [scope for scope in different if len(scope) > 2]
    for pair in waiting:
        if pair not in left:
            continue
        clique = set(pair)
        candidates = set.intersection(*(tied[variable] for variable in pair))
        while candidates:
            best = max(candidates, key=lambda variable: (len(tied[variable] & candidates), -variable))
            clique.add(best)
            candidates &= tied[best]
        for one in clique:
            for other in clique:
                left.pop(frozenset((one, other)), None)
        found.append(frozenset(clique))
    return found


def _walk(variables: Sequence[int], scopes: Sequence[frozenset[int]], dice: random.Random) -> list[int]:
    """Walk breadth first through the scopes from a variable thrown by dice, and on to what was not reached."""
    about: dict[int, list[frozenset[int]]] = {variable: [] for variable in variables}
    for scope in scopes:
        for variable in scope:
            about[variable].append(scope)
    thrown = list(variables)
    dice.shuffle(thrown)
    walked: dict[int, None] = {}
    for start in thrown:
        waiting = deque([] if start in walked else [start])
        walked.setdefault(start)
        while waiting:
            near = {variable for scope in about[waiting.popleft()] for variable in scope} - walked.keys()
            for variable in sorted(near, key=lambda variable: (len(about[variable]), variable)):
                walked[variable] = None
                waiting.append(variable)
    return list(walked)


def _span(order: Sequence[int], scopes: Iterable[frozenset[int]]) -> int:
    """How far apart the variables of each scope stand, added up."""
    places = {variable: place for place, variable in enumerate(order)}
    return sum(max(map(places.__getitem__, scope)) - min(map(places.__getitem__, scope)) for scope in scopes)


def force(variables: Sequence[int], scopes: Sequence[frozenset[int]]) -> list[int]:
    """Move variables to the middle of their scopes; return the order in which scopes spanned least, all added up."""
    scopes = [scope for scope in scopes if len(scope) > 1]
    if not scopes:
        return list(variables)
    names = np.array(variables)
    place_of = {variable: place for place, variable in enumerate(variables)}
    members = np.array([place_of[variable] for scope in scopes for variable in sorted(scope)])
    sizes = np.array([len(scope) for scope in scopes])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pulls = np.bincount(members, minlength=len(names))
    places = np.arange(len(names))
    best, least = places, np.inf
    for _ in range(_ROUNDS):
        here = places[members]
        span = (np.maximum.reduceat(here, starts) - np.minimum.reduceat(here, starts)).sum()
        if span < least:
            best, least = places, span
        middles = np.repeat(np.add.reduceat(here, starts) / sizes, sizes)
        wanted = np.where(pulls > 0, np.bincount(members, middles, len(names)) / np.maximum(pulls, 1), places)
        moved = np.empty_like(places)
        moved[np.lexsort((places, wanted))] = np.arange(len(names))
        if (moved == places).all():
            break
        places = moved
    return [int(variable) for variable in names[np.argsort(best)]]
