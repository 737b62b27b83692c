"""Which orders a visitor may see: those of the account, and those proved or made in this session."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import session

from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.web import current_account
from fulfillment.orders.models import SalesOrder

KEPT = 12


def remember_order(number: str) -> None:
    """This visitor made the order, or proved that it is his."""
    known = [kept for kept in session.get("orders", []) if kept != number]
    session["orders"] = [*known, number][-KEPT:]


def may_see(number: str) -> None:
    """Pass for the visitor's own orders. Raises NotFound for every other, whether it exists or not."""
    if number in session.get("orders", []):
        return
    account = current_account()
    if account is not None:
        with reading() as db:
            own = sa.select(SalesOrder.id).filter_by(number=number, account_id=UUID(account.id))
            if db.scalar(own) is not None:
                return
    raise NotFound("Please look the order up by its number first.")
