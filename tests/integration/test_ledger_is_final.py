"""The database itself refuses every hostile act on the books, whoever is connected."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fulfillment.kernel import db as database
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.chain import GENESIS
from fulfillment.ledger.checks import CHECKS, run_checks
from fulfillment.ledger.closing import AlreadyClosed, NotOver, close_period
from fulfillment.ledger.models import Entry, EntryLine, LedgerAccount, LedgerHead, PeriodClose
from fulfillment.ledger.service import PeriodClosed, balance, post, reverse
from tests.builders.ledger import make_draft, make_entry

MARCH = datetime(2026, 3, 20, tzinfo=UTC)
LINES = (("1012PSP", 500), ("2204", -500))


@pytest.fixture(autouse=True)
def books(db: None) -> None:
    """Two entries of 100.00 in March; everything before March is closed."""
    with frozen(MARCH):
        with transaction() as session:
            make_entry(session, "txn-1")
            make_entry(session, "txn-2")
        with transaction() as session:
            close_period(session, date(2026, 2, 28), "an accountant")


def forge(
    connection: sa.Connection, lines: tuple[tuple[str, Any], ...] = LINES, *, line_count: int | None = None, currencies: str = "USD USD",
    move_head: bool = True, **changes: Any,
) -> None:
    """Write an entry behind the service's back, in every way as it would, but for the changes."""
    sqlite = connection.dialect.name == "sqlite"
    entry = {
        "seq": 3, "kind": "payment_captured", "source": "txn-3", "document": "SO-1", "memo": "", "effective": date(2026, 3, 20),
        "posted_at": MARCH, "reverses": None, "line_count": line_count or len(lines), "content": GENESIS, "version": 1, "hash": "f" * 64,
        "unsealed": 0 if sqlite else None, **changes,
    }
    connection.execute(sa.insert(Entry), [entry])
    rows = zip(lines, currencies.split() * 2, strict=False)
    for position, ((account, minor), currency) in enumerate(rows, 1):
        add_line(connection, entry["seq"], position, (account, minor), currency)
    if move_head:
        connection.execute(sa.update(LedgerHead).values(seq=entry["seq"], hash=entry["hash"]))
    if sqlite:
        connection.execute(sa.update(Entry).where(Entry.seq == entry["seq"]).values(unsealed=None))


def add_line(connection: sa.Connection, seq: int, position: int, leg: tuple[str, Any], currency: str = "USD") -> None:
    account, minor = leg
    connection.execute(
        sa.text("INSERT INTO ledger_line (entry_seq, position, account, side, amount_minor, currency) VALUES (:s, :p, :a, :d, :m, :c)"),
        {"s": seq, "p": position, "a": account, "d": "D" if minor > 0 else "C", "m": minor, "c": currency},
    )


def contents() -> list[list[Any]]:
    with reading() as session:
        return [
            sorted(session.execute(sa.select(*model.__table__.c)).all(), key=str)
            for model in (Entry, EntryLine, LedgerHead, LedgerAccount, PeriodClose)
        ]


LEDGER_S_OWN = {name for name, function in CHECKS.items() if function.__module__ == "fulfillment.ledger.checks"}
"""What other slices check has no documents here."""


def refused(act: Any, *, words: str = ".") -> None:
    """The act fails, at once or at the commit, and the books are as they were and clean."""
    before = contents()
    with pytest.raises((DBAPIError, sa.exc.StatementError), match=words), database.engine().begin() as connection:
        act(connection)
    assert contents() == before
    with reading() as session:
        assert [result.name for result in run_checks(session) if result.name in LEDGER_S_OWN and not result.clean] == []


def test_a_good_entry_is_accepted() -> None:
    with database.engine().begin() as connection:
        forge(connection)
    with reading() as session:
        assert balance(session, Account.CARD_CLEARING) == Money(20_500)


@pytest.mark.parametrize(("lines", "words"), [
    ((("1012PSP", 501), ("2204", -500)), "sums to zero"),
    ((("1012PSP", 500),), "two_lines"),
    ((("1012PSP", 500), ("1002", 500)), "sums to zero"),
    ((("1012PSP", 500), ("2204", -500), ("6603F", 0)), "amount_not_zero"),
    ((("1012PSP", 500), ("9999", -500)), "(?i)foreign key|no such account"),
    ((), "two_lines"),
])
def test_a_wrong_entry_is_refused(lines: tuple[tuple[str, int], ...], words: str) -> None:
    refused(lambda connection: forge(connection, lines), words=words)


@pytest.mark.parametrize("line_count", [1, 3])
def test_an_entry_with_fewer_or_more_lines_than_it_says_is_refused(line_count: int) -> None:
    refused(lambda connection: forge(connection, line_count=line_count))


def test_currencies_do_not_make_up_for_each_other() -> None:
    refused(lambda connection: forge(connection, currencies="USD EUR"), words="sums to zero")


