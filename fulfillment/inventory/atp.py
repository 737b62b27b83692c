"""By when a part can be here: from the shelf, from what is on its way, or from its supplier.

A date is an answer, not a promise that holds anything: pieces are kept when the order is paid.
What is on its way counts only as far as nobody waits for it yet. A promise is never in the past.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, partial

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


_FREE = (
    sa.select(Part.sku, Part.kind, Part.lead_days, sa.func.coalesce(Stock.on_hand - Stock.reserved, 0).label("free"))
    .outerjoin(Stock, Stock.sku == Part.sku)
    .where(Part.sku.in_(sa.bindparam("skus", expanding=True)))
    .order_by(Part.sku)
)
_NOBODY_WAITS = IncomingPart.quantity - IncomingPart.committed
_COMING = (
    sa.select(IncomingPart.sku, IncomingPart.due_on, _NOBODY_WAITS)
    .where(IncomingPart.sku.in_(sa.bindparam("skus", expanding=True)), _NOBODY_WAITS > 0)
    .order_by(IncomingPart.sku, IncomingPart.due_on)
)
# Both are asked at every click of the configurator, and writing them down anew took longer than their answers.


def earliest_dates(session: Session, skus: Iterable[str], quantity: int = 1) -> dict[str, date]:
    """The day on which `quantity` pieces of each part can be here."""
    return dates_for(session, dict.fromkeys(skus, quantity))


def dates_for(session: Session, needs: Mapping[str, int]) -> dict[str, date]:
    """The day on which so many pieces of each part can be here."""
    return {sku: day for (sku, _), day in dates_of(session, needs.items()).items()}


def dates_of(session: Session, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], date]:
    """The day on which so many pieces of a part can be here, for each such question by itself.

    Free on the shelf or nothing to deliver: today. Else the day an order on its way brings enough that
    nobody waits for; else the supplier's lead time. Two queries, the second only for what is short.
    """
    asked, start = set(wanted), today()
    known = {row[0]: row[1:] for row in session.execute(_FREE, {"skus": sorted({sku for sku, _ in asked})})}
    in_days = cache(partial(add_working_days, start))
    dates = dict.fromkeys(asked, in_days(UNKNOWN_LEAD_DAYS))
    short: dict[tuple[str, int], int] = {}
    for sku, quantity in asked:
        if sku not in known:
            continue
        kind, lead_days, free = known[sku]
        if kind is not PartKind.HARDWARE or free >= quantity:
            dates[sku, quantity] = start
        else:
            short[sku, quantity] = quantity - max(free, 0)
            dates[sku, quantity] = in_days(lead_days + UNLOADING_DAYS)
    if short:
        _sooner(session, short, dates, start)
    return dates


def _sooner(session: Session, short: Mapping[tuple[str, int], int], dates: dict[tuple[str, int], date], start: date) -> None:
    """Where enough is on its way that nobody waits for, take that day if it is the earlier one."""
    coming: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for sku, due_on, pieces in session.execute(_COMING, {"skus": sorted({sku for sku, _ in short})}):
        coming[sku].append((due_on, pieces))
    for question, missing in short.items():
        brought = 0
        for due_on, pieces in coming[question[0]]:
            brought += pieces
            if brought >= missing:
                there = add_working_days(max(due_on, start), UNLOADING_DAYS)
                dates[question] = min(dates[question], there)
                break
