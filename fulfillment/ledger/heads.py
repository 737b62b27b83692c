"""Heads of the chain kept outside the database: who rewrites the books must rewrite this file too.

One line for each close: number, hash, moment, reason. Copy the file to where the database's
keepers have no hand.
"""

from __future__ import annotations

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
    """Append a head to the file of this folder, on the disk before it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{seq} {chained} {at.isoformat(timespec='seconds')} {' '.join(reason.split())}\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def kept(folder: Path) -> list[Head]:
    """Every head that was written down here, oldest first."""
    path = folder / NAME
    if not path.exists():
        return []
    parts = (line.split(" ", 3) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [Head(int(seq), chained, at, reason) for seq, chained, at, reason in parts]
