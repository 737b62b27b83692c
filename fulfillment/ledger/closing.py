"""Closing a period: from then on nothing dated in it is accepted, by the service or by the database."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import now, today
from fulfillment.kernel.refusals import Conflict, Refusal
from fulfillment.ledger.models import LedgerHead, PeriodClose
from fulfillment.ledger.service import closed_until


class NotOver(Refusal):
    """A period is closed when its last day is over."""


class AlreadyClosed(Conflict):
    """A close goes forward only."""


def close_period(session: Session, until: date, by: str) -> PeriodClose:
    """Close every day up to and including `until`, with the head the books have now.

    Whoever is posting finishes first. Raises NotOver, AlreadyClosed.
    """
    seq, chained = session.execute(sa.select(LedgerHead.seq, LedgerHead.hash).with_for_update()).one()
    if until >= today():
        raise NotOver("{until} is not over yet; a period is closed afterwards.", until=until)
    before = closed_until(session)
    if before is not None and until <= before:
        raise AlreadyClosed("The books are closed up to {before} already.", before=before)
    close = PeriodClose(until=until, seq=seq, hash=chained, closed_at=now(), closed_by=by)
    session.add(close)
    session.flush()
    return close
