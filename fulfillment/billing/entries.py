"""Which entry each movement of our balance at Stripe makes: the reporting category decides.

Pure. A category that is not here makes none, so that a person books it and the clearing account
disagrees with Stripe, loudly, until then.
"""

from __future__ import annotations

from collections.abc import Callable

from fulfillment.billing.facts import TransactionFacts
from fulfillment.ledger import postings
from fulfillment.ledger.draft import Draft

Rule = Callable[[TransactionFacts, str], Draft]

IN: dict[str, Rule] = {
    "charge": lambda txn, order: postings.payment_captured(order, txn.txn_id, txn.gross, txn.fee),
    "refund_failure": lambda txn, order: postings.refund_failed(order, txn.txn_id, txn.gross),
    "dispute_reversal": lambda txn, order: postings.dispute_won(order, txn.txn_id, txn.gross, -txn.fee),
    "payout_reversal": lambda txn, _: postings.payout_returned(txn.txn_id, txn.gross),
}
"""Money that comes in."""

OUT: dict[str, Rule] = {
    "refund": lambda txn, order: postings.refund_settled(order, txn.txn_id, -txn.gross),
    "dispute": lambda txn, order: postings.dispute_opened(order, txn.txn_id, -txn.gross, txn.fee),
    "payout": lambda txn, _: postings.payout_settled(txn.txn_id, -txn.gross),
    "fee": lambda txn, _: postings.card_fee_charged(txn.txn_id, -txn.gross),
}
"""Money that goes out: its amount is negative."""

WITH_FEE = frozenset({"charge", "dispute", "dispute_reversal"})
"""The rules that take the fee along."""


def draft_of(txn: TransactionFacts, order_number: str) -> Draft | None:
    """The entry of this movement, or None when no rule fits it to the cent."""
    rules = IN if txn.gross.minor > 0 else OUT
    rule = rules.get(txn.category)
    plain = txn.category in WITH_FEE or not txn.fee
    if rule is None or not plain or txn.gross - txn.fee != txn.net:
        return None
    if txn.category == "dispute_reversal" and txn.fee.minor > 0:
        return None
    return rule(txn, order_number)
