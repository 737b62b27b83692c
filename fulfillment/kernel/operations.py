"""What those who run the shop look at: JSON logs, metrics, and whether it is alive and ready."""

from __future__ import annotations

import logging
import time
from datetime import datetime

import prometheus_client as prometheus
import sqlalchemy as sa
import structlog
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from fulfillment.kernel.alerts import Alert
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.web import public

log = structlog.get_logger()

REQUESTS = prometheus.Histogram("shop_request_seconds", "Time to answer", ["endpoint", "status"])


def configure_logging(level: int = logging.INFO) -> None:
    """One JSON object a line, on standard error; no personal data, no secrets."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=__import__("sys").stderr),
    )


def _queue(session: sa.orm.Session) -> dict[str, float]:
    counts = dict(session.execute(sa.select(Job.state, sa.func.count()).where(Job.state != JobState.DONE).group_by(Job.state)).all())
    oldest: datetime | None = session.scalar(sa.select(sa.func.min(Job.run_at)).where(Job.state == JobState.READY))
    return {
        "jobs_ready": counts.get(JobState.READY, 0),
        "jobs_parked": counts.get(JobState.PARKED, 0),
        "oldest_job_seconds": max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0,
        "open_alerts": session.scalar(sa.select(sa.func.count()).select_from(Alert).where(Alert.resolved_at.is_(None))) or 0,
    }


def init_app(app: Flask) -> None:
    """Add the endpoints, and time every request."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.headers.get("X-Request-Id", secret_token(9))[:40])

    @app.after_request
    def finish(response: Response) -> Response:
        REQUESTS.labels(request.endpoint or "none", response.status_code).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return response

    @app.get("/healthz")
    @public
    def healthz() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/readyz")
    @public
    def readyz() -> ResponseReturnValue:
        with reading() as session:
            return {"status": "ready", **_queue(session)}

    @app.get("/metrics")
    @public
    def metrics() -> ResponseReturnValue:
        with reading() as session:
            lines = [f"shop_{name} {value}" for name, value in _queue(session).items()]
        body = prometheus.generate_latest().decode() + "\n".join(lines) + "\n"
        return Response(body, mimetype="text/plain; version=0.0.4")
