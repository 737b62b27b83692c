"""What a worker has in hand, noted where it outlives the worker.

A held job leaves no trace in the database until it is finished: its claim goes with its worker, and
that is what makes it happen once. So a job that kills whoever takes it would never be counted. A
worker therefore keeps a small file, locked as long as its process lives, and writes into it which
job it begins; who finds a file that nobody holds any more reads there what its owner fell over.
Two writes into a file cost microseconds; a transaction before each job would cost as much as the job.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from fulfillment.kernel.ids import new_id

EMPTY = b" " * 36
"""As long as an id, so that noting one needs no room on the disk."""


class Hand:
    """The file of one worker. Raises OSError where none can be written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{new_id()}.hand"
        begun = self.path.with_suffix(".new")
        self._file = os.open(begun, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.put_down()
        begun.rename(self.path)  # only now is it there for others: held, and whole

    def take(self, job_id: UUID) -> None:
        """Note the job before it is begun."""
        os.pwrite(self._file, str(job_id).encode(), 0)

    def put_down(self) -> None:
        """The job has ended, well or badly, and that is written where it belongs."""
        os.pwrite(self._file, EMPTY, 0)

    def close(self) -> None:
        """The worker goes home."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


def left_behind(folder: Path) -> Iterator[UUID]:
    """The jobs that workers had in hand when they died; each is told until whoever asks has dealt with it."""
    for path in sorted(folder.glob("*.hand")):
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:  # nobody was quicker
                noted = os.pread(file, len(EMPTY), 0).strip()
                if len(noted) == len(EMPTY):
                    yield UUID(noted.decode())
                path.unlink()
        except BlockingIOError:
            continue  # its worker lives
        finally:
            os.close(file)
