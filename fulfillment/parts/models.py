"""The part master: what a part is, costs and weighs, and who delivers it.

How many there are is inventory's to know. A standard cost is what the books value the shelf at, so
it is changed through `inventory.costing` only, which posts the difference.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, EnumText, Minor
from fulfillment.kernel.money import Money
from fulfillment.parts.data import PartKind


class Supplier(Base):
    """Somebody who delivers our parts."""

    __tablename__ = "supplier"
    __table_args__ = (sa.CheckConstraint("lead_days >= 0", name="lead_days_not_negative"),)

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[dict[str, Any]]
    lead_days: Mapped[int]
    """Working days from order to our gate, when a part says nothing else."""
    email: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="US")


class Part(Base):
    """A part by its number; what is sold by itself has a price and a page."""

    __tablename__ = "part"
    __table_args__ = (
        sa.CheckConstraint("standard_cost_minor >= 0", name="cost_not_negative"),
        sa.CheckConstraint("lead_days >= 0", name="lead_days_not_negative"),
        sa.CheckConstraint("NOT sellable OR list_price_minor > 0", name="sold_at_a_price"),
        sa.Index("ix_part_sellable", "sellable", "category", "sku"),
    )

    sku: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[dict[str, Any]]
    kind: Mapped[PartKind] = mapped_column(EnumText(PartKind))
    standard_cost_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    weight_g: Mapped[int] = mapped_column(default=0)
    supplier_code: Mapped[str] = mapped_column(sa.ForeignKey("supplier.code"), index=True)
    lead_days: Mapped[int]
    """Working days from order to our gate."""
    serialised: Mapped[bool] = mapped_column(default=False)
    """Each piece has a number of its own, which is recorded in the machine it goes into."""
    sellable: Mapped[bool] = mapped_column(default=False)
    list_price_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    category: Mapped[str] = mapped_column(sa.String(32), default="")
    picture: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any] | None]
    facts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)

    @property
    def stocked(self) -> bool:
        """Whether it lies on the shelf; services and licences do not."""
        return self.kind is PartKind.HARDWARE

    @property
    def standard_cost(self) -> Money:
        """Per piece."""
        return Money(self.standard_cost_minor, self.currency)

    @property
    def list_price(self) -> Money | None:
        """Per piece, tax excluded; None for what is only built in."""
        return None if self.list_price_minor is None else Money(self.list_price_minor, self.currency)
