"""Price lists as they are now: fetched from the database, worked out once per terms, kept until something changes.

Every question asks for the version of all prices, one row; while it stands, whatever was worked out is still true. A
promotion that its last use emptied moves the version, too, so nothing else has to be counted at a click.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.bom import part_specs
from configurator.language.specification import Model
from configurator.prices.discounts import Discount
from configurator.prices.lists import Book, Entry, PriceList, price_list
from configurator.prices.models import PriceBook, PriceEntry, PriceVersion, Promotion, PromotionUse, ShapingRule
from configurator.prices.shaping import Shaping
from configurator.prices.terms import Target, Terms
from fulfillment.kernel.money import Money

MOST_KEPT = 512
"""Price lists a process keeps; the least lately asked for goes."""
MOVED = "prices_moved"
"""The mark of a session that has changed prices."""


@dataclass(frozen=True)
class Rules:
    """Everything that is said about the prices of a model."""

    books: tuple[Book, ...]
    discounts: tuple[Discount, ...]
    shaping: tuple[Shaping, ...]

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every promotion code there is."""
        return frozenset(discount.code for discount in self.discounts if discount.code)


class _Kept:
    """What was worked out under the version of now; shared by the threads of this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.standing: tuple[str, int] = ("", -1)
        self.rules: dict[str, Rules] = {}
        self.lists: OrderedDict[tuple[str, Terms], PriceList] = OrderedDict()

    def rules_of(self, standing: tuple[str, int], model: Model) -> Rules | None:
        """The rules of a model, if they are known; everything is forgotten for another database or another version."""
        with self.lock:
            if standing != self.standing:
                self.standing, self.rules, self.lists = standing, {}, OrderedDict()
            return self.rules.get(model.content_hash)

    def list_of(self, model: Model, terms: Terms) -> PriceList | None:
        """A price list that was kept."""
        with self.lock:
            made = self.lists.get((model.content_hash, terms))
            if made is not None:
                self.lists.move_to_end((model.content_hash, terms))
            return made

    def keep(self, standing: tuple[str, int], model: Model, rules: Rules, made: PriceList) -> None:
        """Keep a price list and the rules it was made by, unless the prices changed meanwhile."""
        with self.lock:
            if standing == self.standing:
                self.rules[model.content_hash] = rules
                self.lists[model.content_hash, made.terms] = made
                if len(self.lists) > MOST_KEPT:
                    self.lists.popitem(last=False)


_kept = _Kept()


def prices_of(session: Session, model: Model, terms: Terms, version: int | None = None) -> tuple[PriceList, Rules]:
    """The prices of a model under terms that name their day, and the rules they follow. Raises NoPrice.

    One query mostly; none for who has asked for the version already.
    """
    if MOVED in session.info:  # what this transaction changed is nobody else's yet
        rules = fetch_rules(session, model)
        return price_list(model, terms, rules.books, rules.discounts), rules
    standing = (str(session.get_bind().engine.url), version_of(session) if version is None else version)
    known = _kept.rules_of(standing, model)
    rules = known or fetch_rules(session, model)
    terms = replace(terms, codes=tuple(code for code in terms.codes if code in rules.codes))  # made-up codes fill no memory
    made = _kept.list_of(model, terms) if known else None
    if made is None:
        made = price_list(model, terms, rules.books, rules.discounts)
        _kept.keep(standing, model, rules, made)
    return made, rules


def version_of(session: Session) -> int:
    """The version of all prices."""
    return session.scalar(sa.select(PriceVersion.version)) or 0


def move_version(session: Session) -> None:
    """Say that something about prices has changed."""
    session.info[MOVED] = True
    session.execute(sa.update(PriceVersion).values(version=PriceVersion.version + 1))


def fetch_rules(session: Session, model: Model) -> Rules:
    """Read what is said about the prices of a model."""
    skus = sorted(part.sku for part in part_specs(model))
    about = sa.or_(PriceEntry.model_id == model.id, PriceEntry.sku.in_(skus))
    entries: dict[UUID, list[Entry]] = {}
    for row in session.scalars(sa.select(PriceEntry).where(about).order_by(PriceEntry.id)):
        entries.setdefault(row.book_id, []).append(_entry(row))
    books = session.scalars(sa.select(PriceBook).order_by(PriceBook.code)).all()
    emptied = emptied_promotions(session)
    promotions = session.scalars(sa.select(Promotion).filter_by(active=True).order_by(Promotion.id)).all()
    shaping = session.scalars(sa.select(ShapingRule).filter_by(active=True).order_by(ShapingRule.code)).all()
    return Rules(
        tuple(_book(book, tuple(entries.get(book.id, ()))) for book in books),
        tuple(discount_of(promotion, used_up=promotion.id in emptied) for promotion in promotions),
        tuple(shaping_of(rule) for rule in shaping),
    )


def emptied_promotions(session: Session, only: UUID | None = None) -> set[UUID]:
    """The promotions whose limit on all uses or whose budget is reached by orders that stand."""
    uses, given = sa.func.count(PromotionUse.id), sa.func.coalesce(sa.func.sum(PromotionUse.amount_minor), 0)
    standing = sa.and_(PromotionUse.promotion_id == Promotion.id, PromotionUse.given_back_at.is_(None))
    full = (
        sa.select(Promotion.id)
        .outerjoin(PromotionUse, standing)
        .where(sa.or_(Promotion.most_uses.is_not(None), Promotion.budget_minor.is_not(None)))
        .group_by(Promotion.id)
        .having(sa.or_(uses >= Promotion.most_uses, given >= Promotion.budget_minor))
    )
    return set(session.scalars(full if only is None else full.where(Promotion.id == only)))


def _entry(row: PriceEntry) -> Entry:
    about = Target(row.model_id, row.group_id, row.option_id, row.sku)
    return Entry(row.price_minor, about, row.from_quantity, row.first_day, row.last_day)


def _book(row: PriceBook, entries: tuple[Entry, ...]) -> Book:
    return Book(
        row.code, row.name, row.currency, row.first_day, row.last_day, row.market, row.customer_group, row.tax_thousandths, entries,
    )


def discount_of(row: Promotion, *, used_up: bool = False) -> Discount:
    """A promotion as prices know it."""
    return Discount(
        id=str(row.id), name=row.name, scope=row.reach.value, off=row.off_thousandths or 0, amount=_money(row.amount_minor, row.currency),
        targets=tuple(Target(**_named(target)) for target in row.targets), code=row.code or "", stackable=row.stackable,
        priority=row.priority, first_day=row.first_day, last_day=row.last_day, market=row.market, customer_group=row.customer_group,
        used_up=used_up,
    )


def _named(target: dict[str, Any]) -> dict[str, str]:
    return {name: str(target.get(name, "")) for name in ("model", "group", "option", "sku")}


def shaping_of(row: ShapingRule) -> Shaping:
    """A shaping rule as prices know it."""
    return Shaping(
        id=str(row.id), code=row.code, name=row.name, min_days=row.min_days, give=row.give.value, off=row.off_thousandths or 0,
        amount=_money(row.amount_minor, row.currency), margin=row.margin_thousandths, model=row.model_id, group=row.group_id,
        first_day=row.first_day, last_day=row.last_day,
    )


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


