"""Released models and the quotes made with them: both are final.

A release is the text of a model file, with the hash of its content; a quote keeps the release it
was made with, every option and price as they were, and the bill of materials, so that nothing
that happens to the catalogue later can change what a customer holds in his hand.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.kernel.db import Base, Id, Json, Minor, final
from fulfillment.kernel.money import Money


class Release(Base):
    """A version of a model that customers can configure; never edited, only followed by the next."""

    __tablename__ = "model_release"
    __table_args__ = (sa.UniqueConstraint("model_id", "version"), sa.UniqueConstraint("model_id", "content_hash"))

    id: Mapped[Id]
    model_id: Mapped[str]
    version: Mapped[int]
    content_hash: Mapped[str] = mapped_column(sa.String(64))
    """Of the model; of model and version, where an earlier release has the same content."""
    text: Mapped[str]
    released_at: Mapped[datetime] = mapped_column(index=True)


class Quote(Base):
    """An offer: numbered, dated, priced, valid until a day. Whoever holds its token may read it."""

    __tablename__ = "quote"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    locale: Mapped[str] = mapped_column(sa.String(8))
    currency: Mapped[str] = mapped_column(sa.String(3))
    total_minor: Mapped[Minor]
    """Goods only: delivery and tax depend on where it goes."""
    issued_at: Mapped[datetime]
    valid_until: Mapped[date]
    """The last day on which it can be ordered."""
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Who asked: customer_group, market, day, quantity, codes. None: from before there were terms."""
    promotions: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    """The promotions in its price: {id, code, name, reach}. Their uses are counted when it is ordered."""
    lines: Mapped[list[QuoteLine]] = relationship(lazy="raise", order_by="QuoteLine.position")

    @property
    def total(self) -> Money:
        """All lines, without delivery and tax."""
        return Money(self.total_minor, self.currency)


class QuoteLine(Base):
    """A machine as configured, in a quantity."""

    __tablename__ = "quote_line"
    __table_args__ = (
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity_in_range"),
        sa.UniqueConstraint("quote_id", "position"),
    )

    id: Mapped[Id]
    quote_id: Mapped[UUID] = mapped_column(sa.ForeignKey("quote.id"))
    position: Mapped[int]
    release_id: Mapped[UUID] = mapped_column(sa.ForeignKey("model_release.id"))
    model_id: Mapped[str]
    name: Mapped[dict[str, Any]]
    picture: Mapped[str]
    choices: Mapped[dict[str, Any]]
    """Group id -> list of option ids: the whole configuration."""
    options: Mapped[list[dict[str, Any]]]
    """What was chosen, in words: {group, option} bilingual, {price_minor}; with its list_minor and the rules that made it."""
    bom: Mapped[list[dict[str, Any]]]
    """Per unit: sku, name, qty, group, kind, serialised, cost_minor, weight_g; the bare machine with build_days."""
    quantity: Mapped[int]
    unit_price_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    weight_g: Mapped[int]
    """Per unit."""
    ready_on: Mapped[date]
    """The day it could leave the factory, as promised when quoted."""
    pricing: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """How the unit price came about: {base, off, quantity_bound}; None: from before it was kept.

    `base` {price_minor, list_minor, rules} is the bare machine; `off` [{promotion, name, amount_minor, kind}] what came
    off the whole machine and off its options, per unit; `quantity_bound` says that the price holds for this quantity alone.
    """

    @property
    def quantity_bound(self) -> bool:
        """Whether the price holds for the quoted quantity alone."""
        return bool(self.pricing and self.pricing["quantity_bound"])

    @property
    def unit_price(self) -> Money:
        """Per unit, tax excluded."""
        return Money(self.unit_price_minor, self.currency)

    @property
    def price(self) -> Money:
        """All units, tax excluded."""
        return self.unit_price * self.quantity


final(Release, Quote, QuoteLine)
