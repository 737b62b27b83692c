"""Work to be done later: a table of jobs, worked by any number of `flask work` processes.

A job is a row written in the transaction that causes it. A *held* job (`@job`) is claimed, done
and finished in one transaction, so its effect happens exactly once: a worker that dies gives the
job back with its connection. An *outside* job (`@outside`) talks to the world and may hold no
transaction: it is leased, and its handler must bear being called twice (the key it sends along
sees to that). A failure is retried after 2, 4, 8 … seconds; after `MAX_ATTEMPTS` the job is parked
with an alert and waits at the jobs desk. A job that kills its worker is counted by those who come
after it (`hand.py`). A scheduled job (`@every`) is inserted under the key of
its time slot by whichever process is first. Measured against eight job libraries: README, D3.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel import alerts
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, EnumText, Id, insert, lock, reading, transaction
from fulfillment.kernel.hand import Hand, left_behind
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.refusals import NotFound, WrongStatus

log = structlog.get_logger()

MAX_ATTEMPTS = 12
LEASE = timedelta(seconds=90)
OVERDUE = timedelta(minutes=15)
"""A job that is due for so long, and not being worked, is nobody's."""
UNKNOWN = "job_unknown"
"""The alert that no worker knows jobs of a kind."""
BEHIND = "jobs_behind"
"""The alert that the workers do not keep up."""

F = TypeVar("F", bound=Callable[..., object])


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    DONE = "done"
    PARKED = "parked"


