"""Transactions begin and end at the edge, moments are aware, and writers of a SQLite file queue up."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel import db as database
from fulfillment.kernel.alerts import Alert, raise_alert
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.numbering import NumberSeries, next_number


def numbers() -> int:
    with reading() as session:
        return session.scalar(sa.select(NumberSeries.last).filter_by(series="ZZ")) or 0


def test_an_act_that_raises_changes_nothing(db: None) -> None:
    with pytest.raises(KeyError), transaction() as session:
        next_number(session, "ZZ")
        raise KeyError
    assert numbers() == 0


def test_what_a_reader_writes_is_thrown_away(db: None) -> None:
    if database.is_sqlite():
        with pytest.raises(sa.exc.OperationalError, match="readonly"), reading() as session:
            session.execute(sa.text("PRAGMA query_only = ON"))
            next_number(session, "ZZ")
        database.read_engine().dispose()
    with reading() as session:
        next_number(session, "ZZ")
    assert numbers() == 0


def test_a_reader_sees_one_moment_however_long_it_reads(db: None) -> None:
    if not database.is_sqlite():
        pytest.skip("PostgreSQL's readers see each statement's moment")
    with reading() as session:
        assert session.scalars(sa.select(NumberSeries)).all() == []
        with transaction() as writer:
            next_number(writer, "ZZ")
        session.expire_all()
        assert session.scalars(sa.select(NumberSeries)).all() == []
    assert numbers() == 1


def test_rows_stay_readable_after_the_act(db: None) -> None:
    with transaction() as session:
        alert = raise_alert(session, "test", key="k", subject="s", detail="d")
    assert alert.detail == "d"


def test_a_moment_comes_back_aware_and_the_same(session: Session) -> None:
    told = datetime(2026, 1, 5, 12, 30, 15, 123_456, tzinfo=timezone(timedelta(hours=8)))
    session.add(Alert(kind="t", key="k", subject="", detail="", at=told))
    session.flush()
    session.expire_all()
    found = session.scalars(sa.select(Alert.at)).one()
    assert found == told
    assert found.utcoffset() == timedelta(0)
    assert session.scalars(sa.select(Alert.id).where(Alert.at <= told.astimezone(UTC))).all()


def test_a_naive_moment_is_refused(session: Session) -> None:
    session.add(Alert(kind="t", key="k", subject="", detail="", at=datetime(2026, 1, 5)))  # noqa: DTZ001 - that is the point
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        session.flush()


def test_an_unknown_state_is_refused(session: Session) -> None:
    session.add(Job(key="k", kind="k", payload={}, state="sleeping", run_at=now(), created_at=now()))
    with pytest.raises(sa.exc.StatementError, match="sleeping"):
        session.flush()


def test_a_state_is_kept_as_plain_text(session: Session) -> None:
    session.add(Job(key="k", kind="k", payload={"a": [1, "é"]}, state=JobState.PARKED, run_at=now(), created_at=now()))
    session.flush()
    assert session.execute(sa.text("SELECT state FROM job")).scalar_one() == "parked"
    assert session.scalars(sa.select(Job.payload)).one() == {"a": [1, "é"]}


def test_ten_writers_at_once_get_ten_numbers(db: None) -> None:
    taken: list[str] = []

    def take() -> None:
        with transaction() as session:
            taken.append(next_number(session, "ZZ"))

    threads = [threading.Thread(target=take) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"ZZ-{now().year}-{number:06}" for number in range(1, 11)]


@pytest.mark.sqlite_only
def test_a_writer_who_waits_too_long_for_its_turn_is_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    begun, over = threading.Event(), threading.Event()

    def long_act() -> None:
        with transaction() as session:
            next_number(session, "ZZ")
            begun.set()
            over.wait(10)

    thread = threading.Thread(target=long_act)
    thread.start()
    begun.wait(10)
    began = time.monotonic()
    with pytest.raises(sa.exc.TimeoutError), transaction():
        pass
    assert time.monotonic() - began < 5
    assert numbers() == 0, "readers do not wait"
    over.set()
    thread.join()
    with transaction() as session:
        next_number(session, "ZZ")
    assert numbers() == 2


@pytest.mark.sqlite_only
def test_every_commit_is_on_the_disk_and_foreign_keys_hold(db: None) -> None:
    with reading() as session:
        found = {name: session.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.sqlite_only
def test_a_new_database_s_folder_is_made(tmp_path: Path) -> None:
    database.connect(f"sqlite:///{tmp_path}/far/away/shop.db")
    with transaction() as session:
        assert session.execute(sa.text("SELECT 1")).scalar_one() == 1
    database.disconnect()
    assert (tmp_path / "far" / "away" / "shop.db").exists()


def test_nothing_is_read_before_there_is_a_database() -> None:
    database.disconnect()
    with pytest.raises(RuntimeError, match="connect"), reading():
        pass
