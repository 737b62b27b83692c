"""What we know of the customer's money: payments, refunds, disputes, Stripe's transactions, invoices.

Stripe holds the truth about the money; these rows are our copy, moved forward only by
`reconcile`. An intention (a payment, a refund) is a committed row with its idempotency key
before Stripe hears of it, so that a lost reply is asked for again and never done again.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from fulfillment.kernel.db import Base, EnumText, Id, Minor
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import WrongStatus


class CapturePolicy(StrEnum):
    """When the card is charged: with the order, before anything is built."""

    AT_ORDER = "at_order"


class PaymentStatus(StrEnum):
    """Where one attempt to pay an order stands."""

    REQUESTED = "requested"
    """The intention is committed; Stripe may or may not have heard of it."""
    OPEN = "open"
    """The hosted page is there for the customer to pay on."""
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    """Stripe refused to open a page."""


NEXT_PAYMENT = {
    PaymentStatus.REQUESTED: {PaymentStatus.OPEN, PaymentStatus.PAID, PaymentStatus.EXPIRED, PaymentStatus.FAILED},
    PaymentStatus.OPEN: {PaymentStatus.PAID, PaymentStatus.EXPIRED},
    PaymentStatus.EXPIRED: {PaymentStatus.PAID},  # what Stripe says was paid is paid, whatever we thought
    PaymentStatus.FAILED: {PaymentStatus.PAID},
    PaymentStatus.PAID: set(),
}
LIVE = (PaymentStatus.REQUESTED, PaymentStatus.OPEN)


class Payment(Base):
    """One attempt to pay an order: one Checkout Session at Stripe, at most one live one per order."""

    __tablename__ = "payment"
    __table_args__ = (
        sa.UniqueConstraint("order_number", "attempt"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index(
            "uq_payment_live", "order_number", unique=True,
            postgresql_where=sa.text("status IN ('requested', 'open')"), sqlite_where=sa.text("status IN ('requested', 'open')"),
        ),
    )

    id: Mapped[Id]
    order_number: Mapped[str] = mapped_column(index=True)
    attempt: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    """The idempotency key of the call that opens the session."""
    capture: Mapped[CapturePolicy] = mapped_column(EnumText(CapturePolicy), default=CapturePolicy.AT_ORDER)
    status: Mapped[PaymentStatus] = mapped_column(EnumText(PaymentStatus), index=True)
    amount_minor: Mapped[Minor]
    """What the order costs."""
    paid_minor: Mapped[Minor] = mapped_column(default=0)
    """What Stripe received."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    paid_currency: Mapped[str | None] = mapped_column(sa.String(3))
    request: Mapped[dict[str, Any]]
    """The session's parameters, kept word for word: a key must always come with the same request."""
    session_id: Mapped[str | None] = mapped_column(unique=True)
    intent_id: Mapped[str | None] = mapped_column(unique=True)
    charge_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    card: Mapped[str | None]
    """Brand and last four digits, "visa 4242": what may be shown of a card."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What the order costs."""
        return Money(self.amount_minor, self.currency)

    @property
    def paid(self) -> Money:
        """What Stripe received."""
        return Money(self.paid_minor, self.paid_currency or self.currency)

    def move_to(self, status: PaymentStatus) -> None:
        """Step forward. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT_PAYMENT[self.status]:
            raise WrongStatus("The payment is {now} and cannot become {wanted}.", now=self.status, wanted=status)
        self.status = status


class RefundReason(StrEnum):
    """Why money goes back."""

    CANCELLED = "cancelled"
    EXCESS = "excess"
    """The order was paid already."""
    GOODWILL = "goodwill"
    """Our staff decided so."""
    DASHBOARD = "dashboard"
    """Somebody refunded in Stripe's own dashboard; we learnt of it afterwards."""


