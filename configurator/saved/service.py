"""Keeping configurations, and what a kept one means today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from configurator.deciding import pinned
from configurator.engine import answer
from configurator.language import read_model_text
from configurator.language.specification import Model
from configurator.models import QuoteLine, Release
from configurator.page import Own, known
from configurator.prices.fetching import prices_of, version_of
from configurator.prices.reckoning import bill
from configurator.prices.terms import SHOPPER
from configurator.quoting import bom_json
from configurator.releasing import Released, released
from configurator.saved.models import SavedConfiguration, SharedConfiguration
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import insert
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.ids import new_id, secret_token
from fulfillment.kernel.money import Money
from fulfillment.kernel.once import fingerprint
from fulfillment.kernel.refusals import NotFound
from fulfillment.orders.readiness import machines, ready_dates

MOST_SAVED = 100
TOKEN_BYTES = 9
"""72 bits: twelve letters that nobody guesses."""

Choices = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Today:
    """A kept configuration as it could be ordered now."""

    kept: SharedConfiguration
    released: Released
    own: Own
    """The choices with which the configurator shows this machine."""
    configuration: Mapping[str, tuple[str, ...]]
    price: Money
    ready: date
    renewed: bool
    """Its model has a newer release."""
    changed: tuple[tuple[str, str, str], ...]
    """What the newer release has otherwise: group, then and now, in words."""


def share(session: Session, asked: Released, own: Choices, configuration: Choices, price: Money) -> SharedConfiguration:
    """Keep a configuration under a link; the same one is kept once."""
    model = asked.model
    content = [str(asked.id), _plain(own), _plain(configuration), price.minor, price.currency]
    return _keep(session, fingerprint(content), {
        "release_id": asked.id, "model_id": model.id, "name": dict(model.name), "own": _plain(own), "choices": _plain(configuration),
        "options": _in_words(model, configuration), "price_minor": price.minor, "currency": price.currency,
    })


def share_quoted(session: Session, line: QuoteLine) -> SharedConfiguration:
    """Keep the machine of a quote under a link, with the release and the price of the quote."""
    release = session.scalars(sa.select(Release).filter_by(id=line.release_id)).one()
    model = read_model_text(release.text, f"{release.model_id}.toml")
    asked = {group: options for group, options in line.choices.items() if not _follows(model, group, options)}
    return _keep(session, fingerprint(["quote", str(line.id)]), {
        "release_id": line.release_id, "model_id": line.model_id, "name": line.name, "own": asked, "choices": line.choices,
        "options": _in_words(model, line.choices), "price_minor": line.unit_price_minor, "currency": line.currency,
    })


def _follows(model: Model, group_id: str, options: Sequence[str]) -> bool:
    """Whether what is in a group follows from the other choices."""
    group = model.by_id[group_id]
    return group.hidden or any(group.by_id[option].absent for option in options)


def _keep(session: Session, mark: str, content: Mapping[str, object]) -> SharedConfiguration:
    row = {"id": new_id(), "token": secret_token(TOKEN_BYTES), "fingerprint": mark, "shared_at": now(), **content}
    session.execute(insert(session, SharedConfiguration).values(row).on_conflict_do_nothing(index_elements=["fingerprint"]))
    return session.scalars(sa.select(SharedConfiguration).filter_by(fingerprint=mark)).one()


def _plain(choices: Choices) -> dict[str, list[str]]:
    return {group: list(options) for group, options in choices.items()}


def _in_words(model: Model, configuration: Choices) -> list[dict[str, object]]:
    return [
        {"group_id": group.id, "group": dict(group.name), "option": dict(option.name)}
        for group in model.groups
        for option in group.options
        if option.id in configuration[group.id] and not (group.hidden or option.absent)
    ]


def find_shared(session: Session, tokens: Sequence[str]) -> list[SharedConfiguration]:
    """The configurations of these links, in their order. Raises NotFound."""
    rows = session.scalars(sa.select(SharedConfiguration).where(SharedConfiguration.token.in_(tokens))).all()
    by_token = {row.token: row for row in rows}
    if any(token not in by_token for token in tokens):
        raise NotFound("There is no such configuration. Please check the link.")
    return [by_token[token] for token in tokens]


def as_of_today(session: Session, kept: Sequence[SharedConfiguration]) -> list[Today]:
    """What these configurations are today: the same machine, or the nearest that the newest release has. Four queries in all.

    Raises NotFound for a model that is not made any more.
    """
    if not kept:
        return []
    terms, version, near = SHOPPER.on(today()), version_of(session), [_nearest(row) for row in kept]
    lists = {asked.model.id: prices_of(session, asked.model, terms, version)[0] for asked, _own, _configuration in near}
    days = ready_dates(session, [machines(bom_json(asked.model, configuration), 1) for asked, _own, configuration in near])
    found = []
    for row, (asked, own, configuration), day in zip(kept, near, days, strict=True):
        price, renewed = bill(lists[asked.model.id], asked.model, configuration, 1).unit, asked.id != row.release_id
        changed = _changed(row, asked.model, configuration) if renewed else ()
        found.append(Today(row, asked, own, configuration, price, day, renewed, changed))
    return found


def _nearest(row: SharedConfiguration) -> tuple[Released, Own, Mapping[str, tuple[str, ...]]]:
    """The newest release, and the machine in it that keeps as many of the choices as possible."""
    asked = released(row.model_id)
    own = known(asked.model, _tuples(row.own))
    if asked.id == row.release_id:
        return asked, own, _tuples(row.choices)
    configuration = answer(asked.compiled, known(asked.model, _tuples(row.choices))).configuration
    kept = {group: configuration[group] for group in own}
    return asked, pinned(asked, kept, configuration, {}), configuration


def _tuples(choices: Choices) -> Own:
    return {group: tuple(options) for group, options in choices.items()}


def _changed(row: SharedConfiguration, model: Model, configuration: Choices) -> tuple[tuple[str, str, str], ...]:
    """The groups in which a newer release has something else than was chosen."""
    then: dict[str, list[str]] = {}
    names = {each["group_id"]: pick(each["group"]) for each in row.options}
    for each in row.options:
        then.setdefault(each["group_id"], []).append(pick(each["option"]))
    found = []
    for group_id, before in then.items():
        group = model.by_id.get(group_id)
        after = [] if group is None else [pick(group.by_id[option].name) for option in configuration.get(group_id, ())]
        if group is None or list(configuration.get(group_id, ())) != list(row.choices.get(group_id, ())):
            found.append((names[group_id], ", ".join(before), ", ".join(after)))
    return tuple(found)


def keep(session: Session, account_id: UUID, shared: SharedConfiguration, name: str) -> None:
    """Put a configuration into an account under a name; one that is there gets the new name. The oldest of too many go."""
    row = {"id": new_id(), "account_id": account_id, "shared_id": shared.id, "name": name, "saved_at": now()}
    kept = insert(session, SavedConfiguration).values(row)
    session.execute(kept.on_conflict_do_update(index_elements=["account_id", "shared_id"], set_={"name": name}))
    old = sa.select(SavedConfiguration.id).filter_by(account_id=account_id).order_by(SavedConfiguration.saved_at.desc()).offset(MOST_SAVED)
    session.execute(sa.delete(SavedConfiguration).where(SavedConfiguration.id.in_(session.scalars(old).all())))


def saved_of(session: Session, account_id: UUID) -> Sequence[SavedConfiguration]:
    """What an account has kept, newest first."""
    rows = sa.select(SavedConfiguration).filter_by(account_id=account_id).options(joinedload(SavedConfiguration.shared))
    return session.scalars(rows.order_by(SavedConfiguration.saved_at.desc(), SavedConfiguration.id)).all()


def rename(session: Session, account_id: UUID, saved_id: UUID, name: str) -> None:
    """Give a kept configuration another name. Raises NotFound for one that is not this account's."""
    mine = sa.update(SavedConfiguration).filter_by(id=saved_id, account_id=account_id)
    if not session.scalars(mine.values(name=name).returning(SavedConfiguration.id)).first():
        raise NotFound("There is no such configuration in your account.")


def forget(session: Session, account_id: UUID, saved_id: UUID) -> None:
    """Take a kept configuration out of the account; its link goes on working. One that is gone is no fault."""
    session.execute(sa.delete(SavedConfiguration).filter_by(id=saved_id, account_id=account_id))
