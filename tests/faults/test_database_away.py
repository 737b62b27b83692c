"""The records locked or gone for ten seconds, under an open house and in the middle of orders.

On SQLite another process holds the database for itself: whoever only reads does not notice, whoever
writes waits its turn. PostgreSQL is stopped and started again under two web and two worker processes:
pages say so with a 503 and words, and everybody goes on by himself when it is back.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from flask.testing import FlaskClient

from configurator.models import Quote
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.settings import Settings, use
from fulfillment.migrations import upgrade
from fulfillment.orders.models import OrderStatus
from storefront.demo.house import House
from storefront.demo.seed import seed_house
from storefront.demo.story import Customer
from tests.builders.open_house import buy, count, house_settings, nothing_lost_nothing_twice, retrying, wait_for
from tests.builders.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ORDERS, SECONDS = 6, 10
SORRY = "Our records are busy. Nothing was changed; please try again in a moment."

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@contextmanager
def held_by_another(path: str) -> Iterator[None]:
    """Another process has a SQLite file for itself."""
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            yield
        finally:
            other.communicate("")
    assert other.returncode == 0


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    """The server is away, its connections dead."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@dataclass(frozen=True)
class Records:
    """A database that can be taken away."""

    url: str
    away: Callable[[], AbstractContextManager[None]]

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite")


@pytest.fixture
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """A seeded database of the test's own: its server is the test's to stop."""
    if request.config.getoption("--database") == "sqlite":
        path = tmp_path / "shop.db"
        yield from _seeded(Records(f"sqlite:///{path}", lambda: held_by_another(str(path))))
        return
    with PostgresServer(tmp_path) as server:
        yield from _seeded(Records(server.create("shop"), lambda: stopped(server)))


def _seeded(records: Records) -> Iterator[Records]:
    upgrade(records.url)
    database.connect(records.url)
    with transaction() as session:
        seed_house(session, "correct horse battery")
    yield records
    database.disconnect()


@dataclass
class Seen:
    """What a visitor saw of a page while the records were away."""

    page: str
    status: int
    seconds: float
    retry_after: str
    text: str


def look(house: House, page: str) -> Seen:
    began = time.monotonic()
    response = requests.get(house.url + page, timeout=30)
    return Seen(page, response.status_code, time.monotonic() - began, response.headers.get("Retry-After", ""), response.text)


def put_into_cart(house: House) -> str:
    """A write by a form, while the records are away; the page it leads to."""
    customer = Customer(lambda _what, _where: None, house.url)
    customer.go("/accessories/MON-24")
    return customer.send("/cart/items", quantity="1")


def test_ten_seconds_without_records_lose_nothing_and_do_nothing_twice(records: Records, chosen_settings: Settings) -> None:
    settings = house_settings(chosen_settings, records.url)
    use(settings)
    with House(settings, 0, pace="0") as house, ThreadPoolExecutor(ORDERS + 1) as pool:
        look(house, "/products/skein-14")
        customers = [pool.submit(buy, house, number) for number in range(ORDERS)]
        wait_for(lambda: sum(map(count, OrderStatus)) > 0, 60, "the first order is booked")
        seen: list[Seen] = []
        with records.away():
            writer = pool.submit(put_into_cart, house) if records.sqlite else None
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                seen += [look(house, page) for page in ("/", "/products/skein-14", "/configure/hearth-t", "/healthz")]
                time.sleep(0.1)
        if records.sqlite:
            readers_did_not_notice(seen)
        else:
            visitors_were_told(seen)
        if writer is not None:
            assert "MON-24" in writer.result(60), "whoever wrote has waited for his turn"
        numbers = [customer.result(200) for customer in customers]
        wait_for(lambda: count(OrderStatus.DELIVERED) == ORDERS, 200, "all are delivered")  # a lease of a broken call ends after 90 s
        wait_for(lambda: not retrying(), 120, "every job that failed is done")
        assert all(child.poll() is None for child in house.children.values()), "nobody had to be started again"
        nothing_lost_nothing_twice(house, numbers)


def readers_did_not_notice(seen: list[Seen]) -> None:
    assert {look.status for look in seen} == {200}
    assert max(look.seconds for look in seen) < 5


def visitors_were_told(seen: list[Seen]) -> None:
    alive = [look for look in seen if look.page == "/healthz"]
    assert {look.status for look in alive} == {200}
    told = [look for look in seen if look.status == 503]
    assert len(told) > 20
    assert {look.status for look in seen if look.page != "/healthz"} <= {200, 503}, "never a 500"
    assert {look.retry_after for look in told} == {"5"}
    assert all(SORRY in look.text for look in told)


@pytest.mark.sqlite_only
@pytest.mark.stocked
def test_whoever_waits_too_long_is_told_and_nothing_is_written(client: FlaskClient, chosen_settings: Settings) -> None:
    def less_patience(connection: object, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=300")  # type: ignore[attr-defined]

    sa.event.listen(database.engine(), "connect", less_patience)
    database.engine().dispose()
    with held_by_another(chosen_settings.database_url.removeprefix("sqlite:///")):
        assert client.get("/products/skein-14").status_code == 200
        refused = client.post("/configure/skein-14", data={"quantity": "1", "then": "quote"})
        told = client.post("/api/v1/quotes", json={"model": "skein-14"}, headers={"Idempotency-Key": "a-key-of-mine-1234"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert SORRY in refused.text
    assert (told.status_code, told.mimetype, told.headers["Retry-After"]) == (503, "application/problem+json", "5")
    assert quotes() == 0
    assert client.post("/configure/skein-14", data={"quantity": "1", "then": "quote"}).status_code == 303
    assert quotes() == 1


def quotes() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Quote)) or 0


@pytest.mark.stocked
def test_a_table_locked_by_another_makes_writers_wait_and_readers_go_on(
    request: pytest.FixtureRequest, client: FlaskClient, chosen_settings: Settings,
) -> None:
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("SQLite has no locks of tables")
    other = sa.create_engine(chosen_settings.database_url)

    def quote() -> int:
        return client.post("/configure/skein-14", data={"quantity": "1", "then": "quote"}).status_code

    with other.begin() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(sa.text("LOCK TABLE quote IN ACCESS EXCLUSIVE MODE"))
        waiting: Future[int] = pool.submit(quote)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            assert client.application.test_client().get("/products/skein-14").status_code == 200
            assert not waiting.done()
            time.sleep(0.2)
        connection.rollback()
        assert waiting.result(30) == 303
    other.dispose()
    assert quotes() == 1