class RefundStatus(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    PENDING = "pending"
    """Stripe has it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


NEXT_REFUND = {
    RefundStatus.REQUESTED: {RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED},
    RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.FAILED},
    RefundStatus.SUCCEEDED: {RefundStatus.FAILED},  # the customer's bank may send it back days later
    RefundStatus.FAILED: {RefundStatus.REQUESTED, RefundStatus.SUCCEEDED},  # still owed: sent again, or settled in the dashboard
}


class Refund(Base):
    """Money on its way back to the customer; the key is committed before Stripe is asked.

    A refund that failed is still owed: it counts against what is left, and is sent again under the next attempt.
    """

    __tablename__ = "refund"
    __table_args__ = (sa.CheckConstraint("amount_minor > 0", name="amount_positive"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    attempt: Mapped[int] = mapped_column(default=1)
    payment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    order_number: Mapped[str] = mapped_column(index=True)
    reason: Mapped[RefundReason] = mapped_column(EnumText(RefundReason))
    status: Mapped[RefundStatus] = mapped_column(EnumText(RefundStatus), index=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    refund_id: Mapped[str | None] = mapped_column(unique=True)
    """Stripe's name for it."""
    invoiced: Mapped[bool] = mapped_column(default=False)
    """Is an allowance on the sale, because the deposit had gone into an invoice already."""
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What the customer gets back."""
        return Money(self.amount_minor, self.currency)

    @property
    def call_key(self) -> str:
        """The idempotency key of the present attempt; a definitive refusal gets a new one."""
        return self.key if self.attempt == 1 else f"{self.key}-{self.attempt}"

    def move_to(self, status: RefundStatus) -> None:
        """Step forward. Raises WrongStatus for a step that does not exist."""
        if status not in NEXT_REFUND[self.status]:
            raise WrongStatus("The refund is {now} and cannot become {wanted}.", now=self.status, wanted=status)
        self.status = status


class DisputeStatus(StrEnum):
    """Whose the disputed money is."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(Base):
    """The customer's bank took the money back and asks us for evidence."""

    __tablename__ = "dispute"

    id: Mapped[Id]
    dispute_id: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    order_number: Mapped[str] = mapped_column(index=True)
    status: Mapped[DisputeStatus] = mapped_column(EnumText(DisputeStatus))
    reason: Mapped[str]
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What the bank took."""
        return Money(self.amount_minor, self.currency)


class InboxEvent(Base):
    """An event of Stripe's, once: a hint to look, with only what is needed to know where."""

    __tablename__ = "inbox_event"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    hint: Mapped[dict[str, Any]]
    """The ids the event speaks of; never believed, only looked up."""
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]


class BalanceTransaction(Base):
    """A movement of our balance at Stripe: each has exactly one entry in the journal."""

    __tablename__ = "balance_transaction"

    txn_id: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(index=True)
    source_id: Mapped[str | None] = mapped_column(index=True)
    payment_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    gross_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    net_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(sa.String(3))
    created_at: Mapped[datetime] = mapped_column(index=True)
    """By Stripe's clock."""
    entry_kind: Mapped[str | None]
    """The posting it led to; None for a kind we do not know, which a person must book."""
    listed: Mapped[bool] = mapped_column(default=False)
    """Seen by the sweeper: everything before the newest such row is known to us."""


class Invoice(Base):
    """What was sold, as the customer and the tax office may hold it against us: never changed."""

    __tablename__ = "invoice"
    __table_args__ = (
        sa.UniqueConstraint("order_number", "shipment_number"),
        sa.CheckConstraint("net_minor + shipping_minor + tax_minor = gross_minor", name="adds_up"),
        sa.CheckConstraint("deposit_minor >= 0 AND deposit_minor <= gross_minor", name="deposit_within"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_number: Mapped[str] = mapped_column(index=True)
    shipment_number: Mapped[str]
    issued_on: Mapped[date]
    locale: Mapped[str] = mapped_column(sa.String(8))
    bill_to: Mapped[dict[str, Any]]
    ship_to: Mapped[dict[str, Any]]
    lines: Mapped[list[dict[str, Any]]]
    """[{"description": {"en", "zh"}, "quantity", "unit_minor", "net_minor"}]"""
    net_minor: Mapped[Minor]
    """The goods, without delivery and tax."""
    shipping_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    gross_minor: Mapped[Minor]
    deposit_minor: Mapped[Minor]
    """What had been paid beforehand and settles the invoice."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    paid_by: Mapped[str]
    """How it was paid: "visa 4242"; empty when not by card."""

    @property
    def gross(self) -> Money:
        """What the customer owes for it, tax included."""
        return Money(self.gross_minor, self.currency)


@event.listens_for(Invoice, "before_update")
@event.listens_for(Invoice, "before_delete")
def _refuse_change(_mapper: object, _connection: object, invoice: Invoice) -> Never:
    raise RuntimeError(f"invoice {invoice.number} is final; correct it by another document")
