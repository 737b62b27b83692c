"""What the books say about the dock, compared with what left it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import OrderRelease, ReleaseStatus
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import Finding, check, ties
from fulfillment.shipping.models import Shipment, ShipmentStatus


@check("shipped, not invoiced")
def nothing_is_shipped_without_invoice(session: Session) -> list[Finding]:
    """What left the house is invoiced with the same act, so nothing stands between."""
    return ties(session, Account.SHIPPED_NOT_INVOICED, Money(0), to="the shipments")


@check("dispatched orders have left")
def dispatched_orders_have_left(session: Session) -> list[Finding]:
    """Every order that the factory gave away has a shipment on its way, and no other has one."""
    left = Shipment.status.not_in([ShipmentStatus.READY, ShipmentStatus.CANCELLED])
    statement = (
        sa.select(OrderRelease.order_number)
        .outerjoin(Shipment, sa.and_(Shipment.order_number == OrderRelease.order_number, left))
        .where((OrderRelease.status == ReleaseStatus.DISPATCHED) != Shipment.id.is_not(None))
        .order_by(OrderRelease.order_number)
    )
    return [Finding(f"factory and dock disagree about order {number}", number) for number in session.scalars(statement)]
