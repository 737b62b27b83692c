"""Quotes under terms, orders by them, promotions and shaping rules, for tests of prices."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from configurator.bom import part_specs
from configurator.models import Quote
from configurator.prices.editing import (
    BookFacts,
    Off,
    PromotionFacts,
    ShapingFacts,
    make_rule,
    open_book,
    replace_entries,
    start_promotion,
    switch_rule,
)
from configurator.prices.lists import Entry
from configurator.prices.models import Give, Promotion, Reach
from configurator.prices.terms import Target
from configurator.prices.uses import count_uses
from configurator.releasing import released
from fulfillment.inventory.costing import open_stock
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import book_order
from storefront.cart.service import ShownLine
from storefront.checkout.drafting import lines_of
from tests.builders.orders import make_draft

EVER, NEVER = date(2020, 1, 1), date(2099, 12, 31)


def text(word: str) -> dict[str, str]:
    return {"en": word, "zh": f"{word}。"}


def make_book(session: Session, code: str, prices: dict[tuple[str, str, int], int], **facts: Any) -> None:
    """A book of prices of the Skein 14: (group, option, from quantity) -> cents."""
    head: dict[str, Any] = {"currency": "USD", "first_day": EVER, **facts}
    open_book(session, BookFacts(code=code, name=text(code), **head))
    entries = [Entry(minor, Target("skein-14", group, option), at, EVER) for (group, option, at), minor in prices.items()]
    replace_entries(session, code, entries)


def make_promotion(
    session: Session, percent: int = 10, *, reach: Reach = Reach.MACHINE, amount: Money | None = None, **facts: Any,
) -> Promotion:
    """Ten percent off the machine, without an end."""
    off = Off(None, amount) if amount else Off(percent * 1000)
    days = {"first_day": EVER, "last_day": NEVER, "currency": "USD"}
    return start_promotion(session, PromotionFacts(name=text("Ten off"), reach=reach, off=off, **{**days, **facts}))


def make_shaping(session: Session, code: str = "SOONER", *, give: Give = Give.FREE, percent: int = 0, **facts: Any) -> None:
    """A rule that is on: short is what takes more than a week, and five percent stay above cost."""
    head = {"min_days": 7, "margin_thousandths": 5_000, "first_day": EVER, "currency": "USD", **facts}
    off = Off(percent * 1000) if give is Give.PERCENT else Off()
    make_rule(session, ShapingFacts(code=code, name=text(code), give=give, off=off, **head))
    switch_rule(session, code, active=True)


def stock_all_but(session: Session, *short: str, model: str = "skein-14") -> None:
    """Fifty pieces of every part of a model on the shelf, but of these."""
    skus = {part.sku for part in part_specs(released(model).model) if part.kind == "hardware"} - set(short)
    open_stock(session, dict.fromkeys(sorted(skus), 50), f"opening-{new_id()}")


def order(session: Session, *quotes: Quote, email: str = "ada@example.com", key: str = "", **draft: Any) -> SalesOrder:
    """Order all machines of some quotes, as the checkout does."""
    lines = [
        ShownLine(line.id, line.name, line.picture, line.quantity, line.unit_price, quote=quote, machine=line)
        for quote in quotes for line in quote.lines
    ]
    booked = book_order(session, make_draft(*lines_of(session, lines), key=key, email=email, **draft))
    count_uses(session, booked)
    return booked
