"""From a configuration to its parts: the as-ordered bill of materials, its weight and cost, and the parts of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from configurator.language.specification import Model, PartKind, PartSpec, Text
from configurator.language.truth import Configuration
from fulfillment.kernel.money import Money, total

BASE = "base"
"""The group of the bare machine's line."""


@dataclass(frozen=True, slots=True)
class BomLine:
    """Some pieces of one part in one group of a machine."""

    sku: str
    name: Text
    qty: int
    group: str
    kind: PartKind
    serialised: bool
    cost: Money
    """Standard cost per piece."""
    weight_g: int
    """Per piece."""
    supplier: str
    lead_days: int


def explode(model: Model, configuration: Configuration) -> tuple[BomLine, ...]:
    """List the parts of one machine: the bare machine first, then group by group in the order of the model.

    The configuration must name the options of every group, as the engine's answers do; KeyError if it does not.
    """
    lines = [_line(BASE, model.base, model.base.qty)]
    for group in model.groups:
        pieces: dict[str, int] = {}
        specs: dict[str, PartSpec] = {}
        for option in configuration[group.id]:
            for spec in group.by_id[option].parts:
                specs.setdefault(spec.sku, spec)
                pieces[spec.sku] = pieces.get(spec.sku, 0) + spec.qty
        lines += [_line(group.id, spec, pieces[spec.sku]) for spec in specs.values()]
    return tuple(lines)


def pieces(bom: Iterable[BomLine]) -> Counter[str]:
    """Count the hardware of one machine, whichever groups it stands in: {sku: pieces}."""
    found: Counter[str] = Counter()
    for line in bom:
        if line.kind == "hardware":
            found[line.sku] += line.qty
    return found


def cost_of(bom: Iterable[BomLine]) -> Money:
    """Add up the standard cost of one machine."""
    return total(line.cost * line.qty for line in bom)


def weight_of(bom: Iterable[BomLine]) -> int:
    """Add up the weight of one machine, in grams, without its box."""
    return sum(line.weight_g * line.qty for line in bom)


def part_specs(model: Model) -> tuple[PartSpec, ...]:
    """List every part of a model once, the bare machine first.

    Where a SKU stands in several options ("2 × 16 GB", "4 × 16 GB"), the one with the fewest pieces names the part.
    """
    parts = {model.base.sku: model.base}
    for group in model.groups:
        for option in group.options:
            for spec in option.parts:
                known = parts.get(spec.sku)
                if known is None or spec.qty < known.qty:
                    parts[spec.sku] = spec
    return tuple(parts.values())


def _line(group: str, spec: PartSpec, qty: int) -> BomLine:
    return BomLine(
        sku=spec.sku,
        name=spec.name,
        qty=qty,
        group=group,
        kind=spec.kind,
        serialised=spec.serialised,
        cost=spec.cost,
        weight_g=spec.weight_g,
        supplier=spec.supplier,
        lead_days=spec.lead_days,
    )
