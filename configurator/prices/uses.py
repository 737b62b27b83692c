"""Uses of promotions: counted when an order is booked, in its transaction, exactly once; given back when it is cancelled.

A quote holds its price, so the days of a promotion are not asked again; its limits are. Whoever books locks the
promotions first, in one order, so of two orders at once for the last use the second sees the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.models import Quote, QuoteLine
from configurator.prices.fetching import emptied_promotions, move_version
from configurator.prices.models import Promotion, PromotionUse, Reach
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.refusals import Refusal
from fulfillment.orders.models import SalesOrder


class NoUseLeft(Refusal):
    """A promotion in a quote has reached a limit since."""

    status = 409


def count_uses(session: Session, order: SalesOrder) -> None:
    """Count the promotions in the quotes of an order just booked; for one that was counted before, nothing happens.

    The order's lines must be loaded. Raises NoUseLeft; the booking is then undone with the rest of the transaction.
    """
    given = _given(session, order)
    if not given:
        return
    wanted = sa.select(Promotion).where(Promotion.id.in_(given)).order_by(Promotion.id)
    promotions = session.scalars(lock(wanted).execution_options(populate_existing=True)).all()
    counted = set(session.scalars(sa.select(PromotionUse.promotion_id).filter_by(order_number=order.number)))
    for promotion in promotions:
        if promotion.id not in counted:
            _count(session, promotion, order, given[promotion.id])


def _given(session: Session, order: SalesOrder) -> dict[UUID, int]:
    """What each promotion takes off this order, in minor units. Raises NoUseLeft for a discount on one order that is in several quotes."""
    sold = {(line.quote_number, line.unit_price_minor): line.quantity for line in order.lines if line.quote_number}
    if not sold:
        return {}
    wanted = sa.select(Quote.number, QuoteLine).join(QuoteLine, QuoteLine.quote_id == Quote.id)
    rows = session.execute(wanted.where(Quote.number.in_({number for number, _price in sold})).order_by(Quote.number)).all()
    given: dict[UUID, int] = defaultdict(int)
    on_order: dict[str, str] = {}
    for number, line in rows:
        for off in _off(line):
            if off["kind"] == Reach.ORDER and on_order.setdefault(off["promotion"], number) != number:
                raise NoUseLeft("“{promotion}” is taken off an order once. Please order these quotes one by one.", promotion=off["name"])
            given[UUID(off["promotion"])] += off["amount_minor"] * sold.get((number, line.unit_price_minor), 0)
    return {promotion: minor for promotion, minor in given.items() if minor}


def _off(line: QuoteLine) -> Iterable[Mapping[str, Any]]:
    return line.pricing["off"] if line.pricing else ()


def _count(session: Session, promotion: Promotion, order: SalesOrder, minor: int) -> None:
    """Count one use, if every limit allows it; the promotion is locked."""
    standing = sa.and_(PromotionUse.promotion_id == promotion.id, PromotionUse.given_back_at.is_(None))
    uses, spent = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(PromotionUse.amount_minor), 0)).where(standing)
    ).one()
    if promotion.most_uses is not None and uses >= promotion.most_uses:
        raise NoUseLeft("“{promotion}” has been used up. Configure the machine again for today's price.", promotion=promotion.name)
    if promotion.budget_minor is not None and spent + minor > promotion.budget_minor:
        raise NoUseLeft("“{promotion}” has been used up. Configure the machine again for today's price.", promotion=promotion.name)
    same = PromotionUse.email == order.email
    if order.account_id is not None:
        same = sa.or_(same, PromotionUse.account_id == order.account_id)
    if promotion.most_per_customer is not None:
        mine = session.scalar(sa.select(sa.func.count()).select_from(PromotionUse).where(standing, same)) or 0
        if mine >= promotion.most_per_customer:
            raise NoUseLeft("You have used “{promotion}” as often as it may be used.", promotion=promotion.name)
    session.add(PromotionUse(
        promotion_id=promotion.id, order_number=order.number, email=order.email, account_id=order.account_id, amount_minor=minor,
        used_at=now(),
    ))
    session.flush()
    if emptied_promotions(session, promotion.id):
        move_version(session)


def give_uses_back(session: Session, order_number: str) -> None:
    """The order was cancelled: somebody else may have its uses. A second call changes nothing."""
    held = sa.select(PromotionUse.promotion_id).filter_by(order_number=order_number, given_back_at=None)
    promotions = session.scalars(lock(sa.select(Promotion).where(Promotion.id.in_(held)).order_by(Promotion.id))).all()
    if not promotions:
        return
    was_empty = any(emptied_promotions(session, promotion.id) for promotion in promotions)
    mine = sa.update(PromotionUse).where(PromotionUse.order_number == order_number, PromotionUse.given_back_at.is_(None))
    session.execute(mine.values(given_back_at=now()).execution_options(synchronize_session=False))
    if was_empty:
        move_version(session)
