"""Posting: once per event, in one gapless chain, balanced by every history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fulfillment.kernel import clock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import verify_chain
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.journal import entries_about, head, latest_entries
from fulfillment.ledger.models import Entry, EntryLine
from fulfillment.ledger.service import AlreadyReversed, LedgerConflict, balance, find_entry, post, post_all, reverse, trial_balance
from tests.builders.ledger import make_draft, make_entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def count(session: Session, model: type[Entry | EntryLine]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_an_entry_keeps_what_the_draft_said(session: Session) -> None:
    with clock.frozen(NOON):
        post(session, postings.payment_captured("SO-2026-000001", "txn_1", Money(256_800), Money(7_477)))
    session.expire_all()

    [entry] = entries_about(session, "SO-2026-000001")
    assert (entry.seq, entry.kind, entry.source, entry.reverses) == (1, "payment_captured", "txn_1", None)
    assert (entry.effective, entry.posted_at) == (NOON.date(), NOON)
    assert [(line.account, line.side, line.amount) for line in entry.lines] == [
        (Account.CARD_CLEARING, "D", Money(256_800)), (Account.CUSTOMER_DEPOSITS, "C", Money(-256_800)),
        (Account.CARD_FEES, "D", Money(7_477)), (Account.CARD_CLEARING, "C", Money(-7_477)),
    ]
    assert balance(session, Account.CARD_CLEARING) == Money(249_323)


def test_the_same_event_again_is_the_same_entry(session: Session) -> None:
    with clock.frozen(NOON):
        first = make_entry(session)
    with clock.frozen(NOON.replace(day=9)):  # told again a week later, in other words
        second = post(session, make_draft(memo="told again"))

    assert second is first
    assert (count(session, Entry), count(session, EntryLine)) == (1, 2)
    assert (second.effective, second.memo) == (NOON.date(), "")
    assert balance(session, Account.CUSTOMER_DEPOSITS) == Money(-10_000)


@pytest.mark.parametrize("other", [
    make_draft(amount=Money(10_001)), make_draft(credit=Account.RECEIVABLE), make_draft(effective=date(2026, 1, 1)),
    make_draft(amount=Money(10_000, "EUR")),
])
def test_the_same_event_with_another_content_is_an_alarm(session: Session, other: Draft) -> None:
    make_entry(session)
    with pytest.raises(LedgerConflict, match="txn-1"):
        post(session, other)
    assert count(session, Entry) == 1


def test_two_rules_may_share_a_source(session: Session) -> None:
    post(session, make_draft("INV-1", kind="invoice_issued"))
    post(session, make_draft("INV-1", kind="deposit_applied"))
    assert [entry.seq for entry in latest_entries(session)] == [2, 1]


def test_several_drafts_are_posted_in_order_and_once(session: Session) -> None:
    drafts = [make_draft("a"), make_draft("b"), make_draft("a"), make_draft("c")]
    entries = post_all(session, drafts)
    again = post_all(session, drafts[::-1])

    assert [entry.source for entry in entries] == ["a", "b", "a", "c"]
    assert [entry.seq for entry in entries] == [1, 2, 1, 3]
    assert again == entries[::-1]
    assert head(session) == (3, entries[-1].hash)


def test_a_savepoint_rolled_back_gives_its_number_back(session: Session) -> None:
    make_entry(session, "kept")
    inner = session.begin_nested()
    make_entry(session, "given up")
    inner.rollback()
    entry = make_entry(session, "next")

    assert (entry.seq, entry.source) == (2, "next")
    assert find_entry(session, "payment_captured", "given up") is None
    assert verify_chain(session) == []


def test_balances_are_kept_by_day_and_by_currency(session: Session) -> None:
    make_entry(session, "1", effective=date(2026, 1, 31))
    make_entry(session, "2", effective=date(2026, 2, 1), amount=Money(500))
    make_entry(session, "3", effective=date(2026, 2, 1), amount=Money(700, "EUR"))

    assert balance(session, Account.CARD_CLEARING, date(2026, 1, 31)) == Money(10_000)
    assert balance(session, Account.CARD_CLEARING, date(2026, 1, 30)) == Money(0)
    assert balance(session, Account.CARD_CLEARING) == Money(10_500)
    assert balance(session, Account.CARD_CLEARING, currency="EUR") == Money(700, "EUR")
    assert trial_balance(session, date(2026, 1, 31)) == {
        (Account.CARD_CLEARING, "USD"): Money(10_000), (Account.CUSTOMER_DEPOSITS, "USD"): Money(-10_000),
    }


def test_a_reversal_is_the_exact_negation_in_red_and_happens_once(session: Session) -> None:
    entry = post(session, postings.payment_captured("SO-1", "txn-1", Money(10_000), Money(320)))
    back = reverse(session, entry, "booked to the wrong order")
    again = reverse(session, entry, "said twice")
    session.expire_all()

    assert again is back
    assert (back.reverses, back.memo, back.document) == (entry.seq, "booked to the wrong order", "SO-1")
    original, reversal = entries_about(session, "SO-1")
    assert [(line.account, line.side, -line.amount) for line in reversal.lines] == [
        (line.account, line.side, line.amount) for line in original.lines
    ]
    assert set(trial_balance(session).values()) == {Money(0)}
    with pytest.raises(AlreadyReversed):
        reverse(session, back, "no")


def test_forty_deliveries_of_one_event_at_once_make_one_entry(db: None) -> None:
    def deliver(_: int) -> int:
        with transaction() as session:
            return make_entry(session).seq

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(deliver, range(40))) == [1] * 40
    with reading() as session:
        assert (count(session, Entry), count(session, EntryLine)) == (1, 2)
        assert balance(session, Account.CARD_CLEARING) == Money(10_000)


def test_two_hundred_events_from_eight_threads_leave_no_gap(db: None) -> None:
    """Every eleventh act fails after it has posted, and gives its number back."""

    def deliver(number: int) -> int:
        with suppress(ZeroDivisionError), transaction() as session:
            return make_entry(session, f"txn-{number}").seq // (number % 11)
        return 0

    def seq_of(number: int) -> int:
        with transaction() as session:
            return make_entry(session, f"txn-{number}").seq

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(220)))
    with reading() as session:
        assert count(session, Entry) == 200
        assert session.scalar(sa.select(sa.func.max(Entry.seq))) == head(session)[0] == 200
        assert verify_chain(session) == []
        assert find_entry(session, "payment_captured", "txn-11") is None
    assert seq_of(11) == 201


rules = st.sampled_from(["pay", "pay again", "refund", "reverse"])
amounts = st.integers(1, 2**40)
steps = st.lists(st.tuples(rules, st.integers(0, 5), amounts, st.sampled_from(["USD", "EUR", "JPY"])), max_size=12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_every_history_balances_and_can_be_told_twice(session: Session, history: list[tuple[str, int, int, str]]) -> None:
    told = session.begin_nested()
    expected: dict[str, Draft] = {}
    for kind, which, minor, currency in history * 2:
        amount, source = Money(minor, currency), f"txn-{which}"
        if kind == "reverse":
            if (entry := find_entry(session, "payment_captured", source)) is not None:
                reverse(session, entry, "taken back")
            continue
        if kind == "refund":
            draft = postings.refund_settled("SO-1", source, amount)
        else:
            draft = postings.payment_captured("SO-1", source, amount, amount.times(3, 100))
        first = expected.setdefault(f"{draft.kind} {source}", draft)
        if first.legs == draft.legs:
            post(session, draft)
        else:
            with pytest.raises(LedgerConflict):
                post(session, draft)

    sums: dict[str, int] = {}
    for (_, currency), amount in trial_balance(session).items():
        sums[currency] = sums.get(currency, 0) + amount.minor
    assert not any(sums.values())
    reversals = session.scalar(sa.select(sa.func.count()).select_from(Entry).where(Entry.kind == "reversal")) or 0
    assert count(session, Entry) == len(expected) + reversals == head(session)[0]
    assert verify_chain(session) == []
    told.rollback()
