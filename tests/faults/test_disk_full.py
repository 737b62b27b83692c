"""No room left on the disk: said in words, nothing half written, and done when there is room again.

The kernel itself refuses the write: a part file that is `/dev/full`, a SQLite file that may not grow.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from configurator.models import Quote
from fulfillment.kernel import alerts, jobs
from fulfillment.kernel import db as database
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import MAX_ATTEMPTS, Job, JobState
from fulfillment.kernel.mail import Mail, send_mail
from fulfillment.kernel.settings import Settings, settings
from fulfillment.ledger import heads
from tests.builders.paper import text_of
from tests.builders.people import sign_in_staff

KEY = "letter:1"
NO_ROOM = "OSError: [Errno 28] No space left on device"


def letters() -> list[Path]:
    """What was written of letters, whole or half."""
    return sorted((settings().var_dir / "mail").glob("*")) + sorted((settings().var_dir / "mail").glob(".*"))


@contextmanager
def no_room_for(key: str) -> Iterator[None]:
    """The letter of this key meets a full disk."""
    folder = settings().var_dir / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{hashlib.sha256(key.encode()).hexdigest()[:16]}.part"
    part.symlink_to("/dev/full")
    yield
    part.unlink(missing_ok=True)


def write_letter() -> None:
    with transaction() as session:
        send_mail(session, to="ada@example.com", subject="Your machine", text="It is on its way.\n" * 500, key=KEY)


def the_job() -> Job:
    with reading() as session:
        return session.scalars(sa.select(Job).filter_by(key=f"mail:{KEY}")).one()


def test_a_letter_that_found_no_room_is_sent_once_when_there_is_some(db: None) -> None:
    write_letter()
    with no_room_for(KEY):
        assert jobs.work_one()
    failed = the_job()
    assert (failed.state, failed.attempts, (failed.last_error or "")[: len(NO_ROOM)]) == (JobState.READY, 1, NO_ROOM)
    assert letters() == []
    with reading() as session:
        assert session.scalars(sa.select(Mail.sent_at)).all() == [None]
    assert not jobs.work_one(), "it is not tried again at once"
    with frozen(now() + timedelta(minutes=1)):
        assert jobs.work_one()
        assert not jobs.work_one()
    [letter] = letters()
    assert letter.read_bytes().count(b"It is on its way.") == 500
    assert the_job().state is JobState.DONE


def test_a_letter_that_never_finds_room_is_parked_with_an_alert_shown_at_the_desk_and_sent_when_asked_again(client: FlaskClient) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with frozen(at):
        write_letter()
    for _ in range(MAX_ATTEMPTS):
        with frozen(at), no_room_for(KEY):
            assert jobs.work_one()
        at += timedelta(hours=2)
    parked = the_job()
    assert (parked.state, parked.attempts) == (JobState.PARKED, MAX_ATTEMPTS)
    with reading() as session:
        assert [(alert.kind, alert.key) for alert in alerts.open_alerts(session)] == [("job_parked", str(parked.id))]
    assert letters() == []

    sign_in_staff(client)
    desk = client.get("/desk/jobs")
    assert desk.status_code == 200
    assert "kernel.deliver_mail" in desk.text
    assert "No space left on device" in desk.text
    assert re.search(rf'action="[^"]*/desk/jobs/{parked.id}/retry"', desk.text)
    assert client.post(f"/desk/jobs/{parked.id}/retry").status_code == 303
    jobs.run_until_idle()
    assert len(letters()) == 2, "the letter, and the one that told operations of it"
    with reading() as session:
        assert alerts.open_alerts(session) == []
    assert the_job().state is JobState.DONE


@pytest.mark.stocked
def test_a_quote_s_pdf_that_found_no_room_arrives_whole_later(client: FlaskClient) -> None:
    kept = client.post("/configure/skein-14", data={"quantity": "1", "then": "quote"})
    address = kept.headers["Location"]
    assert client.post(f"{address}/send", data={"email": "ada@example.com"}).status_code == 303
    with reading() as session:
        key = session.scalars(sa.select(Mail.key)).one()
    with no_room_for(key):
        assert jobs.work_one()
    assert letters() == []
    assert client.get(f"{address}/quote.pdf").status_code == 200, "who looks at it himself needs no disk of ours"
    with frozen(now() + timedelta(minutes=1)):
        assert jobs.work_one()
    [letter] = letters()
    message = email.message_from_bytes(letter.read_bytes(), policy=email.policy.SMTP)
    [paper] = list(message.iter_attachments())
    content = paper.get_content()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    with reading() as session:
        assert session.scalars(sa.select(Quote.number)).one() in text_of(content)


@contextmanager
def no_room_for_the_records() -> Iterator[None]:
    """The SQLite file may not grow."""

    def full(connection: object, _record: object) -> None:
        [pages] = connection.execute("PRAGMA page_count").fetchone()  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    engine = database.engine()
    engine.dispose()
    sa.event.listen(engine, "connect", full)
    yield
    sa.event.remove(engine, "connect", full)
    engine.dispose()


@pytest.mark.sqlite_only
@pytest.mark.stocked
def test_records_without_room_are_read_on_and_nothing_is_half_written(client: FlaskClient, chosen_settings: Settings) -> None:
    quote = {"quantity": "2", "then": "quote"}
    with no_room_for_the_records():
        refused = client.post("/configure/rookery-r2", data=quote)
        assert client.get("/configure/rookery-r2").status_code == 200
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "Nothing was changed; please try again in a moment." in refused.text
    with reading() as session:
        assert session.scalars(sa.select(Quote)).all() == []
        assert session.execute(sa.text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert client.post("/configure/rookery-r2", data=quote).status_code == 303
    with reading() as session:
        assert session.scalars(sa.select(Quote.number)).one() == f"Q-{now().year}-000001", "the number was not used up"


@pytest.mark.sqlite_only
def test_a_job_whose_writes_found_no_room_is_done_later(db: None) -> None:
    with transaction() as session:
        jobs.enqueue(session, "test.bulky", key="bulky")

    def bulky(session: sa.orm.Session) -> None:
        for number in range(20):
            send_mail(session, to="ada@example.com", subject="Thick", text="x" * 20_000, key=f"thick:{number}")

    jobs.job("test.bulky")(bulky)
    try:
        with no_room_for_the_records():
            assert jobs.work_one()
        with reading() as session:
            assert session.scalars(sa.select(Mail.id)).all() == []
            left = session.scalars(sa.select(Job)).one()
            assert (left.state, left.attempts) == (JobState.READY, 1)
            assert "database or disk is full" in (left.last_error or "")
        with frozen(now() + timedelta(minutes=1)):
            jobs.run_until_idle()
    finally:
        jobs.HANDLERS.pop("test.bulky")
    with reading() as session:
        assert len(session.scalars(sa.select(Mail.id)).all()) == 20


def test_a_head_that_found_no_room_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    heads.keep(tmp_path, 1, "a" * 64, at, "first")
    monkeypatch.setattr(heads, "NAME", "full.txt")
    (tmp_path / "full.txt").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        heads.keep(tmp_path, 2, "b" * 64, at, "second")
    monkeypatch.undo()
    assert [head.seq for head in heads.kept(tmp_path)] == [1]
