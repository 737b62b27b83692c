"""An order, its lines as they were sold, and its history as the customer reads it.

The figures of an order never change after booking and its lines never at all: what was agreed is
copied here. Where it stands is a state machine; everything that happens is a row of the timeline.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.customers.address import Address
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, EnumText, Id, Minor, final
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus


class OrderStatus(StrEnum):
    """Where an order stands."""

    BOOKED = "booked"
    """In the book, waiting for its payment."""
    PAID = "paid"
    """Paid in full; the factory has it but has not begun."""
    REVIEW = "review"
    """Held: somebody of ours has to look before anything is built."""
    IN_PRODUCTION = "in_production"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


NEXT: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.BOOKED: frozenset({OrderStatus.PAID, OrderStatus.REVIEW, OrderStatus.CANCELLED}),
    OrderStatus.PAID: frozenset({OrderStatus.REVIEW, OrderStatus.IN_PRODUCTION, OrderStatus.SHIPPED, OrderStatus.CANCELLED}),
    OrderStatus.REVIEW: frozenset({OrderStatus.PAID, OrderStatus.CANCELLED}),
    OrderStatus.IN_PRODUCTION: frozenset({OrderStatus.SHIPPED}),
    OrderStatus.SHIPPED: frozenset({OrderStatus.DELIVERED}),
    OrderStatus.DELIVERED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
}
"""The steps there are. Plain items are shipped straight from PAID: nothing is built for them."""

CANCELLABLE = frozenset(status for status, following in NEXT.items() if OrderStatus.CANCELLED in following)


class LineKind(StrEnum):
    """What a line sells."""

    SYSTEM = "system"
    """A machine as configured: built, tagged, tested."""
    ITEM = "item"
    """Something that only has to be packed."""


class SalesOrder(Base):
    """What a customer ordered; all money in `currency`, tax-exclusive but for `tax` and `total`."""

    __tablename__ = "sales_order"
    __table_args__ = (
        sa.CheckConstraint("total_minor = net_minor + shipping_minor + tax_minor", name="total_adds_up"),
        sa.CheckConstraint("net_minor >= 0 AND shipping_minor >= 0 AND tax_minor >= 0", name="figures_not_negative"),
        sa.Index("ix_sales_order_status", "status", "promised_on"),
        sa.Index("ix_sales_order_account", "account_id", "booked_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    booking_key: Mapped[str] = mapped_column(unique=True)
    """The caller's: the same cart booked twice is one order."""
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    """Of what was booked under that key."""
    status: Mapped[OrderStatus] = mapped_column(EnumText(OrderStatus))
    status_since: Mapped[datetime]
    channel: Mapped[str] = mapped_column(sa.String(16))
    account_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    email: Mapped[str] = mapped_column(index=True)
    phone: Mapped[str] = mapped_column(default="")
    phone_digits: Mapped[str] = mapped_column(sa.String(20), default="", index=True)
    locale: Mapped[str] = mapped_column(sa.String(8))
    ship_to: Mapped[dict[str, Any]]
    bill_to: Mapped[dict[str, Any]]
    delivery: Mapped[str] = mapped_column(sa.String(16))
    """A key of `delivery.OPTIONS`."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    net_minor: Mapped[Minor]
    """The goods."""
    shipping_minor: Mapped[Minor]
    shipping_tax_minor: Mapped[Minor]
    """The part of the tax that is on the delivery."""
    tax_minor: Mapped[Minor]
    total_minor: Mapped[Minor]
    paid_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    """What came in by the payment, as far as it is told here: billing has the truth."""
    paid_currency: Mapped[str | None] = mapped_column(sa.String(3))
    first_promised_on: Mapped[date]
    promised_on: Mapped[date]
    """The day it should be at the customer's, as last told."""
    booked_at: Mapped[datetime] = mapped_column(index=True)
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    lines: Mapped[list[OrderLine]] = relationship(lazy="raise", order_by="OrderLine.position")
    events: Mapped[list[OrderEvent]] = relationship(lazy="raise", order_by="OrderEvent.at, OrderEvent.position, OrderEvent.id")

    def move_to(self, status: OrderStatus) -> None:
        """Step to the next status. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT[self.status]:
            raise WrongStatus(
                "Order {number} is {status}, so it cannot become {wanted}.", number=self.number, status=self.status, wanted=status,
            )
        self.status, self.status_since = status, now()

    @property
    def net(self) -> Money:
        """The goods, tax excluded."""
        return Money(self.net_minor, self.currency)

    @property
    def shipping(self) -> Money:
        """The delivery, tax excluded."""
        return Money(self.shipping_minor, self.currency)

    @property
    def tax(self) -> Money:
        """Sales tax on goods and delivery."""
        return Money(self.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return Money(self.total_minor, self.currency)

    @property
    def paid(self) -> Money | None:
        """What came in, as far as it is told here."""
        return None if self.paid_minor is None or self.paid_currency is None else Money(self.paid_minor, self.paid_currency)

    @property
    def ship_address(self) -> Address:
        """Where it goes."""
        return Address.from_json(self.ship_to)

    @property
    def bill_address(self) -> Address:
        """Who is billed."""
        return Address.from_json(self.bill_to)

    @property
    def cancellable(self) -> bool:
        """Whether it can still be cancelled."""
        return self.status in CANCELLABLE


class OrderLine(Base):
    """What was sold, copied at the time of sale: nothing that happens to the catalogue later touches it."""

    __tablename__ = "order_line"
    __table_args__ = (
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity_in_range"),
        sa.CheckConstraint("unit_price_minor >= 0 AND net_minor = unit_price_minor * quantity", name="net_adds_up"),
        sa.UniqueConstraint("order_id", "position"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sales_order.id"))
    position: Mapped[int]
    kind: Mapped[LineKind] = mapped_column(EnumText(LineKind))
    sku_or_model: Mapped[str]
    """The part number of an item, the model id of a machine."""
    description: Mapped[dict[str, Any]]
    """Its name, bilingual."""
    picture: Mapped[str] = mapped_column(default="")
    configuration: Mapped[list[dict[str, Any]]]
    """A machine's choices in words: [{group, option}], both bilingual."""
    bom: Mapped[list[dict[str, Any]]]
    """A machine's parts, per unit: [{sku, name, qty, group, …}]."""
    quote_number: Mapped[str] = mapped_column(default="")
    weight_g: Mapped[int] = mapped_column(default=0)
    """Per unit."""
    quantity: Mapped[int]
    unit_price_minor: Mapped[Minor]
    net_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    ready_on: Mapped[date]
    """The day it should leave the house, as told at the sale."""

    @property
    def unit_price(self) -> Money:
        """Per unit, tax excluded."""
        return Money(self.unit_price_minor, self.currency)

    @property
    def net(self) -> Money:
        """All units, tax excluded."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """Sales tax on all units."""
        return Money(self.tax_minor, self.currency)


class OrderEvent(Base):
    """Something that happened to an order. Public ones are its timeline, as the customer sees it."""

    __tablename__ = "order_event"
    __table_args__ = (sa.Index("ix_order_event_timeline", "order_id", "at", "position"),)

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sales_order.id"))
    position: Mapped[int]
    """Tells which came first of two at the same moment."""
    kind: Mapped[str] = mapped_column(sa.String(32))
    at: Mapped[datetime]
    tag: Mapped[str | None] = mapped_column(sa.String(7))
    """The machine it is about, when it is about one."""
    detail: Mapped[dict[str, Any]]
    public: Mapped[bool]


AGREED = (
    "number", "booking_key", "currency", "net_minor", "shipping_minor", "shipping_tax_minor", "tax_minor", "total_minor",
    "first_promised_on", "booked_at",
)
"""What was agreed at booking, and stays."""


def _keeps_its_word(_mapper: object, _connection: object, target: SalesOrder) -> None:
    state = sa.inspect(target)
    if changed := [name for name in AGREED if state.attrs[name].history.deleted]:
        raise TypeError(f"order {target.number} was agreed with its customer: {', '.join(changed)} cannot change")


final(OrderLine, OrderEvent)
sa.event.listen(SalesOrder, "before_update", _keeps_its_word)
