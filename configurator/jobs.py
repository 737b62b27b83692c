"""Tells somebody when the newest release of a model is not what the shop sells."""

from __future__ import annotations

import sqlalchemy as sa

from configurator.releasing import broken_releases
from fulfillment.kernel.alerts import Alert, raise_alert, resolve
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import every, outside

BROKEN = "release_broken"


@every(minutes=5, kind="configurator.watch_releases")
@outside("configurator.watch_releases")
def watch_releases() -> None:
    """Raise an alert for every model whose newest release cannot be used, and close those of the mended ones.

    No transaction is open while models are compiled: a worker does that once, and it can take a second.
    """
    broken = broken_releases()
    with reading() as session:
        told = set(session.scalars(sa.select(Alert.key).filter_by(kind=BROKEN, resolved_at=None)))
    if not broken and not told:
        return
    with transaction() as session:
        for model, why in broken.items():
            raise_alert(session, BROKEN, key=model, subject=model, detail=f"The release before it is sold. {why}")
        for mended in sorted(told - set(broken)):
            resolve(session, BROKEN, key=mended)
