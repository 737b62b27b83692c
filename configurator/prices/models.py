"""Price books, promotions and their uses, shaping rules and what they did.

Whatever changes a price moves `price_version`, so that every process knows its price lists are old. Uses of a promotion
and effects of a shaping rule are what really happened: counted in the act itself, never at a click.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.kernel.db import Base, EnumText, Id, Minor, final
from fulfillment.kernel.money import Money


class Tax(StrEnum):
    """Whether the prices of a book contain tax."""

    NET = "net"
    GROSS = "gross"


class Reach(StrEnum):
    """What a promotion takes off from."""

    OPTION = "option"
    MACHINE = "machine"
    ORDER = "order"


class Give(StrEnum):
    """What a shaping rule gives with an option that can be here sooner."""

    FREE = "free"
    """It costs what the short one costs."""
    PERCENT = "percent"
    AMOUNT = "amount"


class EffectKind(StrEnum):
    """What became of an offer of a shaping rule."""

    CLICKED = "clicked"
    """A customer pressed it."""
    QUOTED = "quoted"
    """It is in a quote."""
    LEFT = "left"
    """It stood beside a quote that does without it."""


class PriceVersion(Base):
    """One row: moved on by whatever changes a price."""

    __tablename__ = "price_version"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class PriceBook(Base):
    """Prices that hold together, from a day on; a customer group's beats a market's, that beats everyone's."""

    __tablename__ = "price_book"
    __table_args__ = (
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days_in_order"),
        sa.CheckConstraint("(tax = 'gross') = (tax_thousandths IS NOT NULL)", name="rate_with_gross"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[dict[str, Any]]
    currency: Mapped[str] = mapped_column(sa.String(3))
    market: Mapped[str] = mapped_column(sa.String(2), default="")
    """A country, ISO 3166; empty: all."""
    customer_group: Mapped[str] = mapped_column(sa.String(40), default="")
    """Empty: everyone."""
    tax: Mapped[Tax] = mapped_column(EnumText(Tax), default=Tax.NET)
    tax_thousandths: Mapped[int | None]
    """The rate in prices with tax, thousandths of a percent."""
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    created_at: Mapped[datetime]
    entries: Mapped[list[PriceEntry]] = relationship(lazy="raise", order_by="PriceEntry.id")


class PriceEntry(Base):
    """A price of an option of a model, of its bare machine, or of a part wherever it stands."""

    __tablename__ = "price_entry"
    __table_args__ = (
        sa.CheckConstraint("(sku <> '') <> (model_id <> '' AND group_id <> '' AND option_id <> '')", name="option_or_part"),
        sa.CheckConstraint("from_quantity BETWEEN 1 AND 100000", name="quantity_in_range"),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days_in_order"),
        sa.UniqueConstraint(
            "book_id", "model_id", "group_id", "option_id", "sku", "from_quantity", "first_day", name="uq_price_entry_place",
        ),
    )

    id: Mapped[Id]
    book_id: Mapped[UUID] = mapped_column(sa.ForeignKey("price_book.id"))
    model_id: Mapped[str] = mapped_column(default="")
    group_id: Mapped[str] = mapped_column(default="")
    """“base” with its SKU as the option: the bare machine."""
    option_id: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")
    from_quantity: Mapped[int] = mapped_column(default=1)
    """Machines, for an option; pieces, for a part."""
    price_minor: Mapped[Minor]
    """In the book's currency, for all pieces of an option together, for one piece of a part."""
    first_day: Mapped[date]
    last_day: Mapped[date | None]


class Promotion(Base):
    """Something off, for a time, with limits; by itself or with a code."""

    __tablename__ = "promotion"
    __table_args__ = (
        sa.CheckConstraint("(off_thousandths IS NULL) <> (amount_minor IS NULL)", name="share_or_amount"),
        sa.CheckConstraint("off_thousandths BETWEEN 1 AND 100000", name="share_in_range"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("last_day >= first_day", name="days_in_order"),
        sa.CheckConstraint("most_uses > 0 AND most_per_customer > 0 AND budget_minor > 0", name="limits_positive"),
    )

    id: Mapped[Id]
    code: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    """Capitals; None: it holds by itself."""
    name: Mapped[dict[str, Any]]
    reach: Mapped[Reach] = mapped_column(EnumText(Reach))
    targets: Mapped[list[dict[str, Any]]]
    """Any of {model, group, option, sku}; empty: everything."""
    off_thousandths: Mapped[int | None]
    """Of a percent."""
    amount_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    """Of amount and budget."""
    stackable: Mapped[bool]
    priority: Mapped[int] = mapped_column(default=0)
    market: Mapped[str] = mapped_column(sa.String(2), default="")
    customer_group: Mapped[str] = mapped_column(sa.String(40), default="")
    first_day: Mapped[date]
    last_day: Mapped[date]
    most_uses: Mapped[int | None]
    """Orders that may use it."""
    most_per_customer: Mapped[int | None]
    budget_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    """What it may give away in all."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class PromotionUse(Base):
    """An order that used a promotion, until it is cancelled."""

    __tablename__ = "promotion_use"
    __table_args__ = (sa.UniqueConstraint("promotion_id", "order_number"),)

    id: Mapped[Id]
    promotion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("promotion.id"))
    order_number: Mapped[str] = mapped_column(index=True)
    email: Mapped[str]
    account_id: Mapped[UUID | None]
    amount_minor: Mapped[Minor]
    """What the order got off by it."""
    used_at: Mapped[datetime]
    given_back_at: Mapped[datetime | None]


class ShapingRule(Base):
    """Offers an option in good supply for a better price while a chosen one of its group is short."""

    __tablename__ = "shaping_rule"
    __table_args__ = (
        sa.CheckConstraint("min_days BETWEEN 1 AND 365", name="days_in_range"),
        sa.CheckConstraint("margin_thousandths BETWEEN 0 AND 1000000", name="margin_in_range"),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days_in_order"),
        sa.CheckConstraint("(give = 'free') = (off_thousandths IS NULL AND amount_minor IS NULL)", name="gives_one_thing"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[dict[str, Any]]
    model_id: Mapped[str] = mapped_column(default="")
    """Empty: every model."""
    group_id: Mapped[str] = mapped_column(default="")
    """Empty: every group."""
    min_days: Mapped[int]
    """Short is what cannot be here within so many days."""
    give: Mapped[Give] = mapped_column(EnumText(Give))
    off_thousandths: Mapped[int | None]
    amount_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    margin_thousandths: Mapped[int]
    """What has to stay above the cost of the option's parts, thousandths of a percent of that cost."""
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class ShapingEffect(Base):
    """What became of an offer; the figures are those of the machine it was made for."""

    __tablename__ = "shaping_effect"
    __table_args__ = (sa.Index("ix_shaping_effect_rule", "rule_id", "at"),)

    id: Mapped[Id]
    rule_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shaping_rule.id"))
    kind: Mapped[EffectKind] = mapped_column(EnumText(EffectKind))
    quote_number: Mapped[str] = mapped_column(default="", index=True)
    model_id: Mapped[str]
    group_id: Mapped[str]
    instead: Mapped[str]
    """The short option."""
    option_id: Mapped[str]
    """The one that was offered."""
    days: Mapped[int]
    """How much sooner the machine can leave us."""
    given_minor: Mapped[Minor]
    """What it costs less than without the rule, per machine."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    quantity: Mapped[int]
    at: Mapped[datetime]

    @property
    def given(self) -> Money:
        """What all machines together cost less."""
        return Money(self.given_minor, self.currency) * self.quantity


final(ShapingEffect)
