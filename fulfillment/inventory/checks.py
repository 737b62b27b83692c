"""What must be true of the shelf."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import Reservation, Stock, StockMove
from fulfillment.inventory.shelf import worth
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import Finding, check, ties


@check("parts on hand")
def parts_tie(session: Session) -> list[Finding]:
    """The parts account is what lies on the shelf, at standard cost."""
    return ties(session, Account.PARTS, worth(session), to="shelf and standard costs")


@check("stock moves")
def moves_tie(session: Session) -> list[Finding]:
    """What lies on the shelf is what came less what went."""
    moved = sa.select(StockMove.sku, sa.func.sum(StockMove.quantity).label("quantity")).group_by(StockMove.sku).subquery()
    wrong = (
        sa.select(Stock.sku, Stock.on_hand, sa.func.coalesce(moved.c.quantity, 0))
        .outerjoin(moved, moved.c.sku == Stock.sku)
        .where(Stock.on_hand != sa.func.coalesce(moved.c.quantity, 0))
        .order_by(Stock.sku)
    )
    return [Finding(f"{there} of {sku} are on hand, the moves come to {moves}", sku) for sku, there, moves in session.execute(wrong)]


@check("reservations")
def reservations_tie(session: Session) -> list[Finding]:
    """What is kept of a part is kept for somebody."""
    kept = sa.select(Reservation.sku, sa.func.sum(Reservation.quantity).label("quantity")).group_by(Reservation.sku).subquery()
    wrong = (
        sa.select(Stock.sku, Stock.reserved, sa.func.coalesce(kept.c.quantity, 0))
        .outerjoin(kept, kept.c.sku == Stock.sku)
        .where(Stock.reserved != sa.func.coalesce(kept.c.quantity, 0))
        .order_by(Stock.sku)
    )
    return [Finding(f"{there} of {sku} are kept, the holders have {held}", sku) for sku, there, held in session.execute(wrong)]
