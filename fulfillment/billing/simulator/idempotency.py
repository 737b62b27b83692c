"""Idempotency keys: the same request twice has one effect, and the second gets the first one's answer.

The record commits with the effect, so there is no moment at which one exists without the other. A key that
is being worked on lives in memory only: when the process dies, nothing has happened and the key is free.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fulfillment.billing.simulator.errors import StripeRefusal
from fulfillment.billing.simulator.state import DAY, Account, Obj

KEPT = DAY
"""Seconds a key is remembered; after that the same key means a new request."""
LONGEST_KEY = 255


def fingerprint(method: str, path: str, raw: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(f"{method} {path}\n".encode() + raw).hexdigest()


class InFlight:
    """Keys whose request has begun and is not answered yet."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def claim(self, key: str | None) -> Iterator[None]:
        """Hold the key for the length of a request. Raises StripeRefusal (409) while another does."""
        if key is None:
            yield
            return
        with self._lock:
            if key in self._keys:
                told = "There is currently another in-progress request using this Stripe-Idempotency-Key."
                raise StripeRefusal(409, "invalid_request_error", told, code="idempotency_key_in_use")
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def recall(account: Account, key: str, print_: str) -> tuple[int, Obj, str] | None:
    """Status, body and request id of the first answer. Raises StripeRefusal for other parameters."""
    row = account.connection.execute(
        "SELECT fingerprint, status, body, request FROM idempotency WHERE key = ? AND created > ?",
        (key, account.now() - KEPT),
    ).fetchone()
    if row is None:
        return None
    if row[0] != print_:
        told = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
            f" Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise StripeRefusal(400, "idempotency_error", told)
    return int(row[1]), json.loads(row[2]), str(row[3])


def remember(account: Account, key: str, print_: str, status: int, body: Obj) -> None:
    """Keep the answer, in the transaction that had the effect."""
    account.connection.execute(
        "INSERT OR REPLACE INTO idempotency (key, fingerprint, request, status, body, created)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (key, print_, account.request["id"], status, json.dumps(body), account.now()),
    )
