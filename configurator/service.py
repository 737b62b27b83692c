"""Answering what can still be chosen, and issuing quotes.

A quote is worked out here from the release, never from anything the page sent but the choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, selectinload

from configurator.engine import Answer, NothingLeft, UnknownChoice, answer
from configurator.language.specification import Model
from configurator.models import Quote
from configurator.prices.codes import BadCode, IdleCode, problems
from configurator.prices.discounts import after, dearest_before
from configurator.prices.effects import note_click, note_quote
from configurator.prices.fetching import prices_of, version_of
from configurator.prices.lists import PriceList
from configurator.prices.reckoning import Bill, bill, offer_pays, pays, with_deals
from configurator.prices.shaping import MARK, Deal, Offer, Supply, deal_of, offers
from configurator.prices.terms import SHOPPER, Terms
from configurator.quoting import bom_json, write_lines, write_quote
from configurator.releasing import Released, released
from fulfillment.inventory.atp import earliest_dates
from fulfillment.kernel.clock import add_working_days, now, today
from fulfillment.kernel.db import reading
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.money import CurrencyMismatch, Money
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.orders.readiness import machines, ready_dates

log = structlog.get_logger()

QUOTE_DAYS = 30


Choices = Mapping[str, str | tuple[str, ...]]


class StaleOffer(Refusal):
    """An offer that was taken too late."""

    status = 409


class BadChoice(Refusal):
    """What was asked for cannot be built, or does not exist."""

    def __init__(self, message: str, reasons: Sequence[Mapping[str, str]] = (), **values: object) -> None:
        super().__init__(message, **values)
        self.reasons = reasons


def part_dates(session: Session, model: Model, quantity: int = 1) -> Mapping[str, date]:
    """For every part of the model, the day so many pieces of it can be in the factory."""
    skus = {part.sku for group in model.groups for option in group.options for part in option.parts if part.kind == "hardware"}
    return earliest_dates(session, sorted(skus | {model.base.sku}), quantity)


@dataclass(frozen=True, slots=True)
class Consultation:
    """Everything about a configuration for one customer: what can be chosen, for how much, by when, and what we offer beside it."""

    released: Released
    terms: Terms
    """With their day."""
    answer: Answer
    """Its prices are what the customer pays for one machine, promotions on the whole machine included."""
    prices: PriceList
    """Which rule made which price; with the deals that were taken."""
    bill: Bill
    """How the price of the machine, and of all of them, comes about."""
    offers: tuple[Offer, ...]
    """Instead of what is short: take one by its `token`. Their days are those of the parts, like the answer's."""
    deals: tuple[Deal, ...]
    """The offers that were taken and stand."""
    stale: tuple[str, ...]
    """Tokens of offers that no longer stand, though their option is still chosen."""
    code_problems: tuple[BadCode, ...]
    """What to say about codes that take nothing off."""
    circumstances: Mapping[str, Any]
    """What `repair` and `finish` of the engine want to be told besides the choices: dates, price_of, hidden, limit, by, today."""

    def pays(self, price: Money) -> Money:
        """What the customer pays when the engine, told these circumstances, says `price`."""
        return after(price, self.prices.machine)


def ask(
    session: Session, model_id: str, choices: Choices, *, terms: Terms = SHOPPER, limit: Money | None = None, by: date | None = None,
    taken: Sequence[str] = (),
) -> tuple[Released, Answer]:
    """Every option of a model, given the choices so far. Raises NotFound, BadChoice for a choice the model does not have."""
    found = consult(session, model_id, choices, terms=terms, limit=limit, by=by, taken=taken)
    return found.released, found.answer


