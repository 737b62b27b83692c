"""What staff do to prices: books, their entries, promotions, shaping rules. Every act moves the version of all prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.bom import part_specs
from configurator.language.specification import Text
from configurator.prices.fetching import move_version
from configurator.prices.lists import Entry
from configurator.prices.models import Give, PriceBook, PriceEntry, Promotion, Reach, ShapingRule, Tax
from configurator.prices.sheet import Known, place_of, read_sheet, write_sheet
from configurator.prices.terms import Target, clean_code
from configurator.releasing import released_models
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import EXPONENT, Money
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal
from fulfillment.parts.service import sellable_skus


class BadPrice(Refusal):
    """A price, a discount or its limits that cannot be."""


@dataclass(frozen=True, slots=True)
class BookFacts:
    """The head of a book."""

    code: str
    name: Text
    currency: str
    first_day: date
    last_day: date | None = None
    market: str = ""
    customer_group: str = ""
    tax_thousandths: int | None = None
    """For prices with tax."""


def open_book(session: Session, facts: BookFacts) -> PriceBook:
    """A new book, empty. Raises BadPrice, Conflict for a code that is taken."""
    if facts.currency not in EXPONENT:
        raise BadPrice("We know no currency called {currency}. We know: {known}.", currency=facts.currency, known=", ".join(EXPONENT))
    _days_in_order(facts.first_day, facts.last_day)
    if session.scalar(sa.select(PriceBook.id).filter_by(code=facts.code)):
        raise Conflict("There is a book {code} already.", code=facts.code)
    book = PriceBook(
        id=new_id(), code=facts.code, name=dict(facts.name), currency=facts.currency, market=facts.market,
        customer_group=facts.customer_group, tax=Tax.NET if facts.tax_thousandths is None else Tax.GROSS,
        tax_thousandths=facts.tax_thousandths, first_day=facts.first_day, last_day=facts.last_day, created_at=now(),
    )
    session.add(book)
    session.flush()
    move_version(session)
    return book


def _days_in_order(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise BadPrice("The last day {last} is before the first, {first}.", last=last, first=first)


def find_book(session: Session, code: str, *, for_update: bool = False) -> PriceBook:
    """A book by its code. Raises NotFound."""
    wanted = sa.select(PriceBook).filter_by(code=code)
    book = session.scalars(lock(wanted) if for_update else wanted).first()
    if book is None:
        raise NotFound("There is no price book {code}.", code=code)
    return book


def entries_of(session: Session, book: PriceBook) -> list[Entry]:
    """Everything in a book, as it is written there."""
    rows = session.scalars(sa.select(PriceEntry).filter_by(book_id=book.id).order_by(PriceEntry.id))
    return [
        Entry(row.price_minor, Target(row.model_id, row.group_id, row.option_id, row.sku), row.from_quantity, row.first_day, row.last_day)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a table changed in a book."""

    prices: int
    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"{self.prices} (+{self.added} ~{self.changed} −{self.removed})"


def replace_entries(session: Session, code: str, entries: Sequence[Entry]) -> Replaced:
    """Put these entries into a book in place of all it had; what that changed. Raises NotFound."""
    book = find_book(session, code, for_update=True)
    before, after = {place_of(entry): entry for entry in entries_of(session, book)}, {place_of(entry): entry for entry in entries}
    session.execute(sa.delete(PriceEntry).where(PriceEntry.book_id == book.id))
    rows = [
        {
            "id": new_id(), "book_id": book.id, "model_id": entry.target.model, "group_id": entry.target.group,
            "option_id": entry.target.option, "sku": entry.target.sku, "from_quantity": entry.from_quantity,
            "price_minor": entry.minor, "first_day": entry.first_day, "last_day": entry.last_day,
        }
        for entry in entries
    ]
    if rows:
        session.execute(sa.insert(PriceEntry), rows)
    move_version(session)
    changed = sum(before[place] != after[place] for place in before.keys() & after.keys())
    return Replaced(len(after), len(after.keys() - before.keys()), changed, len(before.keys() - after.keys()))


def import_table(session: Session, code: str, content: bytes) -> Replaced:
    """Put the rows of a table (CSV, UTF-8) into a book in place of all it had; what that changed.

    Raises NotFound, BadSheet with every mistake by its line, BadPrice for what is no text.
    """
    book = find_book(session, code)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPrice("This file is not text in UTF-8. Please save the table as CSV (UTF-8).") from None
    if not text.strip():
        raise BadPrice("Please choose the file of the table.")
    models = {model.id: model for model in released_models()}
    skus = frozenset(part.sku for model in models.values() for part in part_specs(model)) | sellable_skus(session)
    entries = read_sheet(text, Known(models, skus, book.currency, book.first_day))
    return replace_entries(session, code, entries)


def export_table(session: Session, code: str) -> str:
    """A book as a table. Raises NotFound."""
    book = find_book(session, code)
    return write_sheet(entries_of(session, book), book.currency)


def end_book(session: Session, code: str, last_day: date | None) -> PriceBook:
    """Say until when a book holds; None: until it is said. Raises NotFound, BadPrice."""
    book = find_book(session, code, for_update=True)
    _days_in_order(book.first_day, last_day)
    book.last_day = last_day
    move_version(session)
    return book


