"""The commands of the house itself: `flask work` works the jobs, `flask db` moves the schema."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

import click
import sqlalchemy as sa
import structlog
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from fulfillment import migrations
from fulfillment.kernel import jobs
from fulfillment.kernel.settings import settings

log = structlog.get_logger()

QUICK, SLOW = 0.05, 0.5
"""Seconds between looks at the table: just after work, and when there has been none for a while."""


def demonstration_only(command: str) -> None:
    """End the command where real customers are: what it makes up must not come among what is true."""
    if settings().production:
        raise click.ClickException(f"flask {command} is for demonstrations and does not run with SHOP_ENV=production; nothing was changed.")


class _Stop:
    """Set by SIGTERM and SIGINT: the job in hand is finished, then the worker ends."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


@click.command("work")
@click.option("--until-idle", is_flag=True, help="End when nothing is due.")
def work(*, until_idle: bool) -> None:
    """Work the jobs; start as many of these as there are cores to spare."""
    stop, hands = _Stop(), settings().var_dir / "work"
    log.info("worker started")
    with jobs.worker_s_hand(hands):
        _work(stop, hands, until_idle=until_idle)
    log.info("worker ended")


def _work(stop: _Stop, hands: Path, *, until_idle: bool) -> None:
    pause, scheduled = QUICK, 0.0
    while not stop.asked:
        try:
            if time.monotonic() - scheduled > 1:
                jobs.count_fallen(hands)
                jobs.enqueue_scheduled()
                scheduled = time.monotonic()
            if jobs.work_one():
                pause = QUICK
                continue
        except DBAPIError as error:
            log.error("database away", error=str(error)[:200])
            pause = SLOW
        if until_idle:
            break
        time.sleep(pause)
        pause = min(pause * 1.3, SLOW)


db = AppGroup("db", help="Move the database's schema.")


@db.command("upgrade")
@click.argument("to", default="head")
def upgrade(to: str) -> None:
    """Bring the schema forward."""
    migrations.upgrade(settings().database_url, to)
    click.echo(f"{sa.make_url(settings().database_url).render_as_string()} is at {to}")


@db.command("downgrade")
@click.argument("to")
def downgrade(to: str) -> None:
    """Take the schema back."""
    migrations.downgrade(settings().database_url, to)


commands = (work, db)
