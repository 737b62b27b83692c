"""Jobs and events: exactly once, retried, parked with an alert, scheduled once per slot."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel import alerts, events, jobs
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import Event, OutboxEvent, publish
from fulfillment.kernel.hand import Hand
from fulfillment.kernel.jobs import HANDLERS, MAX_ATTEMPTS, SCHEDULES, Job, JobState, enqueue, run_until_idle, work_one
from fulfillment.kernel.numbering import NumberSeries, next_number
from fulfillment.kernel.once import once
from fulfillment.kernel.refusals import Conflict

pytestmark = pytest.mark.usefixtures("db")


@dataclass(frozen=True, slots=True)
class LampLit(Event):
    name: str


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    handlers, schedules, subscribers = dict(HANDLERS), dict(SCHEDULES), dict(events.SUBSCRIBERS)
    yield
    HANDLERS.clear()
    HANDLERS.update(handlers)
    SCHEDULES.clear()
    SCHEDULES.update(schedules)
    events.SUBSCRIBERS.clear()
    events.SUBSCRIBERS.update(subscribers)


def states() -> dict[str, JobState]:
    with reading() as session:
        return {job.key: job.state for job in session.scalars(sa.select(Job).order_by(Job.key))}


def test_a_rolled_back_act_leaves_neither_event_nor_job() -> None:
    events.on(LampLit)(lambda _session, _event: None)
    with pytest.raises(RuntimeError), transaction() as session:
        publish(session, LampLit("hall"))
        raise RuntimeError
    with reading() as session:
        assert session.scalars(sa.select(Job)).all() == []
        assert session.scalars(sa.select(OutboxEvent)).all() == []


def test_every_subscriber_hears_of_an_event_once() -> None:
    heard: list[str] = []

    def first(session: Session, event: LampLit) -> None:
        heard.append(f"first {event.name}")

    def second(session: Session, event: LampLit) -> None:
        heard.append(f"second {event.name}")

    for subscriber in (first, second):
        events.on(LampLit)(subscriber)
    with transaction() as session:
        publish(session, LampLit("hall"))
    assert run_until_idle() == 2
    assert run_until_idle() == 0
    assert sorted(heard) == ["first hall", "second hall"]


def test_a_failing_job_changes_nothing_backs_off_and_is_parked_with_an_alert() -> None:
    def spoil(session: Session) -> None:
        next_number(session, "XX")
        raise OSError("disk full")

    jobs.job("test.spoil")(spoil)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with frozen(at), transaction() as session:
        enqueue(session, "test.spoil", key="spoil")
    for tried in range(1, MAX_ATTEMPTS + 1):
        with frozen(at):
            assert work_one()
            assert tried == MAX_ATTEMPTS or not work_one(), "it is not tried again at once"
        at += timedelta(hours=2)
    with frozen(at), reading() as session:
        job = session.scalars(sa.select(Job).filter_by(key="spoil")).one()
        assert (job.state, job.attempts, job.last_error) == (JobState.PARKED, MAX_ATTEMPTS, "OSError: disk full")
        assert session.scalars(sa.select(NumberSeries).filter_by(series="XX")).all() == []
        assert [(alert.kind, alert.key) for alert in alerts.open_alerts(session)] == [("job_parked", str(job.id))]

    HANDLERS.pop("test.spoil")
    jobs.job("test.spoil")(lambda _session: None)
    with transaction() as session:
        jobs.retry(session, job.id)
        assert alerts.open_alerts(session) == []
    assert run_until_idle() == 2, "the job, and the letter about it"
    assert set(states().values()) == {JobState.DONE}


def test_the_same_key_is_one_job_even_after_it_is_done() -> None:
    jobs.job("test.nothing")(lambda _session: None)
    with transaction() as session:
        assert enqueue(session, "test.nothing", key="a")
        assert not enqueue(session, "test.nothing", key="a")
    run_until_idle()
    with transaction() as session:
        assert not enqueue(session, "test.nothing", key="a")


def test_a_job_of_a_newer_version_waits_for_a_worker_that_knows_it() -> None:
    with transaction() as session:
        enqueue(session, "test.of_tomorrow", key="a")
    assert not work_one()
    assert states() == {"a": JobState.READY}


def test_many_workers_do_each_job_once() -> None:
    def count(session: Session, *, series: str) -> None:
        next_number(session, series)

    jobs.job("test.count")(count)
    with transaction() as session:
        for number in range(60):
            enqueue(session, "test.count", key=str(number), series="ZZ")

    def drain() -> None:
        while work_one():
            pass

    threads = [threading.Thread(target=drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading() as session:
        assert session.scalars(sa.select(NumberSeries.last).filter_by(series="ZZ")).one() == 60


def test_an_outside_job_whose_worker_died_is_taken_over_after_its_lease() -> None:
    calls: list[str] = []
    jobs.outside("test.call")(lambda *, to: calls.append(to))
    with transaction() as session:
        enqueue(session, "test.call", key="a", to="carrier")
        job = session.scalars(sa.select(Job)).one()
        job.owner, job.lease_until = job.id, now() + jobs.LEASE  # a worker claimed it, and died
    assert not work_one()
    with frozen(now() + jobs.LEASE + timedelta(seconds=1)):
        assert work_one()
    assert calls == ["carrier"]
    assert states() == {"a": JobState.DONE}


def test_an_outside_job_whose_workers_all_died_is_parked_after_the_usual_tries() -> None:
    calls: list[str] = []
    jobs.outside("test.call")(lambda *, to: calls.append(to))
    with transaction() as session:
        enqueue(session, "test.call", key="a", to="carrier")
        session.execute(sa.update(Job).values(owner=Job.id, lease_until=now() - timedelta(seconds=1), attempts=MAX_ATTEMPTS))
    assert work_one()
    assert (calls, states()["a"]) == ([], JobState.PARKED)
    with reading() as session:
        assert [alert.kind for alert in alerts.open_alerts(session)] == ["job_parked"]


def test_what_a_dead_worker_had_in_hand_is_counted_once_and_a_living_one_s_not_at_all(tmp_path: Path) -> None:
    jobs.job("test.nothing")(lambda _session: None)
    with transaction() as session:
        for key in ("dead", "done", "living"):
            enqueue(session, "test.nothing", key=key)
        ids = {job.key: job.id for job in session.scalars(sa.select(Job))}
        session.execute(sa.update(Job).filter_by(key="done").values(state=JobState.DONE))
    hands = {key: Hand(tmp_path) for key in ids}
    for key, hand in hands.items():
        hand.take(ids[key])
        if key != "living":
            os.close(hand._file)
    idle = Hand(tmp_path)
    os.close(idle._file)
    assert [jobs.count_fallen(tmp_path) for _ in range(2)] == [2, 0]
    with reading() as session:
        attempts = {job.key: job.attempts for job in session.scalars(sa.select(Job))}
    assert attempts == {"dead": 1, "done": 0, "living": 0}
    assert [path.name for path in tmp_path.glob("*.hand")] == [hands["living"].path.name]
    hands["living"].close()


def test_work_that_nobody_does_is_put_in_front_of_a_person_until_somebody_does() -> None:
    jobs.job("test.known")(lambda _session: None)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with frozen(at), transaction() as session:
        for key in ("a", "b"):
            enqueue(session, "test.renamed", key=key)
        enqueue(session, "test.known", key="c")
        enqueue(session, "test.known", key="later", run_at=at + timedelta(days=1))
    told = []
    for minutes in (1, 16, 21):
        with frozen(at + timedelta(minutes=minutes)), transaction() as session:
            jobs.watch_jobs(session)
            told.append([(alert.kind, alert.key, alert.detail) for alert in alerts.open_alerts(session)])
    assert told[0] == []
    assert sorted(told[1]) == sorted(told[2]) == [
        ("job_unknown", "test.renamed", "test.renamed: 2 since 2026-01-05 00:00 UTC; no worker knows this kind."),
        ("jobs_behind", "workers", "These wait too long. test.known: 1 since 2026-01-05 00:00 UTC"),
    ]
    jobs.job("test.renamed")(lambda _session: None)
    with frozen(at + timedelta(minutes=22)):
        run_until_idle()
        with transaction() as session:
            jobs.watch_jobs(session)
            assert alerts.open_alerts(session) == []


def test_a_worker_that_lost_its_lease_does_not_finish_for_the_new_owner() -> None:
    def slow(*, to: str) -> None:
        with transaction() as session:  # meanwhile, another worker took it over
            session.execute(sa.update(Job).values(owner=session.scalars(sa.select(Job.id)).one()))

    jobs.outside("test.slow")(slow)
    with transaction() as session:
        enqueue(session, "test.slow", key="a", to="x")
    work_one()
    assert states() == {"a": JobState.READY}


def test_a_scheduled_job_runs_once_per_slot_however_many_processes_ask() -> None:
    SCHEDULES.clear()
    jobs.every(minutes=5, kind="test.tick")(lambda: None)
    jobs.job("test.tick")(lambda _session: None)
    at = datetime(2026, 1, 5, 12, 1, tzinfo=UTC)
    made = []
    for minutes in (0, 1, 2, 4, 5, 9):
        with frozen(at + timedelta(minutes=minutes)):
            made.append(jobs.enqueue_scheduled())
    assert made == [1, 0, 0, 1, 0, 1]


def test_once_gives_the_first_answer_again_and_refuses_other_content() -> None:
    acts: list[int] = []

    def act() -> dict[str, int]:
        acts.append(1)
        return {"number": len(acts)}

    with transaction() as session:
        assert once(session, "test", "k", {"a": 1}, act) == {"number": 1}
    with transaction() as session:
        assert once(session, "test", "k", {"a": 1}, act) == {"number": 1}
    with pytest.raises(Conflict), transaction() as session:
        once(session, "test", "k", {"a": 2}, act)
    assert acts == [1]


def test_numbers_have_no_gap_when_an_act_fails() -> None:
    with transaction() as session:
        first = next_number(session, "SO")
    with pytest.raises(RuntimeError), transaction() as session:
        next_number(session, "SO")
        raise RuntimeError
    with transaction() as session:
        second = next_number(session, "SO")
    year = now().year
    assert (first, second) == (f"SO-{year}-000001", f"SO-{year}-000002")
