"""Writing down what our people did, in the transaction it was done in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.console.models import StaffAct
from fulfillment.kernel.clock import now


def record_act(session: Session, who: str, what: str, about: str, detail: str = "") -> None:
    """Write a row; `what` is a key of `words.ACTS`."""
    session.add(StaffAct(who=who, what=what, about=about, detail=detail[:500], at=now()))


def latest_acts(session: Session, *, limit: int = 30) -> list[StaffAct]:
    """What was done last, newest first."""
    return list(session.scalars(sa.select(StaffAct).order_by(StaffAct.at.desc(), StaffAct.id.desc()).limit(limit)))


def acts_about(session: Session, about: str) -> list[StaffAct]:
    """Everything done to one thing, newest first."""
    statement = sa.select(StaffAct).filter_by(about=about).order_by(StaffAct.at.desc(), StaffAct.id.desc())
    return list(session.scalars(statement))
