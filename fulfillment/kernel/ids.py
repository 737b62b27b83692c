"""Keys that are made here, not by the database.

A version-7 UUID sorts by the time it was made, so an index stays compact, and a row knows its
key before it is written, on one machine or many.
"""

from __future__ import annotations

import os
import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A fresh version-7 UUID. Source: RFC 9562, section 5.7."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | random & (1 << 62) - 1)


def secret_token(nbytes: int = 16) -> str:
    """A word nobody can guess, safe in a URL."""
    return secrets.token_urlsafe(nbytes)
