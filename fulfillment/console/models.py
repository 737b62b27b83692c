"""What our people did at a desk that no other slice keeps a record of: who, what, to what, when.

What is done to a machine, an order or the books stands in their own histories under the name of who
did it; here are the acts that would leave no trace otherwise. Rows are added, never changed.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, Id, final


class StaffAct(Base):
    """One act of one of our people."""

    __tablename__ = "staff_act"
    __table_args__ = (sa.Index("ix_staff_act_at", "at", "id"), sa.Index("ix_staff_act_about", "about", "at"))

    id: Mapped[Id]
    who: Mapped[str]
    """Name of the member of staff, as it was then."""
    what: Mapped[str] = mapped_column(sa.String(40))
    about: Mapped[str]
    """A number, a key, an id: what it was done to."""
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


final(StaffAct)
