"""The control plane under `/_sim/`: what a test does to the provider, and what it looks up.

Not part of Stripe; loopback only, like everything here. Bodies and answers are JSON.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from fulfillment.billing.simulator import disputes, payouts, refunds
from fulfillment.billing.simulator.errors import StripeRefusal, invalid, missing
from fulfillment.billing.simulator.faults import Fault, WebhookBehaviour
from fulfillment.billing.simulator.state import Account, Obj, Store, public
from fulfillment.billing.simulator.timing import pass_time
from fulfillment.billing.simulator.webhooks import Dispatcher
from fulfillment.kernel import clock


def blueprint(store: Store, dispatcher: Dispatcher) -> Blueprint:
    """The routes of the control plane."""
    bp = Blueprint("control", __name__, url_prefix="/_sim")

    @bp.errorhandler(StripeRefusal)
    def refused(refusal: StripeRefusal) -> tuple[Response, int]:
        return jsonify(refusal.body), refusal.status

    @bp.post("/<act>")
    def control(act: str) -> Response:
        given = request.get_json(silent=True) or {}
        if act == "release":
            return jsonify(released=dispatcher.release())
        if act == "settle":
            return jsonify(idle=_settled(dispatcher, given.get("seconds", 10)))
        if act == "reset":
            store.clear()
            return jsonify({})
        if act not in _ACTS:
            raise missing("control", act)
        with store.transaction() as account:
            return jsonify(public(_ACTS[act](account, given)))

    @bp.get("/log")
    def attempts() -> Response:
        with store.reading() as account:
            rows = account.connection.execute(
                "SELECT at, event, type, endpoint, outcome FROM attempt ORDER BY id"
            ).fetchall()
        return jsonify([dict(zip(("at", "event", "type", "endpoint", "outcome"), row, strict=True)) for row in rows])

    @bp.get("/deliveries")
    def deliveries() -> Response:
        with store.reading() as account:
            rows = account.connection.execute(
                "SELECT event, endpoint, state, attempts FROM delivery ORDER BY id"
            ).fetchall()
        return jsonify([dict(zip(("event", "endpoint", "state", "attempts"), row, strict=True)) for row in rows])

    return bp


def _settled(dispatcher: Dispatcher, seconds: int) -> bool:
    """Wait until every delivery has been taken, at most so long."""
    for _ in range(seconds * 50):
        if dispatcher.idle():
            return True
        time.sleep(0.02)
    return False


def _faults(account: Account, given: Obj) -> Any:
    """Break the next requests: `{"faults": [{"match": …, "kind": …}]}`; an empty list mends everything."""
    try:
        faults = [Fault.read(one) for one in given["faults"]]
    except (KeyError, TypeError, ValueError) as error:
        raise invalid(f"Not a list of faults: {error}", param="faults") from error
    account.set("faults", [asdict(one) for one in faults])
    return {"faults": [asdict(one) for one in faults]}


def _webhooks(account: Account, given: Obj) -> Any:
    """Set how deliveries go; what is not named is orderly again."""
    try:
        behaviour = asdict(WebhookBehaviour.read(given))
    except TypeError as error:
        raise invalid(f"Not a behaviour of webhooks: {error}") from error
    account.set("webhooks", behaviour)
    return behaviour


def _clock(account: Account, given: Obj) -> Any:
    """Move the account's clock forward by `advance` seconds, and let everything happen that comes due."""
    account.set("clock", int(account.setting("clock", 0)) + int(given["advance"]))
    pass_time(account)
    return {"now": account.now()}


def _dispute(account: Account, given: Obj) -> Any:
    """A cardholder disputes a charge, by default all that is left of it."""
    charge = account.get("charge", given["charge"], "charge")
    return disputes.open_dispute(account, charge, given.get("reason", "fraudulent"), given.get("amount"))


def _close_dispute(account: Account, given: Obj) -> Any:
    """The bank decides a dispute: `{"dispute": "du_…", "won": true}`."""
    dispute = account.get("dispute", given["dispute"], "dispute")
    disputes.close_dispute(account, dispute, won=bool(given["won"]))
    return dispute


def _payout(account: Account, given: Obj) -> Any:
    """The provider pays out what is available, or with `include_pending` everything."""
    return {"payouts": payouts.pay_out(account, include_pending=bool(given.get("include_pending")))}


def _fail_refund(account: Account, given: Obj) -> Any:
    """A refund comes back from the bank."""
    refund = account.get("refund", given["refund"], "refund")
    refunds.fail(account, refund)
    return refund


def _emit(account: Account, given: Obj) -> Any:
    """Send an event of any type about any object, real or not; `livemode` may lie."""
    event = account.emit(given["type"], given["object"])
    event["livemode"] = bool(given.get("livemode", False))
    return event


def _resend(account: Account, given: Obj) -> Any:
    """Send an event again to every address that is switched on."""
    event = account.get("event", given["event"], "event")
    for endpoint in account.find("webhook_endpoint", status="enabled"):
        account.connection.execute(
            "INSERT INTO delivery (event, endpoint, state, due) VALUES (?, ?, 'due', ?)",
            (event["id"], endpoint["id"], clock.now().timestamp()),
        )
    return event


_ACTS = {
    "clock": _clock,
    "close_dispute": _close_dispute,
    "dispute": _dispute,
    "emit": _emit,
    "fail_refund": _fail_refund,
    "faults": _faults,
    "payout": _payout,
    "resend": _resend,
    "webhooks": _webhooks,
}