@pytest.mark.parametrize("minor", [500.5, "500"])
def test_an_amount_that_is_no_whole_number_is_refused(minor: Any) -> None:
    if minor == "500" and not database.is_sqlite():
        pytest.skip("PostgreSQL reads it as the number it is")
    refused(lambda connection: forge(connection, (("1012PSP", 0.5), ("2204", -0.5))) if minor == 500.5 else add_raw_text(connection))


def add_raw_text(connection: sa.Connection) -> None:
    forge(connection, (), line_count=2)
    connection.exec_driver_sql("INSERT INTO ledger_line VALUES (3, 1, '1012PSP', 'D', 'many', 'USD')")


@pytest.mark.parametrize("changes", [
    {"effective": date(2026, 2, 28)}, {"effective": date(2019, 1, 1)}, {"seq": 4}, {"seq": 2}, {"seq": 0}, {"seq": -1},
    {"source": "txn-1"}, {"reverses": 3}, {"reverses": 9}, {"reverses": 1},
])
def test_an_entry_that_does_not_belong_is_refused(changes: dict[str, Any]) -> None:
    """In a closed period, out of number, a second time, or as a reversal that negates nothing."""
    refused(lambda connection: forge(connection, **changes))


def test_a_second_reversal_is_refused() -> None:
    with transaction() as session:
        reverse(session, session.get_one(Entry, 1), "wrong order")
    lines = (("1012PSP", -10_000), ("2204", 10_000))
    refused(lambda connection: forge(connection, lines, seq=4, source="again", reverses=1))


ENTRY_CHANGES = (
    "memo = 'other'", "memo = memo || ''", "effective = '2026-03-01'", "seq = 9", "source = 'x'", "unsealed = 0", "hash = content",
)


