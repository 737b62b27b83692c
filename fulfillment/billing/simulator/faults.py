"""What a test may break: requests that fail in a chosen way, and webhooks that misbehave.

Pure descriptions; the HTTP side and the dispatcher act on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultKind(StrEnum):
    """Where in the life of a request it breaks."""

    STATUS = "status"
    """Answer with this status; nothing happens."""
    DROP_BEFORE = "drop_before"
    """The connection dies before anything happens."""
    DROP_AFTER = "drop_after"
    """Everything happens and commits, then the connection dies without an answer."""
    ERROR_AFTER = "error_after"
    """Everything happens and commits, then the answer is a 500."""
    DELAY = "delay"
    """The request waits on the way in."""
    SLOW_INSIDE = "slow_inside"
    """The request has begun (its idempotency key is taken), then waits before it has an effect."""
    SLOW_AFTER = "slow_after"
    """Everything happens and commits, then the answer waits."""


@dataclass(slots=True)
class Fault:
    """The next `count` requests that match (`POST /v1/refunds`, `* /v1/payment_intents/*`) break."""

    match: str
    kind: FaultKind
    count: int = 1
    status: int = 500
    code: str | None = None
    seconds: float = 1.0
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, wanted: dict[str, Any]) -> Fault:
        """From JSON. Raises ValueError or TypeError for what is no fault."""
        return cls(**{**wanted, "kind": FaultKind(wanted.get("kind", ""))})

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is one of those that break."""
        return self.count > 0 and fnmatchcase(f"{method} {path}", self.match)


@dataclass(frozen=True, slots=True)
class WebhookBehaviour:
    """How deliveries go; the defaults are the orderly case."""

    duplicate: int = 1
    """Each attempt posts the event this often…"""
    concurrent: bool = False
    """…all at once rather than one after the other."""
    delay: float = 0.0
    reorder: bool = False
    """Hold every event back until released, newest first."""
    drop: tuple[str, ...] = ()
    """Patterns of event types that are never delivered."""
    bad_signature: bool = False
    timestamp_offset: int = 0
    retry: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30, 60)
    """Seconds before each further attempt; the last repeats."""
    attempts: int = 500

    @classmethod
    def read(cls, wanted: dict[str, Any]) -> WebhookBehaviour:
        """From JSON. Raises TypeError for a name that means nothing."""
        lists: dict[str, Any] = {name: tuple(wanted[name]) for name in ("drop", "retry") if name in wanted}
        return cls(**{**wanted, **lists})

    def plan(self, event_type: str) -> tuple[str, float]:
        """The state a new delivery starts in, and how many seconds it waits."""
        if any(fnmatchcase(event_type, pattern) for pattern in self.drop):
            return "dropped", 0.0
        return ("held", 0.0) if self.reorder else ("due", self.delay)

    def wait(self, attempts: int) -> float:
        """Seconds to wait after the `attempts`-th failed attempt."""
        return self.retry[min(attempts, len(self.retry)) - 1] if self.retry else 0.0
