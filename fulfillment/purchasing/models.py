"""Purchase orders, what came in on them, and what the suppliers charge for it.

A line knows how many pieces were ordered, came, and are invoiced, and at what standard cost those
not yet invoiced stand in the books: together the lines are the account “goods received, not invoiced”.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, EnumText, Id, Minor, final
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus


class PurchaseStatus(StrEnum):
    """Where a purchase order stands."""

    DRAFT = "draft"
    """Lines are still being gathered, within one transaction."""
    ORDERED = "ordered"
    """The supplier has it and has promised a day."""
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    CLOSED = "closed"
    """All of it came and all of it is invoiced."""
    CANCELLED = "cancelled"
    """Nothing more will come of it."""


NEXT: dict[PurchaseStatus, frozenset[PurchaseStatus]] = {
    PurchaseStatus.DRAFT: frozenset({PurchaseStatus.ORDERED}),
    PurchaseStatus.ORDERED: frozenset({PurchaseStatus.PARTLY_RECEIVED, PurchaseStatus.RECEIVED, PurchaseStatus.CANCELLED}),
    PurchaseStatus.PARTLY_RECEIVED: frozenset({PurchaseStatus.PARTLY_RECEIVED, PurchaseStatus.RECEIVED, PurchaseStatus.CANCELLED}),
    PurchaseStatus.RECEIVED: frozenset({PurchaseStatus.CLOSED}),
    PurchaseStatus.CLOSED: frozenset(),
    PurchaseStatus.CANCELLED: frozenset(),
}

OPEN = (PurchaseStatus.ORDERED, PurchaseStatus.PARTLY_RECEIVED)
"""Something is still to come."""


class PurchaseOrder(Base):
    """What we called from one supplier at once."""

    __tablename__ = "purchase_order"
    __table_args__ = (sa.Index("ix_purchase_order_due", "status", "due_on", "number"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    supplier_code: Mapped[str] = mapped_column(sa.ForeignKey("supplier.code"), index=True)
    status: Mapped[PurchaseStatus] = mapped_column(EnumText(PurchaseStatus))
    source: Mapped[str] = mapped_column(index=True)
    """What it was called for: a sales order, a repair."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    ordered_at: Mapped[datetime | None]
    due_on: Mapped[date]
    """The day the supplier promised all of it for."""
    received_at: Mapped[datetime | None]
    """When the last of it came."""
    lines: Mapped[list[PurchaseLine]] = relationship(lazy="raise", order_by="PurchaseLine.position")

    def move_to(self, status: PurchaseStatus) -> None:
        """Step to the next status. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT[self.status]:
            raise WrongStatus(
                "Purchase order {number} is {status}, so it cannot become {wanted}.", number=self.number, status=self.status, wanted=status,
            )
        self.status = status
        if status is PurchaseStatus.RECEIVED:
            self.received_at = now()


class PurchaseLine(Base):
    """So many pieces of a part at an agreed price."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND received >= 0 AND received <= quantity", name="received_was_ordered"),
        sa.CheckConstraint("invoiced >= 0 AND invoiced <= received", name="invoiced_was_received"),
        sa.CheckConstraint("accrued_minor >= 0", name="accrued_not_negative"),
        sa.UniqueConstraint("purchase_order_id", "sku"),
    )

    id: Mapped[Id]
    purchase_order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("purchase_order.id"))
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("part.sku"), index=True)
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    invoiced: Mapped[int] = mapped_column(default=0)
    unit_cost_minor: Mapped[Minor]
    """The price agreed with the supplier, per piece."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    accrued_minor: Mapped[Minor] = mapped_column(default=0)
    """What came and is not invoiced, at the standard cost it came in at."""

    @property
    def missing(self) -> int:
        """How many are still to come."""
        return self.quantity - self.received

    @property
    def uninvoiced(self) -> int:
        """How many came that the supplier has not charged."""
        return self.received - self.invoiced

    @property
    def unit_cost(self) -> Money:
        """The price agreed, per piece."""
        return Money(self.unit_cost_minor, self.currency)

    @property
    def accrued(self) -> Money:
        """What the books owe the supplier for this line without an invoice."""
        return Money(self.accrued_minor, self.currency)


class GoodsReceipt(Base):
    """What came on one truck; never changed."""

    __tablename__ = "goods_receipt"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The delivery note's: the same one scanned again brings nothing."""
    po_number: Mapped[str] = mapped_column(sa.ForeignKey("purchase_order.number"), index=True)
    lines: Mapped[list[dict[str, Any]]]
    """[{sku, qty, unit_cost_minor}], at standard cost."""
    cost_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    at: Mapped[datetime]


class InvoiceStatus(StrEnum):
    """What became of a supplier's invoice."""

    BOOKED = "booked"
    """It agrees with what was ordered and what came."""
    HELD = "held"
    """It does not; nothing is booked until somebody has looked."""
    REJECTED = "rejected"
    """It went back to the supplier."""


class SupplierInvoice(Base):
    """What a supplier charges us."""

    __tablename__ = "supplier_invoice"
    __table_args__ = (sa.UniqueConstraint("supplier_code", "reference"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    """Ours."""
    reference: Mapped[str]
    """The supplier's."""
    dated_on: Mapped[date | None]
    """The date that is printed on it, where somebody had the paper."""
    supplier_code: Mapped[str] = mapped_column(sa.ForeignKey("supplier.code"))
    po_number: Mapped[str] = mapped_column(sa.ForeignKey("purchase_order.number"), index=True)
    status: Mapped[InvoiceStatus] = mapped_column(EnumText(InvoiceStatus), index=True)
    lines: Mapped[list[dict[str, Any]]]
    """[{sku, qty, unit_cost_minor}], as charged."""
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    reasons: Mapped[list[dict[str, Any]]]
    """Why it is held: [{sku, problem, ours, theirs}]."""
    received_at: Mapped[datetime]
    booked_at: Mapped[datetime | None]
    booked_by: Mapped[str | None]

    @property
    def amount(self) -> Money:
        """What is charged in all."""
        return Money(self.amount_minor, self.currency)


final(GoodsReceipt)
