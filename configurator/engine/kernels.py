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
            layers = np.concatenate((layers, np.zeros(len(layers), np.int32)))
            others = np.concatenate((others, np.zeros(len(others), np.int32)))
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


@compiled
def cheapest_items(members: Any, class_of: Any, costs: Any, classes: int, unit: int) -> Any:
    """For each class the values worth a look: each better than all before it in cost has a lower price (cost % unit)."""
    starts = np.zeros(classes + 1, np.int32)
    values = np.empty(len(members), np.int32)
    kept = 0
    begin = 0
    for here in range(classes):
        end = begin
        while end < len(members) and class_of[members[end]] == here:
            end += 1
        order = begin + np.argsort(costs[members[begin:end]], kind="mergesort")
        price = NONE
        for place in order:
            value = members[place]
            if costs[value] < NONE and costs[value] % unit < price:
                price = costs[value] % unit
                values[kept] = value
                kept += 1
        begin = end
        starts[here + 1] = kept
    return starts, values[:kept]


@compiled
def kept(candidates: Any, unit: int) -> Any:
    """Of some costs those that no other beats in both cost and price (cost % unit), in order."""
    candidates.sort()
    count = 0
    price = NONE
    for cost in candidates:
        if cost % unit < price:
            price = cost % unit
            candidates[count] = cost
            count += 1
    return candidates[:count]


@compiled
def fronts(near: Any, far: Any, number: Any, order: Any, first: int, starts: Any, items: Any, unit: int, others: Any, bound: int) -> Any:
    """For each node the costs worth keeping of its halves of machines, where price is bounded.

    A cost is (what is to be kept low) * unit + price. `order` are the arcs by their nodes `near`, each after those of
    `far`; `first` is the node to start from. `others` is the least price of each node's other half: what goes beyond
    `bound` with it is left out. The items of a class are its values' costs. Returns begins, ends and costs.
    """
    begins = np.zeros(len(others), np.int64)
    ends = np.zeros(len(others), np.int64)
    costs = np.zeros(1024, np.int64)
    found = np.zeros(1024, np.int64)
    ends[first] = 1
    used = 1
    at = 0
    while at < len(order):
        node = near[order[at]]
        count = 0
        while at < len(order) and near[order[at]] == node:
            arc = order[at]
            at += 1
            for item in range(starts[number[arc]], starts[number[arc] + 1]):
                for place in range(begins[far[arc]], ends[far[arc]]):
                    cost = costs[place] + items[item]
                    if others[node] >= NONE or cost % unit + others[node] > bound:
                        continue
                    if count == len(found):
                        found = np.concatenate((found, np.zeros(count, np.int64)))
                    found[count] = cost
                    count += 1
        front = kept(found[:count], unit)
        while used + len(front) > len(costs):
            costs = np.concatenate((costs, np.zeros(len(costs), np.int64)))
        costs[used : used + len(front)] = front
        begins[node] = used
        used += len(front)
        ends[node] = used
    return begins, ends, costs[:used]


@compiled
def rest_fronts(src: Any, dst: Any, number: Any, by_class: Any, ahead: Any, behind: Any, unit: int, bound: int, classes: int) -> Any:
    """For each class the costs worth keeping of the other layers; `ahead` and `behind` are what `fronts` returned."""
    begins = np.zeros(classes, np.int64)
    ends = np.zeros(classes, np.int64)
    costs = np.zeros(1024, np.int64)
    found = np.zeros(1024, np.int64)
    used = 0
    at = 0
    while at < len(by_class):
        here = number[by_class[at]]
        count = 0
        while at < len(by_class) and number[by_class[at]] == here:
            arc = by_class[at]
            at += 1
            for one in range(behind[0][src[arc]], behind[1][src[arc]]):
                for other in range(ahead[0][dst[arc]], ahead[1][dst[arc]]):
                    cost = behind[2][one] + ahead[2][other]
                    if cost % unit > bound:
                        continue
                    if count == len(found):
                        found = np.concatenate((found, np.zeros(count, np.int64)))
                    found[count] = cost
                    count += 1
        front = kept(found[:count], unit)
        while used + len(front) > len(costs):
            costs = np.concatenate((costs, np.zeros(len(costs), np.int64)))
        costs[used : used + len(front)] = front
        begins[here] = used
        used += len(front)
        ends[here] = used
    return begins, ends, costs[:used]


@compiled
def least_within(class_of: Any, costs: Any, rest: Any, unit: int, bound: int) -> Any:
    """For each value the least cost of a machine with it whose price is within the bound; NONE if there is none."""
    least = np.full(len(costs), NONE, np.int64)
    for value in range(len(costs)):
        if costs[value] >= NONE:
            continue
        for place in range(rest[0][class_of[value]], rest[1][class_of[value]]):
            cost = rest[2][place] + costs[value]
            if cost % unit <= bound:
                least[value] = cost
                break
    return least


@compiled
def half_path(near: Any, far: Any, arcs: Any, front: Any, item: Any, at: Any, chosen: Any) -> None:
    """Put into `chosen` the values of a half machine with a cost, layer by layer from a node to an end.

    `near`, `far` and `number` are as in `fronts`, `front` what it returned; `arcs` are the first arc of each layer.
    `item` is (number, starts, items, values), `at` the node, its cost, and the first layer, the one to stop at, the step.
    """
    number, starts, items, values = item
    node, cost, first, stop, step = at
    for place in range(first, stop, step):
        found = False
        for arc in range(arcs[place], arcs[place + 1]):
            if near[arc] != node:
                continue
            begin, end = front[0][far[arc]], front[1][far[arc]]
            for one in range(starts[number[arc]], starts[number[arc] + 1]):
                left = cost - items[one]
                where = begin + np.searchsorted(front[2][begin:end], left)
                if where < end and front[2][where] == left:
                    chosen[place] = values[one]
                    node = far[arc]
                    cost = left
                    found = True
                    break
            if found:
                break


@compiled
def meeting(src: Any, dst: Any, number: Any, arcs: Any, here: int, ahead: Any, behind: Any, cost: int) -> Any:
    """The arc of a class where two half machines meet that cost this much together, and the cost of the one ahead."""
    for arc in range(arcs[0], arcs[1]):
        if number[arc] != here:
            continue
        begin, end = ahead[0][dst[arc]], ahead[1][dst[arc]]
        for place in range(behind[0][src[arc]], behind[1][src[arc]]):
            left = cost - behind[2][place]
            where = begin + np.searchsorted(ahead[2][begin:end], left)
            if where < end and ahead[2][where] == left:
                return arc, left
    return -1, 0
