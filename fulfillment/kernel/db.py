"""The database: one declarative base, and transactions that begin and end at the edge.

SQLite (WAL) is the embedded default, PostgreSQL the production database; the same code runs on
both. On SQLite there are two engines: readers begin an ordinary transaction and never wait;
writers begin IMMEDIATE, one at a time over all processes, queued fairly by a file lock (SQLite's
own busy handler polls, and a worker that drains a backlog then starves the web).
Only a route, a job or the CLI opens a transaction; services take a session and never commit.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from fulfillment.kernel.ids import new_id

PATIENCE = 15
"""Seconds that a writer waits for SQLite's file, and for its turn among the threads of its process; the page then says so."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", bound=sa.Select[Any])


class EnumText(TypeDecorator[E]):
    """A StrEnum stored as its value, in plain text: no database type to migrate."""

    impl = sa.String(32)
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:  # noqa: ARG002
        return None if value is None else self.kind(value)


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Minor = Annotated[int, mapped_column(sa.BigInteger)]
Json = sa.JSON(none_as_null=True)


class Base(DeclarativeBase):
    """Every table of ours."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Json, list[dict[str, Any]]: Json}  # noqa: RUF012


class _Database:
    """The engines of one process; what they complain about never shows the values, which are people's names and addresses."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            self.write = _sqlite_engine(self.url, "BEGIN IMMEDIATE")
            self.read = _sqlite_engine(self.url, "BEGIN")
        else:
            self.write = sa.create_engine(
                self.url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=16, pool_timeout=10,
                connect_args={"connect_timeout": 5, "prepare_threshold": None},
            )
            self.read = self.write
        self._turn = threading.Lock()
        self._lock_path = f"{self.url.database}.lock" if self.sqlite and self.url.database else None

    @contextmanager
    def turn_to_write(self) -> Iterator[None]:
        """Wait for our turn among all writers of a SQLite file. Raises TimeoutError: a web server's threads are not to wait for ever."""
        if self._lock_path is None:
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE):
            raise sa.exc.TimeoutError("too many wait to write")
        try:
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
        finally:
            self._turn.release()

    def dispose(self) -> None:
        self.write.dispose()
        self.read.dispose()


def _sqlite_engine(url: sa.URL, begin: str) -> Engine:
    patient = {"timeout": PATIENCE, "check_same_thread": False}
    engine = sa.create_engine(url, hide_parameters=True, connect_args=patient, pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself: savepoints break
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={PATIENCE * 1000}", "cache_size=-16384"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_explicitly(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


_database: _Database | None = None


def connect(url: str) -> None:
    """Use this database from now on. SQLite's folder is made when missing."""
    global _database  # noqa: PLW0603 - the one place that holds the engines
    disconnect()
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    _database = _Database(url)


def disconnect() -> None:
    """Close every connection of this process."""
    global _database  # noqa: PLW0603
    if _database is not None:
        _database.dispose()
        _database = None


def after_fork() -> None:
    """Start this process with connections of its own; the parent's stay the parent's."""
    for own in {_db().write, _db().read}:
        own.dispose(close=False)


def _db() -> _Database:
    if _database is None:
        raise RuntimeError("no database: call connect(url) first")
    return _database


def engine() -> Engine:
    """The engine that writes."""
    return _db().write


def read_engine() -> Engine:
    """The engine that reads (the same as `engine()` on PostgreSQL)."""
    return _db().read


def is_sqlite() -> bool:
    """Whether the embedded database is in use."""
    return _db().sqlite


@contextmanager
def transaction() -> Iterator[Session]:
    """One act: commits at the end of the block, changes nothing when it raises."""
    database = _db()
    with database.turn_to_write(), Session(database.write, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view to read from; whatever is written in it is thrown away."""
    database = _db()
    with Session(database.read, expire_on_commit=False, autoflush=False) as session:
        yield session


def final(*tables: type[Base]) -> None:
    """Rows of these tables are written once: changing or deleting one through the session is a bug.

    The database has triggers of its own; here the mistake is told before it gets there.
    """

    def refuse(_mapper: object, _connection: object, target: object) -> None:
        raise TypeError(f"{type(target).__name__} is final: write a new one instead")

    for table in tables:
        event.listen(table, "before_update", refuse)
        event.listen(table, "before_delete", refuse)


def lock(statement: S, *, skip_locked: bool = False) -> S:
    """Lock the rows read until the transaction ends.

    Nobody else changes them; others may still write rows that point at them (an order's history), so
    those wait for nobody. On SQLite a writer is alone already and the clause is left out by the dialect.
    """
    return statement.with_for_update(key_share=True, skip_locked=skip_locked)


def insert(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do about a row that is there already, which each database spells its own way."""
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


def take_turn(session: Session, what: str) -> None:
    """Wait until no other transaction has its turn at this, then have it until this one ends.

    For an act that looks at many rows which others like it change: `lock` holds what is read, not
    what is concluded from it. On SQLite a writer is alone already.
    """
    if not is_sqlite():
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(what))))


__all__ = [
    "Base", "EnumText", "Id", "Json", "Minor", "UtcDateTime", "after_fork", "connect", "disconnect", "engine", "final", "insert",
    "is_sqlite", "lock", "read_engine", "reading", "take_turn", "transaction",
]
