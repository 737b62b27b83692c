"""Strangers read the books: beancount and hledger accept them, and add up to the same cent as we do."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.cli import cli
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.export import export_books, figure
from fulfillment.ledger.service import post_all, reverse, trial_balance
from tests.builders.ledger import make_draft, make_entry

BEAN_CHECK = Path(sys.executable).parent / "bean-check"
HLEDGER = shutil.which("hledger") or ""

needs_hledger = pytest.mark.skipif(not HLEDGER, reason="hledger is not installed")
PROGRAMS = [("beancount", [str(BEAN_CHECK)]), pytest.param("hledger", [HLEDGER, "check", "-s", "-f"], marks=needs_hledger)]

TEXTS = (
    "", "plain", 'he said "no"', "it's 5 o'clock", "back\\slash \\n", "new\nline\r\nand\ttab", "; comment", "a | b", "* star", "! bang",
    "(code) x", "云雀工坊：订单，付款", "emoji 🖥️ and é", "#tag ^link", "a, b: c", "[2026-01-01]", "  two  blanks  ", "=2026-01-01",
    "\u2028\u0085\u200b", "{curly} @ 5 USD", '"', "\\", "'", "2026-01-01 open", "end comment", "x" * 1000, "date:2020-01-01",
    "%s &amp; <b>",
)


def random_draft(random: Random, number: int) -> Draft:
    """An entry no rule of ours would make: any accounts, several currencies, texts from hell."""
    legs: list[tuple[Account, Money]] = []
    for currency in random.sample(["USD", "USD", "EUR", "JPY", "KWD"], random.choice([1, 1, 1, 2])):
        minors = [random.choice([1, -1]) * random.randint(1, 10 ** random.randint(1, 14)) for _ in range(random.randint(1, 4))]
        legs += [(random.choice(list(Account)), Money(minor, currency)) for minor in [*minors, -sum(minors)]]
    text = random.choice(TEXTS)
    return Draft(
        random.choice(["payment_captured", "goods_dispatched"]), f"{random.choice(TEXTS)[:40]}-{number}",
        tuple(legs), text, date(2026, 1, 1) + timedelta(days=random.randint(0, 300)), random.choice(["SO-2026-000001", text[:60]]),
    )


@pytest.fixture
def books(db: None) -> None:
    """Four hundred random entries and some reversals."""
    random = Random(7)
    with transaction() as session:
        entries = post_all(session, [random_draft(random, number) for number in range(400)])
        for entry in random.sample(entries, 15):
            reverse(session, entry, random.choice(TEXTS), effective=entry.effective + timedelta(days=3))


def ours() -> dict[tuple[str, str], str]:
    with reading() as session:
        standing = trial_balance(session)
    return {(account.path, currency): figure(amount).split(" ")[0] for (account, currency), amount in standing.items() if amount}


def exported(folder: Path, format_: str) -> Path:
    path = folder / f"books.{format_}"
    result = CliRunner().invoke(cli, ["export", "--format", format_, "--output", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    return path


def test_beancount_accepts_the_books_and_adds_up_to_the_same(books: None, tmp_path: Path) -> None:
    path = exported(tmp_path, "beancount")
    checked = subprocess.run([BEAN_CHECK, path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    from beancount import loader
    from beancount.core import data

    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    theirs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    transactions = [entry for entry in entries if isinstance(entry, data.Transaction)]
    for entry in transactions:
        for posting in entry.postings:
            assert posting.units is not None
            assert posting.units.number is not None
            theirs[posting.account, posting.units.currency] += posting.units.number
    assert {key: str(number) for key, number in theirs.items() if number} == ours()
    assert len(transactions) == 415
    assert sum(isinstance(entry, data.Open) for entry in entries) == len(Account)
    quoted = next(entry for entry in transactions if entry.narration == 'he said "no"')
    assert quoted.tags <= {"payment_captured", "goods_dispatched", "reversal"}


@needs_hledger
def test_hledger_accepts_the_books_and_adds_up_to_the_same(books: None, tmp_path: Path) -> None:
    path = exported(tmp_path, "hledger")
    program = [HLEDGER, "-f", str(path)]
    checked = subprocess.run([*program, "check", "--strict", "ordereddates"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    balance = [*program, "balance", "--flat", "-N", "-O", "csv", "--layout=bare", "-E"]
    table = subprocess.run(balance, capture_output=True, text=True, check=True).stdout
    rows = list(csv.DictReader(StringIO(table)))
    theirs = {(row["account"], row["commodity"]): row["balance"] for row in rows if row["balance"].strip("-0.")}
    assert theirs == ours()
    counted = subprocess.run([*program, "print", "-O", "csv"], capture_output=True, text=True, check=True).stdout
    assert len({row["txnidx"] for row in csv.DictReader(StringIO(counted))}) == 416


@pytest.mark.parametrize(("format_", "program"), PROGRAMS)
@pytest.mark.parametrize("change", [("  100.00 USD", "  100.01 USD"), ("1002-Bank  40.00", "1001-Cash-on-hand  40.00")])
def test_a_changed_cent_or_account_is_noticed_by_them(
    db: None, tmp_path: Path, format_: str, program: list[str], change: tuple[str, str],
) -> None:
    with transaction() as session:
        make_entry(session)
        post_all(session, [make_draft("2", amount=Money(4_000), debit=Account.BANK)])
    path = exported(tmp_path, format_)
    assert subprocess.run([*program, path], capture_output=True, check=False).returncode == 0
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    assert subprocess.run([*program, path], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(("format_", "program"), PROGRAMS)
def test_empty_books_are_accepted_too(db: None, tmp_path: Path, format_: str, program: list[str]) -> None:
    assert subprocess.run([*program, exported(tmp_path, format_)], capture_output=True, check=False).returncode == 0


def test_every_entry_leads_back_to_its_document(db: None) -> None:
    with transaction() as session:
        post_all(session, [make_draft("txn_1", memo="Paid at last", effective=date(2026, 3, 2))])
    assert paragraph("beancount", "Paid at last") == [
        '2026-03-02 * "Paid at last" #payment_captured ^txn_1', "  seq: 1", '  source: "txn_1"', '  document: "txn_1"',
        "  Assets:1012PSP-Card-payments-in-clearing  100.00 USD", "  Liabilities:2204-Customer-deposits  -100.00 USD",
    ]
    assert paragraph("hledger", "Paid at last") == paragraph("ledger", "Paid at last") == [
        "2026-03-02 * (1) Paid at last", "    ; kind:payment_captured", "    ; source:txn_1", "    ; document:txn_1",
        "    Assets:1012PSP-Card-payments-in-clearing  100.00 USD", "    Liabilities:2204-Customer-deposits  -100.00 USD",
    ]


def paragraph(format_: str, title: str) -> list[str]:
    """The entry of this title, but for its hash."""
    with reading() as session:
        blocks = "\n".join(export_books(session, format_)).split("\n\n")
    [block] = [block for block in blocks if title in block]
    return [line for line in block.split("\n") if "sha256" not in line]