def consult(
    session: Session, model_id: str, choices: Choices, *, terms: Terms = SHOPPER, limit: Money | None = None, by: date | None = None,
    taken: Sequence[str] = (), deals: Sequence[Deal] = (), dates: Mapping[str, date] | None = None,
) -> Consultation:
    """Answer a customer with these terms: at most `limit` for a machine, leaving us `by` a day, with these offers taken (tokens).

    `deals` were judged before, under the choices that were his own then; `dates` are those of the parts, if they are known.
    Raises NotFound, BadChoice for a choice the model does not have or this customer is not shown, NoPrice.
    """
    asked, terms = released(model_id), terms.on(today())
    prices, rules = prices_of(session, asked.model, terms)
    supply = Supply(asked.model, dates or part_dates(session, asked.model, terms.quantity), today(), prices)
    wanted = [*deals, *(deal for token in dict.fromkeys(taken) if (deal := deal_of(rules.shaping, supply, token)) is not None)]
    question = _Question(asked, choices, supply, limit, by)
    answered, circumstances = question.ask(with_deals(prices, wanted))
    standing = [deal for deal in wanted if _stands(deal, answered, judged=deal in deals)]
    if standing != wanted:
        answered, circumstances = question.ask(with_deals(prices, standing))
    prices = with_deals(prices, standing)
    reckoned = bill(prices, asked.model, answered.configuration, terms.quantity)
    tokens = {deal.token for deal in standing}
    return Consultation(
        released=asked, terms=terms, answer=pays(answered, prices.machine, limit), prices=prices, bill=reckoned,
        offers=tuple(offer_pays(offer, prices.machine) for offer in offers(rules.shaping, supply, answered)),
        deals=tuple(standing), stale=tuple(token for token in dict.fromkeys(taken) if token not in tokens and _is_kept(token, answered)),
        code_problems=problems(rules.discounts, terms, asked.model, reckoned), circumstances=circumstances,
    )


def _stands(deal: Deal, answered: Answer, *, judged: bool) -> bool:
    """Whether a deal is about what is chosen, and what it replaces could be had: nobody is paid for leaving out the impossible."""
    group = answered.groups.get(deal.group)
    return group is not None and group.option(deal.option).chosen and (judged or group.option(deal.instead).possible)


def _is_kept(token: str, answered: Answer) -> bool:
    """Whether the option of a token is still chosen."""
    _code, group, _instead, option = (*token.split(MARK), "", "", "", "")[:4]
    return option in answered.configuration.get(group, ())


@dataclass(frozen=True, slots=True)
class _Question:
    """A question to the engine, but for the prices."""

    released: Released
    choices: Choices
    supply: Supply
    limit: Money | None
    by: date | None

    def ask(self, prices: PriceList) -> tuple[Answer, Mapping[str, Any]]:
        """The engine's answer at these prices, and all it was told. Raises BadChoice."""
        model = self.released.model
        told: dict[str, Any] = {
            "dates": self.supply.dates, "price_of": None if prices.is_own else prices.price_of, "hidden": prices.hidden,
            "limit": None if self.limit is None else dearest_before(self.limit, prices.machine),
            "by": None if self.by is None else parts_by(model, self.by), "today": self.supply.day,
        }
        try:
            return answer(self.released.compiled, self.choices, **told), told
        except UnknownChoice as unknown:
            raise BadChoice("The {model} does not have one of these choices.", model=model.name) from unknown
        except CurrencyMismatch as other:
            raise BadChoice("Please name the most you want to spend in {currency}.", currency=prices.currency) from other
        except NothingLeft as nothing:
            raise BadChoice("We do not build the {model} for you at present.", model=model.name) from nothing


def parts_by(model: Model, leaves: date) -> date:
    """The last day on which all parts have to be here for a machine that leaves us on a day."""
    day = min(leaves, date.max - timedelta(days=2 * model.build_days + 7))  # an address may name the calendar's last day
    while add_working_days(day, model.build_days) > leaves:
        day -= timedelta(days=1)
    return day


def leaves_us(model: Model, parts_here: date | None) -> date:
    """The day a machine could leave the factory, when its parts are here on `parts_here`."""
    return add_working_days(parts_here or today(), model.build_days)


def ready_as_configured(session: Session, model: Model, configuration: Mapping[str, tuple[str, ...]]) -> date:
    """The day one machine of this configuration could leave the factory: four modules are asked for as four."""
    (ready,) = ready_dates(session, [machines(bom_json(model, configuration), 1)])
    return ready


def ready_today(session: Session, quote: Quote) -> list[date]:
    """For every line of a quote, the day it could leave the factory if it were ordered now: a quote holds its price, not its parts."""
    return ready_dates(session, [machines(line.bom, line.quantity) for line in quote.lines])


def shop_prices(session: Session, model: Model) -> PriceList:
    """The prices of a model for a shopper today."""
    return prices_of(session, model, SHOPPER.on(today()))[0]


def starting_prices(session: Session, models: Iterable[Model]) -> dict[str, Money]:
    """What a machine of each model costs a shopper today, as it stands, by the model's id. One query mostly."""
    terms, version = SHOPPER.on(today()), version_of(session)
    lists = {model.id: (model, prices_of(session, model, terms, version)[0]) for model in models}
    return {model_id: bill(prices, model, model.defaults, 1).unit for model_id, (model, prices) in lists.items()}


