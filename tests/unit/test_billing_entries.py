"""Each movement at Stripe makes the entry of its category, and none when no rule fits to the cent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.billing.entries import IN, OUT, draft_of
from fulfillment.billing.facts import TransactionFacts
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
C, D, F = Account.CARD_CLEARING, Account.CUSTOMER_DEPOSITS, Account.CARD_FEES


def movement(category: str, gross: int, fee: int = 0, net: int | None = None) -> TransactionFacts:
    return TransactionFacts("txn_1", category, Money(gross), Money(fee), Money(gross - fee if net is None else net), AT, "src_1")


def legs(category: str, gross: int, fee: int = 0) -> dict[Account, int]:
    draft = draft_of(movement(category, gross, fee), "SO-2026-000001")
    assert draft is not None
    sums: dict[Account, int] = {}
    for account, amount in draft.legs:
        sums[account] = sums.get(account, 0) + amount.minor
    return sums


def test_a_charge_is_a_deposit_less_the_fee() -> None:
    assert legs("charge", 100_000, 2_930) == {C: 97_070, F: 2_930, D: -100_000}


def test_a_refund_takes_what_was_owed_and_gives_no_fee_back() -> None:
    assert legs("refund", -40_000) == {Account.REFUNDS_DUE: 40_000, C: -40_000}
    assert legs("refund_failure", 40_000) == {C: 40_000, Account.REFUNDS_DUE: -40_000}


def test_a_dispute_takes_the_money_and_a_fee_and_may_bring_it_back() -> None:
    assert legs("dispute", -100_000, 1_500) == {Account.DISPUTED: 100_000, F: 1_500, C: -101_500}
    assert legs("dispute_reversal", 100_000) == {C: 100_000, Account.DISPUTED: -100_000}
    assert legs("dispute_reversal", 100_000, -1_500) == {C: 101_500, Account.DISPUTED: -100_000, F: -1_500}


def test_a_payout_reaches_the_bank_and_may_come_back() -> None:
    assert legs("payout", -97_070) == {Account.BANK: 97_070, C: -97_070}
    assert legs("payout_reversal", 97_070) == {C: 97_070, Account.BANK: -97_070}


def test_a_fee_of_its_own_is_an_expense() -> None:
    assert legs("fee", -250) == {F: 250, C: -250}


@pytest.mark.parametrize(
    "odd",
    [
        movement("climate_order_purchase", -100), movement("charge", -100), movement("refund", 100), movement("refund", -100, 7),
        movement("charge", 1_000, 30, net=969), movement("dispute_reversal", 1_000, 15), movement("payout", -100, 1),
    ],
    ids=lambda txn: f"{txn.category} {txn.gross.minor} {txn.fee.minor} {txn.net.minor}",
)
def test_what_no_rule_fits_is_left_to_a_person(odd: TransactionFacts) -> None:
    assert draft_of(odd, "SO-2026-000001") is None


@given(st.sampled_from(sorted(IN | OUT)), st.integers(-(10**9), 10**9).filter(bool), st.integers(0, 10**5))
def test_every_entry_moves_the_clearing_account_by_the_net(category: str, gross: int, fee: int) -> None:
    txn = movement(category, gross, fee)
    draft = draft_of(txn, "SO-2026-000001")
    if draft is not None:
        assert sum(amount.minor for account, amount in draft.legs if account is C) == txn.net.minor
        assert sum(amount.minor for _, amount in draft.legs) == 0
        assert draft.source == "txn_1"
