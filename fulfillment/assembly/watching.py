"""Nothing stands still unseen: a machine that has been too long at one station is put in front of a person."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly.models import UnitStatus, WorkOrder
from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock

STUCK = "unit_stuck"
"""The alert of a machine that does not move."""

PATIENCE: dict[UnitStatus, timedelta] = {
    UnitStatus.KITTING: timedelta(hours=8), UnitStatus.BUILD: timedelta(hours=8), UnitStatus.TEST: timedelta(hours=8),
    UnitStatus.REWORK: timedelta(hours=24), UnitStatus.BOXING: timedelta(hours=8),
}
"""How long a machine may stand at each station. Parts that do not come are their supplier's alert."""


def watch_stations(session: Session) -> int:
    """Raise an alert for every machine that stands too long; returns how many there are.

    They are locked, so none moves in between: nobody would close its alert any more.
    """
    moment = now()
    late = sa.or_(*(sa.and_(WorkOrder.status == station, WorkOrder.status_since < moment - span) for station, span in PATIENCE.items()))
    statement = sa.select(WorkOrder).where(WorkOrder.status.in_(list(PATIENCE)), late).order_by(WorkOrder.promised_on, WorkOrder.number)
    stuck = list(session.scalars(lock(statement)))
    for unit in stuck:
        since = f"{unit.status_since:%Y-%m-%d %H:%M} UTC"
        told = f"It has stood at {unit.status.value} since {since}. Its order is promised for {unit.promised_on}."
        raise_alert(session, STUCK, key=unit.tag, subject=f"{unit.tag} of {unit.order_number}", detail=told)
    return len(stuck)


def stop_watching(session: Session, tag: str) -> None:
    """It moved."""
    resolve(session, STUCK, key=tag, by="the next station")
