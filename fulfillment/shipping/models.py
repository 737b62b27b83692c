"""What left the dock: shipments, their boxes, and what the carriers told us on the way.

A carrier's word is kept as it came, once per event id, in whatever order it arrives; the shipment's
status is derived from all of them, and Delivered is final.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, EnumText, Id


class ShipmentStatus(StrEnum):
    """Where a shipment is; the words most carriers' own can be mapped to."""

    READY = "ready"
    """Packed, waiting at the dock."""
    DISPATCHED = "dispatched"
    """Handed over; the carrier has not said anything yet."""
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    """Something is in the way: a failed attempt, bad weather, a wrong address."""
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    """The order was cancelled before the truck came."""


class Shipment(Base):
    """What goes to one address with one carrier for one order."""

    __tablename__ = "shipment"
    __table_args__ = (sa.Index("ix_shipment_queue", "status", "promised_on", "number"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sales_order.id"), index=True)
    order_number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[ShipmentStatus] = mapped_column(EnumText(ShipmentStatus))
    carrier: Mapped[str]
    """A key of `carriers.CARRIERS`."""
    tracking: Mapped[str] = mapped_column(unique=True)
    ship_to: Mapped[dict[str, Any]]
    promised_on: Mapped[date]
    weight_g: Mapped[int]
    ready_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]
    dispatched_by: Mapped[str | None]
    delivered_at: Mapped[datetime | None]


class ShipmentBox(Base):
    """One box: a machine under its tag, a monitor, or the plain items together."""

    __tablename__ = "shipment_box"
    __table_args__ = (sa.UniqueConstraint("shipment_id", "number"), sa.CheckConstraint("weight_g > 0", name="weight_positive"))

    id: Mapped[Id]
    shipment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shipment.id"))
    number: Mapped[int]
    tag: Mapped[str | None] = mapped_column(sa.String(7), index=True)
    contents: Mapped[list[dict[str, Any]]]
    """[{sku, name, qty, serials}], as on the packing slip."""
    weight_g: Mapped[int]


class TrackingEvent(Base):
    """Something a carrier said: the inbox, one row per event id of theirs."""

    __tablename__ = "tracking_event"
    __table_args__ = (sa.UniqueConstraint("carrier", "event_id"), sa.Index("ix_tracking_event_history", "shipment_id", "at"))

    id: Mapped[Id]
    carrier: Mapped[str]
    event_id: Mapped[str]
    shipment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shipment.id"))
    status: Mapped[ShipmentStatus] = mapped_column(EnumText(ShipmentStatus))
    at: Mapped[datetime]
    """When it happened, by the carrier's clock."""
    place: Mapped[str]
    received_at: Mapped[datetime]
