"""What the books say about the floor, compared with what stands on it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import IN_PROGRESS, AsBuiltPart, PartNeed, UnitStatus, WorkOrder
from fulfillment.inventory.models import Reservation
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import Finding, check, ties


@check("work in progress")
def work_in_progress(session: Session) -> list[Finding]:
    """Work in progress is the standard cost of the parts in machines being made."""
    return ties(session, Account.WIP, _parts_in(session, IN_PROGRESS), to="the work orders")


@check("finished goods")
def finished_goods(session: Session) -> list[Finding]:
    """Finished goods are the machines that are boxed and have not left."""
    return ties(session, Account.FINISHED_GOODS, _parts_in(session, (UnitStatus.BOXED,)), to="the boxes")


def _parts_in(session: Session, stations: tuple[UnitStatus, ...]) -> Money:
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(AsBuiltPart.cost_minor * AsBuiltPart.quantity), 0))
        .join(WorkOrder, WorkOrder.id == AsBuiltPart.work_order_id)
        .where(WorkOrder.status.in_(stations), AsBuiltPart.removed_at.is_(None))
    )
    return Money(int(session.scalar(statement) or 0))


@check("reserved for machines")
def needs_are_reserved(session: Session) -> list[Finding]:
    """What a waiting machine does not miss is reserved for it, piece by piece."""
    kept = sa.func.coalesce(Reservation.quantity, 0)
    statement = (
        sa.select(PartNeed.holder, PartNeed.sku, PartNeed.needed - PartNeed.missing, kept)
        .outerjoin(Reservation, sa.and_(Reservation.holder == PartNeed.holder, Reservation.sku == PartNeed.sku))
        .where(PartNeed.needed - PartNeed.missing != kept)
        .order_by(PartNeed.holder, PartNeed.sku)
    )
    return [
        Finding(f"{holder} should have {wanted} of {sku} reserved and has {there}", holder)
        for holder, sku, wanted, there in session.execute(statement)
    ]
