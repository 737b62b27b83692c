"""Prices for a demonstration: a code for a first order, and a rule that offers what is there for what is short."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.prices.editing import Off, PromotionFacts, ShapingFacts, make_rule, start_promotion, switch_rule
from configurator.prices.models import Give, Promotion, Reach, ShapingRule
from fulfillment.kernel.money import SHOP_CURRENCY, Money

SINCE, UNTIL = date(2020, 1, 1), date(2099, 12, 31)
WELCOME, SOONER = "WELCOME", "SOONER"


def seed_prices(session: Session) -> None:
    """Bring them in, once."""
    if not session.scalar(sa.select(Promotion.id).filter_by(code=WELCOME)):
        start_promotion(session, PromotionFacts(
            name={"en": "Five percent off the machines of your first order", "zh": "首单整机 95 折"}, reach=Reach.MACHINE, off=Off(5_000),
            currency=SHOP_CURRENCY, code=WELCOME, first_day=SINCE, last_day=UNTIL, most_per_customer=1, budget=Money(5_000_000),
        ))
    if not session.scalar(sa.select(ShapingRule.id).filter_by(code=SOONER)):
        make_rule(session, ShapingFacts(
            code=SOONER, name={"en": "Sooner for less", "zh": "更快更省"}, min_days=7, give=Give.PERCENT, off=Off(10_000),
            currency=SHOP_CURRENCY, first_day=SINCE, margin_thousandths=5_000,
        ))
        switch_rule(session, SOONER, active=True)
