"""Prices under terms, from the book to the quote: which rule won, codes, budgets, days, and what a quote keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from configurator.engine import finish
from configurator.models import Quote
from configurator.prices.codes import BadCode
from configurator.prices.editing import BookFacts, Off, PromotionFacts, end_book, open_book, start_promotion, switch_promotion
from configurator.prices.lists import NoPrice
from configurator.prices.models import Reach
from configurator.prices.terms import SHOPPER, ContractRule, Target, Terms
from configurator.service import BadChoice, ask, consult, issue_quote, leaves_us, parts_by
from fulfillment.kernel.clock import add_working_days, frozen
from fulfillment.kernel.db import transaction
from fulfillment.kernel.money import CurrencyMismatch, Money, total
from fulfillment.kernel.refusals import Refusal
from storefront.cart.service import BadQuantity, add_quote, open_cart, set_quantity, show
from tests.builders.prices import EVER, make_book, make_promotion, order, stock_all_but, text
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIST = 151_000
"""The Skein 14 as it stands."""
GOLD = Terms(customer_group="gold")


def priced(session: Session, terms: Terms = SHOPPER, **its: object) -> int:
    return consult(session, "skein-14", {}, terms=terms, **its).bill.unit.minor  # type: ignore[arg-type]


def test_the_same_configuration_is_priced_for_a_shopper_and_under_an_agreement(session: Session) -> None:
    assert priced(session) == LIST
    make_book(session, "SUMMER", {("cpu", "v8", 1): 25_000})
    make_book(session, "GOLD", {("cpu", "v8", 1): 22_000}, customer_group="gold")
    frame = ContractRule((("en", "Frame 7"), ("zh", "框架 7")), Target(group="memory"), off=50_000)
    agreed = replace(GOLD, contract=(frame,))
    assert [priced(session, terms) for terms in (SHOPPER, GOLD, agreed)] == [LIST - 2_900, LIST - 5_900, LIST - 5_900 - 5_950]
    quote = issue_quote(session, "skein-14", {}, terms=agreed)
    cpu, memory = quote.lines[0].options[:2]
    assert (cpu["price_minor"], cpu["list_minor"]) == (22_000, 25_000)
    assert cpu["rules"] == [{"kind": "group", "name": text("GOLD"), "id": "GOLD", "from_quantity": 1}]
    assert memory["rules"][0]["name"] == {"en": "Frame 7", "zh": "框架 7"}
    assert quote.terms is not None
    assert quote.terms["customer_group"] == "gold"


def test_a_changed_book_is_seen_at_the_next_question_and_never_by_an_old_quote(session: Session) -> None:
    make_book(session, "SUMMER", {("cpu", "v8", 1): 25_000})
    quote = issue_quote(session, "skein-14", {})
    assert quote.total == Money(LIST - 2_900)
    end_book(session, "SUMMER", EVER)
    assert priced(session) == LIST
    session.expire_all()
    assert session.scalars(sa.select(Quote)).one().total == Money(LIST - 2_900)


def test_the_lines_of_a_quote_add_up_with_everything_that_came_off(session: Session) -> None:
    make_promotion(session, 7, reach=Reach.OPTION, targets=(Target(group="display"),), stackable=True)
    make_promotion(session, 13)
    make_promotion(session, amount=Money(10_000), reach=Reach.ORDER)
    quote = issue_quote(session, "skein-14", {}, quantity=3)
    assert [(line.quantity, line.position) for line in quote.lines] == [(1, 1), (2, 2)]
    for line in quote.lines:
        assert line.pricing is not None
        off = {part["kind"]: part["amount_minor"] for part in line.pricing["off"]}
        parts = line.pricing["base"]["price_minor"] + sum(chosen["price_minor"] for chosen in line.options)
        assert parts - off["machine"] - off["order"] == line.unit_price_minor
        assert off["option"] == 1_043
        assert line.quantity_bound
    assert total(line.price for line in quote.lines) == quote.total == Money(3 * (149_957 - 19_494) - 10_000)
    assert {used["reach"] for used in quote.promotions or ()} == {"option", "machine", "order"}


def test_every_price_of_a_page_is_what_the_customer_pays(session: Session) -> None:
    make_promotion(session, 10)
    _released, answered = ask(session, "skein-14", {})
    cpu = answered.groups["cpu"]
    assert answered.price == Money(LIST * 9 // 10)
    assert cpu.option("v6").difference == Money(-8_100)
    for option in cpu.options:
        if option.possible and option.price is not None:
            bought = ask(session, "skein-14", {"cpu": option.option})[1]
            assert bought.price == option.price == answered.price + (option.difference or Money(0))


def test_a_budget_counts_what_is_paid_in_the_end(session: Session) -> None:
    make_promotion(session, 10)
    limit = Money(LIST * 9 // 10)
    assert consult(session, "skein-14", {}, limit=limit).answer.valid
    found = consult(session, "skein-14", {}, limit=limit)
    assert found.answer.limit == limit
    for group in found.answer.groups.values():
        for option in group.options:
            assert option.price is None or option.price <= limit
    best = finish(found.released.compiled, {}, "cheapest", **found.circumstances)
    assert best is not None
    assert found.pays(best.price) <= limit
    with pytest.raises(BadChoice, match="in USD"):
        consult(session, "skein-14", {}, limit=Money(1_000, "EUR"))


def test_a_day_the_machine_leaves_by_becomes_a_day_the_parts_are_here(session: Session) -> None:
    with frozen(MONDAY):
        found = consult(session, "skein-14", {})
        model = found.released.model
        assert found.answer.ready is not None
        leaves = leaves_us(model, found.answer.ready)
        assert parts_by(model, leaves) >= found.answer.ready
        assert leaves_us(model, parts_by(model, leaves)) <= leaves
        assert consult(session, "skein-14", {}, by=leaves).answer.valid
        sooner = consult(session, "skein-14", {"display": "oled"}, by=leaves).answer
        assert not sooner.valid
        assert parts_by(model, date(2026, 11, 29)) == date(2026, 11, 25)
        assert consult(session, "skein-14", {"display": "oled"}, by=date.max).answer.valid


def test_codes_that_are_not_good_say_why_and_hold_no_quote_together(session: Session) -> None:
    make_promotion(session, code="GOLD10", customer_group="gold")
    make_promotion(session, code="OLD", last_day=date(2020, 2, 1))
    make_promotion(session, code="SOON", first_day=date(2098, 1, 1))
    make_promotion(session, code="TOWER", targets=(Target("hearth-t"),))
    make_promotion(session, code="GOOD")
    switch_promotion(session, make_promotion(session, code="STOPPED").id, active=False)
    start_promotion(session, PromotionFacts(
        text("Euro"), Reach.MACHINE, Off(None, Money(500, "EUR")), "EUR", EVER, date(2099, 1, 1), code="EURO",
    ))
    unknown = "We do not know the code {code}. Please check how it is written."
    wrong = {
        "GOLD10": unknown, "NOTHING": unknown, "STOPPED": unknown, "OLD": "The code {code} was valid until {day}.",
        "SOON": "The code {code} is valid from {day} on.", "TOWER": "The code {code} is not for the {model}.",
        "EURO": "The code {code} is not for prices in {currency}.",
    }
    for code, sentence in wrong.items():
        terms = Terms(codes=(code,))
        found = consult(session, "skein-14", {}, terms=terms)
        assert [problem.template for problem in found.code_problems] == [sentence]
        assert found.bill.unit == Money(LIST)
        with pytest.raises(BadCode) as refused:
            issue_quote(session, "skein-14", {}, terms=terms)
        assert refused.value.template == sentence
    assert session.scalars(sa.select(Quote)).all() == []
    good = issue_quote(session, "skein-14", {}, terms=Terms(codes=(" good ",)))
    assert good.total == Money(LIST * 9 // 10)
    assert issue_quote(session, "skein-14", {}, terms=replace(GOLD, codes=("gold10",))).total == Money(LIST * 9 // 10)


def test_a_code_that_is_only_idle_keeps_nobody_from_a_quote(session: Session) -> None:
    make_promotion(session, code="OLED", reach=Reach.OPTION, targets=(Target("skein-14", "display", "oled"),))
    terms = Terms(codes=("OLED",))
    [problem] = consult(session, "skein-14", {}, terms=terms).code_problems
    assert problem.template == "The code {code} takes nothing off what is chosen here."
    assert issue_quote(session, "skein-14", {}, terms=terms).total == Money(LIST)
    oled = consult(session, "skein-14", {"display": "oled"}, terms=terms)
    assert oled.code_problems == ()
    assert oled.bill.options_off[0][1] == Money(3_290)


def test_more_off_than_the_machine_costs_is_refused(session: Session) -> None:
    make_promotion(session, amount=Money(900_000), code="HUGE")
    with pytest.raises(Refusal, match="takes off more than this machine costs"):
        issue_quote(session, "skein-14", {}, terms=Terms(codes=("HUGE",)))
    make_promotion(session, amount=Money(900_000))
    with pytest.raises(Refusal, match="takes off more than this machine costs"):
        issue_quote(session, "skein-14", {})


def test_currencies_are_never_mixed(session: Session) -> None:
    open_book(session, BookFacts("EURO", text("Euro"), "EUR", EVER))
    with pytest.raises(NoPrice, match="has no price in EUR"):
        consult(session, "skein-14", {}, terms=Terms(currency="EUR"))
    with pytest.raises(CurrencyMismatch):
        total([Money(1), Money(1, "EUR")])
    dear = ContractRule((("en", "Euro"),), Target(), price=Money(1, "EUR"))
    assert priced(session, Terms(contract=(dear,))) == LIST


def test_a_price_for_ten_is_for_ten(session: Session) -> None:
    make_book(session, "TENS", {("cpu", "v8", 10): 20_000})
    quote = issue_quote(session, "skein-14", {}, quantity=10)
    assert quote.total == Money(10 * (LIST - 7_900))
    cart = open_cart(session, None)
    add_quote(session, cart, quote, quote.lines)
    [line] = show(session, cart.id).lines
    for quantity in (1, 9, 11):
        with pytest.raises(BadQuantity, match="This price holds for 10 together"):
            set_quantity(session, cart.id, line.id, quantity)
    set_quantity(session, cart.id, line.id, 10)
    set_quantity(session, cart.id, line.id, 0)
    assert show(session, cart.id).lines == []


def test_a_quote_in_another_currency_is_not_ordered_here(session: Session) -> None:
    quote = issue_quote(session, "skein-14", {})
    session.expunge(quote)
    quote.currency = "EUR"
    with pytest.raises(Refusal, match="is in EUR"):
        add_quote(session, open_cart(session, None), quote, quote.lines)


def test_an_option_for_others_is_as_unknown_as_one_that_is_not_there(session: Session) -> None:
    with pytest.raises(BadChoice, match="does not have one of these choices"):
        consult(session, "skein-14", {"cpu": "nothing"})


def test_a_click_asks_for_one_row_more_however_many_rules_there_are(db: None, client: FlaskClient, queries: Queries) -> None:
    with transaction() as session:
        for number in range(20):
            make_book(session, f"B{number}", {("cpu", "v8", at): 25_000 + at for at in (1, 5, 10)}, customer_group=f"g{number}")
            make_promotion(session, code=f"C{number}")
    client.get("/configure/skein-14?code=C3")
    with queries as statements:
        assert client.get("/configure/skein-14?code=C3").status_code == 200
    assert len(statements) <= 6, statements


def test_a_lead_time_rule_holds_on_the_page_in_the_quote_and_in_the_order(session: Session) -> None:
    """Everything is on the shelf: what keeps the machine is the engraving alone, which takes days whatever parts there are."""
    with frozen(MONDAY):
        stock_all_but(session)
        plain = consult(session, "skein-14", {})
        model = plain.released.model
        waits = model.by_id["engraving"].by_id["on"].not_before_days
        [wanted] = [
            {group.id: option.id}
            for group in model.groups if group.kind == "one" and not group.hidden and group.id in plain.answer.groups
            for option in group.options
            if plain.answer.groups[group.id].option(option.id).possible
            and consult(session, "skein-14", {group.id: option.id}).answer.configuration["engraving"] == ("on",)
        ][:1]
        engraved = consult(session, "skein-14", wanted)
        assert plain.answer.ready == MONDAY.date()
        assert engraved.answer.ready == MONDAY.date() + timedelta(days=waits)
        quote = issue_quote(session, "skein-14", wanted)
        promised = add_working_days(MONDAY.date() + timedelta(days=waits), model.build_days)
        assert quote.lines[0].ready_on == leaves_us(model, engraved.answer.ready) == promised
        assert order(session, quote).lines[0].ready_on == promised
