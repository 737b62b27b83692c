"""What a person has to look at: one open row per cause, however often it happens."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, Id

log = structlog.get_logger()


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


def raise_alert(session: Session, kind: str, *, key: str, subject: str, detail: str) -> Alert:
    """Open an alert, or refresh the open one of the same cause."""
    alert = _open_one(session, kind, key)
    if alert is None:
        alert = Alert(kind=kind, key=key, subject=subject, detail=detail, at=now())
        session.add(alert)
        session.flush()
    alert.detail = detail
    log.error("alert", kind=kind, key=key, subject=subject)
    return alert


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


def open_alerts(session: Session) -> list[Alert]:
    """Every alert that waits for somebody, newest first."""
    return list(session.scalars(sa.select(Alert).filter_by(resolved_at=None).order_by(Alert.at.desc(), Alert.id)))
