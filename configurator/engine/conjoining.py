"""Rules conjoined from the bottom up in a binary decision diagram, which is then flattened into layers.

A program of its own: it reads what to do as JSON and writes arrays of whole numbers. It is run that way because it may
be killed when its time is up, and because the library's threads do not outlive a fork. A decision between k classes
is ⌈log₂ k⌉ Boolean variables next to each other, so its layer can be cut out of the binary diagram again.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from oxidd.bdd import BDDFunction, BDDManager
from oxidd.util import DDMemoryError

TOO_LARGE = 3
"""The program's exit code when a diagram outgrows its nodes."""

_BYTES_PER_NODE = 40


class Conjoiner:
    """Binary diagrams of formulas over layers of the given widths."""

    def __init__(self, widths: Sequence[int], megabytes: int) -> None:
        self.widths = widths
        sizes = [(width - 1).bit_length() for width in widths]
        self.starts = [0, *itertools.accumulate(sizes)]
        """The first Boolean variable of each layer."""
        nodes = (megabytes << 20) // _BYTES_PER_NODE
        self.manager = BDDManager(nodes, nodes // 4, 1)
        self.manager.add_vars(self.starts[-1])
        self.true, self.false = self.manager.true(), self.manager.false()
        self.bits = [self.manager.var(place) for place in range(self.starts[-1])]

    def choice(self, layer: int, children: Sequence[BDDFunction]) -> BDDFunction:
        """Go on with a child for each class of the layer; numbers that stand for no class lead nowhere."""
        first, end = self.starts[layer], self.starts[layer + 1]
        row = [*children, *[self.false] * ((1 << (end - first)) - len(children))]
        for bit in reversed(self.bits[first:end]):
            row = [no if no == yes else bit.ite(yes, no) for no, yes in zip(row[::2], row[1::2], strict=True)]
        return row[0]

    def formula(self, node: Sequence[Any], known: Sequence[BDDFunction]) -> BDDFunction:
        """Build one formula from those before it."""
        match node:
            case ["set", layer, classes]:
                inside = set(classes)
                return self.choice(layer, [self.true if number in inside else self.false for number in range(self.widths[layer])])
            case ["walk", layers, tables, root]:
                return self.walk(layers, tables, root)
            case [how, parts]:
                lowest_first = sorted((known[part] for part in parts), key=lambda part: -(part.node_level() or 0))
                whole: BDDFunction = lowest_first[0] if lowest_first else (self.true if how == "all" else self.false)
                for part in lowest_first[1:]:
                    whole = whole & part if how == "all" else whole | part
                return whole
        raise ValueError(f"unknown formula {node!r}")

    def walk(self, layers: Sequence[int | None], tables: Sequence[Sequence[Sequence[int]]], root: int) -> BDDFunction:
        """Build what a small layered diagram says; -1 leads nowhere. A layer that is None is decided already."""
        below = [self.true]
        for layer, table in zip(reversed(layers), reversed(tables), strict=True):
            children = [[self.false if child < 0 else below[child] for child in row] for row in table]
            below = [row[0] if layer is None else self.choice(layer, row) for row in children]
        return below[root]

    def conjoined(self, rules: Sequence[BDDFunction]) -> BDDFunction:
        """All rules together, those that begin furthest down first."""
        whole = self.true
        for rule in rules:
            whole = rule & whole
        return whole

    def layered(self, root: BDDFunction) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Cut the diagram into layers: how many nodes each has, and all arcs."""
        counts, arcs = [], []
        wanted = {root: 0}
        first = 0
        for layer, width in enumerate(self.widths):
            below: dict[BDDFunction, int] = {}
            end = first + len(wanted)
            for node, source in wanted.items():
                for number, child in enumerate(self._children(layer, node)[:width]):
                    if child.satisfiable():
                        arcs.append((first + source, end + below.setdefault(child, len(below)), number))
            counts.append(len(wanted))
            wanted, first = below, end
        return counts, arcs

    def _children(self, layer: int, node: BDDFunction) -> list[BDDFunction]:
        """Where each class of a layer leads to from a node."""
        row = [node]
        for bit in range(self.starts[layer], self.starts[layer + 1]):
            row = [child for part in row for child in (_sides(part) if part.node_var() == bit else (part, part))]
        return row


def _sides(node: BDDFunction) -> tuple[BDDFunction, BDDFunction]:
    sides = node.cofactors()
    assert sides is not None
    yes, no = sides
    return no, yes


def main() -> int:
    """Conjoin what standard input asks for. Returns the exit code."""
    task = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"]))
    try:
        conjoiner = Conjoiner(task["widths"], task["megabytes"])
        known: list[BDDFunction] = []
        for node in task["formulas"]:
            known.append(conjoiner.formula(node, known))
        whole = conjoiner.false
        for part in task["parts"]:
            whole |= conjoiner.conjoined([known[rule] for rule in part])
        for layer in range(len(task["widths"]) - 1, -1, -1):
            whole = conjoiner.choice(layer, [conjoiner.true] * conjoiner.widths[layer]) & whole
        counts, arcs = conjoiner.layered(whole)
    except DDMemoryError:
        return TOO_LARGE
    np.save(sys.stdout.buffer, np.array(counts, dtype=np.int32))
    np.save(sys.stdout.buffer, np.array(arcs, dtype=np.int32).reshape(-1, 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
