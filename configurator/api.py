"""The configurator for programs: models, what can be chosen, quotes. The same acts as the pages'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from flask import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from configurator import deciding, page, presenting
from configurator import messages as told
from configurator.bom import explode, pieces
from configurator.documents import quote_pdf
from configurator.engine import Repair, repair, why_not
from configurator.engine.answers import Change, GroupAnswer, OptionAnswer, Reason
from configurator.language.specification import Group, Model, Option, Start
from configurator.models import Quote, QuoteLine
from configurator.page import State
from configurator.prices.lists import PriceList
from configurator.prices.reckoning import bill
from configurator.prices.terms import BASE, SHOPPER
from configurator.releasing import Released, released, released_models
from configurator.service import (
    BadChoice,
    Consultation,
    find_quote,
    issue_quote,
    leaves_us,
    ready_as_configured,
    ready_today,
    shop_prices,
    starting_prices,
)
from fulfillment.inventory.atp import dates_of
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import translated
from fulfillment.kernel.i18n import current_locale, pick
from fulfillment.kernel.messages import Amount
from fulfillment.kernel.money import Money
from fulfillment.kernel.once import once
from fulfillment.kernel.openapi import Api, Fault, Parameter, Refused, absolute, at, pointer
from fulfillment.kernel.paging import Paged, page_of
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import document, static_url

api = Api("configurator_api", __name__, tag="Machines and quotes")
bp = api.bp

MODEL = Parameter("model_id", "path", "The id of a model.", "skein-14")
TOKEN = Parameter("token", "path", "The token of a quote.", "q3Jd0mYwVb7Ck2TfLs9XhP4a")
KEY = Parameter(
    "Idempotency-Key", "header", "A random value of the caller's, new for every new request: a UUID, say.",
    "8e03978e-40d5-43e8-bc93-6894a57f9324", pattern="^[A-Za-z0-9._-]{16,100}$", required=False,
)


@api.operation("GET", "/models", answer=told.ModelsAnswer, query=Paged, cacheable=True)
def list_models(query: Paged) -> told.ModelsAnswer:
    """The machines we make."""
    models, following = page_of(released_models(), lambda model: model.id, query)
    with reading() as session:
        ready, prices = _ready_as_they_stand(session, models), starting_prices(session, models)
    summaries = [told.ModelSummary(**_summary(model, ready[model.id], prices[model.id])) for model in models]
    return told.ModelsAnswer(models=summaries, next=following)


@api.operation("GET", "/models/{model_id}", answer=told.ModelAnswer, parameters=(MODEL,), cacheable=True)
def show_model(model_id: str) -> told.ModelAnswer:
    """A machine with everything that can be chosen."""
    model = released(model_id).model
    with reading() as session:
        ready, prices = _ready_as_they_stand(session, [model]), shop_prices(session, model)
    return told.ModelAnswer(
        **_summary(model, ready[model.id], bill(prices, model, model.defaults, 1).unit),
        summary=pick(model.summary),
        picture=settings().base_url + static_url(f"pictures/{model.picture}"),
        base_price=Amount.of(prices.price_of(BASE, model.base.sku)),
        facts=[told.FactAnswer(label=pick(fact.label), value=pick(fact.value)) for fact in model.facts],
        groups=[_group_facts(group, prices) for group in model.groups if not group.hidden],
        starts=[_start(start) for start in model.starts],
    )


def _start(start: Start) -> told.StartAnswer:
    choices = {group: list(options) for group, options in start.choices.items()}
    return told.StartAnswer(id=start.id, name=pick(start.name), detail=pick(start.detail) if start.detail else None, choices=choices)


def _ready_as_they_stand(session: Session, models: Sequence[Model]) -> dict[str, date]:
    """When each machine could leave us as it stands; the dates of all parts are asked for at once."""
    parts = {model.id: pieces(explode(model, model.defaults)).items() for model in models}
    here = dates_of(session, {part for of_model in parts.values() for part in of_model})
    return {model.id: leaves_us(model, max((here[part] for part in parts[model.id]), default=None)) for model in models}


def _summary(model: Model, ready: date, price: Money) -> dict[str, Any]:
    where = {"model_id": model.id}
    return {
        "id": model.id, "version": released(model.id).version, "family": model.family, "name": pick(model.name),
        "tagline": pick(model.tagline), "price": Amount.of(price), "ready_on": ready,
        "links": told.ModelLinks(
            self=absolute(".show_model", **where), configure=absolute(".configure", **where),
            page=absolute("configurator.configure", **where),
        ),
    }


def _group_facts(group: Group, prices: PriceList) -> told.GroupFacts:
    return told.GroupFacts(
        id=group.id, name=pick(group.name), help=pick(group.help) if group.help else None, kind=group.kind,
        section=pick(group.section) if group.section else None, default=list(group.default),
        options=[
            _option_facts(option, prices.price_of(group.id, option.id))
            for option in group.options if (group.id, option.id) not in prices.hidden
        ],
    )


def _option_facts(option: Option, price: Money) -> told.OptionFacts:
    detail = pick(option.detail) if option.detail else None
    return told.OptionFacts(id=option.id, name=pick(option.name), detail=detail, price=Amount.of(price), pieces=option.pieces)


@api.operation("POST", "/models/{model_id}/configure", answer=told.ConfigureAnswer, body=told.ConfigureRequest, parameters=(MODEL,))
def configure(model_id: str, body: told.ConfigureRequest) -> told.ConfigureAnswer:
    """What every option would mean, given the choices so far.

    Changes nothing. Choices that do not go together are no error here: the answer says why they do
    not (`conflict`) and completes as many of them as possible.
    """
    state = state_of(released(model_id).model, body)
    with reading() as session:
        ask = partial(presenting.asked, session, released(model_id))
        if body.finish is not None:
            state = _finished(state, body.finish, ask)
        found = ask(state)
        asked, answered = found.released, found.answer
        ready = ready_as_configured(session, asked.model, answered.configuration)
    where, kept = {"model_id": model_id}, page.without(state.own, answered.given_up)
    return told.ConfigureAnswer(
        model=model_id, version=asked.version, valid=answered.valid, given_up=_pairs(answered.given_up),
        conflict=_reason(answered.conflict), configuration={group: list(chosen) for group, chosen in answered.configuration.items()},
        price=Amount.of(answered.price), ready_on=ready,
        idle_codes=[told.CodeAnswer(code=str(each.values["code"]), reason=translated(each)) for each in found.code_problems],
        choices={group: list(options) for group, options in kept.items()},
        machines=None if answered.machines is None else str(answered.machines),
        groups=[_group_state(asked, group) for group in answered.groups.values()],
        links=told.ConfigureLinks(
            self=absolute(".configure", **where), page=absolute("configurator.configure", **where, **page.query(state.held())),
        ),
    )


def state_of(model: Model, body: told.ConfigureRequest | told.ExplainRequest | told.ShareRequest) -> State:
    """What was asked, in the page's terms. Raises Refused."""
    choices = _choices(model, body.choices)
    try:
        by = page.read_day(body.leaves_by or "")
    except page.BadLimit as refusal:
        raise Refused(422, [Fault({"pointer": pointer("leaves_by")}, translated(refusal))]) from refusal
    return State(choices, None if body.limit_minor is None else Money(body.limit_minor), by, tuple(body.codes))


