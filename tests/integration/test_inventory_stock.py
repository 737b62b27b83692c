"""Stock: received, kept, given free, handed out; every movement once, and never less than nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fulfillment.inventory.checks import moves_tie, parts_tie, reservations_tie
from fulfillment.inventory.models import MoveReason, Reservation, StockMove
from fulfillment.inventory.service import (
    BadQuantity,
    NotReserved,
    available,
    issue,
    issue_all,
    lock_stock,
    moves_of,
    receive,
    release,
    release_all,
    reserve,
    reserve_all,
    reserved_for,
)
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, NotFound
from tests.builders.parts import make_part
from tests.conftest import Queries


def state(session: Session, sku: str = "CPU-16") -> tuple[int, int]:
    stock = lock_stock(session, [sku])[sku]
    return stock.on_hand, stock.reserved


def assert_ties(session: Session) -> None:
    assert [*moves_tie(session), *reservations_tie(session)] == []


def test_a_receipt_happens_once_for_its_source(session: Session) -> None:
    make_part(session, cost=Money(21_000))
    first = receive(session, "CPU-16", 5, "GR-1:CPU-16")
    assert receive(session, "CPU-16", 5, "GR-1:CPU-16").id == first.id
    assert state(session) == (5, 0)
    assert (first.quantity, first.unit_cost, first.cost) == (5, Money(21_000), Money(105_000))
    assert_ties(session)


def test_a_source_is_not_used_for_something_else(session: Session) -> None:
    make_part(session)
    receive(session, "CPU-16", 5, "GR-1")
    with pytest.raises(Conflict, match="moved 5 of CPU-16 already"):
        receive(session, "CPU-16", 6, "GR-1")
    assert state(session) == (5, 0)


@pytest.mark.parametrize("quantity", [0, -1, 1.5])
def test_pieces_are_counted_in_whole_numbers(session: Session, quantity: int) -> None:
    make_part(session, on_hand=3)
    for act in (lambda: receive(session, "CPU-16", quantity, "x"), lambda: reserve(session, "WO-1", {"CPU-16": quantity})):
        with pytest.raises(BadQuantity):
            act()
    assert state(session) == (3, 0)


def test_an_unknown_part_is_not_received(session: Session) -> None:
    with pytest.raises(NotFound):
        receive(session, "NO-SUCH", 1, "GR-1")


def test_what_there_is_is_kept_and_the_rest_is_short(session: Session) -> None:
    make_part(session, "A", on_hand=3)
    make_part(session, "B", on_hand=1)
    make_part(session, "C")
    assert reserve(session, "WO-1", {"C": 1, "B": 1, "A": 5}) == {"A": 2, "C": 1}
    assert reserved_for(session, "WO-1") == {"A": 3, "B": 1}
    assert available(session, ["A", "B", "C", "D"]) == {"A": 0, "B": 0, "C": 0, "D": 0}
    assert_ties(session)


def test_more_for_the_same_holder_comes_on_top(session: Session) -> None:
    make_part(session, on_hand=5)
    assert reserve(session, "WO-1", {"CPU-16": 2}) == {}
    assert reserve(session, "WO-1", {"CPU-16": 1}) == {}
    assert reserved_for(session, "WO-1") == {"CPU-16": 3}
    assert state(session) == (5, 3)


def test_of_several_holders_the_first_is_served_first(session: Session) -> None:
    make_part(session, "A", on_hand=3)
    make_part(session, "B", on_hand=9)
    short = reserve_all(session, {"WO-2": {"A": 2}, "WO-1": {"A": 2, "B": 1}, "WO-3": {"A": 1}})
    assert short == {"WO-2": {}, "WO-1": {"A": 1}, "WO-3": {"A": 1}}
    assert reserved_for(session, "WO-1") == {"A": 1, "B": 1}
    assert reserved_for(session, "WO-3") == {}
    assert_ties(session)


def test_what_is_given_free_is_free_for_others(session: Session) -> None:
    make_part(session, "A", on_hand=3)
    make_part(session, "B", on_hand=3)
    reserve_all(session, {"WO-1": {"A": 2, "B": 1}, "WO-2": {"A": 1}, "WO-3": {"B": 1}})
    assert release_all(session, ["WO-1", "WO-2"]) == {"A": 3, "B": 1}
    assert release(session, "WO-1") == {}
    assert available(session, ["A", "B"]) == {"A": 3, "B": 2}
    assert_ties(session)


def test_a_kept_part_is_handed_out_once_for_its_source(session: Session) -> None:
    make_part(session, on_hand=5, cost=Money(21_000))
    reserve(session, "WO-1", {"CPU-16": 3})
    move = issue(session, "WO-1", "CPU-16", 2, "WO-1:kit:CPU-16")
    assert issue(session, "WO-1", "CPU-16", 2, "WO-1:kit:CPU-16").id == move.id
    assert (move.quantity, move.cost, move.holder, move.reason) == (-2, Money(42_000), "WO-1", MoveReason.ISSUE)
    assert state(session) == (3, 1)
    assert reserved_for(session, "WO-1") == {"CPU-16": 1}
    issue(session, "WO-1", "CPU-16", 1, "WO-1:kit:2")
    assert session.scalars(sa.select(Reservation)).all() == []
    assert_ties(session)


def test_nothing_is_handed_out_that_is_not_kept_for_the_holder(session: Session) -> None:
    make_part(session, "A", on_hand=5)
    make_part(session, "B", on_hand=5)
    reserve_all(session, {"WO-1": {"A": 1}, "WO-2": {"B": 2}})
    with pytest.raises(NotReserved, match="0 of B are kept for WO-1, not 1"):
        issue_all(session, "WO-1", {"A": 1, "B": 1}, {"A": "s:A", "B": "s:B"})
    assert [state(session, "A"), state(session, "B")] == [(5, 1), (5, 2)]
    assert moves_of(session, "A")[0].reason is MoveReason.OPENING


def test_parts_come_back_from_the_bench(session: Session) -> None:
    make_part(session, on_hand=1)
    reserve(session, "WO-1", {"CPU-16": 1})
    issue(session, "WO-1", "CPU-16", 1, "out")
    receive(session, "CPU-16", 1, "back", reason=MoveReason.RETURN)
    assert state(session) == (1, 0)
    assert [move.quantity for move in moves_of(session, "CPU-16")] == [1, -1, 1]


def test_twenty_parts_for_fifty_machines_take_few_statements(session: Session, queries: Queries) -> None:
    for n in range(20):
        make_part(session, f"P-{n:02}", on_hand=45)
    with queries as statements:
        short = reserve_all(session, {f"WO-{n:03}": {f"P-{p:02}": 1 for p in range(20)} for n in range(50)})
    assert sum(len(missing) for missing in short.values()) == 5 * 20
    assert len(statements) <= 4
    sources = {f"P-{p:02}": f"s:{p}" for p in range(20)}
    with queries as statements:
        issue_all(session, "WO-000", dict.fromkeys(sources, 1), sources)
    assert len(statements) <= 8
    assert_ties(session)


def test_the_database_refuses_less_than_nothing_and_keeping_what_is_not_there(session: Session) -> None:
    make_part(session, on_hand=1)
    for values in ({"on_hand": -1}, {"reserved": 2}, {"reserved": -1}):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(sa.text(f"UPDATE stock SET {next(iter(values))} = {next(iter(values.values()))}"))
    assert state(session) == (1, 0)


def test_a_move_is_never_changed(session: Session) -> None:
    make_part(session, on_hand=1)
    move = session.scalars(sa.select(StockMove)).one()
    with pytest.raises(TypeError, match="final"), session.begin_nested():
        move.quantity = 7
    with pytest.raises(TypeError, match="final"), session.begin_nested():
        session.delete(move)


verbs = st.sampled_from(["receive", "reserve", "issue", "release"])
acts = st.lists(st.tuples(verbs, st.sampled_from("AB"), st.integers(1, 4), st.sampled_from("XYZ")), max_size=25)


@given(acts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_stock_is_what_came_less_what_went(session: Session, acts: list[tuple[str, str, int, str]]) -> None:
    with session.begin_nested() as around:
        for sku in "AB":
            make_part(session, sku)
        on_hand = {"A": 0, "B": 0}
        kept: dict[tuple[str, str], int] = {}
        for number, (act, sku, quantity, holder) in enumerate(acts):
            if act == "receive":
                receive(session, sku, quantity, f"s{number}")
                on_hand[sku] += quantity
            elif act == "reserve":
                left = on_hand[sku] - sum(q for (_, s), q in kept.items() if s == sku)
                short = reserve(session, holder, {sku: quantity}).get(sku, 0)
                assert short == max(0, quantity - left)
                kept[holder, sku] = kept.get((holder, sku), 0) + quantity - short
            elif act == "release":
                release(session, holder)
                kept = {key: q for key, q in kept.items() if key[0] != holder}
            elif kept.get((holder, sku), 0) >= quantity:
                issue(session, holder, sku, quantity, f"s{number}")
                kept[holder, sku] -= quantity
                on_hand[sku] -= quantity
            else:
                with pytest.raises(NotReserved):
                    issue(session, holder, sku, quantity, f"s{number}")
        free = {sku: on_hand[sku] - sum(q for (_, s), q in kept.items() if s == sku) for sku in "AB"}
        assert available(session, "AB") == free
        assert_ties(session)
        around.rollback()
    session.expire_all()


def test_the_parts_account_is_checked_against_the_shelf(session: Session) -> None:
    make_part(session, on_hand=2, cost=Money(21_000))
    assert parts_tie(session) == []
    receive(session, "CPU-16", 1, "nobody-posted-this")
    [finding] = parts_tie(session)
    assert "420.00 USD" in finding.text
    assert "630.00 USD" in finding.text
