"""The loops over the arcs of a diagram, compiled to machine code; threads run them side by side.

All costs are whole numbers of 0 or more; NONE stands for "there is no such machine". Arcs are sorted by layer, so one
loop forward reaches every node after all that lead to it, and one loop backward before them. Among equals the first
arc wins. `number` is the class of each arc, counted through all layers. `sweeps` says what each loop is for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NONE = 1 << 61

compiled = njit(cache=True, nogil=True)


@compiled
def cheapest_values(class_of: Any, costs: Any, classes: int) -> Any:
    """For each class the least cost of its values, and the first value that has it (-1: none)."""
    least = np.full(classes, NONE, np.int64)
    value = np.full(classes, -1, np.int32)
    for number in range(len(costs)):
        cost = costs[number]
        if cost < least[class_of[number]]:
            least[class_of[number]] = cost
            value[class_of[number]] = number
    return least, value


@compiled
def added(src: Any, dst: Any, number: Any, nodes: int, costs: Any) -> Any:
    """(min, +): ahead and the arc to take, behind and the arc taken, and for each class the least rest and its arc."""
    ahead = np.full(nodes, NONE, np.int64)
    behind = np.full(nodes, NONE, np.int64)
    to_take = np.full(nodes, -1, np.int32)
    taken = np.full(nodes, -1, np.int32)
    rest = np.full(len(costs), NONE, np.int64)
    via = np.full(len(costs), -1, np.int32)
    ahead[nodes - 1] = behind[0] = 0
    for arc in range(len(src) - 1, -1, -1):
        left = ahead[dst[arc]]
        cost = costs[number[arc]]
        if left < NONE and cost < NONE and left + cost <= ahead[src[arc]]:
            ahead[src[arc]] = left + cost
            to_take[src[arc]] = arc
    for arc in range(len(src)):
        before = behind[src[arc]]
        if before >= NONE:
            continue
        here = number[arc]
        if ahead[dst[arc]] < NONE and before + ahead[dst[arc]] < rest[here]:
            rest[here] = before + ahead[dst[arc]]
            via[here] = arc
        if costs[here] < NONE and before + costs[here] < behind[dst[arc]]:
            behind[dst[arc]] = before + costs[here]
            taken[dst[arc]] = arc
    return ahead, to_take, behind, taken, rest, via


@compiled
def latest_on(src: Any, dst: Any, number: Any, to_take: Any, taken: Any, via: Any, dates: Any) -> Any:
    """The latest date of the other layers in the machine that `added` found for each class."""
    nodes = len(to_take)
    ahead = np.zeros(nodes, np.int64)
    behind = np.zeros(nodes, np.int64)
    for node in range(nodes - 2, -1, -1):
        arc = to_take[node]
        if arc >= 0:
            ahead[node] = max(ahead[dst[arc]], dates[number[arc]])
    for node in range(1, nodes):
        arc = taken[node]
        if arc >= 0:
            behind[node] = max(behind[src[arc]], dates[number[arc]])
    rest = np.zeros(len(via), np.int64)
    for here in range(len(via)):
        if via[here] >= 0:
            rest[here] = max(behind[src[via[here]]], ahead[dst[via[here]]])
    return rest


@compiled
def latest(src: Any, dst: Any, number: Any, nodes: int, dates: Any) -> Any:
    """(min, max): the least possible latest date of all, and of the other layers for each class."""
    ahead = np.full(nodes, NONE, np.int64)
    behind = np.full(nodes, NONE, np.int64)
    rest = np.full(len(dates), NONE, np.int64)
    ahead[nodes - 1] = behind[0] = 0
    for arc in range(len(src) - 1, -1, -1):
        date = max(ahead[dst[arc]], dates[number[arc]])
        ahead[src[arc]] = min(ahead[src[arc]], date)
    for arc in range(len(src)):
        before = behind[src[arc]]
        here = number[arc]
        rest[here] = min(rest[here], max(before, ahead[dst[arc]]))
        behind[dst[arc]] = min(behind[dst[arc]], max(before, dates[here]))
    return ahead[0], rest


@compiled
def possible(src: Any, dst: Any, number: Any, nodes: int, allowed: Any) -> Any:
    """(or, and): for each class, whether allowed classes of the other layers go with it."""
    ahead = np.zeros(nodes, np.bool_)
    behind = np.zeros(nodes, np.bool_)
    found = np.zeros(len(allowed), np.bool_)
    ahead[nodes - 1] = behind[0] = True
    for arc in range(len(src) - 1, -1, -1):
        if ahead[dst[arc]] and allowed[number[arc]]:
            ahead[src[arc]] = True
    for arc in range(len(src)):
        if behind[src[arc]]:
            here = number[arc]
            if ahead[dst[arc]]:
                found[here] = True
            if allowed[here]:
                behind[dst[arc]] = True
    return found


@compiled
def satisfiable(src: Any, dst: Any, number: Any, nodes: int, allowed: Any) -> Any:
    """Whether some machine has only allowed classes."""
    behind = np.zeros(nodes, np.bool_)
    behind[0] = True
    for arc in range(len(src)):
        if allowed[number[arc]] and behind[src[arc]]:
            behind[dst[arc]] = True
    return behind[nodes - 1]


@compiled
def path(src: Any, dst: Any, to_take: Any, taken: Any, arc: int, place: int, arcs: Any) -> None:
    """Put into `arcs` those of the best machine through an arc of the layer `place` (arc -1, place 0: of all)."""
    node = 0
    if arc >= 0:
        node = src[arc]
        for before in range(place - 1, -1, -1):
            arcs[before] = taken[node]
            node = src[taken[node]]
        arcs[place] = arc
        node = dst[arc]
        place += 1
    for after in range(place, len(arcs)):
        arcs[after] = to_take[node]
        node = dst[to_take[node]]


@compiled
def grown(numbers: Any) -> Any:
    """The numbers in an array twice as long."""
    longer = np.zeros(2 * len(numbers), numbers.dtype)
    for place in range(len(numbers)):
        longer[place] = numbers[place]
    return longer


@compiled
def differences(src: Any, dst: Any, number: Any, to_take: Any, taken: Any, via: Any, values: Any, best: Any) -> Any:
    """For each class, the layers where the best machine with it has another value than the best of all, and that value.

    `values` are the best of each class, `best` that of each layer. The class's own layer is not among them.
    """
    starts = np.zeros(len(via) + 1, np.int64)
    layers = np.zeros(1024, np.int32)
    others = np.zeros(1024, np.int32)
    own = np.zeros(len(via), np.int32)
    node_layer = np.zeros(len(to_take), np.int32)
    for arc in range(len(src)):
        node_layer[dst[arc]] = node_layer[src[arc]] + 1
        own[number[arc]] = node_layer[src[arc]]
    used = 0
    for here in range(len(via)):
        starts[here + 1] = used
        if via[here] < 0:
            continue
        while used + len(best) > len(layers):
            layers = grown(layers)
            others = grown(others)
        node = src[via[here]]
        for layer in range(own[here] - 1, -1, -1):
            value = values[number[taken[node]]]
            node = src[taken[node]]
            if value != best[layer]:
                layers[used], others[used] = layer, value
                used += 1
        node = dst[via[here]]
        for layer in range(own[here] + 1, len(best)):
            value = values[number[to_take[node]]]
            node = dst[to_take[node]]
            if value != best[layer]:
                layers[used], others[used] = layer, value
                used += 1
        starts[here + 1] = used
    return starts, layers[:used], others[:used]


@compiled
def together(src: Any, dst: Any, number: Any, nodes: int, classes: int) -> Any:
    """Which two classes of different layers some machine has both; on the diagonal, which classes any has."""
    reached = np.zeros((nodes, classes), np.bool_)
    met = np.zeros((classes, classes), np.bool_)
    for arc in range(len(src)):
        here = number[arc]
        met[here, here] = True
        for other in range(here):
            if reached[src[arc], other]:
                reached[dst[arc], other] = True
                met[here, other] = met[other, here] = True
        reached[dst[arc], here] = True
    return met


@compiled
def counted(src: Any, dst: Any, number: Any, nodes: int, ways: Any, limbs: int) -> Any:
    """(+, x): the number of machines, in limbs of 32 bits, the lowest first; sums of a node's ways stay below 2^31."""
    ahead = np.zeros((nodes, limbs), np.uint64)
    used = np.zeros(nodes, np.int64)
    ahead[nodes - 1, 0] = 1
    used[nodes - 1] = 1
    arc = len(src) - 1
    while arc >= 0:
        node = src[arc]
        most = 0
        while arc >= 0 and src[arc] == node:
            below = dst[arc]
            times = np.uint64(ways[number[arc]])
            if times > 0:
                most = max(most, used[below])
                for limb in range(used[below]):
                    ahead[node, limb] += times * ahead[below, limb]
            arc -= 1
        carry = np.uint64(0)
        limb = 0
        while limb < most or carry > 0:
            amount = ahead[node, limb] + carry
            ahead[node, limb] = amount & np.uint64(0xFFFFFFFF)
            carry = amount >> np.uint64(32)
            limb += 1
        used[node] = limb
    return ahead[0]
