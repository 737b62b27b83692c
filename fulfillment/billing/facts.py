"""What Stripe says, in our words: plain values, so that nothing but the gateway knows the SDK.

Amounts are Money, moments are aware, ids are Stripe's. A fact is a snapshot: it may be old by the
time it is used, which is why whoever uses it only ever moves forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fulfillment.kernel.money import Money


@dataclass(frozen=True, slots=True)
class TransactionFacts:
    """A movement of our balance at Stripe. `net` = `gross` - `fee`; money that leaves is negative."""

    txn_id: str
    category: str
    """Stripe's `reporting_category`: charge, refund, dispute, dispute_reversal, fee, payout …"""
    gross: Money
    fee: Money
    net: Money
    created_at: datetime
    source_id: str | None = None
    intent_id: str | None = None
    """The payment it belongs to, where the source was looked at."""


@dataclass(frozen=True, slots=True)
class IntentFacts:
    """The money of a session: whether it came, how much, by which card."""

    intent_id: str
    status: str
    received: Money
    charge_id: str | None
    card: str | None
    transaction: TransactionFacts | None
    """None while Stripe has not entered the charge in our balance yet."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A hosted payment page."""

    session_id: str
    status: str | None
    """open, complete or expired."""
    amount: Money
    livemode: bool
    order_number: str | None
    payment_id: str | None
    """Our payment, from the metadata we sent along."""
    url: str | None = None
    intent: IntentFacts | None = None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Money Stripe sends or sent back."""

    refund_id: str
    status: str
    amount: Money
    refund_key: str | None
    """Our key, from the metadata we sent along; None for a refund made in the dashboard."""
    attempt: int = 1
    transactions: tuple[TransactionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A payment its card holder's bank has taken back."""

    dispute_id: str
    status: str
    reason: str
    amount: Money
    opened_at: datetime
    transactions: tuple[TransactionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFacts:
    """A verified event: a hint where to look."""

    event_id: str
    kind: str
    livemode: bool
    hint: dict[str, str] = field(default_factory=dict)
    """Ids only: `object` (its type), `id`, and `payment_intent` where the object names one."""
