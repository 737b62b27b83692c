"""Document numbers without gaps: SO-2026-000001.

The counter row is locked by the transaction that takes a number, so an act that fails gives its
number back and two acts at once get neighbours. A series starts anew every year.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel.clock import today
from fulfillment.kernel.db import Base, insert


class NumberSeries(Base):
    """The last number given in a series and year."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_number(session: Session, series: str) -> str:
    """Take the next number of the series in the present year."""
    year = today().year
    statement = (
        insert(session, NumberSeries)
        .values(series=series, year=year, last=1)
        .on_conflict_do_update(index_elements=["series", "year"], set_={"last": NumberSeries.last + 1})
        .returning(NumberSeries.last)
    )
    return f"{series}-{year}-{session.scalars(statement).one():06d}"
