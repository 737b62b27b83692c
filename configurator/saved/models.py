"""What is kept of a configuration: one final row that a link leads to, and the names that accounts give it.

A shared configuration is what somebody saw on a day: release, choices, words and price. It is never changed,
so a link always means the same; what it means today is worked out when it is opened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.kernel.db import Base, Id, Minor, final
from fulfillment.kernel.money import Money


class SharedConfiguration(Base):
    """A machine as somebody configured it; whoever has its token may look at it."""

    __tablename__ = "shared_configuration"

    id: Mapped[Id]
    token: Mapped[str] = mapped_column(sa.String(16), unique=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), unique=True)
    """Of its content: the same machine is shared under the same link."""
    release_id: Mapped[UUID] = mapped_column(sa.ForeignKey("model_release.id"))
    model_id: Mapped[str]
    name: Mapped[dict[str, Any]]
    own: Mapped[dict[str, Any]]
    """Group -> options: the customer's own choices."""
    choices: Mapped[dict[str, Any]]
    """Group -> options: the whole machine."""
    options: Mapped[list[dict[str, Any]]]
    """What was chosen, in words: {group_id}, {group, option} bilingual."""
    price_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    shared_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        """What it cost on that day, tax excluded."""
        return Money(self.price_minor, self.currency)


class SavedConfiguration(Base):
    """A shared configuration in somebody's account, under a name of his."""

    __tablename__ = "saved_configuration"
    __table_args__ = (sa.UniqueConstraint("account_id", "shared_id"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"))
    shared_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shared_configuration.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    saved_at: Mapped[datetime]
    shared: Mapped[SharedConfiguration] = relationship(lazy="raise")


final(SharedConfiguration)
