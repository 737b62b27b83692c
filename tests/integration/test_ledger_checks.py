"""`flask books`: the checks find what the database would not have let in, and say it to people and machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import engine, is_sqlite, reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Unavailable
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger import heads, postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import CHECKS, Check, Finding, check, run_checks, ties, witness
from fulfillment.ledger.cli import cli
from fulfillment.ledger.journal import head
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import post, reverse
from tests.builders.ledger import make_draft, make_entry

OURS = (
    "trial balance", "entries balance", "reversals", "chain of hashes", "numbering", "closed periods", "heads kept outside", "right side",
    "chart of accounts",
)


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks of the ledger alone: other slices test their own."""
    for name in set(CHECKS) - set(OURS):
        monkeypatch.delitem(CHECKS, name)
    monkeypatch.setattr("fulfillment.ledger.checks.WITNESSES", {})


def wrong() -> dict[str, list[str]]:
    with reading() as session:
        return {result.name: [finding.text for finding in result.findings] for result in run_checks(session) if not result.clean}


def tamper(*statements: str) -> None:
    """Change the books as somebody would who owns the database and switches its guards off."""
    with engine().begin() as connection:
        if is_sqlite():
            for name in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(sa.text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


@pytest.fixture
def books(db: None) -> None:
    """A payment, its reversal and a second payment."""
    with transaction() as session:
        reverse(session, make_entry(session, "txn-1"), "wrong order")
        make_entry(session, "txn-2", amount=Money(700))


def test_good_books_are_clean(books: None) -> None:
    assert wrong() == {}
    with reading() as session:
        results = run_checks(session)
    assert [result.name for result in results] == list(OURS)
    assert results[0].says == "All accounts together come to zero in every currency."


def test_empty_books_are_clean(db: None) -> None:
    assert wrong() == {}


@pytest.mark.parametrize(("statement", "found"), [
    (
        "UPDATE ledger_line SET amount_minor = amount_minor + 1 WHERE entry_seq = 3 AND position = 1",
        {"trial balance", "entries balance", "chain of hashes"},
    ),
    ("UPDATE ledger_line SET amount_minor = amount_minor * 2 WHERE entry_seq = 3", {"chain of hashes"}),
    ("UPDATE ledger_line SET amount_minor = amount_minor * 2 WHERE entry_seq = 2", {"chain of hashes", "reversals", "right side"}),
    ("UPDATE ledger_line SET account = '1002' WHERE entry_seq = 3 AND position = 1", {"chain of hashes"}),
    ("UPDATE ledger_entry SET memo = 'nicer' WHERE seq = 1", {"chain of hashes"}),
    ("UPDATE ledger_entry SET document = 'SO-9' WHERE seq = 2", {"chain of hashes"}),
    ("DELETE FROM ledger_line WHERE entry_seq = 3", {"entries balance", "chain of hashes"}),
    ("UPDATE ledger_head SET seq = 2", {"chain of hashes", "numbering"}),
    ("UPDATE ledger_account SET kind = 'Equity' WHERE code = '1002'", {"chart of accounts"}),
    ("INSERT INTO ledger_account VALUES ('1009', 'Assets', 'Drawer', '抽屉')", {"chart of accounts"}),
    (
        "INSERT INTO ledger_line VALUES (3, 3, '1002', 'D', 5, 'USD'), (3, 4, '2204', 'C', -5, 'USD')",
        {"entries balance", "chain of hashes"},
    ),
])
def test_what_was_tampered_with_is_found(books: None, statement: str, found: set[str]) -> None:
    tamper(statement)
    assert set(wrong()) == found


def test_a_removed_tail_is_found_by_the_head_kept_outside(books: None, chosen_settings: Settings) -> None:
    with reading() as session:
        heads.keep(chosen_settings.var_dir, *head(session), datetime(2026, 3, 2, tzinfo=UTC), "month's end")
    assert wrong() == {}
    tamper(
        "DELETE FROM ledger_line WHERE entry_seq = 3", "DELETE FROM ledger_entry WHERE seq = 3",
        "UPDATE ledger_head SET seq = 2, hash = (SELECT hash FROM ledger_entry WHERE seq = 2)",
    )
    assert list(wrong()) == ["heads kept outside"]


def test_an_account_on_its_wrong_side_is_found(db: None) -> None:
    with transaction() as session:
        post(session, postings.build_finished("WO-1", Money(5_000)))
    assert wrong() == {"right side": ["5001 Work in progress stands at -50.00 USD"]}


def test_a_slice_adds_a_check_and_one_that_breaks_is_a_finding(books: None, monkeypatch: pytest.MonkeyPatch) -> None:
    here: dict[str, Check] = {}
    monkeypatch.setattr("fulfillment.ledger.checks.CHECKS", here)

    @check("deposits")
    def deposits(session: Session) -> list[Finding]:
        """Customer deposits are what is paid and not shipped.

        More words for the reader of the code.
        """
        return ties(session, Account.CUSTOMER_DEPOSITS, Money(-600), to="open orders")

    @check("breaks")
    def breaks(session: Session) -> list[Finding]:
        """It cannot be asked."""
        session.execute(sa.text("SELECT * FROM no_such_table"))
        return []

    @check("after")
    def after(session: Session) -> list[Finding]:
        """It is asked all the same."""
        return ties(session, Account.CUSTOMER_DEPOSITS, Money(-700))

    with pytest.raises(RuntimeError):
        check("after")(breaks)
    assert list(here) == ["deposits", "breaks", "after"]
    with reading() as session:
        first, second, third = run_checks(session)
    assert first.says == "Customer deposits are what is paid and not shipped."
    assert [finding.text for finding in first.findings] == [
        "2204 Customer deposits stands at -7.00 USD, open orders say -6.00 USD: -1.00 USD off",
    ]
    assert "no_such_table" in second.findings[0].text
    assert third.clean


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_check_prints_a_table_and_ends_with_0_or_1(books: None) -> None:
    code, output = invoke("check")
    assert code == 0
    assert "9 checks, the books are clean" in output
    assert output.startswith("ok    trial balance")

    tamper("UPDATE ledger_entry SET memo = 'nicer' WHERE seq = 2")
    code, output = invoke("check")
    assert code == 1
    assert "WRONG chain of hashes" in output
    assert "entry 2 is not what was written: its hash differs [txn-1]" in output
    assert "9 checks, 1 wrong" in output


@pytest.mark.parametrize(("env", "ends"), [("test", 0), ("production", 1)])
def test_a_witness_that_is_not_heard_is_said_and_counts_in_production(books: None, chosen_settings: Settings, env: str, ends: int) -> None:
    @witness("the bank")
    def bank() -> Check:
        """The bank says the same."""
        raise Unavailable("The bank is shut.")

    use(replace(chosen_settings, env=env))
    code, output = invoke("check")
    assert code == ends
    assert "not asked: the bank: The bank is shut." in output
    assert output.splitlines()[-1] == "9 checks, the books are clean; 1 not asked"


def test_a_witness_that_is_heard_is_a_check(books: None, chosen_settings: Settings) -> None:
    @witness("the bank")
    def bank() -> Check:
        """The bank says the same."""
        return lambda session: ties(session, Account.BANK, Money(5), to="the bank")

    use(replace(chosen_settings, env="production"))
    code, output = invoke("check")
    assert code == 1
    assert "WRONG the bank" in output
    assert "The bank says the same." in output
    assert output.splitlines()[-1] == "10 checks, 1 wrong"


def test_balance_prints_what_every_account_stands_at(db: None) -> None:
    with transaction() as session:
        post(session, postings.payment_captured("SO-1", "txn-1", Money(1_256_800), Money(7_477)))
        post(session, make_draft("later", effective=date(2027, 1, 1)))
    code, output = invoke("balance", "--as-of", "2026-12-31")
    assert code == 0
    assert [line.split()[:3] for line in output.splitlines()] == [
        ["Account", "Debit", "Credit"], ["1012PSP", "12,493.23", "USD"], ["2204", "12,568.00", "USD"], ["6603F", "74.77", "USD"],
        ["Total", "12,568.00", "12,568.00"],
    ]
    assert "客户" not in output
    assert "合同负债" in output


def test_head_prints_the_last_entry_and_keeps_it_when_asked(books: None, chosen_settings: Settings) -> None:
    with reading() as session:
        last = session.get_one(Entry, 3)
    assert f"3 {last.hash}" in invoke("head")[1]
    assert heads.kept(chosen_settings.var_dir) == []
    assert invoke("head", "--keep", "audit")[0] == 0
    assert [(kept.seq, kept.hash, kept.reason) for kept in heads.kept(chosen_settings.var_dir)] == [(3, last.hash, "audit")]


def test_close_refuses_unclean_books_and_keeps_the_head(books: None, chosen_settings: Settings) -> None:
    with frozen(datetime(2030, 1, 3, tzinfo=UTC)):
        code, output = invoke("close", "2030-01-02", "--by", "An")
        assert code == 0, output
        assert [kept.reason for kept in heads.kept(chosen_settings.var_dir)] == ["closed up to 2030-01-02 by An"]
        assert wrong() == {}

        tamper("UPDATE ledger_entry SET memo = 'nicer' WHERE seq = 2")
        assert invoke("close", "2030-01-02", "--by", "An")[0] == 1
    assert len(heads.kept(chosen_settings.var_dir)) == 1
