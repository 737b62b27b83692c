"""Refunds: money back to the card, never more than was taken."""

from __future__ import annotations

from fulfillment.billing.simulator import balance
from fulfillment.billing.simulator.errors import invalid, not_modelled
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import Account, Obj

_MODELLED = frozenset({"charge", "payment_intent", "amount", "reason", "metadata", "expand"})


@serves("POST /v1/refunds")
def create(account: Account, params: Obj) -> Obj:
    """Give back all that is left of a charge, or a part of it."""
    if foreign := sorted(params.keys() - _MODELLED):
        raise not_modelled(f"this of a refund: {', '.join(foreign)}")
    charge = _charge(account, params)
    amount = _amount(account, charge, params.get("amount"))
    refund = account.add(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={
            "type": "card",
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
        },
        metadata=params.get("metadata") or {},
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        status="succeeded",
    )
    movement = balance.record(account, "refund", -amount, charge["currency"], refund["id"])
    refund["balance_transaction"] = movement["id"]
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    account.emit("refund.created", refund)
    account.emit("charge.refunded", charge, before)
    account.emit("refund.updated", refund)
    return refund


def _charge(account: Account, params: Obj) -> Obj:
    if not params.get("payment_intent"):
        if not params.get("charge"):
            told = "One of the following params should be provided for this request: payment_intent or charge."
            raise invalid(told, code="parameter_missing")
        return account.get("charge", params["charge"], "charge")
    intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        told = "This PaymentIntent does not have a successful charge to refund."
        raise invalid(told, code="payment_intent_unexpected_state", param="payment_intent")
    if params.get("charge", intent["latest_charge"]) != intent["latest_charge"]:
        raise invalid("The charge does not belong to the PaymentIntent.", param="charge")
    return account.get("charge", intent["latest_charge"])


def _amount(account: Account, charge: Obj, wanted: int | None) -> int:
    """How much goes back. Raises StripeRefusal when nothing may, or not that much."""
    identity = charge["id"]
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {identity} did not succeed, so it cannot be refunded.", param="charge")
    if not charge["captured"]:
        told = f"Charge {identity} has not been captured; cancel its PaymentIntent instead."
        raise invalid(told, code="charge_not_refundable", param="charge")
    if any(dispute["status"] != "won" for dispute in account.find("dispute", charge=identity)):
        raise invalid(f"Charge {identity} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise invalid(f"Charge {identity} has already been refunded.", code="charge_already_refunded")
    amount = left if wanted is None else wanted
    if amount <= 0:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        told = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(told, param="amount")
    return amount


@serves("GET /v1/refunds")
def list_refunds(account: Account, params: Obj) -> Obj:
    """Refunds, the newest first."""
    return listed(account, "refund", params, "/v1/refunds", "charge", "payment_intent")


@serves("GET /v1/refunds/{refund}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One refund."""
    return account.get("refund", identity)


@serves("POST /v1/refunds/{refund}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change the metadata of a refund."""
    refund = update_plain(account.get("refund", identity), params)
    account.emit("refund.updated", refund)
    return refund


def fail(account: Account, refund: Obj) -> None:
    """The bank could not credit the card: the money returns to the shop's balance."""
    if refund["status"] != "succeeded":
        raise invalid(f"This refund is {refund['status']}.")
    charge = account.get("charge", refund["charge"])
    movement = balance.record(account, "refund_failure", refund["amount"], refund["currency"], refund["id"])
    refund.update(
        status="failed",
        failure_reason="expired_or_canceled_card",
        failure_balance_transaction=movement["id"],
    )
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    account.emit("refund.updated", refund)
    account.emit("refund.failed", refund)
    account.emit("charge.updated", charge)
