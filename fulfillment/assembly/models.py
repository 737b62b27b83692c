"""What the floor knows: releases, work orders, the parts in every machine, its tests and its history.

A release is one paid order in the factory; a work order is one machine of it, under its service
tag. What was promised is `bom` (as ordered); what is inside is `AsBuiltPart` (as built), which
keeps parts taken out again. Needs are rows of their own, so that a truckload of parts is handed
out to all that wait in one statement, first promised first.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, EnumText, Id, Minor
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus


class ReleaseStatus(StrEnum):
    """Where an order stands in the factory as a whole."""

    WAITING = "waiting"
    """Machines are being made, or plain items are still missing."""
    READY = "ready"
    """All is boxed and laid by: the dispatcher's turn."""
    DISPATCHED = "dispatched"
    CANCELLED = "cancelled"


NEXT_RELEASE = {
    ReleaseStatus.WAITING: {ReleaseStatus.READY, ReleaseStatus.CANCELLED},
    ReleaseStatus.READY: {ReleaseStatus.DISPATCHED, ReleaseStatus.CANCELLED},
    ReleaseStatus.DISPATCHED: set(),
    ReleaseStatus.CANCELLED: set(),
}


class OrderRelease(Base):
    """A paid order in the factory."""

    __tablename__ = "order_release"
    __table_args__ = (sa.Index("ix_order_release_queue", "status", "promised_on", "order_number"),)

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sales_order.id"), unique=True)
    order_number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[ReleaseStatus] = mapped_column(EnumText(ReleaseStatus))
    promised_on: Mapped[date]
    units: Mapped[int]
    """How many machines are made for it."""
    items: Mapped[list[dict[str, Any]]]
    """Its plain items [{sku, name, qty, stocked}]: they go from the shelf straight into a box."""
    released_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]

    def move_to(self, status: ReleaseStatus) -> None:
        """Step forward. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT_RELEASE[self.status]:
            raise WrongStatus(
                "Order {number} is {now} in the factory and cannot become {wanted}.",
                number=self.order_number, now=self.status, wanted=status,
            )
        self.status = status
        if status is ReleaseStatus.READY:
            self.ready_at = now()


class UnitStatus(StrEnum):
    """The station a machine stands at, or waits for."""

    PRE_PRODUCTION = "pre_production"
    """Parts are missing; their suppliers have been called."""
    KITTING = "kitting"
    BUILD = "build"
    TEST = "test"
    REWORK = "rework"
    BOXING = "boxing"
    BOXED = "boxed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


NEXT_UNIT = {
    UnitStatus.PRE_PRODUCTION: {UnitStatus.KITTING, UnitStatus.CANCELLED},
    UnitStatus.KITTING: {UnitStatus.BUILD, UnitStatus.CANCELLED},
    UnitStatus.BUILD: {UnitStatus.TEST},
    UnitStatus.TEST: {UnitStatus.BOXING, UnitStatus.REWORK},
    UnitStatus.REWORK: {UnitStatus.TEST},
    UnitStatus.BOXING: {UnitStatus.BOXED},
    UnitStatus.BOXED: {UnitStatus.SHIPPED},
    UnitStatus.SHIPPED: set(),
    UnitStatus.CANCELLED: set(),
}
IN_PROGRESS = (UnitStatus.BUILD, UnitStatus.TEST, UnitStatus.REWORK, UnitStatus.BOXING)
"""Where a machine's parts are work in progress in the books."""
STATIONS = (UnitStatus.PRE_PRODUCTION, UnitStatus.KITTING, UnitStatus.BUILD, UnitStatus.TEST, UnitStatus.REWORK, UnitStatus.BOXING)


