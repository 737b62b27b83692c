"""Fixtures of the whole suite: a fresh database for every test, on SQLite or on PostgreSQL.

A template database is migrated once per run; each test gets a copy (a file, or `CREATE DATABASE …
TEMPLATE`), commits for real, and throws it away. `--database=postgresql` starts a PostgreSQL
server of the test's own on a Unix socket, and stops it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import wsgi
from fulfillment.kernel import db as database
from fulfillment.kernel.settings import Settings, use
from fulfillment.migrations import upgrade
from tests.builders.postgres import PostgresServer

SHARED = Path(__file__).parent.parent.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", default="sqlite", choices=["sqlite", "postgresql"], help="where the suite keeps its data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("shared") and not SHARED.exists():
            item.add_marker(pytest.mark.skip(reason="the public data folder is not beside this checkout"))
        if item.get_closest_marker("sqlite_only") and item.config.getoption("--database") != "sqlite":
            item.add_marker(pytest.mark.skip(reason="about something that only SQLite has"))


@pytest.fixture(scope="session")
def _template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of a migrated, empty database, and of the server's maintenance database."""
    wsgi.load_slices()

    if request.config.getoption("--database") == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('template')}/template.db"
        upgrade(url)
        yield url, ""
        return
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        upgrade(server.create("template_shop"))
        yield server.url("template_shop"), server.url("postgres")


@pytest.fixture(scope="session")
def _stocked(_template: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The template with the real catalogue released in it: the file, or the name of the database."""
    from configurator.seed import seed_catalogue

    template, maintenance = _template
    if maintenance:
        _copy_database(maintenance, "template_shop", "template_stocked")
        database.connect(maintenance.replace("/postgres?", "/template_stocked?"))
    else:
        stocked = tmp_path_factory.mktemp("stocked") / "template.db"
        shutil.copy(template.removeprefix("sqlite:///"), stocked)
        database.connect(f"sqlite:///{stocked}")
    with database.transaction() as session:
        seed_catalogue(session)
    if not maintenance:
        with database.engine().connect() as connection:
            connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.disconnect()
    return "template_stocked" if maintenance else str(stocked)


def _copy_database(maintenance: str, source: str, name: str) -> None:
    admin = sa.create_engine(maintenance, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {source}"))
    admin.dispose()


@pytest.fixture
def db_url(request: pytest.FixtureRequest, _template: tuple[str, str], tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database; with the real catalogue in it for tests marked `stocked`."""
    template, maintenance = _template
    stocked = request.getfixturevalue("_stocked") if request.node.get_closest_marker("stocked") else ""
    if not maintenance:
        copy = tmp_path / "shop.db"
        shutil.copy(stocked or template.removeprefix("sqlite:///"), copy)
        yield f"sqlite:///{copy}"
        return
    name = f"t_{os.getpid()}_{abs(hash(str(tmp_path))):x}"
    _copy_database(maintenance, stocked or "template_shop", name)
    admin = sa.create_engine(maintenance, isolation_level="AUTOCOMMIT")
    yield maintenance.replace("/postgres?", f"/{name}?")
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def chosen_settings(db_url: str, tmp_path: Path) -> Settings:
    """The settings of the test's own shop."""
    return Settings(
        env="test", database_url=db_url, secret_key="test-secret-key-of-more-than-32-chars", base_url="http://localhost", var_dir=tmp_path,
        stripe_api_key="sk_test_suite", stripe_api_base="http://127.0.0.1:9", stripe_webhook_secret="whsec_suite", rate_limits=False,
    )


@pytest.fixture
def db(chosen_settings: Settings) -> Iterator[None]:
    """A fresh, migrated database that this process is connected to."""
    use(chosen_settings)
    database.connect(chosen_settings.database_url)
    yield
    database.disconnect()


@pytest.fixture
def session(db: None) -> Iterator[Session]:
    """A write session inside one transaction, thrown away at the end."""
    with Session(database.engine(), expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture(scope="session")
def _shops() -> list[tuple[Flask, dict[str, Any]]]:
    """The shop of this process, once it is put together, and its configuration then."""
    return []


@pytest.fixture
def app(db: None, chosen_settings: Settings, _shops: list[tuple[Flask, dict[str, Any]]]) -> Flask:
    """The whole shop on the test's database, with CSRF off (its own tests turn it on).

    One app serves every test of a process, as it does visitors: putting it together and compiling its
    templates took most of a page test's time. Its configuration begins anew with each test; who adds
    routes calls `wsgi.create_app`.
    """
    if not _shops:
        made = wsgi.create_app(chosen_settings)
        _shops.append((made, dict(made.config)))
    app, config = _shops[0]
    app.config.clear()
    app.config.update(config, TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=True)
    app.jinja_env.globals.update(settings=chosen_settings, test_mode=chosen_settings.test_mode)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()


class Queries:
    """Counts the statements that reach the database inside a `with`."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def _note(self, _c: object, _u: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            self.statements.append(statement)

    def __enter__(self) -> list[str]:
        self.statements.clear()
        for engine in {database.engine(), database.read_engine()}:
            sa.event.listen(engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_: object) -> None:
        for engine in {database.engine(), database.read_engine()}:
            sa.event.remove(engine, "before_cursor_execute", self._note)


@pytest.fixture
def queries(db: None) -> Queries:
    """`with queries as statements: …` then look at `len(statements)`."""
    return Queries()
