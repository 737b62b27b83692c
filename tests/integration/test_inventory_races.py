"""Many at the same shelf and the same order, with real commits: nothing is promised, moved or decided twice."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.inventory.checks import moves_tie, parts_tie, reservations_tie
from fulfillment.inventory.models import StockMove
from fulfillment.inventory.service import available, issue, receive, release, reserve, reserve_all, reserved_for
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger import postings
from fulfillment.ledger.service import post
from tests.builders.at_once import at_once
from tests.builders.parts import make_part


@pytest.fixture
def shelf(db: None) -> None:
    """One last processor, and ten of each of five other parts."""
    with transaction() as session:
        make_part(session, "CPU-16", on_hand=1)
        for name in "ABCDE":
            make_part(session, name, on_hand=10)


def assert_ties() -> None:
    with reading() as session:
        assert [*parts_tie(session), *moves_tie(session), *reservations_tie(session)] == []


def test_of_two_who_want_the_last_part_one_gets_it(shelf: None) -> None:
    def want(holder: str) -> Callable[[Session], dict[str, int]]:
        return lambda session: reserve(session, holder, {"CPU-16": 1})

    answers = at_once([want("WO-1"), want("WO-2")])
    assert sorted(map(str, answers)) == ["{'CPU-16': 1}", "{}"]
    with reading() as session:
        assert sum(len(reserved_for(session, holder)) for holder in ("WO-1", "WO-2")) == 1
    assert_ties()


def test_twenty_at_once_are_never_promised_more_than_there_is(shelf: None) -> None:
    dice = random.Random(7)
    needs = {f"WO-{n:02}": {name: dice.randint(1, 3) for name in dice.sample("ABCDE", 4)} for n in range(20)}

    def want(holder: str) -> Callable[[Session], dict[str, int]]:
        return lambda session: reserve(session, holder, needs[holder])

    short = dict(zip(needs, at_once([want(holder) for holder in needs]), strict=True))
    given: dict[str, int] = dict.fromkeys("ABCDE", 0)
    for holder, wanted in needs.items():
        missing = short[holder]
        assert isinstance(missing, dict)
        with reading() as session:
            kept = reserved_for(session, holder)
        for name, quantity in wanted.items():
            assert kept.get(name, 0) == quantity - missing.get(name, 0)
            given[name] += kept.get(name, 0)
    wanted_in_all = {name: sum(wanted.get(name, 0) for wanted in needs.values()) for name in "ABCDE"}
    assert given == {name: min(10, quantity) for name, quantity in wanted_in_all.items()}
    assert_ties()


def test_those_who_take_the_same_parts_in_another_order_never_wait_for_ever(shelf: None) -> None:
    def crossing(number: int) -> Callable[[Session], object]:
        names = "ABCDE" if number % 2 else "EDCBA"

        def act(session: Session) -> object:
            short = reserve_all(session, {f"X-{number}": dict.fromkeys(names, 1), f"Y-{number}": dict.fromkeys(names[::-1], 1)})
            return release(session, f"X-{number}"), short

        return act

    answers = at_once([crossing(number) for number in range(12)])
    assert not any(isinstance(answer, Refusal) for answer in answers)
    assert_ties()


def test_one_scan_sent_twice_at_once_moves_one_part(shelf: None) -> None:
    with transaction() as session:
        reserve(session, "WO-1", {"A": 2})

    def scan(session: Session) -> str:
        move = issue(session, "WO-1", "A", 2, "WO-1:kit:A")
        post(session, postings.parts_issued("WO-1", move.cost))
        return str(move.id)

    assert len(set(at_once([scan] * 6))) == 1
    with reading() as session:
        assert available(session, ["A"]) == {"A": 8}
        assert session.scalar(sa.select(sa.func.count()).where(StockMove.sku == "A", StockMove.quantity < 0)) == 1
    assert_ties()


def test_a_new_part_received_by_several_at_once_adds_up(db: None) -> None:
    with transaction() as session:
        make_part(session, "NEW")

    def come(number: int) -> Callable[[Session], int]:
        return lambda session: receive(session, "NEW", 2, f"GR-{number % 5}").quantity

    assert at_once([come(number) for number in range(10)]) == [2] * 10
    with reading() as session:
        assert available(session, ["NEW"]) == {"NEW": 10}
        assert moves_tie(session) == []
