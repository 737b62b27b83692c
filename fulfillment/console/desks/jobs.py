"""The jobs desk: what the machines do by themselves, and what they ask a person for."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.console.audit import latest_acts, record_act
from fulfillment.console.desk import bp, done, operator
from fulfillment.kernel import alerts
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import MAX_ATTEMPTS, SCHEDULES, Job, JobState, retry
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.web import needs

SHOWN = 50


@bp.get("/jobs")
@needs("jobs")
def jobs() -> ResponseReturnValue:
    """Counts, what failed, what is parked, and every open alert."""
    with reading() as session:
        counts = _counts(session)
        oldest = session.scalar(sa.select(sa.func.min(Job.run_at)).where(Job.state == JobState.READY, Job.run_at <= now()))
        parked = _jobs(session, Job.state == JobState.PARKED)
        failing = _jobs(session, Job.state == JobState.READY, Job.last_error.is_not(None))
        opened = alerts.open_alerts(session)
        acts = latest_acts(session)
    return render_template(
        "console/jobs.html", counts=counts, oldest=oldest, parked=parked, failing=failing, alerts=opened, acts=acts, most=MAX_ATTEMPTS,
    )


def _counts(session: Session) -> dict[JobState, int]:
    rows = session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state).order_by(Job.state))
    found = {state: count for state, count in rows}  # noqa: C416 - a Row is not typed as a pair
    return {state: found.get(state, 0) for state in JobState}


def _jobs(session: Session, *where: sa.ColumnElement[bool]) -> list[Job]:
    return list(session.scalars(sa.select(Job).where(*where).order_by(Job.run_at, Job.id).limit(SHOWN)))


@bp.get("/jobs/scheduled")
@needs("jobs")
def scheduled_jobs() -> ResponseReturnValue:
    """What comes round by itself, and when it did last."""
    with reading() as session:
        statement = sa.select(Job.kind, sa.func.max(Job.done_at)).where(Job.kind.in_(sorted(SCHEDULES)))
        rows = session.execute(statement.group_by(Job.kind).order_by(Job.kind))
        last = {kind: at for kind, at in rows}  # noqa: C416 - a Row is not typed as a pair
    return render_template("console/scheduled.html", schedules=sorted(SCHEDULES.items()), last=last)


@bp.get("/jobs/mail")
@needs("jobs")
def outbox() -> ResponseReturnValue:
    """The last letters: to whom, about what, sent when. Their text is the customer's."""
    columns = (Mail.id, Mail.to, Mail.subject, Mail.at, Mail.sent_at)
    with reading() as session:
        letters = session.execute(sa.select(*columns).order_by(Mail.at.desc(), Mail.id.desc()).limit(2 * SHOWN)).all()
        waiting = session.scalar(sa.select(sa.func.count()).select_from(Mail).where(Mail.sent_at.is_(None))) or 0
    return render_template("console/outbox.html", letters=letters, waiting=waiting)


@bp.post("/jobs/<uuid:job_id>/retry")
@needs("jobs")
def retry_job(job_id: UUID) -> ResponseReturnValue:
    """Give a parked job another round of tries."""
    with transaction() as session:
        job = retry(session, job_id)
        record_act(session, operator(), "job_retried", str(job_id), job.kind)
    return done("console.jobs", _("%(kind)s is tried again.", kind=job.kind))
