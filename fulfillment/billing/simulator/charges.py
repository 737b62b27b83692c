"""Charges: what the bank answered to one attempt to take money from a card."""

from __future__ import annotations

from typing import NoReturn

from fulfillment.billing.simulator import balance, cards, disputes
from fulfillment.billing.simulator.errors import StripeRefusal
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.payment_methods import attach_to
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import DAY, Account, Obj, public

HOLD = 7 * DAY
"""Seconds an authorisation holds the money before the bank lets go of it."""


def _attempt(account: Account, intent: Obj, method: Obj, **result: object) -> Obj:
    card = method["card"]
    details = {name: card[name] for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding")}
    charge = account.add(
        "charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        billing_details=dict(method["billing_details"]),
        calculated_statement_descriptor="LARKMILL",
        captured=False,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        metadata=dict(intent["metadata"]),
        paid=True,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={
            "type": "card",
            "card": {
                **details,
                "last4": card["last4"],
                "network": card["brand"],
                "capture_before": None,
                "checks": dict(card["checks"]),
                "three_d_secure": None,
                "wallet": None,
            },
        },
        receipt_email=intent["receipt_email"],
        refunded=False,
        shipping=intent["shipping"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        status="succeeded",
    )
    charge.update(result)
    intent["latest_charge"] = charge["id"]
    return charge


def authorise(account: Account, intent: Obj, method: Obj) -> None:
    """The bank says yes: hold the money, or take it at once."""
    charge = _attempt(
        account,
        intent,
        method,
        outcome={
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
    )
    if intent["setup_future_usage"] and intent["customer"]:
        if method["customer"] is None:
            attach_to(account, method, intent["customer"])
        method["_set_up"] = method["_set_up"] or intent["setup_future_usage"] == "off_session"
    if intent["capture_method"] == "manual":
        expires = account.now() + HOLD
        charge["payment_method_details"]["card"]["capture_before"] = expires
        intent.update(status="requires_capture", amount_capturable=intent["amount"], _due=expires)
        account.emit("charge.succeeded", charge)
        account.emit("payment_intent.amount_capturable_updated", intent)
    else:
        capture(account, intent, intent["amount"])


def capture(account: Account, intent: Obj, amount: int) -> None:
    """Take the money, or the part of it that is wanted; the rest of a hold is let go."""
    charge = account.get("charge", intent["latest_charge"])
    charge.update(captured=True, amount_captured=amount)
    account.emit("charge.captured" if intent["capture_method"] == "manual" else "charge.succeeded", charge)
    movement = balance.record(
        account,
        "charge",
        amount,
        charge["currency"],
        charge["id"],
        fee=balance.card_fee(amount),
        settling=balance.SETTLING,
        description=charge["description"],
    )
    charge["balance_transaction"] = movement["id"]
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount, last_payment_error=None, _due=None)
    account.emit("payment_intent.succeeded", intent)
    account.emit("charge.updated", charge, {"balance_transaction": None})
    method = account.get("payment_method", charge["payment_method"])
    dispute = cards.outcome(method["_number"]).dispute
    if dispute is not None:
        disputes.open_dispute(account, charge, dispute)


def decline(account: Account, intent: Obj, method: Obj, code: str, decline_code: str | None) -> NoReturn:
    """The bank says no: a failed charge stays behind, and the intent waits for another card."""
    message = cards.MESSAGES.get(decline_code or "", cards.MESSAGES[code])
    charge = _attempt(
        account,
        intent,
        method,
        failure_code=code,
        failure_message=message,
        paid=False,
        status="failed",
        outcome={
            "advice_code": "try_again_later" if code == "processing_error" else "do_not_try_again",
            "network_advice_code": None,
            "network_decline_code": "01",
            "network_status": "declined_by_network",
            "reason": decline_code or code,
            "risk_level": "normal",
            "seller_message": "The bank declined the payment.",
            "type": "issuer_declined",
        },
    )
    error = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "message": message,
        "payment_method": public(method),
        "type": "card_error",
    }
    fail(account, intent, error, charge)
    raise StripeRefusal(
        402,
        "card_error",
        message,
        code=code,
        kept=True,
        decline_code=decline_code,
        charge=charge["id"],
        payment_intent=public(intent),
        payment_method=public(method),
    )


def fail(account: Account, intent: Obj, error: Obj, charge: Obj | None = None) -> None:
    """Send the intent back to waiting for a card, with the reason on it."""
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={name: value for name, value in error.items() if value is not None},
    )
    if charge is not None:
        account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", intent)


@serves("GET /v1/charges")
def list_charges(account: Account, params: Obj) -> Obj:
    """Charges, the newest first."""
    return listed(account, "charge", params, "/v1/charges", "customer", "payment_intent")


@serves("GET /v1/charges/{charge}")
def show_charge(account: Account, _params: Obj, identity: str) -> Obj:
    """One charge."""
    return account.get("charge", identity)


@serves("POST /v1/charges/{charge}")
def update_charge(account: Account, params: Obj, identity: str) -> Obj:
    """Change the description or the metadata of a charge."""
    charge = update_plain(account.get("charge", identity), params)
    account.emit("charge.updated", charge)
    return charge
