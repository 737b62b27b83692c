"""Heads of the chain kept outside the database: who rewrites the books must rewrite this file too.

One line for each close: number, hash, moment, reason. Copy the file to where the database's
keepers have no hand.
"""

from __future__ import annotations

import errno
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

NAME = "ledger-heads.txt"


class Head(NamedTuple):
    """A head that was written down."""

    seq: int
    hash: str
    at: str
    reason: str


def keep(folder: Path, seq: int, chained: str, at: datetime, reason: str) -> Path:
    """Append a head to the file of this folder, on the disk before it returns. Raises OSError and leaves no half line."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    line = f"{seq} {chained} {at.isoformat(timespec='seconds')} {' '.join(reason.split())}\n".encode()
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        if file.write(line) != len(line):  # the disk took a part of it
            file.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file.fileno())
    return path


def kept(folder: Path) -> list[Head]:
    """Every head that was written down here, oldest first."""
    path = folder / NAME
    if not path.exists():
        return []
    parts = (line.split(" ", 3) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [Head(int(seq), chained, at, reason) for seq, chained, at, reason in parts]
