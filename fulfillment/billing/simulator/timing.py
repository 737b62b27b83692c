"""What time does on its own: pages and holds expire, money becomes available, payouts arrive."""

from __future__ import annotations

from fulfillment.billing.simulator import balance, checkout, payments, payouts
from fulfillment.billing.simulator.state import Account


def pass_time(account: Account) -> None:
    """Let everything happen whose time has come."""
    for one in account.overdue():
        match one["object"]:
            case "balance_transaction":
                balance.settle(one)
            case "checkout.session":
                checkout.close(account, one)
            case "payment_intent":
                payments.expire_hold(account, one)
            case "payout":
                payouts.arrive(account, one)
