"""`flask work` as a process of its own, with jobs that take their time: `python -m tests.builders.worker`.

The jobs tell that they have begun by a file, so that a test knows when to send its signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy.orm import Session

import wsgi
from fulfillment.kernel import db as database
from fulfillment.kernel import jobs
from fulfillment.kernel.cli import work
from fulfillment.kernel.db import transaction
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.settings import Settings, use

SLOW = 1.5
"""Seconds that a slow job takes."""


def start(settings: Settings, *words: str) -> subprocess.Popen[bytes]:
    """Start a worker on the test's database."""
    command = [sys.executable, "-m", "tests.builders.worker", settings.database_url, str(settings.var_dir), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def register() -> None:
    """Let this process know the jobs."""

    @jobs.job("test.count")
    def count(session: Session, *, series: str) -> None:
        next_number(session, series)

    @jobs.job("test.slow_held")
    def slow_held(session: Session, *, begun: str) -> None:
        Path(begun).touch()
        time.sleep(SLOW)
        next_number(session, "ZZ")

    @jobs.job("test.deadly")
    def deadly(session: Session) -> None:
        next_number(session, "ZZ")
        os.kill(os.getpid(), signal.SIGKILL)

    @jobs.outside("test.slow_outside")
    def slow_outside(*, begun: str) -> None:
        Path(begun).touch()
        time.sleep(SLOW)
        with transaction() as session:
            next_number(session, "ZZ")


if __name__ == "__main__":
    url, folder, *rest = sys.argv[1:]
    use(Settings(env="test", database_url=url, var_dir=Path(folder)))
    wsgi.load_slices()
    jobs.SCHEDULES.clear()  # nothing comes round by itself in these tests
    register()
    database.connect(url)
    work(rest)