class Job(Base):
    """One piece of work; finished rows stay a while, so that their key still refuses a second."""

    __tablename__ = "job"
    __table_args__ = (
        sa.Index(
            "ix_job_ready", "run_at", "id", postgresql_where=sa.text("state = 'ready'"),
            sqlite_where=sa.text("state = 'ready'"),
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[JobState] = mapped_column(EnumText(JobState), default=JobState.READY)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    owner: Mapped[UUID | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class _Handler:
    call: Callable[..., object]
    held: bool


HANDLERS: dict[str, _Handler] = {}
SCHEDULES: dict[str, timedelta] = {}


def job(kind: str) -> Callable[[F], F]:
    """Register `f(session, **payload)`: database work of under a second, no network."""

    def register(function: F) -> F:
        _register(kind, _Handler(function, held=True))
        return function

    return register


def outside(kind: str) -> Callable[[F], F]:
    """Register `f(**payload)`: calls the world, opens its own transactions, may run twice."""

    def register(function: F) -> F:
        _register(kind, _Handler(function, held=False))
        return function

    return register


def every(*, seconds: int = 0, minutes: int = 0, kind: str) -> Callable[[F], F]:
    """Run the registered job `kind` (without payload) once per slot of time."""

    def register(function: F) -> F:
        SCHEDULES[kind] = timedelta(seconds=seconds, minutes=minutes)
        return function

    return register


def _register(kind: str, handler: _Handler) -> None:
    if kind in HANDLERS and HANDLERS[kind].call is not handler.call:
        raise RuntimeError(f"two handlers for job {kind!r}")
    HANDLERS[kind] = handler


def enqueue(session: Session, kind: str, *, key: str, run_at: datetime | None = None, **payload: object) -> bool:
    """Write the job in this transaction; False when a job of this key exists already."""
    moment = now()
    statement = (
        insert(session, Job)
        .values(
            id=new_id(), key=key, kind=kind, payload=payload, state=JobState.READY, run_at=run_at or moment, attempts=0, created_at=moment,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Job.id)
    )
    return session.scalars(statement).first() is not None


def work_one() -> bool:
    """Do one job that is due; False when there is none.

    The look before the claim is a plain read, so that idle workers take no write lock.
    """
    with reading() as session:
        due = session.execute(_due(Job.id, Job.kind)).first()
    if due is None:
        return False
    return _work_held() if HANDLERS[due.kind].held else _work_outside()


def _due(*columns: Any, held: bool | None = None) -> sa.Select[Any]:
    kinds = [kind for kind, handler in HANDLERS.items() if held is None or handler.held is held]
    moment = now()
    return (
        sa.select(*columns)
        .where(Job.state == JobState.READY, Job.run_at <= moment, Job.kind.in_(kinds))
        .where(sa.or_(Job.lease_until.is_(None), Job.lease_until < moment))
        .order_by(Job.run_at, Job.id)
        .limit(1)
    )


_hand: Hand | None = None
"""Where the worker of this process notes what it has in hand; None when nobody would look there."""


@contextmanager
def worker_s_hand(folder: Path) -> Iterator[None]:
    """Note in this folder which job is in hand, as long as the block lasts; without room for a note, go on without."""
    global _hand  # noqa: PLW0603 - a process is one worker
    try:
        _hand = Hand(folder)
    except OSError as error:
        log.warning("what is in hand is not noted", error=str(error))
    try:
        yield
    finally:
        if _hand is not None:
            _hand.close()
        _hand = None


class WorkerDied(Exception):
    """The process that worked the job ended in the middle of it."""


def count_fallen(folder: Path) -> int:
    """Count an attempt of every job that a worker died over; how many there were."""
    fallen = 0
    for job_id in left_behind(folder):
        _failed(job_id, WorkerDied("the worker ended in the middle of it"), owner=None, counted=False)
        fallen += 1
    return fallen


def _work_held() -> bool:
    job_id: UUID | None = None
    try:
        with transaction() as session:
            claimed = session.scalars(lock(_due(Job, held=True), skip_locked=True)).first()
            if claimed is None:
                return False
            job_id = claimed.id  # read now: a rollback empties the object
            if _hand is not None:
                _hand.take(job_id)
            HANDLERS[claimed.kind].call(session, **claimed.payload)
            claimed.state, claimed.done_at, claimed.last_error = JobState.DONE, now(), None
    except Exception as error:
        if job_id is None:
            raise
        _failed(job_id, error, owner=None, counted=False)
    finally:
        if _hand is not None and job_id is not None:
            _hand.put_down()
    return True


def _work_outside() -> bool:
    owner = new_id()
    with transaction() as session:
        claimed = session.scalars(lock(_due(Job, held=False), skip_locked=True)).first()
        if claimed is None:
            return False
        if claimed.attempts >= MAX_ATTEMPTS:  # nobody came back from the last one
            _park(session, claimed, claimed.last_error or "WorkerDied: its workers ended in the middle of it")
            return True
        claimed.owner, claimed.lease_until, claimed.attempts = owner, now() + LEASE, claimed.attempts + 1
    try:
        HANDLERS[claimed.kind].call(**claimed.payload)
    except Exception as error:
        _failed(claimed.id, error, owner=owner, counted=True)
        return True
    with transaction() as session:
        session.execute(
            sa.update(Job)
            .where(Job.id == claimed.id, Job.owner == owner)
            .values(state=JobState.DONE, done_at=now(), owner=None, lease_until=None, last_error=None)
        )
    return True


_errors: list[BaseException] | None = None
"""Collects failures for `run_until_idle`; None in a real worker."""


def _failed(job_id: UUID, error: Exception, *, owner: UUID | None, counted: bool) -> None:
    """Count the attempt outside the transaction that was rolled back, and back off or park."""
    if _errors is not None:
        _errors.append(error)
    with transaction() as session:
        failed = session.scalars(lock(sa.select(Job).filter_by(id=job_id))).first()
        if failed is None or failed.state is not JobState.READY or failed.owner != owner:
            return  # someone else finished it meanwhile
        failed.attempts += 0 if counted else 1
        failed.owner = failed.lease_until = None
        failed.last_error = f"{type(error).__name__}: {error}"[:2000]
        failed.run_at = now() + timedelta(seconds=min(2**failed.attempts, 3600) * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
        if failed.attempts >= MAX_ATTEMPTS:
            _park(session, failed, failed.last_error)
        log.warning("job failed", kind=failed.kind, attempts=failed.attempts, state=failed.state.value, error=failed.last_error)


def _park(session: Session, hopeless: Job, why: str) -> None:
    hopeless.state, hopeless.owner, hopeless.lease_until = JobState.PARKED, None, None
    about_a_letter = hopeless.key.startswith(f"mail:{alerts.LETTER}")  # that one cannot be told by another
    alerts.raise_alert(session, "job_parked", key=str(hopeless.id), subject=hopeless.kind, detail=why, letter=not about_a_letter)


def enqueue_scheduled() -> int:
    """Insert the jobs of the present time slots; any process may, one per slot wins."""
    moment = now()
    due = {kind: f"{kind}@{int(moment.timestamp() // interval.total_seconds())}" for kind, interval in SCHEDULES.items()}
    with reading() as session:
        known = set(session.scalars(sa.select(Job.key).where(Job.key.in_(due.values()))))
    missing = {kind: key for kind, key in due.items() if key not in known}
    if not missing:
        return 0
    with transaction() as session:
        return sum(enqueue(session, kind, key=key) for kind, key in missing.items())


def retry(session: Session, job_id: UUID) -> Job:
    """Give a parked job another round of tries (the jobs desk does). Raises WrongStatus."""
    parked = session.scalars(lock(sa.select(Job).filter_by(id=job_id))).first()
    if parked is None:
        raise NotFound("There is no such job.")
    if parked.state is not JobState.PARKED:
        raise WrongStatus("Only a parked job can be tried again; this one is {state}.", state=parked.state)
    parked.state, parked.attempts, parked.run_at = JobState.READY, 0, now()
    alerts.resolve(session, "job_parked", key=str(job_id))
    return parked


def purge_done(session: Session, *, older_than: timedelta = timedelta(days=30)) -> int:
    """Forget finished jobs whose key can no longer be repeated by anyone."""
    result = session.execute(sa.delete(Job).where(Job.state == JobState.DONE, Job.done_at < now() - older_than))
    return result.rowcount  # type: ignore[attr-defined, no-any-return]


def run_until_idle(limit: int = 10_000) -> int:
    """Work every job that is due now, in this process; raises the first failure. For tests and the CLI."""
    global _errors  # noqa: PLW0603
    errors: list[BaseException] = []
    _errors = errors
    try:
        done = 0
        while done < limit and work_one():
            done += 1
            if errors:
                raise errors[0]
        return done
    finally:
        _errors = None


@every(minutes=60, kind="kernel.purge_done_jobs")
@job("kernel.purge_done_jobs")
def _purge_done_jobs(session: Session) -> None:
    purge_done(session)


@every(minutes=5, kind="kernel.watch_jobs")
@job("kernel.watch_jobs")
def watch_jobs(session: Session) -> None:
    """Put work that is due and that nobody does in front of a person: of a kind no worker knows, or more than they manage."""
    moment = now()
    waiting = (
        sa.select(Job.kind, sa.func.count(), sa.func.min(Job.run_at))
        .where(Job.state == JobState.READY, Job.run_at < moment - OVERDUE)
        .where(sa.or_(Job.lease_until.is_(None), Job.lease_until < moment))
        .group_by(Job.kind)
        .order_by(Job.kind)
    )
    unknown, late = set(), []
    for kind, count, since in session.execute(waiting):
        told = f"{kind}: {count} since {since:%Y-%m-%d %H:%M} UTC"
        if kind in HANDLERS:
            late.append(told)
        else:
            unknown.add(kind)
            alerts.raise_alert(session, UNKNOWN, key=kind, subject=kind, detail=f"{told}; no worker knows this kind.")
    if late:
        alerts.raise_alert(session, BEHIND, key="workers", subject="workers", detail=f"These wait too long. {'; '.join(late)}")
    for alert in alerts.open_alerts(session, [UNKNOWN, BEHIND]):
        if not (alert.key in unknown if alert.kind == UNKNOWN else late):
            alerts.resolve(session, alert.kind, key=alert.key, by="the workers")
