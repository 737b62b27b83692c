"""What the shelf is worth: its opening, a count of it, and a change of standard costs.

Stock and books move together here; elsewhere the one who moves stock posts (purchasing for receipts,
assembly for the bench, shipping for parcels).
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.models import MoveReason, StockMove
from fulfillment.inventory.service import BadQuantity, add_move, lock_stock, receive_all
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.once import once
from fulfillment.kernel.refusals import Conflict, NotFound
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import post
from fulfillment.parts.models import Part


def open_stock(session: Session, pieces: Mapping[str, int], key: str) -> Money:
    """Put on the shelf what the company owned when its books began; the same key again changes nothing. Returns its worth."""
    moves = receive_all(session, pieces, {sku: f"{key}:{sku}" for sku in pieces}, reason=MoveReason.OPENING)
    worth = total(move.cost for move in moves.values())
    if worth:
        post(session, postings.opening(key, {Account.PARTS: worth}))
    return worth


def count_stock(session: Session, sku: str, counted: int, key: str) -> StockMove | None:
    """The shelf was counted: books follow it. None when it agreed; the same key again changes nothing.

    Raises NotFound, BadQuantity, Conflict when fewer were found than are kept for somebody.
    """
    if type(counted) is not int or counted < 0:
        raise BadQuantity("{quantity} is not a number of pieces of {sku}.", quantity=counted, sku=sku)
    stock = lock_stock(session, [sku]).get(sku)
    if stock is None:
        raise NotFound("There never was any {sku} on the shelf.", sku=sku)
    known = session.scalars(sa.select(StockMove).filter_by(source=key)).first()
    if known is not None:
        return known
    difference = counted - stock.on_hand
    if counted < stock.reserved:
        raise Conflict("{kept} of {sku} are kept for orders. Release some of them first.", kept=stock.reserved, sku=sku)
    if difference == 0:
        return None
    move = add_move(session, sku, difference, MoveReason.COUNT, key)
    nothing = Money(0, move.currency)
    if move.cost:
        post(session, postings.stock_counted(key, move.cost if difference > 0 else nothing, move.cost if difference < 0 else nothing))
    return move


def change_standard_cost(session: Session, sku: str, cost: Money, key: str) -> None:
    """Value one part anew. Raises as `revise_costs` does."""
    revise_costs(session, {sku: cost}, key)


def revise_costs(session: Session, costs: Mapping[str, Money], key: str) -> int:
    """Value parts at new standard costs and post what that makes of the shelf; returns how many changed.

    A key is used once, with the costs it names. Raises NotFound for an unknown part, Conflict for another
    currency than the part's, or a key that was used for other costs.
    """
    content = {sku: str(cost) for sku, cost in costs.items()}
    answer = once(session, "inventory.revise_costs", key, content, lambda: {"changed": _revise(session, costs, key)})
    return int(answer["changed"])


def _revise(session: Session, costs: Mapping[str, Money], key: str) -> int:
    stocks = lock_stock(session, costs)
    wanted = sa.select(Part).where(Part.sku.in_(sorted(costs))).order_by(Part.sku).execution_options(populate_existing=True)
    parts = {part.sku: part for part in session.scalars(wanted)}
    for sku, cost in sorted(costs.items()):
        if sku not in parts:
            raise NotFound("We know no part with the number “{sku}”.", sku=sku)
        if cost.currency != parts[sku].currency or cost.minor < 0:
            raise Conflict("{sku} cannot be valued at {cost}.", sku=sku, cost=cost)
    changed: list[Part] = [part for sku, part in parts.items() if part.standard_cost != costs[sku]]
    difference = 0
    for part in changed:
        on_hand = stocks[part.sku].on_hand if part.sku in stocks else 0
        difference += (costs[part.sku].minor - part.standard_cost_minor) * on_hand
        part.standard_cost_minor = costs[part.sku].minor
    session.flush()
    if difference:
        post(session, postings.parts_revalued(key, Money(max(0, -difference)), Money(max(0, difference))))
    return len(changed)
