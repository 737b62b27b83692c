"""What programs get to know of an order: where it stands, its machines, its parcel, what happened."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from fulfillment.assembly.models import UnitStatus
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.messages import Amount, Answer, Asked, Links, MaybeText
from fulfillment.kernel.openapi import Parameter
from fulfillment.orders.models import LineKind, OrderLine, OrderStatus
from fulfillment.shipping.models import ShipmentStatus

NUMBER = Parameter("number", "path", "The number of an order.", "SO-2026-000123")


class CancelRequest(Asked):
    """Why the customer changed his mind, if he says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Ordered twice."}, {}]})

    reason: MaybeText = Field("", max_length=300)


class OrderLinks(Links):
    """Addresses of an order; the proof goes into the header."""

    page: str = Field(description="For people, who are asked for the same proof.")


class ChosenAnswer(Answer):
    """A choice in words."""

    group: str
    option: str


class OrderLineAnswer(Answer):
    """What was sold."""

    position: int
    kind: LineKind
    code: str = Field(description="The id of a machine's model, the number of an item.")
    name: str
    quantity: int
    unit_price: Amount
    price: Amount
    tax: Amount
    options: list[ChosenAnswer] = Field(description="What was chosen in a machine; empty for an item.")
    quote: str | None = Field(description="The number of the quote it was ordered by.")

    @classmethod
    def of(cls, line: OrderLine) -> OrderLineAnswer:
        """A line as it was sold."""
        return cls(
            position=line.position, kind=line.kind, code=line.sku_or_model, name=pick(line.description), quantity=line.quantity,
            unit_price=Amount.of(line.unit_price), price=Amount.of(line.net), tax=Amount.of(line.tax),
            options=[ChosenAnswer(group=pick(chosen["group"]), option=pick(chosen["option"])) for chosen in line.configuration],
            quote=line.quote_number or None,
        )


class OrderFigures(Answer):
    """An order and what it comes to."""

    number: str
    status: OrderStatus
    booked_at: datetime
    promised_on: date = Field(description="The day it should be at the customer's.")
    lines: list[OrderLineAnswer]
    net: Amount
    shipping: Amount
    tax: Amount
    total: Amount
    links: OrderLinks


class StepAnswer(Answer):
    """One of the nine steps of every order."""

    code: Literal["received", "processing", "pre_production", "kitting", "build", "test", "boxing", "shipped", "delivered"]
    state: Literal["done", "now", "todo", "stopped"]
    at: datetime | None = Field(description="When the last machine came to it.")


class UnitAnswer(Answer):
    """A machine of the order."""

    tag: str = Field(description="Its service tag.")
    express_service_code: str
    model: str
    name: str
    line: int
    status: UnitStatus
    since: datetime


class TrackingAnswer(Answer):
    """What the carrier said."""

    at: datetime
    status: ShipmentStatus
    place: str


class ShipmentAnswer(Answer):
    """What left us."""

    number: str
    status: ShipmentStatus
    carrier: str
    tracking: str
    boxes: int
    dispatched_at: datetime
    delivered_at: datetime | None
    events: list[TrackingAnswer]


class EventAnswer(Answer):
    """Something that happened."""

    kind: str = Field(description="`received`, `payment_received`, `kitting`, `build`, `shipped` and so on; new kinds may come.")
    at: datetime
    tag: str | None = Field(description="The machine it is about.")


class OrderAnswer(OrderFigures):
    """An order as it is being made."""

    paid_at: datetime | None
    cancellable: bool
    steps: list[StepAnswer]
    units: list[UnitAnswer]
    shipments: list[ShipmentAnswer]
    timeline: list[EventAnswer]
