"""Passwords: argon2id, long enough, not the ones everybody tries first. Pure."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fulfillment.kernel.refusals import Refusal

SHORTEST, LONGEST = 10, 200
COMMON = frozenset({"1234567890", "0123456789", "password12", "password123", "qwertyuiop", "passwordpassword", "larkmill123"})

# 19 MiB, 2 passes, 1 lane. Source: OWASP password storage, argon2id's first recommendation.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _hasher.hash("nobody has this password")


class WeakPassword(Refusal):
    """The password would not keep anyone out."""


def check_strength(password: str) -> None:
    """Raise WeakPassword for one that is too short, too long or guessed at once."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword("A password needs at least {shortest} characters.", shortest=SHORTEST)
    if password.lower() in COMMON or len(set(password)) < 4:
        raise WeakPassword("This password is one of the first that others would try. Please choose another.")


def hashed(password: str) -> str:
    """The hash to keep. Raises WeakPassword."""
    check_strength(password)
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the right one; takes as long when there is nobody (None) to compare with."""
    try:
        return _hasher.verify(password_hash or _NOBODY, password[:LONGEST]) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
