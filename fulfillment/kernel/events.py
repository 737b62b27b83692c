"""Calls go down, events go up.

What happened in a lower slice is published as a dataclass in the transaction that made it
happen: one outbox row, and one job for every subscriber. The jobs carry it up, exactly once each.
Subscribers live in `jobs.py` of their slice; `wsgi.load_slices()` imports them all before anything
is published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel import jobs
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, Id


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened; its fields are JSON scalars. Named in the past tense."""


class OutboxEvent(Base):
    """Every event ever published, in order: the memory that subscribers of tomorrow start from."""

    __tablename__ = "outbox_event"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


F = TypeVar("F", bound=Callable[..., object])

SUBSCRIBERS: dict[type[Event], list[str]] = {}


def on(event_type: type[Event]) -> Callable[[F], F]:
    """Subscribe `f(session, event)`; it becomes the job `<slice>.<function>`."""

    def register(function: F) -> F:
        kind = f"{function.__module__.split('.')[-2]}.{function.__name__}"

        def handle(session: Session, **payload: Any) -> None:
            function(session, event_type(**payload))

        handle.subscriber = function  # type: ignore[attr-defined]
        if kind not in SUBSCRIBERS.setdefault(event_type, []):
            SUBSCRIBERS[event_type].append(kind)
            jobs.job(kind)(handle)
        return function

    return register


def publish(session: Session, event: Event) -> None:
    """Let everyone know, as part of this transaction."""
    payload = asdict(event)
    row = OutboxEvent(kind=type(event).__name__, payload=payload, at=now())
    session.add(row)
    session.flush()
    for kind in SUBSCRIBERS.get(type(event), ()):
        jobs.enqueue(session, kind, key=f"{row.id}:{kind}", **payload)
