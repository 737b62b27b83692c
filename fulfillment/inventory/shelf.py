"""The shelf as people look at it: every part with what is here, kept for somebody, on its way, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import IncomingPart, Reservation, Stock
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.parts.data import PartKind
from fulfillment.parts.models import Part


class Standing(NamedTuple):
    """How a part stands: pieces on hand, of those kept for somebody, and on their way."""

    part: Part
    on_hand: int = 0
    kept: int = 0
    coming: int = 0

    @property
    def free(self) -> int:
        """How many can still be promised from the shelf."""
        return self.on_hand - self.kept

    @property
    def worth(self) -> Money:
        """What lies here, at standard cost."""
        return self.part.standard_cost * self.on_hand


def standings(session: Session, text: str = "", *, limit: int, offset: int = 0) -> list[Standing]:
    """Every part that can lie on a shelf, by number; with `text`, those whose number or name has it."""
    return _standing(session, *_wanted(text), limit=limit, offset=offset)


def count_standings(session: Session, text: str = "") -> int:
    """How many parts that is."""
    return session.scalar(sa.select(sa.func.count()).select_from(Part).where(*_wanted(text))) or 0


def standing_of(session: Session, sku: str) -> Standing | None:
    """How this one stands; None for a number we do not know, or a service."""
    return next(iter(_standing(session, *_wanted(""), Part.sku == sku, limit=1)), None)


def worth(session: Session) -> Money:
    """All that lies on the shelf, at standard cost."""
    pieces = sa.select(sa.func.coalesce(sa.func.sum(Stock.on_hand * Part.standard_cost_minor), 0)).join(Part, Part.sku == Stock.sku)
    return Money(int(session.scalar(pieces) or 0), SHOP_CURRENCY)


def kept_of(session: Session, sku: str) -> list[Reservation]:
    """For whom pieces are kept."""
    return list(session.scalars(sa.select(Reservation).filter_by(sku=sku).order_by(Reservation.at, Reservation.holder)))


def coming_of(session: Session, sku: str) -> list[IncomingPart]:
    """What is on its way, the first to come first."""
    return list(session.scalars(sa.select(IncomingPart).filter_by(sku=sku).order_by(IncomingPart.due_on, IncomingPart.source)))


def _wanted(text: str) -> Iterable[sa.ColumnElement[bool]]:
    wanted = [Part.kind == PartKind.HARDWARE]
    if text:
        names = (sa.func.lower(Part.name[language].as_string()) for language in ("en", "zh"))
        ways = [Part.sku.contains(text.upper(), autoescape=True), *(name.contains(text.lower(), autoescape=True) for name in names)]
        wanted.append(sa.or_(*ways))
    return wanted


def _standing(session: Session, *wanted: sa.ColumnElement[bool], limit: int, offset: int = 0) -> list[Standing]:
    coming = sa.select(IncomingPart.sku, sa.func.sum(IncomingPart.quantity).label("pieces")).group_by(IncomingPart.sku).subquery()
    statement = (
        sa.select(
            Part, sa.func.coalesce(Stock.on_hand, 0), sa.func.coalesce(Stock.reserved, 0), sa.func.coalesce(coming.c.pieces, 0),
        )
        .outerjoin(Stock, Stock.sku == Part.sku)
        .outerjoin(coming, coming.c.sku == Part.sku)
        .where(*wanted).order_by(Part.sku).limit(limit).offset(offset)
    )
    return [Standing(part, int(here), int(kept), int(coming)) for part, here, kept, coming in session.execute(statement)]
