"""The shop's balance at the provider: every movement of money is one balance transaction, for good."""

from __future__ import annotations

from typing import Any

from fulfillment.billing.simulator.errors import invalid
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves
from fulfillment.billing.simulator.state import DAY, Account, Obj

SETTLING = 2 * DAY
"""Seconds until the money of a charge is available."""
DISPUTE_FEE = 1_500
"""Minor units the provider keeps for each dispute."""

_MINIMUM = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "cny": 400, "hkd": 400, "cad": 50, "aud": 50, "chf": 50}
_LARGEST = 99_999_999


def card_fee(amount: int) -> int:
    """2.9 % and 30 minor units, the fraction rounded half up."""
    return (amount * 29 + 500) // 1000 + 30


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Raises StripeRefusal for an amount or a currency the provider does not take."""
    if currency not in _MINIMUM:
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    if amount < _MINIMUM[currency]:
        told = f"Amount must be at least {_MINIMUM[currency]} in the smallest unit of {currency}"
        raise invalid(told, code="amount_too_small", param=param)
    if amount > _LARGEST:
        raise invalid(f"Amount must be no more than {_LARGEST}", code="amount_too_large", param=param)


def record(
    account: Account,
    kind: str,
    amount: int,
    currency: str,
    source: str,
    *,
    fee: int = 0,
    category: str | None = None,
    settling: int = 0,
    description: str | None = None,
) -> Obj:
    """Book one movement: `amount` in (positive) or out (negative), less `fee`."""
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Processing fees",
            "type": "stripe_fee",
        }
    ]
    return account.add(
        "balance_transaction",
        amount=amount,
        available_on=account.now() + settling,
        balance_type="payments",
        currency=currency,
        description=description,
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        reporting_category=category or kind,
        source=source,
        status="pending" if settling else "available",
        type=kind,
        _payout=None,
        _due=account.now() + settling if settling else None,
    )


def settle(transaction: Obj) -> None:
    """Money whose day has come becomes available."""
    transaction.update(status="available", _due=None)


def totals(account: Account) -> dict[str, dict[str, int]]:
    """Available and pending, by currency."""
    account.flush()
    rows = account.connection.execute(
        "SELECT json_extract(body, '$.currency'), json_extract(body, '$.status'), sum(json_extract(body, '$.net'))"
        " FROM object WHERE kind = 'balance_transaction' GROUP BY 1, 2 ORDER BY 1"
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for currency, status, net in rows or [("usd", "available", 0)]:
        found.setdefault(currency, {"available": 0, "pending": 0})[status] = net
    return found


@serves("GET /v1/balance")
def show_balance(account: Account, _params: Obj) -> Obj:
    """What is there and what is on its way."""
    found = totals(account)

    def part(status: str) -> list[dict[str, Any]]:
        return [
            {"amount": sums[status], "currency": currency, "source_types": {"card": sums[status]}}
            for currency, sums in found.items()
        ]

    return {
        "object": "balance",
        "available": part("available"),
        "pending": part("pending"),
        "livemode": False,
        "refund_and_dispute_prefunding": None,
    }


@serves("GET /v1/balance_transactions")
def list_transactions(account: Account, params: Obj) -> Obj:
    """Movements, also those of one payout or of one source."""
    carried = {}
    if "payout" in params:
        carried["_payout"] = account.get("payout", params["payout"], "payout")["id"]
    filters = ("currency", "type", "source")
    return listed(account, "balance_transaction", params, "/v1/balance_transactions", *filters, **carried)


@serves("GET /v1/balance_transactions/{id}")
def show_transaction(account: Account, _params: Obj, identity: str) -> Obj:
    """One movement."""
    return account.get("balance_transaction", identity)
