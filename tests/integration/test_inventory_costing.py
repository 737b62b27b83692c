"""What the shelf is worth: opened, counted and revalued, with the books always in step."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.checks import moves_tie, parts_tie
from fulfillment.inventory.costing import change_standard_cost, count_stock, open_stock, revise_costs
from fulfillment.inventory.service import BadQuantity, available, reserve
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, NotFound
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import balance
from fulfillment.parts.service import find_part
from tests.builders.parts import make_part


def kinds(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Entry.kind).order_by(Entry.seq)))


def test_the_opening_stock_is_the_owners_capital_once(session: Session) -> None:
    make_part(session, "A", cost=Money(100))
    make_part(session, "B", cost=Money(7))
    for _ in range(2):
        assert open_stock(session, {"A": 3, "B": 10}, "opening") == Money(370)
    assert balance(session, Account.PARTS) == Money(370)
    assert balance(session, Account.CAPITAL) == Money(-370)
    assert kinds(session) == ["opening"]
    assert available(session, ["A", "B"]) == {"A": 3, "B": 10}


@pytest.mark.parametrize(("before", "after", "variance"), [(21_000, 19_500, 6_000), (21_000, 22_000, -4_000)])
def test_a_new_standard_cost_revalues_what_lies_on_the_shelf(session: Session, before: int, after: int, variance: int) -> None:
    make_part(session, cost=Money(before), on_hand=4)
    change_standard_cost(session, "CPU-16", Money(after), "revision-1")
    assert find_part(session, "CPU-16").standard_cost == Money(after)
    assert balance(session, Account.PARTS) == Money(4 * after)
    assert balance(session, Account.PRICE_VARIANCE) == Money(variance)
    assert kinds(session) == ["opening", "parts_revalued"]
    assert parts_tie(session) == []


def test_a_revision_happens_once_for_its_key(session: Session) -> None:
    make_part(session, "A", cost=Money(100), on_hand=1)
    make_part(session, "B", cost=Money(100))
    new = {"A": Money(90), "B": Money(100)}
    assert [revise_costs(session, new, "release-2") for _ in range(2)] == [1, 1]
    assert kinds(session) == ["opening", "parts_revalued"]
    with pytest.raises(Conflict):
        revise_costs(session, {"A": Money(80)}, "release-2")


def test_a_part_that_is_not_there_is_revalued_without_an_entry(session: Session) -> None:
    make_part(session, cost=Money(100))
    assert revise_costs(session, {"CPU-16": Money(120)}, "r") == 1
    assert kinds(session) == []


@pytest.mark.parametrize(("sku", "cost", "refusal"), [
    ("NO-SUCH", Money(1), NotFound), ("CPU-16", Money(1, "EUR"), Conflict), ("CPU-16", Money(-1), Conflict),
])
def test_costs_that_cannot_be_are_refused(session: Session, sku: str, cost: Money, refusal: type[Exception]) -> None:
    make_part(session)
    with pytest.raises(refusal):
        revise_costs(session, {sku: cost}, "r")


@pytest.mark.parametrize(("counted", "difference"), [(7, 200), (3, -200)])
def test_a_count_moves_stock_and_books(session: Session, counted: int, difference: int) -> None:
    make_part(session, cost=Money(100), on_hand=5)
    for _ in range(2):
        move = count_stock(session, "CPU-16", counted, "count-1")
        assert move is not None
        assert move.quantity == counted - 5
    assert balance(session, Account.PARTS) == Money(500 + difference)
    assert balance(session, Account.INVENTORY_DIFFERENCE) == Money(-difference)
    assert [*parts_tie(session), *moves_tie(session)] == []


def test_a_count_that_agrees_moves_nothing(session: Session) -> None:
    make_part(session, on_hand=5)
    assert count_stock(session, "CPU-16", 5, "count-1") is None
    assert kinds(session) == ["opening"]


def test_what_is_kept_for_orders_is_not_counted_away(session: Session) -> None:
    make_part(session, on_hand=5)
    reserve(session, "WO-1", {"CPU-16": 4})
    with pytest.raises(Conflict, match="4 of CPU-16 are kept"):
        count_stock(session, "CPU-16", 3, "count-1")
    with pytest.raises(BadQuantity):
        count_stock(session, "CPU-16", -1, "count-2")
    with pytest.raises(NotFound):
        count_stock(session, "NO-SUCH", 1, "count-3")