@dataclass(frozen=True, slots=True)
class Off:
    """What is given: a share in thousandths of a percent, or an amount."""

    thousandths: int | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class PromotionFacts:
    """A promotion as it is entered."""

    name: Text
    reach: Reach
    off: Off
    currency: str
    first_day: date
    last_day: date
    code: str = ""
    targets: tuple[Target, ...] = ()
    stackable: bool = False
    priority: int = 0
    market: str = ""
    customer_group: str = ""
    most_uses: int | None = None
    most_per_customer: int | None = None
    budget: Money | None = None


def start_promotion(session: Session, facts: PromotionFacts) -> Promotion:
    """A new promotion. Raises BadPrice, Conflict for a code that is taken."""
    _days_in_order(facts.first_day, facts.last_day)
    _check_off(facts.off, facts.currency)
    if facts.budget is not None and (facts.budget.minor <= 0 or facts.budget.currency != facts.currency):
        raise BadPrice("A budget is more than nothing, in the currency of the promotion.")
    code = clean_code(facts.code)
    if code and session.scalar(sa.select(Promotion.id).filter_by(code=code)):
        raise Conflict("There is a promotion with the code {code} already.", code=code)
    promotion = Promotion(
        id=new_id(), code=code or None, name=dict(facts.name), reach=facts.reach, targets=[_target_json(each) for each in facts.targets],
        off_thousandths=facts.off.thousandths, amount_minor=facts.off.amount.minor if facts.off.amount else None, currency=facts.currency,
        stackable=facts.stackable, priority=facts.priority, market=facts.market, customer_group=facts.customer_group,
        first_day=facts.first_day, last_day=facts.last_day, most_uses=facts.most_uses, most_per_customer=facts.most_per_customer,
        budget_minor=facts.budget.minor if facts.budget else None, active=True, created_at=now(),
    )
    session.add(promotion)
    session.flush()
    move_version(session)
    return promotion


def _target_json(target: Target) -> dict[str, str]:
    return {"model": target.model, "group": target.group, "option": target.option, "sku": target.sku}


def _check_off(off: Off, currency: str) -> None:
    if (off.thousandths is None) == (off.amount is None):
        raise BadPrice("Give either a share or an amount.")
    if off.thousandths is not None and not 1 <= off.thousandths <= 100_000:
        raise BadPrice("A share is more than 0 and at most 100 percent.")
    if off.amount is not None and (off.amount.minor <= 0 or off.amount.currency != currency):
        raise BadPrice("An amount is more than nothing, in the currency of the promotion.")


def switch_promotion(session: Session, promotion_id: UUID, *, active: bool) -> Promotion:
    """Let a promotion hold, or stop it; quotes that have it keep it. Raises NotFound."""
    promotion = session.scalars(lock(sa.select(Promotion).filter_by(id=promotion_id))).first()
    if promotion is None:
        raise NotFound("There is no such promotion.")
    promotion.active = active
    move_version(session)
    return promotion


@dataclass(frozen=True, slots=True)
class ShapingFacts:
    """A shaping rule as it is entered."""

    code: str
    name: Text
    min_days: int
    give: Give
    currency: str
    first_day: date
    last_day: date | None = None
    off: Off = Off()
    margin_thousandths: int = 0
    model: str = ""
    group: str = ""


def make_rule(session: Session, facts: ShapingFacts) -> ShapingRule:
    """A new shaping rule, switched off until somebody switches it on. Raises BadPrice, Conflict for a code that is taken."""
    _days_in_order(facts.first_day, facts.last_day)
    if facts.give is not Give.FREE:
        _check_off(facts.off, facts.currency)
    if not 0 <= facts.margin_thousandths <= 1_000_000 or not 1 <= facts.min_days <= 365:
        raise BadPrice("Days are from 1 to 365, and what stays above cost is from 0 to 1000 percent of it.")
    if session.scalar(sa.select(ShapingRule.id).filter_by(code=facts.code)):
        raise Conflict("There is a rule {code} already.", code=facts.code)
    amount = facts.off.amount
    rule = ShapingRule(
        id=new_id(), code=facts.code, name=dict(facts.name), model_id=facts.model, group_id=facts.group, min_days=facts.min_days,
        give=facts.give, off_thousandths=facts.off.thousandths if facts.give is Give.PERCENT else None,
        amount_minor=amount.minor if amount and facts.give is Give.AMOUNT else None, currency=facts.currency,
        margin_thousandths=facts.margin_thousandths, first_day=facts.first_day, last_day=facts.last_day, active=False, created_at=now(),
    )
    session.add(rule)
    session.flush()
    return rule


def switch_rule(session: Session, code: str, *, active: bool) -> ShapingRule:
    """Switch a shaping rule on or off. Raises NotFound."""
    rule = session.scalars(lock(sa.select(ShapingRule).filter_by(code=code))).first()
    if rule is None:
        raise NotFound("There is no rule {code}.", code=code)
    rule.active = active
    move_version(session)
    return rule
