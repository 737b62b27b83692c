"""What shaping rules did: counted where a customer acts, at the press of an offer and at a quote, never at a click."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.engine import Answer
from configurator.language.specification import Model
from configurator.prices.models import EffectKind, ShapingEffect
from configurator.prices.shaping import Deal, Offer
from fulfillment.kernel.clock import add_working_days, now
from fulfillment.kernel.money import Money
from fulfillment.orders.models import OrderLine, OrderStatus, SalesOrder


def note_click(session: Session, model: Model, offer: Offer, quantity: int) -> None:
    """A customer pressed an offer."""
    _note(session, EffectKind.CLICKED, model, offer.deal, days=_sooner(model, offer.ready_before, offer.ready_after), quantity=quantity)


def note_quote(
    session: Session, number: str, model: Model, answer: Answer, *, offers: Sequence[Offer], deals: Sequence[Deal], quantity: int,
) -> None:
    """A quote was made: with these deals in it, and without what was offered beside it."""
    for offer in offers:
        days = _sooner(model, offer.ready_before, offer.ready_after)
        _note(session, EffectKind.LEFT, model, offer.deal, days=days, quantity=quantity, number=number)
    for deal in deals:
        days = _sooner(model, answer.groups[deal.group].option(deal.instead).ready, answer.ready)
        _note(session, EffectKind.QUOTED, model, deal, days=days, quantity=quantity, number=number)


def _note(session: Session, kind: EffectKind, model: Model, deal: Deal, *, days: int, quantity: int, number: str = "") -> None:
    session.add(ShapingEffect(
        rule_id=UUID(deal.rule.id), kind=kind, quote_number=number, model_id=model.id, group_id=deal.group, instead=deal.instead,
        option_id=deal.option, days=days, given_minor=deal.given.minor, currency=deal.given.currency, quantity=quantity, at=now(),
    ))


def _sooner(model: Model, before: date | None, after: date | None) -> int:
    """How many days sooner a machine can leave us; its parts are here on these days."""
    if before is None or after is None:
        return 0
    return (add_working_days(before, model.build_days) - add_working_days(after, model.build_days)).days


@dataclass(frozen=True, slots=True)
class Effect:
    """What a shaping rule did so far, as it really happened."""

    shown: int = 0
    """Quotes beside which or in which its offer stood."""
    clicked: int = 0
    """Presses of its offers."""
    quoted: int = 0
    """Quotes with it."""
    orders: int = 0
    """Orders by those quotes that stand."""
    machines: int = 0
    """In those orders."""
    days: int = 0
    """How much sooner those machines could leave us, added up over machines."""
    given: tuple[Money, ...] = ()
    """What they cost less, by currency."""

    @property
    def days_each(self) -> int:
        """Days sooner per machine, in whole days."""
        return self.days // self.machines if self.machines else 0


def measure(session: Session) -> dict[UUID, Effect]:
    """The effect of every shaping rule that had one, by the rule's id. Two queries."""
    shown = sa.func.count(sa.distinct(sa.func.nullif(ShapingEffect.quote_number, "")))
    of_kind = {kind: sa.func.sum(sa.case((ShapingEffect.kind == kind, 1), else_=0)) for kind in (EffectKind.CLICKED, EffectKind.QUOTED)}
    counts = sa.select(ShapingEffect.rule_id, shown, *of_kind.values()).group_by(ShapingEffect.rule_id).order_by(ShapingEffect.rule_id)
    sold = _sold(session)
    return {
        rule: replace(sold.get(rule, Effect()), shown=seen, clicked=int(clicked), quoted=int(quoted))
        for rule, seen, clicked, quoted in session.execute(counts)
    }


def _sold(session: Session) -> dict[UUID, Effect]:
    """What the orders that stand have of every rule. An order names its quotes; what it sells may be fewer than was quoted."""
    rows = session.execute(
        sa.select(ShapingEffect, OrderLine.quantity, SalesOrder.number)
        .join(OrderLine, OrderLine.quote_number == ShapingEffect.quote_number)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(ShapingEffect.kind == EffectKind.QUOTED, SalesOrder.status != OrderStatus.CANCELLED)
        .order_by(ShapingEffect.at, ShapingEffect.id, SalesOrder.number)
    ).all()
    found: dict[UUID, Effect] = {}
    orders: dict[UUID, set[str]] = defaultdict(set)
    given: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for effect, quantity, number in rows:
        orders[effect.rule_id].add(number)
        given[effect.rule_id][effect.currency] += effect.given_minor * quantity
        before = found.get(effect.rule_id, Effect())
        found[effect.rule_id] = replace(before, machines=before.machines + quantity, days=before.days + effect.days * quantity)
    money = {rule: tuple(Money(minor, currency) for currency, minor in sorted(sums.items())) for rule, sums in given.items()}
    return {rule: replace(effect, orders=len(orders[rule]), given=money[rule]) for rule, effect in found.items()}
