"""The compiled form of a model: a layered decision diagram in flat arrays.

Each layer is one variable, each arc one class of its values that behave alike under the rules, and each path from the
root to the end is a machine that can be built: no path is missing and none leads nowhere. So any question is one walk
along the layers (see `sweeps`). Variables that no rule speaks of are not in the diagram at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


class CannotCompile(ValueError):
    """The model has no machine at all, or its rules are too entangled for the budget."""


class NoMachine(CannotCompile):
    """No machine keeps all rules."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Layers from the root (node 0) to the end (the last node); every path passes every layer, every node is on one."""

    order: tuple[int, ...]
    """The variable of each layer."""
    classes: tuple[tuple[int, ...], ...]
    """For each variable of the model, the class of each of its values: 0 and up."""
    free: tuple[int, ...]
    """The variables without a layer: any value goes with everything."""
    node_starts: Ints
    """The first node of each layer, then the end, then the number of nodes."""
    arc_starts: Ints
    """The first arc of each layer, then the number of arcs."""
    src: Ints
    dst: Ints
    """The nodes each arc comes from and leads to. Arcs are sorted by layer, `src` and `cls`."""
    cls: Ints
    """The class of each arc, within its layer."""

    @property
    def size(self) -> tuple[int, int]:
        """How many nodes and arcs there are."""
        return int(self.node_starts[-2]), len(self.src)
