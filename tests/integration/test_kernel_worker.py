"""Workers as processes: asked to end they finish the job in hand, killed they give it back, and the web writes beside them."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from configurator.models import Quote
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import HANDLERS, LEASE, MAX_ATTEMPTS, Job, JobState, enqueue, work_one
from fulfillment.kernel.numbering import NumberSeries
from fulfillment.kernel.settings import Settings
from tests.builders import worker

pytestmark = [pytest.mark.slow]

BACKLOG = 2_000
KINDS = ["test.slow_held", "test.slow_outside"]


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def counted() -> int:
    with reading() as session:
        return session.scalar(sa.select(NumberSeries.last).filter_by(series="ZZ")) or 0


def states() -> dict[str, JobState]:
    with reading() as session:
        return {job.key: job.state for job in session.scalars(sa.select(Job).order_by(Job.key))}


def enqueue_two(kind: str, tmp_path: Path) -> None:
    with transaction() as session:
        for key in ("a", "b"):
            enqueue(session, kind, key=key, begun=str(tmp_path / key))


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_asked_to_end_finishes_its_job_and_begins_no_other(db: None, chosen_settings: Settings, tmp_path: Path, kind: str) -> None:
    enqueue_two(kind, tmp_path)
    with worker.start(chosen_settings) as running:
        wait_for(tmp_path / "a")
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert b"worker ended" in said
    assert states() == {"a": JobState.DONE, "b": JobState.READY}
    assert counted() == 1
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_worker_s_job_is_done_by_the_next_one(
    db: None, chosen_settings: Settings, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    enqueue_two(kind, tmp_path)
    with worker.start(chosen_settings) as running:
        wait_for(tmp_path / "a")
        running.kill()
    assert states() == {"a": JobState.READY, "b": JobState.READY}
    assert counted() == 0
    for name in ("test.count", "test.deadly", *KINDS):  # a worker of this process from here on
        monkeypatch.delitem(HANDLERS, name, raising=False)
    monkeypatch.setattr(worker, "SLOW", 0)
    worker.register()
    with frozen(now() + LEASE):
        while work_one():
            pass
    assert states() == {"a": JobState.DONE, "b": JobState.DONE}
    assert counted() == 2
    for name in ("test.count", "test.deadly", *KINDS):
        HANDLERS.pop(name)


def test_a_job_that_kills_its_worker_is_counted_and_parked_in_the_end(db: None, chosen_settings: Settings) -> None:
    with transaction() as session:
        enqueue(session, "test.deadly", key="a")
        enqueue(session, "test.count", key="b", run_at=now() + timedelta(milliseconds=1), series="ZZ")

    def worked() -> tuple[int, Job]:
        with worker.start(chosen_settings, "--until-idle") as running:
            running.communicate(timeout=60)
        with reading() as session:
            return running.returncode, session.scalars(sa.select(Job).filter_by(key="a")).one()

    assert worked()[0] == -signal.SIGKILL
    code, job = worked()
    assert (code, job.state, job.attempts, job.last_error) == (0, JobState.READY, 1, "WorkerDied: the worker ended in the middle of it")
    assert job.run_at > job.created_at + timedelta(seconds=1), "it lets others go first"
    assert states()["b"] is JobState.DONE
    with transaction() as session:
        session.execute(sa.update(Job).filter_by(key="a").values(attempts=MAX_ATTEMPTS - 1, run_at=now()))
    assert worked()[0] == -signal.SIGKILL
    code, job = worked()
    assert (code, job.state, job.attempts) == (0, JobState.PARKED, MAX_ATTEMPTS)
    with reading() as session:
        assert [(alert.kind, alert.key) for alert in open_alerts(session)] == [("job_parked", str(job.id))]
    assert counted() == 1, "of its effect nothing was ever seen"
    assert list((chosen_settings.var_dir / "work").iterdir()) == []


@pytest.mark.stocked
def test_the_web_writes_on_while_two_workers_drain_two_thousand_jobs(
    client: FlaskClient, chosen_settings: Settings, record_property: Callable[[str, object], None],
) -> None:
    quote = {"quantity": "1", "then": "quote"}
    assert client.post("/configure/skein-14", data=quote).status_code == 303
    with transaction() as session:
        for number in range(BACKLOG):
            enqueue(session, "test.count", key=f"count:{number}", series="ZZ")
    answers, times = [], []
    with worker.start(chosen_settings, "--until-idle") as first, worker.start(chosen_settings, "--until-idle") as second:
        while first.poll() is None or second.poll() is None:
            began = time.perf_counter()
            answers.append(client.post("/configure/skein-14", data=quote).status_code)
            times.append(time.perf_counter() - began)
            time.sleep(0.02)
    assert set(answers) == {303}
    assert counted() == BACKLOG
    assert set(states().values()) == {JobState.DONE}
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Quote)) == len(answers) + 1
    times.sort()
    p50, p99 = (times[len(times) * share // 100] * 1000 for share in (50, 99))
    told = f"{len(times)} web writes beside {BACKLOG} jobs: p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    record_property("web writes", told)
    sys.stdout.write(told)  # read it with `pytest -rP`
