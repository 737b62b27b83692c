"""The same request twice is one act: the second gets the first one's answer.

For API idempotency keys, double-clicked forms and repeated scans. The record commits with the
act; the same key with another content is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, insert
from fulfillment.kernel.refusals import Conflict


class DoneOnce(Base):
    """An act that was done under a key, and its answer."""

    __tablename__ = "done_once"

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


def fingerprint(content: object) -> str:
    """SHA-256 over the JSON form of what was asked."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def press(session: Session, scope: str, token: str, content: object, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `act` once for the rendering `token` of a form, filled in with `content`, however often that is sent."""
    return once(session, scope, fingerprint([token, content]), content, act) if token else act()


def once(session: Session, scope: str, key: str, content: object, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `act` once under (scope, key); later calls return its answer without doing anything.

    The key is claimed before the act, so of two at the same moment one waits for the other.
    Raises Conflict when the key was used with another content.
    """
    mark = fingerprint(content)
    claim = (
        insert(session, DoneOnce)
        .values(scope=scope, key=key, fingerprint=mark, answer={}, at=now())
        .on_conflict_do_nothing(index_elements=["scope", "key"])
        .returning(DoneOnce.key)
    )
    if session.scalars(claim).first() is None:
        done = session.scalars(sa.select(DoneOnce).filter_by(scope=scope, key=key)).one()
        if done.fingerprint != mark:
            raise Conflict("This request key was already used for something else. Use a new key.")
        return done.answer
    answer = act()
    session.execute(sa.update(DoneOnce).filter_by(scope=scope, key=key).values(answer=answer))
    return answer
