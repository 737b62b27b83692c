"""Demand shaping: what is offered while something is short, at what price, and what it did as it really happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from configurator.bom import explode
from configurator.models import Quote
from configurator.prices.editing import end_book, switch_rule
from configurator.prices.effects import Effect, measure
from configurator.prices.models import EffectKind, Give, ShapingEffect, ShapingRule
from configurator.prices.terms import Terms
from configurator.service import StaleOffer, consult, issue_quote, take_offer
from fulfillment.inventory.costing import open_stock
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import transaction
from fulfillment.kernel.money import Money
from fulfillment.orders.service import cancel_order
from storefront.demo.story import forms_of
from tests.builders.prices import EVER, make_book, make_promotion, make_shaping, order, stock_all_but
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOUCH = "SOONER~display~ips~touch"
TAKEN = {"display": "touch"}
FLOOR = 15_803
"""What the touch display costs us, and five percent."""


@pytest.fixture(autouse=True)
def monday() -> Iterator[None]:
    with frozen(MONDAY):
        yield


@pytest.fixture
def shop(session: Session) -> Session:
    """Everything of the Skein 14 is on the shelf but its usual display, and the OLED one."""
    stock_all_but(session, "DSP-14A", "DSP-14O")
    return session


def effect(session: Session) -> Effect:
    session.flush()
    [found] = measure(session).values()
    return found


def test_a_short_option_gets_the_best_of_its_group_offered_before_and_after(shop: Session) -> None:
    make_shaping(shop)
    [offer] = consult(shop, "skein-14", {}).offers
    assert offer.token == TOUCH
    assert (offer.price_before, offer.price_after) == (Money(151_000), Money(151_000 - 14_900 + FLOOR))
    assert (offer.ready_before, offer.ready_after) == (date(2026, 12, 2), date(2026, 11, 23))
    assert offer.deal.given == Money(20_900 - FLOOR)


def test_the_offer_is_what_the_rule_gives_and_never_below_what_must_stay(shop: Session) -> None:
    rules: list[tuple[dict[str, Any], int]] = [
        ({"give": Give.FREE, "margin_thousandths": 0}, 15_050), ({"give": Give.PERCENT, "percent": 10}, 18_810),
        ({"give": Give.PERCENT, "percent": 90}, FLOOR), ({"give": Give.PERCENT, "percent": 10, "margin_thousandths": 30_000}, 19_565),
    ]
    for number, (rule, price) in enumerate(rules):
        make_shaping(shop, f"R{number}", **rule)
        [offer] = consult(shop, "skein-14", {}).offers
        assert (offer.deal.rule.code, offer.deal.offered) == (f"R{number}", Money(price))
        switch_rule(shop, f"R{number}", active=False)


def test_without_a_reason_nothing_is_offered(shop: Session) -> None:
    rules: list[dict[str, Any]] = [
        {"margin_thousandths": 50_000}, {"min_days": 30}, {"first_day": date(2026, 11, 24)}, {"last_day": date(2026, 11, 22)},
        {"model": "skein-16"}, {"group": "cpu"},
    ]
    for number, rule in enumerate(rules):
        make_shaping(shop, f"R{number}", **rule)
        assert consult(shop, "skein-14", {}).offers == (), rule


def test_a_rule_is_switched_off_and_on(shop: Session) -> None:
    make_shaping(shop)
    switch_rule(shop, "SOONER", active=False)
    assert consult(shop, "skein-14", {}).offers == ()
    switch_rule(shop, "SOONER", active=True)
    assert len(consult(shop, "skein-14", {}).offers) == 1


def test_with_everything_in_supply_nothing_is_offered(shop: Session) -> None:
    make_shaping(shop)
    open_stock(shop, {"DSP-14A": 5}, "more")
    assert consult(shop, "skein-14", {}).offers == ()


def test_only_what_goes_with_the_customers_choices_is_offered(session: Session) -> None:
    """Soldered memory is short; the slots do not go with the processor the customer chose himself."""
    stock_all_but(session, "MEM-L16")
    make_shaping(session, give=Give.PERCENT, percent=50, min_days=3, margin_thousandths=0)
    for cpu, offered in (("v8", ["s32"]), ("v6", ["s32"])):
        found = consult(session, "skein-14", {"cpu": cpu})
        assert [offer.deal.option for offer in found.offers] == offered
        [offer] = found.offers
        mine = consult(session, "skein-14", {"cpu": cpu, "memory": "s32"}, taken=[offer.token])
        assert mine.answer.valid
        assert mine.answer.price == offer.price_after


def test_a_taken_offer_is_in_the_quote_by_its_name(shop: Session) -> None:
    make_shaping(shop)
    offer = take_offer(shop, "skein-14", {}, TOUCH)
    quote = issue_quote(shop, "skein-14", TAKEN, taken=[offer.token])
    assert quote.total == offer.price_after
    [display] = [chosen for chosen in quote.lines[0].options if chosen["group"]["en"] == "Display"]
    assert (display["price_minor"], display["list_minor"]) == (FLOOR, 20_900)
    assert [rule["kind"] for rule in display["rules"]] == ["model", "shaping"]
    assert display["rules"][1]["id"] == "SOONER"
    assert quote.lines[0].ready_on == date(2026, 11, 25)


def test_its_effect_is_counted_at_press_quote_and_order_and_never_at_a_click(shop: Session, queries: Queries) -> None:
    make_shaping(shop)
    shop.flush()
    with queries as statements:
        consult(shop, "skein-14", {})
    assert [statement for statement in statements if not statement.startswith("SELECT")] == []
    issue_quote(shop, "skein-14", {})
    assert effect(shop) == Effect(shown=1)
    take_offer(shop, "skein-14", {}, TOUCH)
    quote = issue_quote(shop, "skein-14", TAKEN, taken=[TOUCH], quantity=2)
    assert effect(shop) == Effect(shown=2, clicked=1, quoted=1)
    booked = order(shop, quote)
    given = 2 * (20_900 - FLOOR)
    assert effect(shop) == Effect(2, 1, 1, orders=1, machines=2, days=18, given=(Money(given),))
    assert effect(shop).days_each == 9
    cancel_order(shop, booked.number, "Changed my mind", by="customer")
    assert effect(shop) == Effect(shown=2, clicked=1, quoted=1)
    kinds = shop.scalars(sa.select(ShapingEffect.kind).order_by(ShapingEffect.at, ShapingEffect.id)).all()
    assert sorted(kinds) == sorted([EffectKind.LEFT, EffectKind.CLICKED, EffectKind.QUOTED])


def test_an_offer_that_no_longer_stands_is_neither_taken_nor_quoted(shop: Session) -> None:
    make_shaping(shop)
    open_stock(shop, {"DSP-14A": 5}, "more")
    with pytest.raises(StaleOffer):
        take_offer(shop, "skein-14", {}, TOUCH)
    found = consult(shop, "skein-14", TAKEN, taken=[TOUCH])
    assert (found.stale, found.deals) == ((TOUCH,), ())
    assert found.bill.unit == Money(151_000 - 14_900 + 20_900)
    with pytest.raises(StaleOffer):
        issue_quote(shop, "skein-14", TAKEN, taken=[TOUCH])
    assert shop.scalars(sa.select(Quote)).all() == []
    assert shop.scalars(sa.select(ShapingEffect)).all() == []


MADE_UP = (
    "", "SOONER", "SOONER~display~ips", "SOONER~display~ips~touch~x", "OTHER~display~ips~touch", "SOONER~screen~ips~touch",
    "SOONER~display~ips~ips", "SOONER~display~touch~ips", "SOONER~display~sharp~touch", "SOONER~cpu~v8~v6", "~~~",
)


def test_a_token_that_was_made_up_takes_nothing_off(shop: Session) -> None:
    make_shaping(shop)
    for token in MADE_UP:
        found = consult(shop, "skein-14", TAKEN, taken=[token])
        assert found.deals == (), token
        assert found.bill.unit == Money(151_000 - 14_900 + 20_900)


def test_who_moves_on_to_something_else_is_not_held_up_by_an_offer_taken_before(shop: Session) -> None:
    make_shaping(shop)
    found = consult(shop, "skein-14", {"display": "sharp"}, taken=[TOUCH])
    assert (found.stale, found.deals) == ((), ())
    assert issue_quote(shop, "skein-14", {"display": "sharp"}, taken=[TOUCH]).total == Money(151_000 - 14_900 + 24_900)


def test_nobody_is_paid_for_leaving_out_what_he_could_not_have(session: Session) -> None:
    """A token names as short what the other choices exclude: the rule gives nothing then."""
    stock_all_but(session, "MEM-L16")
    make_shaping(session, min_days=3)
    token = "SOONER~memory~s16~p64"
    assert [deal.token for deal in consult(session, "skein-14", {"memory": "p64"}, taken=[token]).deals] == [token]
    found = consult(session, "skein-14", {"cpu": "h12", "memory": "p64"}, taken=[token])
    assert (found.deals, found.stale) == ((), (token,))


def test_who_sends_the_whole_machine_is_judged_by_what_he_chose_himself(session: Session) -> None:
    """The slots came with the memory he took instead; as choices of his own they would exclude what was short."""
    stock_all_but(session, "MEM-L16")
    make_shaping(session, min_days=3)
    token, own = "SOONER~memory~s16~p64", {"memory": "p64"}
    page = consult(session, "skein-14", own, taken=[token])
    with pytest.raises(StaleOffer):
        issue_quote(session, "skein-14", page.answer.configuration, taken=[token])
    quote = issue_quote(session, "skein-14", page.answer.configuration, own=own, taken=[token])
    assert quote.total == page.answer.price
    assert effect(session) == Effect(shown=1, quoted=1)
    moved = {**page.answer.configuration, "cpu": ("v8",), "memory": ("s16",)}
    plain = issue_quote(session, "skein-14", {name: moved[name] for name in ("cpu", "memory")}, own=own, taken=[token])
    assert [rule["kind"] for chosen in plain.lines[0].options for rule in chosen["rules"]].count("shaping") == 0
    assert effect(session).quoted == 1


def test_an_offer_is_told_in_the_prices_the_customer_pays(shop: Session) -> None:
    make_shaping(shop)
    make_promotion(shop, 10, code="TEN")
    terms = Terms(codes=("TEN",))
    [offer] = consult(shop, "skein-14", {}, terms=terms).offers
    bought = consult(shop, "skein-14", TAKEN, terms=terms, taken=[offer.token])
    assert bought.answer.price == offer.price_after == bought.bill.unit
    assert offer.price_before == Money(135_900)


def test_an_offer_never_costs_less_than_its_parts_whatever_a_book_says(shop: Session) -> None:
    make_shaping(shop)
    make_book(shop, "CHEAP", {("display", "touch", 1): 15_000})
    assert [offer.deal.option for offer in consult(shop, "skein-14", {}).offers] != ["touch"]
    end_book(shop, "CHEAP", EVER)
    [offer] = consult(shop, "skein-14", {}).offers
    model = consult(shop, "skein-14", {}).released.model
    cost = next(line.cost for line in explode(model, {**model.defaults, "display": ("touch",)}) if line.group == "display")
    assert offer.deal.offered.minor * 1000 >= cost.minor * 1050
    assert shop.scalars(sa.select(ShapingRule.active)).one() is True


def test_an_offer_is_pressed_on_the_page_and_stands_in_the_quote(client: FlaskClient) -> None:
    with transaction() as session:
        stock_all_but(session, "DSP-14A", "DSP-14O")
        make_shaping(session, give=Give.PERCENT, percent=10)
        make_promotion(session, 10, code="TEN")
    page = client.get("/configure/skein-14?code=TEN")
    values = dict(next(form for form in forms_of(page.text) if form.action == "/configure/skein-14" and form.method == "post").values)
    taken = client.post("/configure/skein-14/offer", data={**values, "offer": TOUCH})
    assert taken.status_code == 303
    page = client.get(taken.headers["Location"])
    values = dict(next(form for form in forms_of(page.text) if form.action == "/configure/skein-14" and form.method == "post").values)
    assert values["display"] == "touch"
    made = client.post("/configure/skein-14", data={**values, "quantity": "1", "then": "quote"})
    assert made.status_code == 303, made.text
    with transaction() as session:
        quote = session.scalars(sa.select(Quote).options(sa.orm.selectinload(Quote.lines))).one()
        assert quote.total == Money((151_000 - 14_900 + 18_810) * 9 // 10)
        assert [rule["id"] for chosen in quote.lines[0].options for rule in chosen["rules"] if rule["kind"] == "shaping"] == ["SOONER"]
        assert effect(session) == Effect(shown=1, clicked=1, quoted=1)
