"""Everything the shop owns at the provider, in one SQLite file that survives `kill -9`.

`Store` opens the file and hands out transactions, one at a time. Inside one, `Account` is what the rest of
the simulator works with: objects are plain dictionaries in the shape of Stripe's JSON, and every change made
to them, the events it caused, the deliveries those events need and the idempotency record commit together.
Keys that begin with an underscore are the simulator's own and never leave it; `_due` is the moment at which
time itself changes the object: a hold or a page expires, money becomes available.
"""

from __future__ import annotations

import fcntl
import json
import secrets
import sqlite3
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulfillment.billing.simulator import contract
from fulfillment.billing.simulator.errors import missing
from fulfillment.billing.simulator.faults import WebhookBehaviour
from fulfillment.kernel import clock

Obj = dict[str, Any]
DAY = 86_400

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL, due INTEGER);
CREATE INDEX IF NOT EXISTS object_due ON object (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_status ON object (kind, json_extract(body, '$.status'));
CREATE INDEX IF NOT EXISTS object_charge ON object (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS object_payment_intent ON object (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_source ON object (kind, json_extract(body, '$.source'));
CREATE INDEX IF NOT EXISTS object_payout ON object (kind, json_extract(body, '$._payout'));
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due);
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL, endpoint TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TABLES = ("object", "idempotency", "delivery", "attempt", "setting")
_PREFIXES = {
    "balance_transaction": "txn",
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoiceitem": "ii",
    "payment_intent": "pi",
    "payment_method": "pm",
    "payout": "po",
    "refund": "re",
    "webhook_endpoint": "we",
}
_ALPHABET = string.ascii_letters + string.digits


class StateInUse(RuntimeError):
    """Another simulator already works on this file."""


def token(length: int) -> str:
    """A random string in the alphabet of Stripe's ids."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def public(value: Any) -> Any:
    """A copy without the simulator's own fields."""
    if isinstance(value, list):
        return [public(item) for item in value]
    if isinstance(value, dict):
        return {name: public(item) for name, item in value.items() if not name.startswith("_")}
    return value


@dataclass
class Account:
    """The shop's account at the provider, inside one transaction."""

    connection: sqlite3.Connection
    host: str = "http://127.0.0.1"
    """Where the simulator's own pages are reached."""
    request: Obj = field(default_factory=lambda: {"id": None, "idempotency_key": None})
    _loaded: dict[str, tuple[Obj, str]] = field(default_factory=dict)

    def now(self) -> int:
        """The account's present moment in Unix seconds; tests move it by the control plane."""
        return int(clock.now().timestamp()) + int(self.setting("clock", 0))

    # ------------------------------------------------------------ objects

    def add(self, kind: str, **fields: Any) -> Obj:
        """A new object: Stripe's nullable fields as null, then what is given."""
        length = 58 if kind == "checkout.session" else 24
        identity = fields.pop("id", None) or f"{_PREFIXES[kind]}_{token(length)}"
        usual = {"created": self.now(), "livemode": False}
        body: Obj = {**contract.nullable(kind), "id": identity, "object": kind}
        body |= {name: value for name, value in usual.items() if contract.has_field(kind, name)}
        body |= fields
        self.connection.execute(
            "INSERT INTO object (id, kind, body, due) VALUES (?, ?, ?, ?)",
            (identity, kind, json.dumps(body), body.get("_due")),
        )
        self._loaded[identity] = (body, json.dumps(body))
        return body

    def get(self, kind: str, identity: str, param: str = "id") -> Obj:
        """The object itself; changes to it are saved at the end. Raises StripeRefusal (404)."""
        if identity not in self._loaded:
            row = self.connection.execute("SELECT kind, body FROM object WHERE id = ?", (identity,)).fetchone()
            if row is None:
                raise missing(kind, identity, param)
            self._loaded[identity] = (json.loads(row[1]), row[1])
        found = self._loaded[identity][0]
        if found["object"] != kind:
            raise missing(kind, identity, param)
        return found

    def lookup(self, identity: str) -> Obj | None:
        """Any object by its id alone, or None."""
        row = self.connection.execute("SELECT kind FROM object WHERE id = ?", (identity,)).fetchone()
        return self.get(row[0], identity) if row else None

    def find(self, kind: str, **equal: Any) -> list[Obj]:
        """Every object of a kind whose fields equal the given values, oldest first."""
        where = "".join(f" AND json_extract(body, '$.{name}') IS ?" for name in equal)
        return self.select(f"kind = ?{where}", [kind, *equal.values()])

    def select(self, where: str, values: list[Any], *, newest_first: bool = False, limit: int = -1) -> list[Obj]:
        """Objects by a condition of SQL, which is never made of what a request says."""
        self.flush()
        order = "DESC" if newest_first else "ASC"
        rows = self.connection.execute(
            f"SELECT id, body FROM object WHERE {where} ORDER BY seq {order} LIMIT ?",  # noqa: S608
            (*values, limit),
        ).fetchall()
        for identity, body in rows:
            if identity not in self._loaded:
                self._loaded[identity] = (json.loads(body), body)
        return [self._loaded[identity][0] for identity, _ in rows]

    def place(self, kind: str, identity: str, param: str) -> int:
        """Where an object stands among all. Raises StripeRefusal (404)."""
        row = self.connection.execute("SELECT seq FROM object WHERE id = ? AND kind = ?", (identity, kind)).fetchone()
        if row is None:
            raise missing(kind, identity, param)
        return int(row[0])

    def overdue(self) -> list[Obj]:
        """Every object that time itself changes (`_due`), and whose time has come."""
        self.flush()
        rows = self.connection.execute(
            "SELECT kind, id FROM object WHERE due IS NOT NULL AND due <= ? ORDER BY due, seq", (self.now(),)
        ).fetchall()
        return [self.get(kind, identity) for kind, identity in rows]

    def remove(self, kind: str, identity: str) -> Obj:
        """Delete an object and answer as Stripe does."""
        self.get(kind, identity)
        self._loaded.pop(identity)
        self.connection.execute("DELETE FROM object WHERE id = ?", (identity,))
        return {"id": identity, "object": kind, "deleted": True}

    def flush(self) -> None:
        """Write down every object that changed."""
        for identity, (body, before) in list(self._loaded.items()):
            after = json.dumps(body)
            if after != before:
                self.connection.execute(
                    "UPDATE object SET body = ?, due = ? WHERE id = ?", (after, body.get("_due"), identity)
                )
                self._loaded[identity] = (body, after)

    # ------------------------------------------------------------ settings

    def setting(self, name: str, default: Any) -> Any:
        """A value of the control plane."""
        row = self.connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else deepcopy(default)

    def set(self, name: str, value: Any) -> None:
        """Remember a value of the control plane, over restarts too."""
        self.connection.execute(
            "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    # ------------------------------------------------------------ events

    def emit(self, kind: str, subject: Obj, previous: Mapping[str, Any] | None = None) -> Obj:
        """Record that something happened to `subject`, and queue it for whoever listens."""
        listeners = [
            endpoint
            for endpoint in self.find("webhook_endpoint", status="enabled")
            if "*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"]
        ]
        data = {"object": public(subject)}
        if previous:
            data["previous_attributes"] = dict(previous)
        event = self.add(
            "event",
            type=kind,
            data=data,
            api_version=contract.API_VERSION,
            pending_webhooks=len(listeners),
            request=dict(self.request),
        )
        for endpoint in listeners:
            self.queue(event, endpoint)
        return event

    def queue(self, event: Obj, endpoint: Obj) -> None:
        """Let the endpoint hear of the event once this transaction has committed, or as the control plane says."""
        state, delay = WebhookBehaviour.read(self.setting("webhooks", {})).plan(event["type"])
        self.connection.execute(
            "INSERT INTO delivery (event, endpoint, state, due) VALUES (?, ?, ?, ?)",
            (event["id"], endpoint["id"], state, clock.now().timestamp() + delay),
        )


class Store:
    """The state file. One process works on it at a time, one transaction after the other."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises StateInUse."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._claim = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUse(f"another simulator works on {path}") from error
        self._turn = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;")
        self._connection.executescript(_SCHEMA)
        self.host = "http://127.0.0.1"
        self.after_commit: list[Callable[[], None]] = []
        """Called after every transaction that committed (the webhook dispatcher wakes up)."""

    @contextmanager
    def transaction(self, request: Obj | None = None) -> Iterator[Account]:
        """Everything done to the account inside the block commits together, or not at all."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            account = Account(self._connection, self.host)
            if request is not None:
                account.request = request
            try:
                yield account
                account.flush()
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        for tell in self.after_commit:
            tell()

    @contextmanager
    def reading(self) -> Iterator[Account]:
        """Look at the account between two transactions."""
        with self._turn:
            yield Account(self._connection, self.host)

    def clear(self) -> None:
        """Forget everything: a new account."""
        with self.transaction() as account:
            for table in _TABLES:
                account.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
            account._loaded.clear()  # noqa: SLF001 - its own store

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._claim.close()
