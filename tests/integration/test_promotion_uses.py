"""Limits of promotions: counted when an order is booked, once per order, by one of two at once; given back when it ends early."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from configurator.models import Quote
from configurator.prices.models import PromotionUse, Reach
from configurator.prices.terms import Terms
from configurator.prices.uses import NoUseLeft, count_uses, give_uses_back
from configurator.service import consult, find_quote, issue_quote
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import cancel_order
from tests.builders.at_once import at_once
from tests.builders.prices import make_book, make_promotion, order
from tests.builders.programs import Program
from tests.builders.visitor import DETAILS, Visitor, guarded
from tests.builders.walk import work_jobs

pytestmark = [pytest.mark.stocked, pytest.mark.usefixtures("db")]

TEN = Terms(codes=("TEN",))
OFF = 15_100
"""Ten percent of the Skein 14."""


def promote(**limits: Any) -> None:
    with transaction() as session:
        make_promotion(session, code="TEN", **limits)


def quoted(quantity: int = 1) -> str:
    with transaction() as session:
        return issue_quote(session, "skein-14", {}, terms=TEN, quantity=quantity).token


def buy(session: Session, *tokens: str, email: str = "ada@example.com", key: str = "") -> str:
    return order(session, *(find_quote(session, token) for token in tokens), email=email, key=key or str(new_id())).number


def uses() -> list[tuple[str, int, bool]]:
    with reading() as session:
        rows = session.scalars(sa.select(PromotionUse).order_by(PromotionUse.order_number)).all()
    return [(row.order_number, row.amount_minor, row.given_back_at is None) for row in rows]


def orders() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) or 0


def test_of_two_orders_at_once_for_the_last_use_exactly_one_is_booked() -> None:
    promote(most_uses=1)
    tokens = [quoted(), quoted()]
    answers = at_once([
        lambda session, token=token, who=who: buy(session, token, email=f"{who}@example.com")  # type: ignore[misc]
        for who, token in enumerate(tokens)
    ])
    refused = [answer for answer in answers if isinstance(answer, NoUseLeft)]
    assert len(refused) == 1
    assert refused[0].template == "“{promotion}” has been used up. Configure the machine again for today's price."
    [number] = [answer for answer in answers if isinstance(answer, str)]
    assert uses() == [(number, OFF, True)]
    assert orders() == 1


def test_six_at_once_share_a_budget_to_the_cent() -> None:
    promote(budget=Money(3 * OFF))
    tokens = [quoted() for _ in range(6)]
    answers = at_once([lambda session, token=token: buy(session, token) for token in tokens])  # type: ignore[misc]
    assert sum(isinstance(answer, str) for answer in answers) == 3
    assert sum(amount for _number, amount, _ in uses()) == 3 * OFF


def test_an_order_counts_once_however_often_it_is_sent() -> None:
    promote(most_uses=1)
    token = quoted(3)
    numbers = set()
    for _ in range(2):
        with transaction() as session:
            numbers.add(buy(session, token, key="cart-1"))
    with transaction() as session:
        booked = session.scalars(sa.select(SalesOrder).options(sa.orm.selectinload(SalesOrder.lines))).one()
        count_uses(session, booked)
    assert numbers == {booked.number}
    assert uses() == [(booked.number, 3 * OFF, True)]


def test_a_used_up_code_is_told_at_once_and_a_cancelled_order_gives_it_back() -> None:
    promote(most_uses=1)
    token = quoted()
    with transaction() as session:
        number = buy(session, token)
    with reading() as session:
        [problem] = consult(session, "skein-14", {}, terms=TEN).code_problems
    assert problem.template == "The code {code} has been used up."
    with transaction() as session:
        cancel_order(session, number, "Changed my mind", by="customer")
        work_jobs(session)
    assert uses() == [(number, OFF, False)]
    with reading() as session:
        assert consult(session, "skein-14", {}, terms=TEN).code_problems == ()
    with transaction() as session:
        again = buy(session, token)
    assert [(n, standing) for n, _amount, standing in uses()] == [(number, False), (again, True)]
    with transaction() as session:
        give_uses_back(session, number)
    assert [(n, standing) for n, _amount, standing in uses()] == [(number, False), (again, True)]


def test_a_customer_uses_it_as_often_as_it_says_whatever_others_do() -> None:
    promote(most_per_customer=1)
    with transaction() as session:
        buy(session, quoted_in(session))
    with pytest.raises(NoUseLeft, match="as often as it may be used"), transaction() as session:
        buy(session, quoted_in(session), email="Ada@Example.com")
    with transaction() as session:
        buy(session, quoted_in(session), email="rowan@example.com")
    assert len(uses()) == orders() == 2


def quoted_in(session: Session) -> str:
    return issue_quote(session, "skein-14", {}, terms=TEN).token


def test_an_order_s_discount_is_taken_off_an_order_once() -> None:
    promote(reach=Reach.ORDER)
    tokens = [quoted(), quoted()]
    with pytest.raises(NoUseLeft, match="taken off an order once"), transaction() as session:
        buy(session, *tokens)
    assert orders() == 0
    with transaction() as session:
        buy(session, tokens[0])
    assert [amount for _number, amount, _ in uses()] == [OFF]


def test_a_quote_without_promotions_counts_nothing_and_one_of_old_days_is_ordered_as_ever() -> None:
    with transaction() as session:
        make_book(session, "LIST", {("cpu", "v8", 1): 25_000})
        token = issue_quote(session, "skein-14", {}).token
    with transaction() as session:
        quote = session.scalars(sa.select(Quote).options(sa.orm.selectinload(Quote.lines))).one()
        session.expunge_all()
        quote.promotions = quote.terms = quote.lines[0].pricing = None
        assert not quote.lines[0].quantity_bound
        buy(session, token)
    assert uses() == []
    assert orders() == 1


def test_programs_that_order_by_quotes_are_counted_too(client: FlaskClient) -> None:
    promote(most_uses=1)
    program = Program(client)
    tokens = [quoted(), quoted()]
    content = {"items": [], "email": "ada@example.com"}
    first = program.order({**content, "quotes": [tokens[0]]}, key="the-first-order-1")
    again = program.order({**content, "quotes": [tokens[0]]}, key="the-first-order-1")
    second = program.order({**content, "quotes": [tokens[1]]})
    assert second.status_code == 409, second.text
    assert [number for number, _amount, _ in uses()] == [(first.json or {}).get("number") or uses()[0][0]]
    assert again.status_code == first.status_code
    assert orders() == 1


def test_at_the_checkout_the_second_one_is_told_and_nothing_is_booked(app: Flask) -> None:
    promote(most_uses=1)
    guarded(app)
    answers = []
    for token in (quoted(), quoted()):
        visitor = Visitor(app)
        assert visitor.post(f"/cart/quotes/{token}", on=f"/quotes/{token}").status_code == 303
        assert visitor.post("/checkout", DETAILS, on="/checkout").status_code == 303
        answers.append(visitor.post("/checkout/pay", on="/checkout/review"))
    assert answers[0].status_code != 409
    assert answers[1].status_code == 409
    assert "“Ten off” has been used up. Configure the machine again for today&#39;s price." in answers[1].text
    assert orders() == len(uses()) == 1
