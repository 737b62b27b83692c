"""What a person has to look at: one open row per cause, however often it happens.

The desks show each alert to those who may act on it; operations gets a letter when one opens, in the
same transaction and once, so that nobody has to look at a page to learn that something is wrong.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, Id
from fulfillment.kernel.settings import settings

log = structlog.get_logger()

LETTER = "alert:"
"""How the keys of letters about alerts begin."""


class Alert(Base):
    """Something is wrong and no machine will mend it."""

    __tablename__ = "alert"
    __table_args__ = (
        sa.Index(
            "uq_alert_open", "kind", "key", unique=True,
            postgresql_where=sa.text("resolved_at IS NULL"), sqlite_where=sa.text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(index=True)
    key: Mapped[str]
    """What it is about: an order number, a job id."""
    subject: Mapped[str]
    detail: Mapped[str]
    at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]


def raise_alert(session: Session, kind: str, *, key: str, subject: str, detail: str, letter: bool = True) -> Alert:
    """Open an alert and write to operations about it, or refresh the open one of the same cause."""
    alert = _open_one(session, kind, key)
    if alert is None:
        alert = Alert(kind=kind, key=key, subject=subject, detail=detail, at=now())
        session.add(alert)
        session.flush()
        if letter:
            _write(session, alert)
    alert.detail = detail
    log.error("alert", kind=kind, key=key, subject=subject)
    return alert


def _write(session: Session, alert: Alert) -> None:
    """Tell operations, in the language of the details."""
    from fulfillment.kernel.mail import send_mail  # letters are delivered by jobs, and jobs raise alerts

    text = f"{alert.detail}\n\nIt stays open until somebody has seen to it:\n{settings().base_url}/desk/alerts\n"
    what = alert.kind.replace("_", " ")
    send_mail(session, to=settings().operations_mail, subject=f"Alert: {what}: {alert.subject}", text=text, key=f"{LETTER}{alert.id}")


def resolve(session: Session, kind: str, *, key: str, by: str = "") -> None:
    """Close the open alert of this cause, if there is one."""
    alert = _open_one(session, kind, key)
    if alert is not None:
        alert.resolved_at, alert.resolved_by = now(), by


def is_open(session: Session, kind: str, *, key: str) -> bool:
    """Whether this cause waits for somebody."""
    return _open_one(session, kind, key) is not None


def _open_one(session: Session, kind: str, key: str) -> Alert | None:
    return session.scalars(sa.select(Alert).filter_by(kind=kind, key=key, resolved_at=None)).first()


def open_alerts(session: Session, kinds: Collection[str] | None = None) -> list[Alert]:
    """Every alert that waits for somebody, or those of some kinds, newest first."""
    return list(session.scalars(sa.select(Alert).where(*_waiting(kinds)).order_by(Alert.at.desc(), Alert.id)))


def count_open(session: Session, kinds: Collection[str] | None = None) -> int:
    """How many wait for somebody."""
    return session.scalar(sa.select(sa.func.count()).select_from(Alert).where(*_waiting(kinds))) or 0


def _waiting(kinds: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    waiting: list[sa.ColumnElement[bool]] = [Alert.resolved_at.is_(None)]
    return waiting if kinds is None else [*waiting, Alert.kind.in_(sorted(kinds))]
