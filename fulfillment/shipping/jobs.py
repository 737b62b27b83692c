"""What the dock does by itself when something happens below it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.assembly.events import OrderReady
from fulfillment.kernel.events import on
from fulfillment.orders.events import OrderCancelled
from fulfillment.shipping import dispatching


@on(OrderReady)
def open_shipment(session: Session, event: OrderReady) -> None:
    """Everything is there: pack it, print its labels, wait for the truck."""
    dispatching.open_shipment(session, event.number)


@on(OrderCancelled)
def cancel_shipment(session: Session, event: OrderCancelled) -> None:
    """What waited for the truck is unpacked."""
    dispatching.cancel_shipment(session, event.number)
