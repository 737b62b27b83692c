"""Accounts of customers with their addresses, and the people who work here.

Passwords are argon2id hashes. `epoch` numbers the generation of a person's sessions: a new
password starts a new one, and every older session cookie is void.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, Id


class Account(Base):
    """A customer who signed up; e-mail addresses are kept in lower case."""

    __tablename__ = "account"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(sa.String(8), default="en")
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class SavedAddress(Base):
    """An address in a customer's book."""

    __tablename__ = "saved_address"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"), index=True)
    label: Mapped[str] = mapped_column(default="")
    address: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class PasswordReset(Base):
    """A letter's worth of trust: a hashed word, good once and for half an hour."""

    __tablename__ = "password_reset"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class EndedVisit(Base):
    """A session that somebody signed out of: a copy of its cookie opens nothing any more."""

    __tablename__ = "ended_visit"

    visit: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Staff(Base):
    """Somebody who works here; the badge is what the scanner at a desk reads."""

    __tablename__ = "staff"

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(unique=True)
    badge: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    epoch: Mapped[int] = mapped_column(default=0)
