"""Parcels: dispatching an order, and what its carrier says of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.kernel.clock import now
from fulfillment.shipping import service as dock
from fulfillment.shipping.models import Shipment, ShipmentStatus
from tests.builders.assembly import DISPATCHER


def shipment_of(session: Session, order_number: str) -> Shipment:
    """The order's shipment."""
    shipment = dock.find_shipment(session, order_number)
    assert shipment is not None
    return shipment


def dispatch(session: Session, order_number: str, *, key: str = "") -> Shipment:
    return dock.dispatch(session, order_number, operator=DISPATCHER, key=key or f"dispatch:{order_number}")


def carrier_says(
    session: Session, shipment: Shipment, status: ShipmentStatus, *, event_id: str = "", at: datetime | None = None,
) -> Shipment:
    """A message of the carrier; the same status is the same message unless `event_id` says otherwise."""
    event_id = event_id or f"{shipment.tracking}-{status}"
    return dock.record_tracking(session, shipment.tracking, event_id=event_id, status=status, at=at or now(), place="Portland, OR")
