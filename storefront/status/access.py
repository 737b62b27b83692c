"""Which orders a visitor may see, and which are his to act on.

Whoever gave an order's ZIP code sees where it stands. Cancelling, paying, papers and the address are for its
account, for the visit that made it, and for whoever gave its e-mail address or telephone number.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import Response, request, session

from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.web import current_account, limiter
from fulfillment.orders.finding import tidy_number
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import NeedsProof

KEPT = 12
TRIES_OF_A_NUMBER = "20/hour;60/day"


def _number_asked() -> str:
    """The order that is guessed at, as a page or a program names it."""
    return tidy_number((request.view_args or {}).get("number") or request.form.get("number", ""))


def _was_wrong(response: Response) -> bool:
    return response.status_code in {401, 404}


count_tries_of_number = limiter.shared_limit(
    TRIES_OF_A_NUMBER, scope="proofs-of-an-order", key_func=_number_asked, deduct_when=_was_wrong, exempt_when=lambda: not _number_asked(),
)
"""Wrong proofs of one order are counted from all addresses together: a ZIP code has five digits only."""


def remember_order(number: str, *, own: bool = True) -> None:
    """This visitor made the order or proved that it is his; or, not `own`, may look at it."""
    _keep("orders", number)
    if own:
        _keep("own_orders", number)


def _keep(shelf: str, number: str) -> None:
    known = [kept for kept in session.get(shelf, []) if kept != number]
    session[shelf] = [*known, number][-KEPT:]


def may_see(number: str) -> None:
    """Pass for the visitor's orders. Raises NotFound for every other, whether it exists or not."""
    if number not in session.get("orders", []) and not is_own(number):
        raise NotFound("Please look the order up by its number first.")


def must_own(number: str) -> None:
    """Pass for what is his to act on. Raises NotFound as `may_see` does, NeedsProof where he may only look."""
    may_see(number)
    if not is_own(number):
        raise NeedsProof("A ZIP code shows where an order stands. For this we need its e-mail address or telephone number.")


def is_own(number: str) -> bool:
    """Whether the visitor made the order, proved it by more than a ZIP code, or has it in his account."""
    if number in session.get("own_orders", []):
        return True
    account = current_account()
    if account is None:
        return False
    with reading() as db:
        return db.scalar(sa.select(SalesOrder.id).filter_by(number=number, account_id=UUID(account.id))) is not None
