"""What a customer has laid aside to buy.

A configured machine is in the cart as a line of a quote, so its price and its bill of materials
are the quote's; a plain item is in it by its SKU, at the price of the day it is ordered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, Id


class Cart(Base):
    """One customer's cart; closed once its order is paid."""

    __tablename__ = "cart"

    id: Mapped[Id]
    account_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    details: Mapped[dict[str, Any]]
    """What was entered at checkout: contact, addresses, delivery."""
    order_number: Mapped[str | None] = mapped_column(index=True)
    """The order last made from it."""
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CartLine(Base):
    """A machine of a quote, or an item by its SKU."""

    __tablename__ = "cart_line"
    __table_args__ = (
        sa.UniqueConstraint("cart_id", "quote_line_id"),
        sa.UniqueConstraint("cart_id", "sku"),
        sa.CheckConstraint("(quote_line_id IS NULL) <> (sku IS NULL)", name="machine_or_item"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity_in_range"),
    )

    id: Mapped[Id]
    cart_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cart.id"), index=True)
    quote_line_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("quote_line.id"))
    sku: Mapped[str | None]
    quantity: Mapped[int]
    added_at: Mapped[datetime]
