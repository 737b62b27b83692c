"""What must be true of promotions: nothing was given away beyond a limit, and only once to an order."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.prices.models import Promotion, PromotionUse
from fulfillment.ledger.checks import Finding, check
from fulfillment.orders.models import SalesOrder


@check("promotion limits")
def promotions_keep_their_limits(session: Session) -> list[Finding]:
    """No promotion was used or has given away more than it may, and every use is an order's."""
    uses, given = sa.func.count(PromotionUse.id), sa.func.sum(PromotionUse.amount_minor)
    over = (
        sa.select(Promotion)
        .join(PromotionUse, sa.and_(PromotionUse.promotion_id == Promotion.id, PromotionUse.given_back_at.is_(None)))
        .group_by(Promotion.id)
        .having(sa.or_(uses > Promotion.most_uses, given > Promotion.budget_minor))
        .order_by(Promotion.id)
    )
    found = [_finding(f"“{each.name['en']}” has given away more than it may", each) for each in session.scalars(over)]
    stray = (
        sa.select(PromotionUse.order_number)
        .outerjoin(SalesOrder, SalesOrder.number == PromotionUse.order_number)
        .where(SalesOrder.id.is_(None))
        .order_by(PromotionUse.order_number)
    )
    return found + [Finding(f"a promotion was used by {number}, which is no order", number) for number in session.scalars(stray)]


def _finding(text: str, promotion: Promotion) -> Finding:
    return Finding(text, promotion.code or str(promotion.id))