class WorkOrder(Base):
    """One machine to be made: its tag, its parts list as ordered, where it stands."""

    __tablename__ = "work_order"
    __table_args__ = (
        sa.UniqueConstraint("line_id", "unit"),
        sa.Index("ix_work_order_queue", "status", "promised_on", "number"),
        sa.CheckConstraint("unit > 0", name="unit_positive"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sales_order.id"), index=True)
    order_number: Mapped[str] = mapped_column(index=True)
    line_id: Mapped[UUID] = mapped_column(sa.ForeignKey("order_line.id"))
    position: Mapped[int]
    """The order line's."""
    unit: Mapped[int]
    """1 for the first machine of the line, and so on."""
    status: Mapped[UnitStatus] = mapped_column(EnumText(UnitStatus))
    status_since: Mapped[datetime]
    tag: Mapped[str] = mapped_column(sa.String(7), unique=True)
    model: Mapped[str]
    """The model's id, `skein-14`."""
    name: Mapped[dict[str, Any]]
    """What the machine is called, in both languages."""
    bom: Mapped[list[dict[str, Any]]]
    """As ordered: [{sku, name, qty, group, stocked, serialised}]; services and software are not stocked."""
    promised_on: Mapped[date]
    released_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    """When its parts were kitted: from here on the order cannot be cancelled."""
    boxed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    warranty_from: Mapped[date | None]
    failure: Mapped[str | None]
    """The failure code of the test it did not pass; None once it has been mended."""

    def move_to(self, status: UnitStatus) -> None:
        """Step to the next station. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT_UNIT[self.status]:
            raise WrongStatus(
                "Unit {tag} is at {now} and cannot go to {wanted}.", tag=self.tag, now=self.status, wanted=status,
            )
        self.status, self.status_since = status, now()


class PartNeed(Base):
    """So many of a part are needed by a work order, or by an order's plain items; so many are not reserved yet."""

    __tablename__ = "part_need"
    __table_args__ = (
        sa.UniqueConstraint("holder", "sku"),
        sa.Index(
            "ix_part_need_missing", "promised_on", "holder",
            postgresql_where=sa.text("missing > 0"), sqlite_where=sa.text("missing > 0"),
        ),
        sa.CheckConstraint("missing >= 0 AND missing <= needed", name="missing_is_part_of_needed"),
    )

    id: Mapped[Id]
    holder: Mapped[str]
    """Who reserves: the number of a work order, or of an order for its plain items."""
    order_number: Mapped[str] = mapped_column(index=True)
    sku: Mapped[str] = mapped_column(index=True)
    needed: Mapped[int]
    missing: Mapped[int]
    promised_on: Mapped[date]


class AsBuiltPart(Base):
    """A part that was taken for a machine, and, once fitted, is inside it; taken out again it stays on record."""

    __tablename__ = "as_built_part"
    __table_args__ = (
        sa.Index(
            "uq_as_built_part_serial", "sku", "serial", unique=True,
            postgresql_where=sa.text("serial IS NOT NULL"), sqlite_where=sa.text("serial IS NOT NULL"),
        ),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("serial IS NULL OR quantity = 1", name="a_serial_is_one_piece"),
    )

    id: Mapped[Id]
    work_order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("work_order.id"), index=True)
    sku: Mapped[str]
    name: Mapped[dict[str, Any]]
    group: Mapped[str]
    quantity: Mapped[int]
    serial: Mapped[str | None]
    """The maker's number, on every part that has one."""
    lot: Mapped[str | None]
    cost_minor: Mapped[Minor]
    """Standard cost of one, on the day it was issued."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    picked_by: Mapped[str]
    picked_at: Mapped[datetime]
    operator: Mapped[str | None]
    """Who fitted it (or packed it, for an accessory); None while it lies in the tote."""
    at: Mapped[datetime | None]
    removed_by: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    """Why it was taken out."""

    @property
    def cost(self) -> Money:
        """Standard cost of all its pieces."""
        return Money(self.cost_minor * self.quantity, self.currency)


class SupplierClaim(Base):
    """A part that failed here: its supplier owes us another, or its price."""

    __tablename__ = "supplier_claim"
    __table_args__ = (sa.Index("ix_supplier_claim_supplier", "supplier_code", "at"),)

    id: Mapped[Id]
    part_id: Mapped[UUID] = mapped_column(sa.ForeignKey("as_built_part.id"), unique=True)
    supplier_code: Mapped[str]
    sku: Mapped[str]
    serial: Mapped[str | None]
    lot: Mapped[str | None]
    failure: Mapped[str]
    cost_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    at: Mapped[datetime]

    @property
    def cost(self) -> Money:
        """What the part stood in our books at."""
        return Money(self.cost_minor, self.currency)


class TestRun(Base):
    """One go through the test recipe; a machine that was reworked starts another."""

    __test__ = False  # its name begins like a test's; pytest need not look
    __tablename__ = "test_run"
    __table_args__ = (sa.UniqueConstraint("work_order_id", "number"),)

    id: Mapped[Id]
    work_order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("work_order.id"))
    number: Mapped[int]
    recipe: Mapped[list[dict[str, Any]]]
    """The steps [{code, name, limit, skus}] made from the parts that were inside at the time."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    passed: Mapped[bool | None]


class TestResult(Base):
    """How one step of a run went."""

    __test__ = False
    __tablename__ = "test_result"
    __table_args__ = (sa.UniqueConstraint("run_id", "code"),)

    id: Mapped[Id]
    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey("test_run.id"))
    code: Mapped[str]
    passed: Mapped[bool]
    failure: Mapped[str | None]
    measured: Mapped[str]
    """What the instrument said, in its own words."""
    operator: Mapped[str]
    at: Mapped[datetime]


class FloorEvent(Base):
    """What happened to a machine, by whom, when: never changed."""

    __tablename__ = "floor_event"
    __table_args__ = (sa.Index("ix_floor_event_history", "work_order_id", "at"),)

    id: Mapped[Id]
    work_order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("work_order.id"))
    kind: Mapped[str]
    at: Mapped[datetime]
    operator: Mapped[str]
    """"system" for what no person did."""
    detail: Mapped[dict[str, Any]]
