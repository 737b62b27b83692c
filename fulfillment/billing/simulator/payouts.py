"""Payouts: the available balance on its way to the shop's bank account."""

from __future__ import annotations

from typing import Any

from fulfillment.billing.simulator import balance
from fulfillment.billing.simulator.errors import invalid
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import DAY, Account, Obj


def _new(account: Account, amount: int, currency: str, **fields: Any) -> Obj:
    payout = account.add(
        "payout",
        amount=amount,
        arrival_date=account.now() + DAY,
        currency=currency,
        destination="ba_larkmill",
        metadata={},
        method="standard",
        source_type="card",
        type="bank_account",
        **fields,
    )
    movement = balance.record(account, "payout", -amount, currency, payout["id"])
    payout["balance_transaction"] = movement["id"]
    if payout["automatic"]:
        movement["_payout"] = payout["id"]
    account.emit("payout.created", payout)
    return payout


def pay_out(account: Account, *, include_pending: bool = False) -> list[Obj]:
    """The provider's own payout, one per currency: all that is available, less what the shop already asked for."""
    payouts = []
    waiting = account.find("balance_transaction", _payout=None)
    for currency in sorted({one["currency"] for one in waiting}):
        carried = [
            one for one in waiting if one["currency"] == currency and (include_pending or one["status"] == "available")
        ]
        net = sum(one["net"] for one in carried)
        if net <= 0:
            continue
        payout = _new(account, net, currency, automatic=True, reconciliation_status="completed", status="paid")
        for one in carried:
            balance.settle(one)
            one["_payout"] = payout["id"]
        account.emit("payout.paid", payout)
        account.emit("payout.reconciliation_completed", payout)
        payouts.append(payout)
    return payouts


def arrive(account: Account, payout: Obj) -> None:
    """A payout asked for by the shop reaches its bank."""
    payout.update(status="paid", _due=None)
    account.emit("payout.paid", payout)


@serves("POST /v1/payouts")
def create(account: Account, params: Obj) -> Obj:
    """A payout the shop asks for; the provider does not tell which movements are in it."""
    currency = params["currency"].lower()
    balance.check_amount(params["amount"], currency)
    if params["amount"] > balance.totals(account).get(currency, {"available": 0})["available"]:
        told = "You have insufficient funds in your Stripe account for this transfer."
        raise invalid(told, code="balance_insufficient", param="amount")
    payout = _new(
        account,
        params["amount"],
        currency,
        automatic=False,
        reconciliation_status="not_applicable",
        status="in_transit",
        description=params.get("description"),
        statement_descriptor=params.get("statement_descriptor"),
        _due=account.now() + DAY,
    )
    return update_plain(payout, {"metadata": params.get("metadata")})


@serves("GET /v1/payouts")
def list_payouts(account: Account, params: Obj) -> Obj:
    """Payouts, the newest first."""
    return listed(account, "payout", params, "/v1/payouts", "status")


@serves("GET /v1/payouts/{payout}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One payout."""
    return account.get("payout", identity)


@serves("POST /v1/payouts/{payout}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change the metadata of a payout."""
    payout = update_plain(account.get("payout", identity), params)
    account.emit("payout.updated", payout)
    return payout
