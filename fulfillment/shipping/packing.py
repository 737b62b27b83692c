"""What goes into which box, and what it weighs.

Pure. A machine travels in its own box with its accessories; a monitor stays in its maker's box;
all plain items of an order share one more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fulfillment.assembly.recipe import OWN_BOX

CARTON_G, PADDING_PER_KG_G = 450, 60
"""A carton, and the padding for each begun kilogram inside it."""


@dataclass(slots=True)
class Box:
    """A box and what lies in it."""

    tag: str | None
    contents: list[dict[str, Any]] = field(default_factory=list)
    weight_g: int = 0


@dataclass(frozen=True, slots=True)
class Packed:
    """Parts of a machine, or a plain item."""

    sku: str
    name: Mapping[str, str]
    quantity: int
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A boxed machine: what it is called and all that was taken for it."""

    tag: str
    model: str
    name: Mapping[str, str]
    inside: Sequence[Packed]
    beside: Sequence[Packed]


def gross_weight(net_g: int) -> int:
    """What a box weighs around so many grams."""
    return net_g + CARTON_G + -(-net_g // 1000) * PADDING_PER_KG_G


def pack(machines: Iterable[Machine], items: Iterable[Packed], weights: Mapping[str, int]) -> list[Box]:
    """The boxes of an order: machines first, in order, then the plain items. `weights` are grams by part number."""
    boxes: list[Box] = []
    for machine in machines:
        boxes.append(_machine_box(machine, weights))
        boxes += _own_boxes(machine.beside, weights, machine.tag)
    items = list(items)
    boxes += _own_boxes(items, weights, None)
    shared = [item for item in items if not item.sku.startswith(OWN_BOX)]
    if shared:
        net = sum(weights.get(item.sku, 0) * item.quantity for item in shared)
        boxes.append(Box(None, [_line(item) for item in shared], gross_weight(net)))
    return boxes


def _machine_box(machine: Machine, weights: Mapping[str, int]) -> Box:
    beside = [part for part in machine.beside if not part.sku.startswith(OWN_BOX)]
    net = sum(weights.get(part.sku, 0) * part.quantity for part in (*machine.inside, *beside))
    unit = {"sku": machine.model, "name": dict(machine.name), "qty": 1, "serials": [machine.tag]}
    return Box(machine.tag, [unit, *(_line(part) for part in beside)], gross_weight(net))


def _own_boxes(parts: Iterable[Packed], weights: Mapping[str, int], tag: str | None) -> list[Box]:
    return [
        Box(tag, [_line(Packed(part.sku, part.name, 1, part.serial))], gross_weight(weights.get(part.sku, 0)))
        for part in parts if part.sku.startswith(OWN_BOX) for _ in range(part.quantity)
    ]


def _line(part: Packed) -> dict[str, Any]:
    return {"sku": part.sku, "name": dict(part.name), "qty": part.quantity, "serials": [part.serial] if part.serial else []}
