"""Releasing models, answering what can still be chosen, issuing quotes.

Released models are read from the database and compiled once per process; a new release is noticed within
seconds, and one that this process cannot use leaves the last good one on sale. A quote is worked out here
from the release, never from anything the page sent but the choices.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, selectinload

from configurator.approval import approve
from configurator.bom import BomLine, explode
from configurator.engine import Answer, CannotCompile, Compiled, answer, compile_model, warm_up
from configurator.language import read_model_text
from configurator.language.fields import ModelError
from configurator.language.specification import Model
from configurator.models import Quote, QuoteLine, Release
from fulfillment.inventory.atp import earliest_dates
from fulfillment.kernel import db
from fulfillment.kernel.clock import add_working_days, now, today
from fulfillment.kernel.ids import new_id, secret_token
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.orders.readiness import machines, ready_dates

log = structlog.get_logger()

QUOTE_DAYS = 30
LOOK_AGAIN_SECONDS = 5


class BadChoice(Refusal):
    """What was asked for cannot be built, or does not exist."""

    def __init__(self, message: str, reasons: Sequence[Mapping[str, str]] = (), **values: object) -> None:
        super().__init__(message, **values)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Released:
    """A release that is ready to answer."""

    id: UUID
    version: int
    model: Model
    compiled: Compiled


class _Shelf:
    """The released models of this process, newest version of each; shared by its threads."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.url, self.seen, self.looked = "", (0, ""), time.monotonic()
        self.by_id: dict[str, Released] = {}
        self.compiled: dict[str, tuple[Model, Compiled]] = {}
        self.broken: dict[str, str] = {}
        """Why the newest release of a model is not on sale, by the model's id."""

    def current(self) -> Mapping[str, Released]:
        url = str(db.engine().url)
        if url == self.url and time.monotonic() - self.looked < LOOK_AGAIN_SECONDS and self.by_id:
            return self.by_id
        with self.lock, db.reading() as session:
            count, newest = session.execute(sa.select(sa.func.count(), sa.func.max(Release.released_at))).one()
            seen = (count, str(newest))
            if url != self.url or seen != self.seen:
                self._restock(session)
            self.url, self.seen, self.looked = url, seen, time.monotonic()
        return self.by_id

    def _restock(self, session: Session) -> None:
        """Take the newest release of every model that can be used; a model that has none is not on sale."""
        by_id: dict[str, Released] = {}
        broken: dict[str, str] = {}
        for newest in _newest(session):
            for row in (newest, *_older(session, newest)):
                try:
                    by_id[row.model_id] = self._ready(row)
                    break
                except (ModelError, CannotCompile) as error:
                    log.error("release cannot be used", model=row.model_id, version=row.version, error=str(error)[:2000])
                    broken.setdefault(row.model_id, f"Version {row.version}: {error}"[:2000])
        self.by_id, self.broken = by_id, broken

    def _ready(self, row: Release) -> Released:
        if row.content_hash not in self.compiled:
            model = read_model_text(row.text, f"{row.model_id}.toml")
            self.compiled[row.content_hash] = (model, compile_model(model))
        model, compiled = self.compiled[row.content_hash]
        return Released(row.id, row.version, model, compiled)


_shelf = _Shelf()


def _newest(session: Session) -> Sequence[Release]:
    last = sa.select(Release.model_id, sa.func.max(Release.version).label("version")).group_by(Release.model_id).subquery()
    rows = sa.select(Release).join(last, sa.and_(last.c.model_id == Release.model_id, last.c.version == Release.version))
    return session.scalars(rows.order_by(Release.released_at, Release.model_id)).all()


def _older(session: Session, newest: Release) -> Iterator[Release]:
    """The releases before this one, the latest first; asked for only when this one is of no use."""
    rows = sa.select(Release).filter_by(model_id=newest.model_id).where(Release.version < newest.version)
    yield from session.scalars(rows.order_by(Release.version.desc()))


def release_model(session: Session, text: str, name: str) -> Release:
    """Release the text of a model file, if it is fit; the same content is the same release, and not tried again. Raises ModelError."""
    model = read_model_text(text, name)
    known = session.scalars(sa.select(Release).filter_by(model_id=model.id).order_by(Release.version.desc())).all()
    for release in known:
        if release.content_hash == model.content_hash:
            return release
    approve(model)
    release = Release(
        model_id=model.id, version=1 + (known[0].version if known else 0), content_hash=model.content_hash, text=text, released_at=now()
    )
    session.add(release)
    session.flush()
    return release


def newest_versions(session: Session) -> Mapping[str, int]:
    """The number of the newest release of every model, by its id."""
    return {row.model_id: row.version for row in _newest(session)}


def broken_releases() -> Mapping[str, str]:
    """Why the newest release of a model is not on sale, by the model's id; empty when all are."""
    _shelf.current()
    return _shelf.broken


def released_models() -> tuple[Model, ...]:
    """The newest release of every model, in catalogue order."""
    order = {"laptop": 0, "desktop": 1, "workstation": 2, "server": 3}
    return tuple(
        sorted(
            (each.model for each in _shelf.current().values()), key=lambda model: (order[model.family], model.base_price.minor, model.id)
        )
    )


def make_ready() -> None:
    """Compile every released model and explain its conflicts beforehand, so that no customer waits for it."""
    for each in _shelf.current().values():
        warm_up(each.compiled)


def released(model_id: str) -> Released:
    """The newest release of a model. Raises NotFound."""
    found = _shelf.current().get(model_id)
    if found is None:
        raise NotFound("We do not make a machine called {model}.", model=model_id)
    return found


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