def starting_price(model: Model) -> Money:
    """What a machine of this model costs a shopper today, as it stands."""
    with reading() as session:
        return starting_prices(session, [model])[model.id]


def take_offer(
    session: Session, model_id: str, choices: Choices, token: str, *, terms: Terms = SHOPPER, limit: Money | None = None,
    by: date | None = None, taken: Sequence[str] = (),
) -> Offer:
    """The customer presses an offer: it is counted, and the page goes on with its option chosen. Raises StaleOffer when it is gone."""
    found = consult(session, model_id, choices, terms=terms, limit=limit, by=by, taken=taken)
    offer = next((offer for offer in found.offers if offer.token == token), None)
    if offer is None:
        raise StaleOffer("This offer no longer stands: the supply, or what goes with your choices, has changed.")
    note_click(session, found.released.model, offer, found.terms.quantity)
    return offer


def issue_quote(
    session: Session,
    model_id: str,
    choices: Choices,
    *,
    own: Choices | None = None,
    limit: Money | None = None,
    by: date | None = None,
    quantity: int = 1,
    account_id: UUID | None = None,
    locale: str = "en",
    terms: Terms = SHOPPER,
    taken: Sequence[str] = (),
) -> Quote:
    """Write the offer for a machine as configured: price, parts and date as they are now, final.

    Choices left open are completed as the page shows them. Who sends the whole machine says which choices are his `own`
    (with his `limit` and his day): by those the offers were made that he took or left. Raises NotFound, BadChoice with
    the rules' reasons when the choices do not go together, and for a quantity out of 1 to 99; BadCode for a promotion
    code that is not good, StaleOffer for a taken offer that no longer stands.
    """
    if not 1 <= quantity <= 99:
        raise BadChoice("Please choose a quantity from 1 to {most}. For more, write to us for an offer.", most=99)
    terms = replace(terms, quantity=quantity)
    seen = consult(session, model_id, choices if own is None else own, terms=terms, limit=limit, by=by, taken=taken)
    found = seen if own is None else consult(session, model_id, choices, terms=terms, deals=seen.deals)
    _refuse_unfit(found, seen.stale)
    quote = write_quote(
        number=next_number(session, "Q"), token=secret_token(18), account_id=account_id, locale=locale,
        terms=found.terms, bill=found.bill, issued_at=now(), valid_until=today() + timedelta(days=QUOTE_DAYS),
    )
    model, configuration = found.released.model, found.answer.configuration
    parts = bom_json(model, configuration)
    lots = [machines(parts, lot.quantity) for lot in found.bill.lots]
    quote.lines = write_lines(found.released, found.prices, found.bill, configuration, ready_dates(session, lots))
    session.add(quote)
    session.flush()
    note_quote(session, quote.number, model, found.answer, offers=seen.offers, deals=found.deals, quantity=quantity)
    return quote


def _refuse_unfit(found: Consultation, stale: Sequence[str]) -> None:
    """Raise what keeps a configuration from being quoted."""
    if not found.answer.valid:
        rules = found.answer.conflict.rules if found.answer.conflict else ()
        raise BadChoice("These choices do not go together.", [rule.reason for rule in rules])
    for problem in found.code_problems:
        if not isinstance(problem, IdleCode):
            raise problem
    if stale:
        raise StaleOffer("This offer no longer stands: the supply, or what goes with your choices, has changed.")
    if found.bill.excessive:
        raise BadCode("{promotion} takes off more than this machine costs.", promotion=found.bill.excessive[0].name)
    if found.bill.total.minor < 0:
        raise BadChoice("This machine has no price we can sell it at.")


def find_quote(session: Session, token: str) -> Quote:
    """The quote of a link that was shared, with its lines. Raises NotFound."""
    quote = session.scalars(sa.select(Quote).filter_by(token=token).options(selectinload(Quote.lines))).first()
    if quote is None:
        raise NotFound("There is no such quote. Please check the link.")
    return quote


def quotes_of_account(session: Session, account_id: UUID, most: int = 50) -> Sequence[Quote]:
    """The quotes a customer asked for while signed in, newest first."""
    return session.scalars(sa.select(Quote).filter_by(account_id=account_id).order_by(Quote.issued_at.desc(), Quote.id).limit(most)).all()
