"""Stock by part: what is here, what of it is kept for somebody, and every movement of it.

The database itself refuses to have less than nothing or to keep more for people than there is.
Movements are only ever added, one per source, so the same scan or receipt twice moves nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, EnumText, Id, Minor, final
from fulfillment.kernel.money import Money


class MoveReason(StrEnum):
    """Why stock moved."""

    OPENING = "opening"
    RECEIPT = "receipt"
    ISSUE = "issue"
    """To the bench, or into a customer's parcel."""
    RETURN = "return"
    """Good parts back from the bench."""
    COUNT = "count"
    """The shelf was counted and the books were wrong."""


class Stock(Base):
    """What there is of a part. Rows are always locked in the order of their part numbers."""

    __tablename__ = "stock"
    __table_args__ = (
        sa.CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_is_there"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    sku: Mapped[str] = mapped_column(sa.ForeignKey("part.sku"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    """Of those on hand, how many are kept for somebody."""

    @property
    def free(self) -> int:
        """How many can still be promised."""
        return self.on_hand - self.reserved


class StockMove(Base):
    """A movement of a part, never changed; quantities out are negative."""

    __tablename__ = "stock_move"
    __table_args__ = (sa.CheckConstraint("quantity <> 0", name="quantity_moves"), sa.Index("ix_stock_move_history", "sku", "at"))

    id: Mapped[Id]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("part.sku"))
    quantity: Mapped[int]
    reason: Mapped[MoveReason] = mapped_column(EnumText(MoveReason))
    source: Mapped[str] = mapped_column(unique=True)
    """The document and line that moved it."""
    holder: Mapped[str | None]
    """For whom it had been kept."""
    unit_cost_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    at: Mapped[datetime]

    @property
    def unit_cost(self) -> Money:
        """Standard cost per piece at that moment."""
        return Money(self.unit_cost_minor, self.currency)

    @property
    def cost(self) -> Money:
        """What was moved, at standard cost; always zero or more."""
        return self.unit_cost * abs(self.quantity)


class Reservation(Base):
    """Pieces kept for a holder: a work order, or a sales order's plain items."""

    __tablename__ = "reservation"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"), sa.Index("ix_reservation_sku", "sku"))

    holder: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("part.sku"), primary_key=True)
    quantity: Mapped[int]
    at: Mapped[datetime]


class IncomingPart(Base):
    """Pieces on their way to us, and how many of them somebody waits for already."""

    __tablename__ = "incoming_part"
    __table_args__ = (
        sa.CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        sa.CheckConstraint("committed >= 0 AND committed <= quantity", name="committed_is_coming"),
        sa.Index("ix_incoming_part_due", "sku", "due_on"),
    )

    source: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """The purchase order."""
    sku: Mapped[str] = mapped_column(sa.ForeignKey("part.sku"), primary_key=True)
    quantity: Mapped[int]
    """Ordered and not here yet."""
    committed: Mapped[int]
    due_on: Mapped[date]


final(StockMove)
