"""What happens to an order that others have to know of."""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.kernel.events import Event


@dataclass(frozen=True, slots=True)
class OrderBooked(Event):
    """An order is in the book and waits for its payment."""

    number: str


@dataclass(frozen=True, slots=True)
class OrderPaid(Event):
    """The order is paid in full, or was released from review: it may be built."""

    number: str


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """Nothing will be built or sent; what was paid goes back."""

    number: str
    was_paid: bool


@dataclass(frozen=True, slots=True)
class OrderShipped(Event):
    """All of it has left the house."""

    number: str


@dataclass(frozen=True, slots=True)
class OrderDelivered(Event):
    """The customer has it."""

    number: str