def _finished(state: State, goal: str, ask: deciding.Ask) -> State:
    done = deciding.finished(state, deciding.GOALS[goal], ask)
    if done is None:
        sentence = _("No machine keeps all your choices and limits, so nothing was changed.")
        raise Refused(422, [Fault({"pointer": pointer("finish")}, sentence)])
    return done.state


@api.operation("POST", "/models/{model_id}/explain", answer=told.ExplainAnswer, body=told.ExplainRequest, parameters=(MODEL,))
def explain(model_id: str, body: told.ExplainRequest) -> told.ExplainAnswer:
    """Whether an option can be had; why not, and the least that would have to change for it."""
    asked = released(model_id)
    state, wanted = state_of(asked.model, body), (body.wanted.group, body.wanted.option)
    with at("wanted"):
        _choices(asked.model, {wanted[0]: [wanted[1]]})
    with reading() as session:
        found = presenting.asked(session, asked, state)
        reason = why_not(asked.compiled, state.own, wanted, **found.circumstances)
        mended = repair(asked.compiled, state.own, wanted, **found.circumstances)
        told_of = _repair(session, found, mended) if mended else None
    return told.ExplainAnswer(possible=reason is None, reason=_reason(reason), repair=told_of)


def _repair(session: Session, found: Consultation, mended: Repair) -> told.RepairAnswer:
    price = found.pays(mended.price)
    return told.RepairAnswer(
        give_up=_pairs(mended.give_up), configuration={group: list(options) for group, options in mended.configuration.items()},
        changes=[_change(change) for change in mended.changes], price=Amount.of(price), difference=Amount.of(price - found.answer.price),
        ready_on=ready_as_configured(session, found.released.model, mended.configuration),
    )


