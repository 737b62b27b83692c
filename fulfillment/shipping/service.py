"""The dock as others see it: the queue of what can leave, a shipment with its boxes, and the acts."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.refusals import NotFound
from fulfillment.shipping.dispatching import cancel_shipment, dispatch, find_shipment, open_shipment
from fulfillment.shipping.models import Shipment, ShipmentBox, ShipmentStatus
from fulfillment.shipping.tracking import BadTracking, record_tracking, tracking_of

PAGE = 50


def ready_to_ship(session: Session, *, limit: int = PAGE, after: tuple[date, str] | None = None) -> list[Shipment]:
    """What waits at the dock, first promised first; `after` is the (promised_on, number) of the last one seen."""
    return _queue(session, ShipmentStatus.READY, limit, after)


def on_the_way(session: Session, status: ShipmentStatus, *, limit: int = PAGE, after: tuple[date, str] | None = None) -> list[Shipment]:
    """Shipments in one state of their way, first promised first."""
    return _queue(session, status, limit, after)


def _queue(session: Session, status: ShipmentStatus, limit: int, after: tuple[date, str] | None) -> list[Shipment]:
    statement = sa.select(Shipment).filter_by(status=status).order_by(Shipment.promised_on, Shipment.number).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(Shipment.promised_on, Shipment.number) > after)
    return list(session.scalars(statement))


def shipment_by_number(session: Session, number: str) -> Shipment:
    """The shipment of this number. Raises NotFound."""
    shipment = session.scalars(sa.select(Shipment).filter_by(number=number)).first()
    if shipment is None:
        raise NotFound("There is no shipment {number}.", number=number)
    return shipment


def boxes_of(session: Session, shipment: Shipment) -> list[ShipmentBox]:
    """The boxes of a shipment, in order."""
    return list(session.scalars(sa.select(ShipmentBox).filter_by(shipment_id=shipment.id).order_by(ShipmentBox.number)))


__all__ = [
    "BadTracking", "boxes_of", "cancel_shipment", "dispatch", "find_shipment", "on_the_way", "open_shipment", "ready_to_ship",
    "record_tracking", "shipment_by_number", "tracking_of",
]
