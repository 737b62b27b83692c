"""By when a part can be here: from the shelf, from what is on its way, or from its supplier.

A date is an answer, not a promise that holds anything: pieces are kept when the order is paid.
What is on its way counts only as far as nobody waits for it yet. A promise is never in the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import IncomingPart, Stock
from fulfillment.kernel.clock import add_working_days, today
from fulfillment.parts.data import PartKind
from fulfillment.parts.models import Part

UNLOADING_DAYS = 1
"""Working days from the supplier's gate date to the shelf: unload, check, put away."""
UNKNOWN_LEAD_DAYS = 10
"""For a part nobody entered yet: long enough to find a supplier."""


def earliest_dates(session: Session, skus: Iterable[str], quantity: int = 1) -> dict[str, date]:
    """The day on which `quantity` pieces of each part can be here.

    Free on the shelf or nothing to deliver: today. Else the day an order on its way brings enough that
    nobody waits for; else the supplier's lead time. Two queries, the second only for what is short.
    """
    wanted, start = sorted(set(skus)), today()
    statement = (
        sa.select(Part.sku, Part.kind, Part.lead_days, sa.func.coalesce(Stock.on_hand - Stock.reserved, 0).label("free"))
        .outerjoin(Stock, Stock.sku == Part.sku)
        .where(Part.sku.in_(wanted))
        .order_by(Part.sku)
    )
    dates = dict.fromkeys(wanted, add_working_days(start, UNKNOWN_LEAD_DAYS))
    short: dict[str, int] = {}
    for sku, kind, lead_days, free in session.execute(statement):
        if kind is not PartKind.HARDWARE or free >= quantity:
            dates[sku] = start
        else:
            short[sku] = quantity - max(free, 0)
            dates[sku] = add_working_days(start, lead_days + UNLOADING_DAYS)
    if short:
        _sooner(session, short, dates, start)
    return dates


def _sooner(session: Session, short: dict[str, int], dates: dict[str, date], start: date) -> None:
    """Where enough is on its way that nobody waits for, take that day if it is the earlier one."""
    free = IncomingPart.quantity - IncomingPart.committed
    statement = (
        sa.select(IncomingPart.sku, IncomingPart.due_on, free)
        .where(IncomingPart.sku.in_(sorted(short)), free > 0)
        .order_by(IncomingPart.sku, IncomingPart.due_on)
    )
    for sku, due_on, coming in session.execute(statement):
        if short[sku] <= 0:
            continue
        short[sku] -= coming
        if short[sku] <= 0:
            there = add_working_days(max(due_on, start), UNLOADING_DAYS)
            dates[sku] = min(dates[sku], there)
