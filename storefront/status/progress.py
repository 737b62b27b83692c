"""From the timeline and the machines' stations to the nine steps a customer watches. Pure.

Received, processing, pre-production, kitting, build, test, boxing, shipped, delivered. The order stands
where its slowest machine stands; a step's time is when the last machine came to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fulfillment.assembly.models import UnitStatus
from fulfillment.orders.models import OrderEvent, OrderStatus

STEPS = ("received", "processing", "pre_production", "kitting", "build", "test", "boxing", "shipped", "delivered")

_STATION = {
    UnitStatus.PRE_PRODUCTION: 2, UnitStatus.KITTING: 3, UnitStatus.BUILD: 4, UnitStatus.TEST: 5, UnitStatus.REWORK: 5,
    UnitStatus.BOXING: 6, UnitStatus.BOXED: 7, UnitStatus.SHIPPED: 8, UnitStatus.CANCELLED: 2,
}
_BEGINS = {
    "received": "received", "payment_received": "processing", "released": "pre_production", "pre_production": "pre_production",
    "kitting": "kitting", "build": "build", "test": "test", "boxing": "boxing", "shipped": "shipped", "delivered": "delivered",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the nine."""

    code: str
    state: str
    """done, now, todo, or stopped for an order that was cancelled."""
    at: datetime | None


def step_of(status: OrderStatus, stations: Iterable[UnitStatus]) -> int:
    """How far the order is: the number of the step that is going on; 9 when all is done."""
    if status is OrderStatus.DELIVERED:
        return 9
    if status is OrderStatus.SHIPPED:
        return 8
    if status in {OrderStatus.BOOKED, OrderStatus.REVIEW}:
        return 1
    return min((_STATION[station] for station in stations), default=2)


def progress(status: OrderStatus, stations: Sequence[UnitStatus], events: Sequence[OrderEvent]) -> list[Step]:
    """The nine steps of an order, with the time each was reached."""
    reached: dict[str, datetime] = {}
    for event in events:
        step = _BEGINS.get(event.kind)
        if step is not None:
            reached[step] = event.at
    current = step_of(status, stations)
    steps = []
    for number, code in enumerate(STEPS):
        state = "done" if number < current else "now" if number == current else "todo"
        if status is OrderStatus.CANCELLED and code not in reached:
            state = "todo"
        elif status is OrderStatus.CANCELLED:
            state = "stopped" if number == current else "done"
        steps.append(Step(code, state, reached.get(code) if state != "todo" else None))
    return steps
