"""Each row of the posting table: which accounts it touches, by how much, and under which key it is posted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.kernel.money import Money
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account, AccountKind
from fulfillment.ledger.draft import Draft, Unbalanced, totals

USD = Money


def legs(draft: Draft) -> dict[str, int]:
    """What each account gets, by its code."""
    booked: dict[str, int] = {}
    for account, amount in draft.legs:
        booked[account.code] = booked.get(account.code, 0) + amount.minor
    return booked


ROWS: list[tuple[Draft, str, str, dict[str, int]]] = [
    (postings.payment_captured("SO-1", "txn-1", USD(5_850), USD(58)), "txn-1", "SO-1", {"1012PSP": 5_792, "2204": -5_850, "6603F": 58}),
    (postings.card_fee_charged("txn-1", USD(200)), "txn-1", "txn-1", {"6603F": 200, "1012PSP": -200}),
    (postings.refund_requested("SO-1", "refund-1", USD(900)), "refund-1", "SO-1", {"2204": 900, "2241R": -900}),
    (postings.refund_requested("SO-1", "refund-1", USD(900), invoiced=True), "refund-1", "SO-1", {"6001A": 900, "2241R": -900}),
    (postings.refund_settled("SO-1", "txn-2", USD(900)), "txn-2", "SO-1", {"2241R": 900, "1012PSP": -900}),
    (postings.refund_failed("SO-1", "txn-3", USD(900)), "txn-3", "SO-1", {"1012PSP": 900, "2241R": -900}),
    (postings.payout_settled("txn-4", USD(700)), "txn-4", "txn-4", {"1002": 700, "1012PSP": -700}),
    (postings.payout_returned("txn-5", USD(700)), "txn-5", "txn-5", {"1012PSP": 700, "1002": -700}),
    (postings.dispute_opened("SO-1", "txn-6", USD(900), USD(1_500)), "txn-6", "SO-1", {"1221DSP": 900, "1012PSP": -2_400, "6603F": 1_500}),
    (postings.dispute_won("SO-1", "txn-7", USD(900), USD(1_500)), "txn-7", "SO-1", {"1012PSP": 2_400, "1221DSP": -900, "6603F": -1_500}),
    (postings.dispute_lost("SO-1", "dp-1", USD(900)), "dp-1", "SO-1", {"6711": 900, "1221DSP": -900}),
    (postings.parts_received("GR-1", USD(5_000), order_number="PO-1"), "GR-1", "PO-1", {"1403": 5_000, "2202G": -5_000}),
    (postings.supplier_invoiced("SI-1", USD(5_000), order_number="PO-1"), "SI-1", "PO-1", {"2202G": 5_000, "2202": -5_000}),
    (postings.supplier_invoiced("SI-1", USD(5_200), received=USD(5_000)), "SI-1", "SI-1", {"2202G": 5_000, "1404": 200, "2202": -5_200}),
    (postings.supplier_invoiced("SI-1", USD(4_900), received=USD(5_000)), "SI-1", "SI-1", {"2202G": 5_000, "1404": -100, "2202": -4_900}),
    (postings.supplier_paid("tr-1", USD(5_000), number="SI-1"), "tr-1", "SI-1", {"2202": 5_000, "1002": -5_000}),
    (postings.stock_counted("count-1", USD(100), USD(350)), "count-1", "count-1", {"1403": -250, "6602V": 250}),
    (postings.parts_revalued("cost-1", USD(1_000), USD(900)), "cost-1", "cost-1", {"1403": -100, "1404": 100}),
    (postings.parts_issued("WO-1", USD(4_000)), "WO-1", "WO-1", {"5001": 4_000, "1403": -4_000}),
    (postings.parts_issued("WO-1", USD(40), key="WO-1:rework-1"), "WO-1:rework-1", "WO-1", {"5001": 40, "1403": -40}),
    (postings.parts_returned("WO-1", USD(40)), "WO-1", "WO-1", {"1403": 40, "5001": -40}),
    (postings.part_scrapped("WO-1", USD(40), key="serial-9"), "serial-9", "WO-1", {"6602S": 40, "5001": -40}),
    (postings.labour_applied("WO-1", USD(100)), "WO-1", "WO-1", {"5001": 100, "2211": -100}),
    (postings.build_finished("WO-1", USD(4_100)), "WO-1", "WO-1", {"1405": 4_100, "5001": -4_100}),
    (postings.goods_dispatched("SH-1", USD(4_100), USD(50)), "SH-1", "SH-1", {"1406S": 4_150, "1405": -4_100, "1403": -50}),
    (postings.goods_dispatched("SH-1", USD(0), USD(50), order_number="SO-1"), "SH-1", "SO-1", {"1406S": 50, "1403": -50}),
    (postings.invoice_issued("INV-1", USD(500_000), USD(85_000)), "INV-1", "INV-1", {"1122": 585_000, "2204": -500_000, "2221O": -85_000}),
    (postings.sale_recognised("INV-1", USD(900), USD(415)), "INV-1", "INV-1", {"2204": 900, "6001": -900, "6401": 415, "1406S": -415}),
    (postings.deposit_applied("INV-1", USD(585_000), order_number="SO-1"), "INV-1", "SO-1", {"2204": 585_000, "1122": -585_000}),
    (postings.invoice_paid("tr-2", USD(10), invoice="INV-1"), "tr-2", "INV-1", {"1002": 10, "1122": -10}),
    (postings.tax_remitted("TX-2026-03", USD(85_000)), "TX-2026-03", "TX-2026-03", {"2221O": 85_000, "1002": -85_000}),
    (postings.entered_by_hand("k", Account.CARD_FEES, Account.BANK, USD(5), reason="why", by="An"), "k", "k", {"6603F": 5, "1002": -5}),
    (postings.opening("open", {Account.BANK: USD(90), Account.PAYABLE: USD(-20)}), "open", "open", {"1002": 90, "2202": -20, "4001": -70}),
]


@pytest.mark.parametrize(("draft", "source", "document", "expected"), ROWS, ids=lambda value: getattr(value, "kind", ""))
def test_a_rule_books_what_the_accountant_says(draft: Draft, source: str, document: str, expected: dict[str, int]) -> None:
    assert legs(draft) == expected
    assert (draft.source, draft.document) == (source, document)
    assert draft.legs[0][1].minor > 0 or draft.kind in {"stock_counted", "parts_revalued"}, "the debit stands first"


def test_every_rule_of_the_table_is_tried_and_posts_under_its_own_name() -> None:
    assert {draft.kind for draft, *_ in ROWS} == set(postings.RULES)
    assert all(function.__doc__ for function in postings.RULES.values())


def test_a_fee_of_nothing_is_left_out() -> None:
    assert len(postings.payment_captured("SO-1", "txn-1", USD(100), USD(0)).legs) == 2


def test_a_sale_leaves_nothing_between_payment_and_revenue() -> None:
    steps = [
        postings.payment_captured("SO-1", "t", USD(451_887), USD(13_000)), postings.parts_received("GR", USD(250_000)),
        postings.parts_issued("WO", USD(250_000)), postings.build_finished("WO", USD(250_000)),
        postings.goods_dispatched("SH", USD(250_000), USD(0)), postings.invoice_issued("INV", USD(399_900), USD(51_987)),
        postings.sale_recognised("INV", USD(399_900), USD(250_000)), postings.deposit_applied("INV", USD(451_887)),
    ]
    ends: dict[str, int] = {}
    for draft in steps:
        for code, minor in legs(draft).items():
            ends[code] = ends.get(code, 0) + minor
    assert {code: minor for code, minor in ends.items() if minor} == {
        "1012PSP": 438_887, "6603F": 13_000, "2202G": -250_000, "6001": -399_900, "2221O": -51_987, "6401": 250_000,
    }


def test_amounts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        postings.payment_captured("SO-1", "txn-1", USD(-1), USD(0))


@pytest.mark.parametrize("made", [
    lambda: Draft("k", "s", ((Account.BANK, USD(1)), (Account.CAPITAL, USD(-2)))),
    lambda: Draft("k", "s", ((Account.BANK, USD(1)), (Account.CAPITAL, Money(-1, "EUR")))),
    lambda: Draft("k", "s", ((Account.BANK, USD(0)), (Account.CAPITAL, USD(0)))),
    lambda: Draft("k", "s", ()),
])
def test_a_draft_that_does_not_balance_cannot_be_made(made: object) -> None:
    with pytest.raises(Unbalanced):
        made()  # type: ignore[operator]


@pytest.mark.parametrize("texts", [("", "s", ""), ("k", "", ""), ("k", "s\0", ""), ("k", "s", "\ud800")])
def test_a_draft_without_a_name_or_with_letters_no_book_can_hold_cannot_be_made(texts: tuple[str, str, str]) -> None:
    kind, source, memo = texts
    with pytest.raises(ValueError, match=r"entry needs|not a text"):
        Draft(kind, source, ((Account.BANK, USD(1)), (Account.CAPITAL, USD(-1))), memo)


@given(st.lists(st.tuples(st.sampled_from(list(Account)), st.integers(-(2**50), 2**50)), min_size=1), st.booleans())
def test_a_draft_that_could_be_made_balances_and_has_no_zero_leg(booked: list[tuple[Account, int]], red: bool) -> None:
    rest = -sum(minor for _, minor in booked)
    wanted = (*((account, USD(minor)) for account, minor in booked), (Account.CAPITAL, USD(rest)))
    try:
        draft = Draft("k", "s", wanted, red=red)
    except Unbalanced:
        assert not any(minor for _, minor in booked)
        return
    assert not any(totals(draft.legs).values())
    assert all(draft.legs[i][1] for i in range(len(draft.legs)))
    assert {draft.side(amount) for _, amount in draft.legs} == {"D", "C"}


def test_the_chart_has_two_names_for_every_account_and_paths_of_plain_letters() -> None:
    assert len({account.en for account in Account}) == len({account.zh for account in Account}) == len(Account)
    assert Account.of("1012PSP") is Account.CARD_CLEARING
    assert Account.CARD_CLEARING.path == "Assets:1012PSP-Card-payments-in-clearing"
    assert Account.REVENUE.kind is AccountKind.INCOME
    assert Account.WIP.names == {"en": "Work in progress", "zh": "生产成本"}


def test_the_migrations_chart_is_the_code_s() -> None:
    import runpy

    from fulfillment import migrations

    steps = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    rows = [row for path in steps for row in runpy.run_path(str(path)).get("CHART", ())]
    assert sorted(rows) == sorted((a.code, a.kind.value, a.en, a.zh) for a in Account)
