"""What purchasing does by itself."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.kernel.jobs import every, job
from fulfillment.purchasing import service


@every(minutes=60, kind="purchasing.watch_overdue")
@job("purchasing.watch_overdue")
def watch_overdue(session: Session) -> None:
    """Look for suppliers who did not keep their day."""
    service.watch_overdue(session)
