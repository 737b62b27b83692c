"""What must be true of the customers' money, asked by `flask books check`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from fulfillment.billing.gateway import gateway
from fulfillment.billing.models import BalanceTransaction, Dispute, DisputeStatus, Invoice, Payment, PaymentStatus, Refund
from fulfillment.kernel.clock import now
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.kernel.refusals import Unavailable
from fulfillment.kernel.settings import settings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import BY_ITSELF, Check, Finding, check, ties, witness
from fulfillment.orders.models import OrderStatus, SalesOrder

PATIENCE = 5
"""Seconds for an answer of the provider: somebody waits before a page."""


def _sum(session: Session, column: InstrumentedAttribute[int], *which: sa.ColumnElement[bool]) -> int:
    return int(session.scalar(sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*which)) or 0)


def _moved(session: Session, column: InstrumentedAttribute[int], currency: str, *which: Any) -> int:
    return _sum(session, column, BalanceTransaction.currency == currency, *which)


def _currencies(session: Session) -> list[str]:
    seen = session.scalars(sa.select(BalanceTransaction.currency).distinct().order_by(BalanceTransaction.currency))
    return list(dict.fromkeys([SHOP_CURRENCY, *seen]))


def _tie(session: Session, account: Account, by_currency: dict[str, int], to: str, besides: Sequence[str] = ()) -> list[Finding]:
    amounts = (Money(minor, currency) for currency, minor in by_currency.items())
    return [found for amount in amounts for found in ties(session, account, amount, to=to, besides=besides)]


@check("card clearing")
def clearing_is_the_providers_balance(session: Session) -> list[Finding]:
    """The clearing account is the sum of every movement of our balance at the payment provider."""
    moved = {currency: _moved(session, BalanceTransaction.net_minor, currency) for currency in _currencies(session)}
    return _tie(session, Account.CARD_CLEARING, moved, "the provider's transactions")


def clearing_against_provider(session: Session, held: Money) -> list[Finding]:
    """Compare with what the provider `held` when he was asked, before the session began."""
    return ties(session, Account.CARD_CLEARING, held, to="the payment provider")


@witness("provider's balance")
def provider_says() -> Check:
    """The clearing account is what the payment provider says it holds for us at this moment.

    Raises Unavailable when he is away or not set up.
    """
    if not settings().stripe_api_key:
        raise Unavailable("No key of the payment provider is configured.")
    try:
        held = gateway(timeout=PATIENCE).balance(SHOP_CURRENCY)
    except Unavailable as refusal:
        raise Unavailable("The payment provider does not answer.") from refusal
    return lambda session: clearing_against_provider(session, held)


@check("customer deposits")
def deposits_are_paid_and_not_invoiced(session: Session) -> list[Finding]:
    """Customer deposits are what was paid and neither promised back nor applied to an invoice."""
    txn = BalanceTransaction
    held = {
        currency: _moved(session, txn.gross_minor, currency, txn.category == "charge")
        + _moved(session, txn.gross_minor, currency, txn.category == "refund", txn.payment_id.is_(None))
        - _sum(session, Refund.amount_minor, Refund.currency == currency, Refund.invoiced.is_(sa.false()))
        - _sum(session, Invoice.deposit_minor, Invoice.currency == currency)
        for currency in _currencies(session)
    }
    owed = {currency: -minor for currency, minor in held.items()}
    return _tie(session, Account.CUSTOMER_DEPOSITS, owed, "payments, refunds and invoices")


@check("refunds due")
def refunds_due_are_promised_and_not_sent(session: Session) -> list[Finding]:
    """Refunds due are what was promised and has not left our balance, or came back to it."""
    sent = BalanceTransaction.category.in_(("refund", "refund_failure"))
    due = {
        currency: _sum(session, Refund.amount_minor, Refund.currency == currency)
        + _moved(session, BalanceTransaction.gross_minor, currency, sent, BalanceTransaction.payment_id.is_not(None))
        for currency in _currencies(session)
    }
    return _tie(session, Account.REFUNDS_DUE, {currency: -minor for currency, minor in due.items()}, "promised refunds")


@check("disputed payments")
def disputed_is_what_banks_took(session: Session) -> list[Finding]:
    """Disputed payments are what banks took and have not decided on."""
    taken = BalanceTransaction.category.in_(("dispute", "dispute_reversal"))
    disputed = {
        currency: -_moved(session, BalanceTransaction.gross_minor, currency, taken)
        - _sum(session, Dispute.amount_minor, Dispute.currency == currency, Dispute.status == DisputeStatus.LOST)
        for currency in _currencies(session)
    }
    return _tie(session, Account.DISPUTED, disputed, "disputes")


def _invoiced(session: Session, *columns: InstrumentedAttribute[int]) -> dict[str, int]:
    """What all invoices come to, by currency."""
    billed = session.scalars(sa.select(Invoice.currency).distinct().order_by(Invoice.currency))
    return {
        currency: sum(_sum(session, column, Invoice.currency == currency) for column in columns)
        for currency in dict.fromkeys([SHOP_CURRENCY, *billed])
    }


def _credit(amounts: dict[str, int]) -> dict[str, int]:
    return {currency: -minor for currency, minor in amounts.items()}


@check("accounts receivable")
def receivables_are_open_invoices(session: Session) -> list[Finding]:
    """Accounts receivable are what invoices ask for beyond the deposits, less what was received on them."""
    asked, deposits = _invoiced(session, Invoice.gross_minor), _invoiced(session, Invoice.deposit_minor)
    owed = {currency: minor - deposits[currency] for currency, minor in asked.items()}
    return _tie(session, Account.RECEIVABLE, owed, "invoices", ("invoice_paid", *BY_ITSELF))


@check("revenue")
def revenue_is_invoiced(session: Session) -> list[Finding]:
    """Revenue is what all invoices ask for goods and delivery."""
    earned = _invoiced(session, Invoice.net_minor, Invoice.shipping_minor)
    return _tie(session, Account.REVENUE, _credit(earned), "invoices", BY_ITSELF)


@check("sales tax collected")
def tax_is_invoiced_and_not_remitted(session: Session) -> list[Finding]:
    """Sales tax collected is the tax on all invoices, less what was remitted."""
    owed = _credit(_invoiced(session, Invoice.tax_minor))
    return _tie(session, Account.OUTPUT_TAX, owed, "invoices", ("tax_remitted", *BY_ITSELF))


@check("sales allowances")
def allowances_are_refunds_after_invoices(session: Session) -> list[Finding]:
    """Sales allowances are the refunds that were promised after the invoice."""
    given = {
        currency: _sum(session, Refund.amount_minor, Refund.currency == currency, Refund.invoiced.is_(sa.true()))
        for currency in _currencies(session)
    }
    return _tie(session, Account.SALES_ALLOWANCES, given, "refunds", BY_ITSELF)


@check("payments")
def payments_are_backed_by_money(session: Session) -> list[Finding]:
    """Every payment we call paid is one charge of the same amount at the provider, and nothing else is."""
    charged = (
        sa.select(BalanceTransaction.payment_id, sa.func.sum(BalanceTransaction.gross_minor).label("gross"), sa.func.count().label("times"))
        .where(BalanceTransaction.category == "charge")
        .group_by(BalanceTransaction.payment_id)
        .subquery()
    )
    paid = Payment.status == PaymentStatus.PAID
    wrong = (
        sa.select(Payment.order_number, Payment.paid_minor, charged.c.gross)
        .outerjoin(charged, charged.c.payment_id == Payment.id)
        .where(sa.or_(
            sa.and_(paid, sa.or_(charged.c.gross.is_(None), charged.c.gross != Payment.paid_minor, charged.c.times != 1)),
            sa.and_(sa.not_(paid), charged.c.gross.is_not(None)),
        ))
        .order_by(Payment.order_number, Payment.attempt)
    )
    rows = session.execute(wrong)
    return [Finding(f"we hold {minor} for paid, the provider's charge is {gross}", number) for number, minor, gross in rows]


@check("refunds")
def refunds_are_within_payments(session: Session) -> list[Finding]:
    """No payment is given back more than once: refunds and lost disputes together are at most what was paid."""
    back = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)).where(Refund.payment_id == Payment.id).scalar_subquery()
    lost = (
        sa.select(sa.func.coalesce(sa.func.sum(Dispute.amount_minor), 0))
        .where(Dispute.payment_id == Payment.id, Dispute.status == DisputeStatus.LOST)
        .scalar_subquery()
    )
    over = sa.select(Payment.order_number, Payment.paid_minor, back + lost).where(back + lost > Payment.paid_minor)
    rows = session.execute(over.order_by(Payment.order_number, Payment.attempt))
    return [Finding(f"{gone} went back of {paid} paid", number) for number, paid, gone in rows]


@check("one payment an order")
def orders_are_paid_once(session: Session) -> list[Finding]:
    """An order keeps at most one payment: a second one is promised back in full."""
    given_back = sa.exists().where(Refund.payment_id == Payment.id, Refund.amount_minor == Payment.paid_minor)
    kept = (
        sa.select(Payment.order_number, sa.func.count())
        .where(Payment.status == PaymentStatus.PAID, ~given_back)
        .group_by(Payment.order_number)
        .having(sa.func.count() > 1)
        .order_by(Payment.order_number)
    )
    return [Finding(f"{count} payments were kept for one order", number) for number, count in session.execute(kept)]


@check("paid orders")
def paid_orders_have_their_money(session: Session) -> list[Finding]:
    """Every order that is built, or may be, was paid for."""
    waiting = (OrderStatus.BOOKED, OrderStatus.CANCELLED)
    has_money = sa.exists().where(Payment.order_number == SalesOrder.number, Payment.status == PaymentStatus.PAID)
    unpaid = sa.select(SalesOrder.number).where(SalesOrder.status.not_in(waiting), ~has_money).order_by(SalesOrder.number)
    return [Finding(f"order {number} goes ahead, but no payment was received", number) for number in session.scalars(unpaid)]


GRACE = timedelta(minutes=10)
"""How long a cancellation may take to become a promise: it is a job."""


@check("cancelled orders")
def cancelled_orders_keep_no_money(session: Session) -> list[Finding]:
    """What was paid on a cancelled order was promised back, or is with the bank."""
    back = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)).where(Refund.payment_id == Payment.id).scalar_subquery()
    taken = (
        sa.select(sa.func.coalesce(sa.func.sum(Dispute.amount_minor), 0))
        .where(Dispute.payment_id == Payment.id, Dispute.status != DisputeStatus.WON)
        .scalar_subquery()
    )
    kept = (
        sa.select(Payment.order_number, Payment.paid_minor - back - taken)
        .join(SalesOrder, SalesOrder.number == Payment.order_number)
        .where(SalesOrder.status == OrderStatus.CANCELLED, SalesOrder.cancelled_at < now() - GRACE, Payment.paid_minor > back + taken)
        .order_by(Payment.order_number, Payment.attempt)
    )
    return [Finding(f"{minor} of a cancelled order's payment was kept", number) for number, minor in session.execute(kept)]
