"""What carriers tell us: kept once each, in any order; Delivered is final.

The shipment's status is derived from everything heard so far: delivered if anybody ever said so,
else the latest by the carrier's own clock. So late, early and repeated events change nothing wrong.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import insert, lock
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import mark_delivered, note
from fulfillment.shipping.models import Shipment, ShipmentStatus, TrackingEvent

ON_THE_WAY = frozenset({
    ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.EXCEPTION, ShipmentStatus.DELIVERED,
})
"""What a carrier can say."""
WAITING = frozenset({ShipmentStatus.READY, ShipmentStatus.CANCELLED})


class BadTracking(Refusal):
    """A carrier's message that cannot be meant."""


def record_tracking(
    session: Session, tracking: str, *, event_id: str, status: ShipmentStatus, at: datetime, place: str = "",
) -> Shipment:
    """Write down a carrier's message and move the shipment; the same event id again changes nothing.

    Raises NotFound for a tracking number that is not ours, BadTracking for a status that no carrier
    reports, Conflict when an event id comes again with another content.
    """
    if status not in ON_THE_WAY or not event_id:
        raise BadTracking("A carrier cannot report “{status}”.", status=str(status))
    shipment = session.scalars(lock(sa.select(Shipment).filter_by(tracking=tracking)).execution_options(populate_existing=True)).first()
    if shipment is None:
        raise NotFound("We sent nothing under the tracking number {tracking}.", tracking=tracking)
    event = TrackingEvent(
        id=new_id(), carrier=shipment.carrier, event_id=event_id, shipment_id=shipment.id, status=status, at=at, place=place[:120],
        received_at=now(),
    )
    if _keep(session, event):
        follow(session, shipment)
    return shipment


def _keep(session: Session, event: TrackingEvent) -> bool:
    """Put the message into the inbox; False when it is there already. Raises Conflict."""
    row = {column.key: getattr(event, column.key) for column in TrackingEvent.__table__.columns}
    statement = insert(session, TrackingEvent).values(row).on_conflict_do_nothing(index_elements=["carrier", "event_id"])
    if session.scalars(statement.returning(TrackingEvent.id)).first() is not None:
        return True
    known = session.scalars(sa.select(TrackingEvent).filter_by(carrier=event.carrier, event_id=event.event_id)).one()
    if (known.shipment_id, known.status) != (event.shipment_id, event.status):
        raise Conflict("The carrier's message {event} came before with another content.", event=event.event_id)
    return False


def follow(session: Session, shipment: Shipment) -> None:
    """Derive the status from all that was heard; does nothing while the parcel has not left us."""
    if shipment.status in WAITING or shipment.status is ShipmentStatus.DELIVERED:
        return
    heard = tracking_of(session, shipment)
    if not heard:
        return
    arrived = next((event for event in heard if event.status is ShipmentStatus.DELIVERED), None)
    latest = arrived or heard[-1]
    if latest.status is shipment.status:
        return
    shipment.status = latest.status
    order = session.get_one(SalesOrder, shipment.order_id)
    if arrived is None:
        note(session, order, latest.status.value, tracking=shipment.tracking, place=latest.place)
        return
    shipment.delivered_at = arrived.at
    mark_delivered(session, order.number, tracking=shipment.tracking)


def tracking_of(session: Session, shipment: Shipment) -> list[TrackingEvent]:
    """What the carrier said about a shipment, by its own clock."""
    told = sa.select(TrackingEvent).filter_by(shipment_id=shipment.id)
    statement = told.order_by(TrackingEvent.at, TrackingEvent.received_at, TrackingEvent.id)
    return list(session.scalars(statement))
