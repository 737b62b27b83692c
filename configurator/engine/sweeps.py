"""Questions to the diagram: each is one walk back and one walk forth over the arcs, for all classes at once.

What is added up and compared differs (a price, a date, a number of machines); the walks are alike. Costs are whole
numbers of 0 or more by class, the classes counted through all layers; NONE stands for "there is no such machine" and
is far larger than any real cost. The loops themselves are in `kernels`, loaded at the first question.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from configurator.engine.diagram import Diagram, Ints

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = 1 << 61


@functools.cache
def _kernels() -> ModuleType:
    """The compiled loops; loading them takes a good part of a second, which those who ask nothing need not wait for."""
    from configurator.engine import kernels

    return kernels


@functools.cache
def _fronts() -> ModuleType:
    """The same for two aims at once."""
    from configurator.engine import fronts

    return fronts


@dataclass(frozen=True, slots=True)
class Arcs:
    """A diagram as the loops want it: the free variables as layers of one node at its end, and classes counted through."""

    slots: tuple[int, ...]
    """The variable of each layer."""
    class_offsets: Longs
    """The first class of each layer, then the number of classes."""
    starts: Ints
    """The first arc of each layer, then the number of arcs."""
    src: Ints
    dst: Ints
    number: Ints
    """The class of each arc."""
    out: Ints
    """The first arc of each node, then the number of arcs."""
    into: Ints
    """The arcs sorted by the node they lead to."""
    by_class: Ints
    """The arcs sorted by their class."""

    @property
    def nodes(self) -> int:
        """How many nodes there are, the end included."""
        return len(self.out) - 1

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.class_offsets[-1])

    def layer_of(self, arc: int) -> int:
        """The layer an arc belongs to."""
        return int(np.searchsorted(self.starts, arc, side="right")) - 1


def arcs_of(diagram: Diagram) -> Arcs:
    """Lay a diagram out for the loops."""
    slots = (*diagram.order, *diagram.free)
    widths = [max(diagram.classes[variable]) + 1 for variable in slots]
    class_offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.array(widths, dtype=np.int64))])
    layers, free, end = len(diagram.order), len(diagram.free), int(diagram.node_starts[-2])
    tail = np.arange(end, end + free, dtype=np.int32)
    src = np.concatenate([diagram.src, tail])
    dst = np.concatenate([diagram.dst, tail + 1])
    layer_classes = np.repeat(class_offsets[:layers], np.diff(diagram.arc_starts))
    number = np.concatenate([diagram.cls + layer_classes, class_offsets[layers:-1]])
    return Arcs(
        slots,
        class_offsets,
        fixed(np.concatenate([diagram.arc_starts, len(diagram.src) + 1 + np.arange(free)])),
        fixed(src),
        fixed(dst),
        fixed(number),
        out=fixed(np.searchsorted(src, np.arange(end + free + 2))),
        into=fixed(np.argsort(dst, kind="stable")),
        by_class=fixed(np.argsort(number, kind="stable")),
    )


def fixed(numbers: NDArray[np.integer]) -> Ints:
    """The numbers as the loops expect them: never to be written to, as if they came from a file."""
    array = numbers.astype(np.int32)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True)
class Cheapest:
    """What one (min, +) walk found."""

    arcs: Arcs
    ahead: Longs
    """The least cost from each node to the end."""
    behind: Longs
    """The least cost from the root to each node."""
    rest: Longs
    """For each class, the least cost of the other layers in a machine that has it."""
    to_take: Ints
    taken: Ints
    via: Ints

    @property
    def best(self) -> int:
        """The least cost of a whole machine."""
        return int(self.ahead[0])

    def path(self, number: int | None = None) -> Ints:
        """The classes of the best machine, or of the best one with a class, layer by layer; there must be one."""
        arcs = self.arcs
        found = np.empty(len(arcs.slots), dtype=np.int32)
        arc = -1 if number is None else int(self.via[number])
        _kernels().path(arcs.src, arcs.dst, self.to_take, self.taken, arc, 0 if arc < 0 else arcs.layer_of(arc), found)
        return arcs.number[found]

    def differences(self, values: Ints) -> tuple[Longs, Ints, Ints]:
        """For each class, in which layers the best machine with it differs from the best one, and the values there.

        `values` are the best of each class. Returned are the start of each class among the two arrays that follow.
        """
        arcs, best = self.arcs, values[self.path()]
        found: tuple[Longs, Ints, Ints] = _kernels().differences(
            arcs.src, arcs.dst, arcs.number, self.to_take, self.taken, self.via, values, best
        )
        return found

    def latest(self, dates: Longs) -> Longs:
        """For each class the latest date of the other layers in the best machine with it; `dates` are those of the classes."""
        arcs = self.arcs
        rest: Longs = _kernels().latest_on(arcs.src, arcs.dst, arcs.number, self.to_take, self.taken, self.via, dates)
        return rest


def cheapest_values(class_of: Ints, costs: Longs, classes: int) -> tuple[Longs, Ints]:
    """For each class the least cost of its values, and the first value that has it."""
    least, values = _kernels().cheapest_values(class_of, costs, classes)
    return least, values


def cheapest(arcs: Arcs, costs: Longs) -> Cheapest:
    """Find the cheapest machine for each class."""
    ahead, to_take, behind, taken, rest, via = _kernels().added(arcs.src, arcs.dst, arcs.number, arcs.nodes, costs)
    return Cheapest(arcs, ahead, behind, rest, to_take, taken, via)


def earliest(arcs: Arcs, dates: Longs) -> tuple[int, Longs]:
    """The least possible latest date of all layers, and for each class that of the other layers; NONE without such a machine."""
    best, rest = _kernels().latest(arcs.src, arcs.dst, arcs.number, arcs.nodes, dates)
    return int(best), rest


def possible(arcs: Arcs, allowed: Bools) -> Bools:
    """Tell for each class whether allowed classes of all other layers go with it."""
    found: Bools = _kernels().possible(arcs.src, arcs.dst, arcs.number, arcs.nodes, allowed)
    return found


def satisfiable(arcs: Arcs, allowed: Bools) -> bool:
    """Tell whether some machine has only allowed classes."""
    return bool(_kernels().satisfiable(arcs.src, arcs.dst, arcs.number, arcs.nodes, allowed))


def together(arcs: Arcs) -> Bools:
    """Tell for every two classes whether some machine has both; two of one layer are not asked."""
    met: Bools = _kernels().together(arcs.src, arcs.dst, arcs.number, arcs.nodes, arcs.classes)
    return met


def count(arcs: Arcs, ways: Longs) -> int:
    """Count the machines, exactly; `ways` is how many values of each class are allowed."""
    bits = np.log2(np.maximum(np.add.reduceat(ways, arcs.class_offsets[:-1]), 1)).sum() if len(ways) else 0
    limbs = int(bits) // 32 + 2
    found = _kernels().counted(arcs.src, arcs.dst, arcs.number, arcs.nodes, ways, limbs)
    return sum(int(limb) << 32 * place for place, limb in enumerate(found))


@dataclass(frozen=True)
class Bounded:
    """Machines whose price is within a bound, by what is to be kept low: costs are that * `unit` + price."""

    arcs: Arcs
    unit: int
    bound: int
    class_of: Ints
    starts: Ints
    items: Longs
    """The costs of each class's values worth a look."""
    values: Ints
    cheapest: Cheapest
    """By price alone."""
    ahead: tuple[Longs, Longs, Longs]
    """For each node, the costs worth keeping to the end: where they begin and end, and what they are."""

    @functools.cached_property
    def behind(self) -> tuple[Longs, Longs, Longs]:
        """For each node, the costs worth keeping from the root."""
        arcs = self.arcs
        front: tuple[Longs, Longs, Longs] = _fronts().fronts(
            arcs.dst, arcs.src, arcs.number, arcs.into, 0, self.starts, self.items, self.unit, self.cheapest.ahead, self.bound
        )
        return front

    @property
    def best(self) -> int:
        """The least cost; NONE if no machine is within the bound."""
        begin, end, costs = self.ahead
        return int(costs[begin[0]]) if begin[0] < end[0] else NONE

    def machine(self) -> Ints:
        """The values of the best machine, layer by layer; there must be one."""
        chosen = np.empty(len(self.arcs.slots), dtype=np.int32)
        self._walk_ahead((0, self.best, 0, len(chosen), 1), chosen)
        return chosen

    def machine_with(self, value: int, rest: int) -> Ints:
        """The values of a machine that has one and costs `rest` without it, as `least` told."""
        arcs, number = self.arcs, int(self.class_of[value])
        chosen = np.empty(len(arcs.slots), dtype=np.int32)
        layer = int(np.searchsorted(arcs.class_offsets, number, side="right")) - 1
        arc, left = _fronts().meeting(
            arcs.src, arcs.dst, arcs.number, arcs.starts[layer : layer + 2], number, self.ahead, self.behind, rest
        )
        chosen[layer] = value
        self._walk_ahead((int(arcs.dst[arc]), int(left), layer + 1, len(chosen), 1), chosen)
        item = arcs.number, self.starts, self.items, self.values
        at = int(arcs.src[arc]), rest - int(left), layer - 1, -1, -1
        _fronts().half_path(arcs.dst, arcs.src, arcs.starts, self.behind, item, at, chosen)
        return chosen

    def _walk_ahead(self, at: tuple[int, int, int, int, int], chosen: Ints) -> None:
        arcs, item = self.arcs, (self.arcs.number, self.starts, self.items, self.values)
        _fronts().half_path(arcs.src, arcs.dst, arcs.starts, self.ahead, item, at, chosen)

    def least(self, costs: Longs) -> Longs:
        """For each value (at a cost of its own) the least cost of a machine with it within the bound; NONE without one."""
        arcs, loops = self.arcs, _fronts()
        rest = loops.rest_fronts(
            arcs.src, arcs.dst, arcs.number, arcs.by_class, self.ahead, self.behind, self.unit, self.bound, arcs.classes
        )
        least: Longs = loops.least_within(self.class_of, costs, rest, self.unit, self.bound)
        return least


def bounded(arcs: Arcs, class_of: Ints, *, costs: Longs, prices: Longs, unit: int, bound: int) -> Bounded:
    """Find the machines within a bound on price; `costs` of values are (what is to be kept low) * unit + price.

    `prices` are those of the values that may be asked for (see `Bounded.least`), NONE for the others.
    """
    loops = _fronts()
    order = np.lexsort((costs, class_of)).astype(np.int32)
    starts, values = loops.cheapest_items(order, class_of, costs, arcs.classes, unit)
    by_price = cheapest(arcs, cheapest_values(class_of, prices, arcs.classes)[0])
    backward = np.arange(len(arcs.src) - 1, -1, -1, dtype=np.int32)
    items = costs[values]
    front = loops.fronts(arcs.src, arcs.dst, arcs.number, backward, arcs.nodes - 1, starts, items, unit, by_price.behind, bound)
    return Bounded(arcs, unit, bound, class_of, starts, items, values, by_price, front)