def _choices(model: Model, chosen: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The choices, when the model has them. Raises Refused with every one that it does not have."""
    faults = []
    for name, options in chosen.items():
        place = {"pointer": pointer("choices", name)}
        group = model.by_id.get(name)
        if group is None or group.hidden:
            faults.append(Fault(place, _("The %(model)s has no such group.", model=pick(model.name))))
            continue
        faults += [
            Fault(place, _("This group has no option “%(option)s”.", option=option)) for option in options if option not in group.by_id
        ]
        if group.kind == "one" and len(options) != 1:
            faults.append(Fault(place, _("Please choose exactly one option.")))
        if len(set(options)) != len(options):
            faults.append(Fault(place, _("This was given twice.")))
    if faults:
        raise Refused(422, faults)
    return {group: tuple(options) for group, options in chosen.items()}


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[told.ChoiceAnswer]:
    return [told.ChoiceAnswer(group=group, option=option) for group, option in pairs]


def _reason(reason: Reason | None) -> told.ReasonAnswer | None:
    if reason is None:
        return None
    rules = [pick(rule.reason) for rule in reason.rules]
    return told.ReasonAnswer(choices=_pairs(reason.choices), rules=rules, limit=reason.limit, leaves_by=reason.by)


def _amount(money: Money | None) -> Amount | None:
    return None if money is None else Amount.of(money)


def _change(change: Change) -> told.ChangeAnswer:
    return told.ChangeAnswer(group=change.group, lost=list(change.lost), gained=list(change.gained))


def _group_state(asked: Released, group: GroupAnswer) -> told.GroupState:
    return told.GroupState(
        id=group.group, chosen=list(group.chosen), own=group.own, options=[_option_state(asked.model, option) for option in group.options],
    )


def _option_state(model: Model, option: OptionAnswer) -> told.OptionState:
    return told.OptionState(
        id=option.option, chosen=option.chosen, possible=option.possible, difference=_amount(option.difference),
        price=_amount(option.price), removal=_amount(option.removal), changes=[_change(change) for change in option.changes],
        ready_on=leaves_us(model, option.ready) if option.ready else None,
        earliest_on=leaves_us(model, option.earliest) if option.earliest else None,
        reason=_reason(option.reason), give_up=None if option.give_up is None else _pairs(option.give_up),
    )


@api.operation(
    "POST", "/quotes", answer=told.QuoteAnswer, status=201, body=told.QuoteRequest, parameters=(KEY,), problems=(409,), limit="60/minute",
)
def make_quote(body: told.QuoteRequest, idempotency_key: str | None) -> told.QuoteAnswer:
    """Make a quote: price, parts and date as they are now, final, valid for 30 days."""
    with at("model"):
        model = released(body.model).model
    choices = _choices(model, body.choices)
    with transaction() as session:

        def issue() -> dict[str, Any]:
            return {"token": _issue(session, body, choices)}

        done = issue() if idempotency_key is None else once(session, "api.quotes", idempotency_key, body.model_dump(), issue)
        return _quote(session, find_quote(session, done["token"]))


def _issue(session: Session, body: told.QuoteRequest, choices: Mapping[str, tuple[str, ...]]) -> str:
    try:
        return issue_quote(
            session, body.model, choices, quantity=body.quantity, locale=current_locale(), terms=replace(SHOPPER, codes=tuple(body.codes)),
        ).token
    except BadChoice as refusal:
        place = {"pointer": pointer("choices")}
        raise Refused(422, [Fault(place, pick(reason)) for reason in refusal.reasons], refusal.template, **refusal.values) from refusal


@api.operation("GET", "/quotes/{token}", answer=told.QuoteAnswer, parameters=(TOKEN,))
def show_quote(token: str) -> told.QuoteAnswer:
    """A quote, for whoever has its token."""
    with reading() as session:
        return _quote(session, find_quote(session, token))


@api.operation("GET", "/quotes/{token}/quote.pdf", answer=None, parameters=(TOKEN,), limit="60/minute")
def quote_document(token: str) -> Response:
    """The quote on paper."""
    with reading() as session:
        quote = find_quote(session, token)
        ready = ready_today(session, quote)
    return document(quote_pdf(quote, ready, absolute("configurator.quote", token=token), current_locale()), f"{quote.number}.pdf")


def _quote(session: Session, quote: Quote) -> told.QuoteAnswer:
    where = {"token": quote.token}
    return told.QuoteAnswer(
        number=quote.number, token=quote.token, issued_at=quote.issued_at, valid_until=quote.valid_until,
        expired=quote.valid_until < today(), total=Amount.of(quote.total),
        lines=[_line(line, ready) for line, ready in zip(quote.lines, ready_today(session, quote), strict=True)],
        links=told.QuoteLinks(
            self=absolute(".show_quote", **where), pdf=absolute(".quote_document", **where), page=absolute("configurator.quote", **where),
        ),
    )


def _line(line: QuoteLine, ready: date) -> told.QuoteLineAnswer:
    return told.QuoteLineAnswer(
        position=line.position, model=line.model_id, name=pick(line.name), choices=line.choices,
        options=[_chosen(chosen, line.currency) for chosen in line.options],
        off=[
            told.OffAnswer(name=pick(off["name"]), amount=Amount.of(Money(off["amount_minor"], line.currency)), kind=off["kind"])
            for off in (line.pricing["off"] if line.pricing else ())
        ],
        quantity=line.quantity, quantity_bound=line.quantity_bound, unit_price=Amount.of(line.unit_price), price=Amount.of(line.price),
        ready_on=ready,
    )


def _chosen(chosen: Mapping[str, Any], currency: str) -> told.ChosenAnswer:
    return told.ChosenAnswer(
        group=pick(chosen["group"]), option=pick(chosen["option"]), price=Amount.of(Money(chosen["price_minor"], currency)),
        list_price=Amount.of(Money(chosen["list_minor"], currency)) if "list_minor" in chosen else None,
        rules=[told.RuleAnswer(kind=rule["kind"], name=pick(rule["name"])) for rule in chosen.get("rules", ())],
    )
