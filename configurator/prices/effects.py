"""What shaping rules did: counted where a customer acts, at the press of an offer and at a quote, never at a click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from configurator.engine import Answer
from configurator.language.specification import Model
from configurator.prices.models import EffectKind, ShapingEffect
from configurator.prices.shaping import Deal, Offer
from fulfillment.kernel.clock import add_working_days, now


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
