"""The loops for two aims at once: keep something low (defaults lost, power left out) where price is bounded.

No single number decides between two half-made machines when one loses less and the other is cheaper. So each node has
a front: the costs that no other beats in both. A cost is (what is to be kept low) * unit + price, so a front is a
sorted list of whole numbers. See `kernels` for the rest, `sweeps` for what it is good for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from configurator.engine.kernels import NONE, compiled, grown


@compiled
def cheapest_items(order: Any, class_of: Any, costs: Any, classes: int, unit: int) -> Any:
    """For each class the values worth a look: each better than all before it in cost has a lower price (cost % unit).

    `order` are the values sorted by class, and by cost within a class.
    """
    starts = np.zeros(classes + 1, np.int32)
    values = np.empty(len(order), np.int32)
    kept = 0
    here = 0
    price = NONE
    for value in order:
        while here < class_of[value]:
            here += 1
            starts[here] = kept
            price = NONE
        if costs[value] < NONE and costs[value] % unit < price:
            price = costs[value] % unit
            values[kept] = value
            kept += 1
    while here < classes:
        here += 1
        starts[here] = kept
    return starts, values[:kept]


@compiled
def sink(numbers: Any, start: int, end: int) -> None:
    """Let a number sink in its heap until none below it is greater."""
    at = start
    while 2 * at + 1 < end:
        child = 2 * at + 1
        if child + 1 < end and numbers[child] < numbers[child + 1]:
            child += 1
        if numbers[at] >= numbers[child]:
            return
        numbers[at], numbers[child] = numbers[child], numbers[at]
        at = child


@compiled
def arrange(numbers: Any) -> None:
    """Sort in place (heap sort: short to compile, and never slow)."""
    count = len(numbers)
    for start in range(count // 2 - 1, -1, -1):
        sink(numbers, start, count)
    for end in range(count - 1, 0, -1):
        numbers[0], numbers[end] = numbers[end], numbers[0]
        sink(numbers, 0, end)


@compiled
def kept(candidates: Any, unit: int) -> Any:
    """Of some costs those that no other beats in both cost and price (cost % unit), in order."""
    arrange(candidates)
    count = 0
    price = NONE
    for cost in candidates:
        if cost % unit < price:
            price = cost % unit
            candidates[count] = cost
            count += 1
    return candidates[:count]


@compiled
def contains(numbers: Any, begin: int, end: int, number: int) -> bool:
    """Tell whether sorted numbers contain one."""
    while begin < end:
        middle = (begin + end) // 2
        if numbers[middle] < number:
            begin = middle + 1
        elif numbers[middle] > number:
            end = middle
        else:
            return True
    return False


@compiled
def fronts(near: Any, far: Any, number: Any, order: Any, first: int, starts: Any, items: Any, unit: int, others: Any, bound: int) -> Any:
    """For each node the costs worth keeping of its halves of machines, where price is bounded.

    `order` are the arcs by their nodes `near`, each after those of
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
                        found = grown(found)
                    found[count] = cost
                    count += 1
        front = kept(found[:count], unit)
        while used + len(front) > len(costs):
            costs = grown(costs)
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
                        found = grown(found)
                    found[count] = cost
                    count += 1
        front = kept(found[:count], unit)
        while used + len(front) > len(costs):
            costs = grown(costs)
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
                if contains(front[2], begin, end, left):
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
            if contains(ahead[2], begin, end, left):
                return arc, left
    return -1, 0
