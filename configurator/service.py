"""Answering what can still be chosen, and issuing quotes.

A quote is worked out here from the release, never from anything the page sent but the choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, selectinload

from configurator.bom import BomLine, explode
from configurator.engine import Answer, answer
from configurator.language.specification import Model
from configurator.models import Quote, QuoteLine
from configurator.releasing import Released, released
from fulfillment.inventory.atp import earliest_dates
from fulfillment.kernel.clock import add_working_days, now, today
from fulfillment.kernel.ids import new_id, secret_token
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.orders.readiness import machines, ready_dates

log = structlog.get_logger()

QUOTE_DAYS = 30


class BadChoice(Refusal):
    """What was asked for cannot be built, or does not exist."""

    def __init__(self, message: str, reasons: Sequence[Mapping[str, str]] = (), **values: object) -> None:
        super().__init__(message, **values)
        self.reasons = reasons


def part_dates(session: Session, model: Model) -> Mapping[str, date]:
    """For every part of the model, the day a piece of it can be in the factory."""
    skus = {part.sku for group in model.groups for option in group.options for part in option.parts if part.kind == "hardware"}
    return earliest_dates(session, sorted(skus | {model.base.sku}))


def ask(session: Session, model_id: str, choices: Mapping[str, str | tuple[str, ...]]) -> tuple[Released, Answer]:
    """Every option of a model, given the choices so far. Raises NotFound, BadChoice for a choice the model does not have."""
    asked = released(model_id)
    try:
        return asked, answer(asked.compiled, choices, part_dates(session, asked.model))
    except ValueError as unknown:
        raise BadChoice("The {model} does not have one of these choices.", model=asked.model.name) from unknown


def leaves_us(model: Model, parts_here: date | None) -> date:
    """The day a machine could leave the factory, when its parts are here on `parts_here`."""
    return add_working_days(parts_here or today(), model.build_days)


def ready_as_configured(session: Session, model: Model, configuration: Mapping[str, tuple[str, ...]]) -> date:
    """The day one machine of this configuration could leave the factory: four modules are asked for as four."""
    (ready,) = ready_dates(session, [machines(bom_json(explode(model, configuration), model.build_days), 1)])
    return ready


def ready_today(session: Session, quote: Quote) -> list[date]:
    """For every line of a quote, the day it could leave the factory if it were ordered now: a quote holds its price, not its parts."""
    return ready_dates(session, [machines(line.bom, line.quantity) for line in quote.lines])


def starting_price(model: Model) -> Money:
    """What a machine of this model costs as it stands."""
    return price_of(model, model.defaults)


def price_of(model: Model, configuration: Mapping[str, tuple[str, ...]]) -> Money:
    """The list price of a configuration: the bare machine and what each chosen option adds."""
    added = (model.by_id[group].by_id[option].price for group, options in configuration.items() for option in options)
    return model.base_price + total(added)


def bom_json(lines: Sequence[BomLine], build_days: int) -> list[dict[str, object]]:
    """The bill of materials as quotes and orders keep it; costs in minor units, weights in grams, per piece.

    The first of it, the bare machine, says how many working days the whole takes once its parts are there.
    """
    entries: list[dict[str, object]] = [
        {
            "sku": line.sku,
            "name": dict(line.name),
            "qty": line.qty,
            "group": line.group,
            "kind": line.kind,
            "serialised": line.serialised,
            "stocked": line.kind == "hardware",
            "cost_minor": line.cost.minor,
            "weight_g": line.weight_g,
        }
        for line in lines
    ]
    entries[0]["build_days"] = build_days
    return entries


def issue_quote(
    session: Session,
    model_id: str,
    choices: Mapping[str, str | tuple[str, ...]],
    *,
    quantity: int = 1,
    account_id: UUID | None = None,
    locale: str = "en",
) -> Quote:
    """Write the offer for a machine as configured: price, parts and date as they are now, final.

    Choices left open are completed as the page shows them. Raises NotFound, BadChoice with the
    rules' reasons when the choices do not go together, and for a quantity out of 1 to 99.
    """
    if not 1 <= quantity <= 99:
        raise BadChoice("Please choose a quantity from 1 to {most}. For more, write to us for an offer.", most=99)
    asked, answered = ask(session, model_id, choices)
    if not answered.valid:
        rules = answered.conflict.rules if answered.conflict else ()
        raise BadChoice("These choices do not go together.", [rule.reason for rule in rules])
    model, configuration = asked.model, answered.configuration
    bom = explode(model, configuration)
    parts = bom_json(bom, model.build_days)
    (ready,) = ready_dates(session, [machines(parts, quantity)])
    quote = Quote(
        id=new_id(),
        number=next_number(session, "Q"),
        token=secret_token(18),
        account_id=account_id,
        locale=locale,
        currency=answered.price.currency,
        total_minor=(answered.price * quantity).minor,
        issued_at=now(),
        valid_until=today() + timedelta(days=QUOTE_DAYS),
    )
    quote.lines = [
        QuoteLine(
            position=1,
            release_id=asked.id,
            model_id=model.id,
            name=dict(model.name),
            picture=model.picture,
            choices={group: list(options) for group, options in configuration.items()},
            options=_in_words(model, configuration),
            bom=parts,
            quantity=quantity,
            unit_price_minor=answered.price.minor,
            currency=answered.price.currency,
            weight_g=sum(line.weight_g * line.qty for line in bom),
            ready_on=ready,
        )
    ]
    session.add(quote)
    session.flush()
    return quote


def _in_words(model: Model, configuration: Mapping[str, tuple[str, ...]]) -> list[dict[str, object]]:
    return [
        {"group": dict(group.name), "option": dict(option.name), "price_minor": option.price.minor}
        for group in model.groups
        for option in group.options
        if option.id in configuration[group.id]
    ]


def find_quote(session: Session, token: str) -> Quote:
    """The quote of a link that was shared, with its lines. Raises NotFound."""
    quote = session.scalars(sa.select(Quote).filter_by(token=token).options(selectinload(Quote.lines))).first()
    if quote is None:
        raise NotFound("There is no such quote. Please check the link.")
    return quote


def quotes_of_account(session: Session, account_id: UUID, most: int = 50) -> Sequence[Quote]:
    """The quotes a customer asked for while signed in, newest first."""
    return session.scalars(sa.select(Quote).filter_by(account_id=account_id).order_by(Quote.issued_at.desc(), Quote.id).limit(most)).all()
