"""Deliveries: every event is posted, signed, to every address that asked for it, until it is taken.

A delivery is a row written with the event itself. The dispatcher works the rows that are due, several at
a time, and begins again after a restart wherever it was: an event may arrive twice, never not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from fulfillment.billing.simulator.faults import WebhookBehaviour
from fulfillment.billing.simulator.state import Account, Obj, Store, public
from fulfillment.kernel import clock

log = logging.getLogger(__name__)

_WORKERS = 8
_TIMEOUT = 10
_IDLE = 0.5
"""Seconds after which an idle dispatcher looks again, also for what time alone makes due."""


def signature(payload: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over the time and the exact bytes."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


def _post(url: str, payload: bytes, header: str) -> str:
    """Post once; the status, or the name of what went wrong."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header,
            "User-Agent": "Stripe/1.0 (simulator)",
        }
        try:
            answer = session.post(url, data=payload, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            return type(error).__name__
    return str(answer.status_code)


class Dispatcher:
    """Background threads that deliver what is due."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake = threading.Event()
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="webhook")
        self._copies = ThreadPoolExecutor(2 * _WORKERS, thread_name_prefix="webhook-copy")

    def start(self) -> None:
        """Begin, with whatever an earlier process left undelivered."""
        self._store.after_commit.append(self._wake.set)
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def _run(self) -> None:
        pause = _IDLE
        while True:
            self._wake.wait(pause)
            self._wake.clear()
            deliveries, pause = self._due()
            for delivery in deliveries:
                self._pool.submit(self._deliver, delivery)

    def _due(self) -> tuple[list[int], float]:
        """What is due and nobody works on, and the seconds until there may be more."""
        now = clock.now().timestamp()
        with self._store.reading() as account, self._lock:
            rows = account.connection.execute(
                "SELECT id, due FROM delivery WHERE state = 'due' AND due <= ? ORDER BY due, id", (now + _IDLE,)
            ).fetchall()
            idle = [row for row in rows if row[0] not in self._busy]
            found = [delivery for delivery, due in idle if due <= now]
            self._busy.update(found)
        later = [due - now for _, due in idle if due > now]
        return found, min([_IDLE, *later])

    def _deliver(self, delivery: int) -> None:
        try:
            self.attempt(delivery)
        except Exception:  # the thread must go on; the row stays due
            log.exception("delivery %s", delivery)
        finally:
            with self._lock:
                self._busy.discard(delivery)

    def attempt(self, delivery: int) -> None:
        """Post one delivery as often as the control plane wants, and write down how it went."""
        with self._store.reading() as account:
            job = _job(account, delivery)
        if job is None:
            return
        event, endpoint, attempts, behaviour = job
        payload = json.dumps(public(event), indent=2).encode()
        timestamp = int(clock.now().timestamp()) + behaviour.timestamp_offset
        secret = "whsec_of_somebody_else" if behaviour.bad_signature else endpoint["_secret"]
        header = signature(payload, secret, timestamp)
        if behaviour.concurrent:
            posts = [self._copies.submit(_post, endpoint["url"], payload, header) for _ in range(behaviour.duplicate)]
            outcomes = [post.result() for post in posts]
        else:
            outcomes = [_post(endpoint["url"], payload, header) for _ in range(behaviour.duplicate)]
        with self._store.transaction() as account:
            _write_down(
                account, delivery, event, endpoint, attempts=attempts + 1, outcomes=outcomes, behaviour=behaviour
            )

    def release(self) -> int:
        """Deliver what was held back, one after the other, the newest first; how many."""
        with self._store.transaction() as account:
            behaviour = account.setting("webhooks", {})
            account.set("webhooks", {**behaviour, "reorder": False})
            rows = account.connection.execute(
                "SELECT id FROM delivery WHERE state = 'held' ORDER BY id DESC"
            ).fetchall()
        for (delivery,) in rows:
            self.attempt(delivery)
        return len(rows)

    def idle(self) -> bool:
        """Whether nothing waits to be delivered."""
        with self._store.reading() as account, self._lock:
            waiting = account.connection.execute("SELECT count(*) FROM delivery WHERE state = 'due'").fetchone()[0]
            return not self._busy and waiting == 0


def _job(account: Account, delivery: int) -> tuple[Obj, Obj, int, WebhookBehaviour] | None:
    row = account.connection.execute(
        "SELECT event, endpoint, attempts FROM delivery WHERE id = ? AND state IN ('due', 'held')", (delivery,)
    ).fetchone()
    if row is None:
        return None
    endpoint = account.lookup(row[1])
    event = account.lookup(row[0])
    if endpoint is None or event is None:
        return None
    return event, endpoint, row[2], WebhookBehaviour.read(account.setting("webhooks", {}))


def _write_down(
    account: Account,
    delivery: int,
    event: Obj,
    endpoint: Obj,
    *,
    attempts: int,
    outcomes: list[str],
    behaviour: WebhookBehaviour,
) -> None:
    """How an attempt went: taken, to be tried again, or given up."""
    now = clock.now().timestamp()
    account.connection.executemany(
        "INSERT INTO attempt (at, event, type, endpoint, outcome) VALUES (?, ?, ?, ?, ?)",
        [(now, event["id"], event["type"], endpoint["id"], outcome) for outcome in outcomes],
    )
    taken = all(outcome.startswith("2") for outcome in outcomes)
    state = "done" if taken else "due" if attempts < behaviour.attempts else "given_up"
    account.connection.execute(
        "UPDATE delivery SET state = ?, attempts = ?, due = ? WHERE id = ?",
        (state, attempts, now + behaviour.wait(attempts), delivery),
    )
    if taken and account.lookup(event["id"]):
        account.get("event", event["id"])["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
