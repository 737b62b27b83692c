"""Saying no in the customer's words.

A refusal is an answer, not a fault: it has an HTTP status and a sentence that says what to do,
and the transaction it is raised in changes nothing. The sentence is an English template that is
also the key of its translation; the values are filled in after translating, money, dates, names
and states in the reader's language as well. Anything that is not a Refusal is a bug and ends as a 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """The act is not possible; the message says why and what to do."""

    status: ClassVar[int] = 422

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message.format(**{name: _plain(value) for name, value in values.items()}) if values else message)
        self.template = message
        self.values = values


def _plain(value: object) -> object:
    """The value in the log's language."""
    return value.get("en") if isinstance(value, Mapping) else value


class NotFound(Refusal):
    """There is no such thing, or it is not yours to see: the same answer for both."""

    status = 404


class Forbidden(Refusal):
    """Signed in, but not allowed to."""

    status = 403


class Conflict(Refusal):
    """The same key was used for something else, or somebody was faster."""

    status = 409


class WrongStatus(Refusal):
    """A step that the state machine does not have."""

    status = 409


class TooMany(Refusal):
    """Too many tries; come back later."""

    status = 429


class Unavailable(Refusal):
    """Something we depend on does not answer; nothing was changed."""

    status = 503