STATEMENTS = (
    *(f"UPDATE ledger_entry SET {change} WHERE seq = 1" for change in ENTRY_CHANGES),
    "UPDATE ledger_line SET amount_minor = amount_minor * 2", "UPDATE ledger_line SET account = '1002' WHERE entry_seq = 1",
    "DELETE FROM ledger_line", "DELETE FROM ledger_line WHERE entry_seq = 2", "DELETE FROM ledger_entry WHERE seq = 2",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_head SET seq = 1", "UPDATE ledger_head SET seq = 3", "UPDATE ledger_head SET hash = 'x'", "DELETE FROM ledger_head",
    "INSERT INTO ledger_head (id, seq, hash) VALUES (2, 0, '')", "INSERT INTO ledger_head (id, seq, hash) VALUES (0, 0, '')",
    "UPDATE ledger_account SET code = '1009' WHERE code = '1001'", "UPDATE ledger_account SET kind = 'Equity'",
    "DELETE FROM ledger_account",
    "UPDATE ledger_close SET until = '2025-01-01'", "DELETE FROM ledger_close",
    "INSERT INTO ledger_close SELECT '2026-01-31', seq, hash, closed_at, closed_by FROM ledger_close",
    "INSERT INTO ledger_close SELECT '2026-03-01', 1, hash, closed_at, closed_by FROM ledger_close",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_written_stays(statement: str) -> None:
    refused(lambda connection: connection.execute(sa.text(statement)))


def test_no_line_joins_an_entry_that_is_there() -> None:
    def balanced_pair(connection: sa.Connection) -> None:
        add_line(connection, 1, 3, ("1012PSP", 500))
        add_line(connection, 1, 4, ("2204", -500))

    refused(balanced_pair)


def test_no_line_joins_without_an_entry() -> None:
    refused(lambda connection: add_line(connection, 3, 1, ("1012PSP", 500)))


def test_an_entry_that_does_not_move_the_head_is_refused() -> None:
    refused(lambda connection: forge(connection, move_head=False), words="the head moves")


def test_a_sealed_entry_without_lines_is_refused() -> None:
    refused(lambda connection: forge(connection, (), line_count=2, unsealed=None))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_line", "ledger_head", "ledger_account", "ledger_close"])
def test_truncation_is_refused(table: str) -> None:
    if database.is_sqlite():
        pytest.skip("SQLite's truncation is a DELETE, refused above")
    refused(lambda connection: connection.execute(sa.text(f"TRUNCATE {table} CASCADE")), words="append-only")


COPIED = "document, 'forged', effective, posted_at, reverses, line_count, content, version, hash, 0 FROM ledger_entry WHERE seq = 1"
UNDATED, SEALED = COPIED.replace("effective", "'later'"), COPIED.replace(", 0 FROM", ", NULL FROM")
BACK = "'x', 'x', 'x', 'x', effective, posted_at, 1, line_count, content, version, hash, 0 FROM ledger_entry WHERE seq = 1"
SHELL = (
    *STATEMENTS,
    f"INSERT OR REPLACE INTO ledger_entry SELECT 3, kind, source, {COPIED}",
    f"INSERT OR REPLACE INTO ledger_entry SELECT 1, 'x', 'x', {COPIED}",
    f"INSERT INTO ledger_entry SELECT 4, 'x', 'x', {COPIED}", f"INSERT INTO ledger_entry SELECT NULL, 'x', 'x', {COPIED}",
    f"INSERT INTO ledger_entry SELECT 3, 'x', 'x', {UNDATED}",
    f"INSERT INTO ledger_entry SELECT 3, 'x', 'x', {SEALED}",
    "REPLACE INTO ledger_line SELECT entry_seq, position, account, side, 1, currency FROM ledger_line WHERE entry_seq = 1",
    "REPLACE INTO ledger_account SELECT code, 'Equity', en, zh FROM ledger_account", "REPLACE INTO ledger_head VALUES (1, 0, 'x')",
    "REPLACE INTO ledger_close SELECT until, 0, hash, closed_at, 'me' FROM ledger_close",
    "INSERT INTO ledger_close SELECT 'later', seq, hash, closed_at, 'me' FROM ledger_close",
    "UPDATE OR REPLACE ledger_entry SET seq = 2 WHERE seq = 1",
)


@pytest.mark.parametrize("statement", SHELL)
def test_a_stranger_s_shell_is_refused_too(db: None, statement: str) -> None:
    """The sqlite3 program does not switch foreign keys on, and has a REPLACE that deletes silently."""
    if not database.is_sqlite():
        pytest.skip("only SQLite has it")
    before = contents()
    shell = sqlite3.connect(str(database.engine().url.database), isolation_level=None)
    with closing(shell), pytest.raises(sqlite3.IntegrityError):
        shell.execute(statement)
    assert contents() == before


def test_a_second_reversal_does_not_replace_the_first(db: None) -> None:
    if not database.is_sqlite():
        pytest.skip("only SQLite has REPLACE")
    with transaction() as session:
        reverse(session, session.get_one(Entry, 1), "wrong order")
    shell = sqlite3.connect(str(database.engine().url.database), isolation_level=None)
    with closing(shell), pytest.raises(sqlite3.IntegrityError, match="reversed once"):
        shell.execute(f"INSERT OR REPLACE INTO ledger_entry SELECT 4, {BACK}")


def test_an_unknown_account_is_refused_without_foreign_keys(db: None) -> None:
    if not database.is_sqlite():
        pytest.skip("only SQLite can switch them off")
    shell = sqlite3.connect(str(database.engine().url.database), isolation_level=None)
    with closing(shell):
        shell.execute("BEGIN")
        shell.execute(f"INSERT INTO ledger_entry SELECT 3, 'x', 'x', {COPIED}")
        with pytest.raises(sqlite3.IntegrityError, match="no such account"):
            shell.execute("INSERT INTO ledger_line VALUES (3, 1, '9999', 'D', 5, 'USD')")


def test_an_unsealed_entry_cannot_be_committed() -> None:
    def forgotten(connection: sa.Connection) -> None:
        connection.execute(sa.insert(Entry).values(
            seq=3, kind="k", source="s", document="s", memo="", effective=date(2026, 3, 20), posted_at=MARCH, line_count=2,
            content="", version=1, hash="", unsealed=0,
        ))

    refused(forgotten, words="(?i)foreign key|all its lines")


def test_the_service_refuses_a_closed_day_in_words() -> None:
    with pytest.raises(PeriodClosed, match="2026-02-28"), transaction() as session:
        post(session, make_draft("late", effective=date(2026, 2, 28)))
    with transaction() as session:
        assert post(session, make_draft("in time", effective=date(2026, 3, 1))).seq == 3
        assert make_entry(session, "txn-1").seq == 1


def test_an_event_of_a_closed_day_told_again_finds_its_entry() -> None:
    with frozen(datetime(2026, 4, 10, tzinfo=UTC)):
        with transaction() as session:
            close_period(session, date(2026, 3, 31), "an accountant")
        with transaction() as session:
            assert make_entry(session, "txn-1").seq == 1


def test_a_close_goes_forward_and_only_over_days_that_are_over() -> None:
    with frozen(MARCH):
        for until, refusal in ((date(2026, 3, 20), NotOver), (date(2026, 2, 28), AlreadyClosed), (date(2025, 2, 28), AlreadyClosed)):
            with pytest.raises(refusal), transaction() as session:
                close_period(session, until, "an accountant")
        with transaction() as session:
            assert close_period(session, date(2026, 3, 19), "an accountant").seq == 2


def test_names_of_accounts_may_change() -> None:
    with transaction() as session:
        session.execute(sa.update(LedgerAccount).where(LedgerAccount.code == Account.BANK).values(en="House bank"))
        assert session.get_one(LedgerAccount, Account.BANK).en == "House bank"
