"""Parts and suppliers as a catalogue brings them: values, before they are rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fulfillment.kernel.money import Money

Text = Mapping[str, str]
"""A bilingual text: {"en": …, "zh": …}."""


class PartKind(StrEnum):
    """Whether there is anything to hold in the hand."""

    HARDWARE = "hardware"
    """Lies on the shelf: counted, reserved, built in."""
    SERVICE = "service"
    """A licence, a warranty, a visit: always there, never on the shelf."""


@dataclass(frozen=True, slots=True)
class SupplierData:
    """Somebody who delivers our parts."""

    code: str
    name: Text
    lead_days: int
    """Working days from order to our gate, when a part says nothing else."""
    email: str = ""
    country: str = "US"


@dataclass(frozen=True, slots=True)
class PartData:
    """A part, or something sold by itself. Raises ValueError for figures that cannot be."""

    sku: str
    name: Text
    kind: str
    cost: Money
    """Standard cost per piece. Only for a part that is new: a known one is revalued, see `inventory.costing`."""
    supplier: str
    lead_days: int
    weight_g: int = 0
    serialised: bool = False
    sellable: bool = False
    list_price: Money | None = None
    category: str = ""
    picture: str = ""
    detail: Text | None = None
    facts: Sequence[Mapping[str, Any]] = field(default=())
    """[{label, value}], both bilingual: the technical data of an item's page."""

    def __post_init__(self) -> None:
        if not self.sku or self.sku != self.sku.strip():
            raise ValueError(f"not a part number: {self.sku!r}")
        if self.cost.minor < 0 or self.weight_g < 0 or self.lead_days < 0:
            raise ValueError(f"{self.sku}: cost, weight and lead time are zero or more")
        if self.sellable and (self.list_price is None or self.list_price.minor <= 0):
            raise ValueError(f"{self.sku} is sold by itself, so it needs a price")
