"""What the floor does by itself when something happens below it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.assembly import allocating, releasing, reworking, watching
from fulfillment.assembly.events import UnitBoxed, UnitBuilt, UnitKitted, UnitTested
from fulfillment.kernel.events import on
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.jobs import enqueue, every, job
from fulfillment.orders.events import OrderCancelled, OrderPaid
from fulfillment.purchasing.events import PartsReceived


@on(OrderPaid)
def release_order(session: Session, event: OrderPaid) -> None:
    """A paid order goes to the factory."""
    releasing.release(session, event.number)


@on(PartsReceived)
def allocate(session: Session, event: PartsReceived) -> None:  # noqa: ARG001 - whoever waited longest gets them, not who ordered
    """Parts came in: deal them out."""
    allocate_more(session)


@job("assembly.allocate_more")
def allocate_more(session: Session) -> None:
    """Deal out, and come back for the rest when a whole truckload is too much for one transaction."""
    if allocating.allocate(session).more:
        enqueue(session, "assembly.allocate_more", key=f"assembly.allocate_more:{new_id()}")


@every(minutes=15, kind="assembly.cover_missing")
@job("assembly.cover_missing")
def cover_missing(session: Session) -> None:
    """Nobody waits for parts that nobody has ordered."""
    allocating.allocate(session)
    allocating.cover_missing(session)


@on(OrderCancelled)
def cancel_release(session: Session, event: OrderCancelled) -> None:
    """Nothing is made of it any more."""
    releasing.cancel_release(session, event.number)


@on(UnitTested)
def lay_spare_by(session: Session, event: UnitTested) -> None:
    """A machine failed: have the part it failed on ready at the rework desk."""
    watching.stop_watching(session, event.tag)
    if not event.passed:
        reworking.lay_spare_by(session, event.tag)


@every(minutes=30, kind="assembly.watch_stations")
@job("assembly.watch_stations")
def watch_stations(session: Session) -> None:
    """Somebody looks at a machine that does not move."""
    watching.watch_stations(session)


@on(UnitKitted)
def left_kitting(session: Session, event: UnitKitted) -> None:
    """It moved: nobody has to look any more."""
    watching.stop_watching(session, event.tag)


@on(UnitBuilt)
def left_build(session: Session, event: UnitBuilt) -> None:
    """It moved."""
    watching.stop_watching(session, event.tag)


@on(UnitBoxed)
def left_boxing(session: Session, event: UnitBoxed) -> None:
    """It moved."""
    watching.stop_watching(session, event.tag)
