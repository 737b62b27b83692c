"""Disputes: the cardholder's bank takes the money back, and sometimes returns it."""

from __future__ import annotations

from fulfillment.billing.simulator import balance
from fulfillment.billing.simulator.errors import invalid
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import merge_metadata, serves
from fulfillment.billing.simulator.state import DAY, Account, Obj, public

RESPONSE_TIME = 7 * DAY
_OPEN = frozenset({"needs_response", "under_review"})
_EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open_dispute(account: Account, charge: Obj, reason: str, amount: int | None = None) -> Obj:
    """The bank withdraws the money at once, and the fee with it. Raises StripeRefusal."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    if charge["disputed"] or not 0 < wanted <= left:
        raise invalid("This charge cannot be disputed for that amount.", param="charge")
    charge["disputed"] = True
    dispute = account.add(
        "dispute",
        amount=wanted,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        evidence_details={
            "due_by": account.now() + RESPONSE_TIME,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="needs_response",
    )
    _move(account, dispute, -wanted, fee=balance.DISPUTE_FEE, category="dispute")
    account.emit("charge.dispute.created", dispute)
    account.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _move(account: Account, dispute: Obj, amount: int, *, fee: int, category: str) -> None:
    movement = balance.record(
        account, "adjustment", amount, dispute["currency"], dispute["id"], fee=fee, category=category
    )
    dispute["balance_transactions"].append(public(movement))


def close_dispute(account: Account, dispute: Obj, *, won: bool) -> None:
    """The bank decides: the money comes back without the fee, or it is gone."""
    if dispute["status"] not in _OPEN:
        raise invalid(f"This dispute is already closed: {dispute['status']}.")
    dispute["status"] = "won" if won else "lost"
    if won:
        _move(account, dispute, dispute["amount"], fee=0, category="dispute_reversal")
        account.emit("charge.dispute.funds_reinstated", dispute)
    account.emit("charge.dispute.closed", dispute)


@serves("GET /v1/disputes")
def list_disputes(account: Account, params: Obj) -> Obj:
    """Disputes, the newest first."""
    return listed(account, "dispute", params, "/v1/disputes", "charge", "payment_intent")


@serves("GET /v1/disputes/{dispute}")
def show_dispute(account: Account, _params: Obj, identity: str) -> Obj:
    """One dispute."""
    return account.get("dispute", identity)


@serves("POST /v1/disputes/{dispute}")
def update_dispute(account: Account, params: Obj, identity: str) -> Obj:
    """Hand in evidence. The texts `winning_evidence` and `losing_evidence` decide at once, as in Stripe's tests."""
    dispute = account.get("dispute", identity)
    evidence = params.get("evidence") or {}
    if evidence and dispute["status"] != "needs_response":
        raise invalid("This dispute no longer takes evidence.", param="evidence")
    dispute["evidence"].update(evidence)
    merge_metadata(dispute, params.get("metadata"))
    details = dispute["evidence_details"]
    details["has_evidence"] = any(value for name, value in dispute["evidence"].items() if name != "enhanced_evidence")
    submitted = bool(evidence) and params.get("submit", True)
    if submitted:
        dispute["status"] = "under_review"
        details["submission_count"] += 1
    account.emit("charge.dispute.updated", dispute)
    verdict = dispute["evidence"]["uncategorized_text"]
    if submitted and verdict in {"winning_evidence", "losing_evidence"}:
        close_dispute(account, dispute, won=verdict == "winning_evidence")
    return dispute


@serves("POST /v1/disputes/{dispute}/close")
def accept_dispute(account: Account, _params: Obj, identity: str) -> Obj:
    """The shop gives in: lost."""
    dispute = account.get("dispute", identity)
    close_dispute(account, dispute, won=False)
    return dispute
