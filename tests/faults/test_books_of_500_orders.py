"""The books of 500 orders: `flask seed --orders 500` writes them, our checks and two strangers' programs read them.

Random machines, quantities and items; some orders are forgotten, some cancelled and refunded, some machines
fail their test, the last ones are still being made.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from fulfillment.billing.models import Refund, RefundStatus
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import trial_balance
from fulfillment.orders.models import OrderStatus, SalesOrder
from tests.builders.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ORDERS = 500
PROGRAMS = Path(sys.executable).parent
HLEDGER = shutil.which("hledger") or ""


@dataclass(frozen=True)
class Books:
    """A house with a past."""

    url: str
    folder: Path

    def flask(self, *words: str) -> str:
        """Run one of the house's commands; what it prints."""
        env = {**os.environ, "FLASK_APP": "wsgi", "SHOP_DATABASE_URL": self.url, "SHOP_VAR_DIR": str(self.folder)}
        done = subprocess.run([PROGRAMS / "flask", *words], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def exported(self, form: str) -> Path:
        """The books as a stranger's program reads them."""
        path = self.folder / f"books.{form}"
        if not path.exists():
            self.flask("books", "export", "--format", form, "--output", str(path))
        return path


@pytest.fixture(scope="module")
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """The house after 500 orders, on the database of this run."""
    folder = tmp_path_factory.mktemp("house")
    if request.config.getoption("--database") == "sqlite":
        yield _with_a_past(Books(f"sqlite:///{folder}/shop.db", folder))
        return
    with PostgresServer(folder) as server:
        yield _with_a_past(Books(server.create("shop"), folder))


def _with_a_past(books: Books) -> Books:
    said = books.flask("seed", "--orders", str(ORDERS))
    assert f"{ORDERS} orders in" in said
    return books


@pytest.fixture
def connected(books: Books) -> Iterator[None]:
    database.connect(books.url)
    yield
    database.disconnect()


def ours() -> dict[str, Decimal]:
    """The trial balance, in dollars."""
    with reading() as session:
        return {account.path: amount.decimal() for (account, _), amount in trial_balance(session).items() if amount}


def test_the_checks_find_nothing(books: Books) -> None:
    said = books.flask("books", "check")
    assert "the books are clean" in said
    assert "WRONG" not in said


def test_every_kind_of_order_is_among_them(connected: None) -> None:
    with reading() as session:
        orders = Counter(session.scalars(sa.select(SalesOrder.status)))
        refunds = Counter(session.scalars(sa.select(Refund.status)))
        kinds = Counter(session.scalars(sa.select(Entry.kind)))
        left = session.scalars(sa.select(Job.kind).where(Job.state == JobState.READY)).all()
    assert orders.total() == ORDERS
    assert orders[OrderStatus.DELIVERED] > 400
    assert 20 < orders[OrderStatus.CANCELLED] < 100
    assert set(orders) >= {OrderStatus.IN_PRODUCTION, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CANCELLED}
    assert set(refunds) == {RefundStatus.SUCCEEDED}
    assert kinds["refund_settled"] == kinds["refund_requested"] == refunds.total() > 20
    still_here = orders[OrderStatus.IN_PRODUCTION] + orders[OrderStatus.PAID]
    assert kinds["payment_captured"] == kinds["sale_recognised"] + refunds.total() + still_here
    assert kinds["part_scrapped"] > 0
    assert set(left) <= {"orders.lapse"}, "all that was caused was done"


def test_a_sale_is_recognised_only_for_what_left_the_house(connected: None) -> None:
    with reading() as session:
        gone = (OrderStatus.SHIPPED, OrderStatus.DELIVERED)
        net, tax, count = session.execute(
            sa.select(sa.func.sum(SalesOrder.net_minor + SalesOrder.shipping_minor), sa.func.sum(SalesOrder.tax_minor), sa.func.count())
            .where(SalesOrder.status.in_(gone))
        ).one()
        standing = {account: amount.minor for (account, _), amount in trial_balance(session).items()}
        entries = session.scalar(sa.select(sa.func.count()).select_from(Entry).filter_by(kind="sale_recognised"))
    assert -standing[Account.REVENUE] == net
    assert -standing[Account.OUTPUT_TAX] == tax
    assert entries == count


def test_beancount_accepts_them_with_the_same_balances(books: Books, connected: None) -> None:
    path = books.exported("beancount")
    checked = subprocess.run([PROGRAMS / "bean-check", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    from beancount import loader
    from beancount.core import data

    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    theirs: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, data.Transaction) else ():
            assert posting.units is not None
            assert posting.units.number is not None
            theirs[posting.account] += posting.units.number
    assert {account: number for account, number in theirs.items() if number} == ours()


@pytest.mark.skipif(not HLEDGER, reason="hledger is not installed")
def test_hledger_accepts_them_with_the_same_balances(books: Books, connected: None) -> None:
    program = [HLEDGER, "-f", str(books.exported("hledger"))]
    checked = subprocess.run([*program, "check", "--strict", "ordereddates"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    balance = [*program, "balance", "--flat", "-N", "-O", "csv", "--layout=bare", "-E"]
    rows = csv.DictReader(StringIO(subprocess.run(balance, capture_output=True, text=True, check=True).stdout))
    theirs = {row["account"]: Decimal(row["balance"]) for row in rows}
    assert {account: number for account, number in theirs.items() if number} == ours()
