"""What happens on the floor, told to whoever stands above it."""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.kernel.events import Event


@dataclass(frozen=True, slots=True)
class UnitKitted(Event):
    """Every part of the machine lies in its tote."""

    tag: str


@dataclass(frozen=True, slots=True)
class UnitBuilt(Event):
    """The machine is put together."""

    tag: str


@dataclass(frozen=True, slots=True)
class UnitTested(Event):
    """The machine went through its test, well or badly."""

    tag: str
    passed: bool


@dataclass(frozen=True, slots=True)
class UnitBoxed(Event):
    """The machine is in its box, with papers and accessories."""

    tag: str


@dataclass(frozen=True, slots=True)
class OrderReady(Event):
    """Everything of the order is boxed or laid by: the truck can come."""

    number: str
