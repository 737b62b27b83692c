"""Entries for tests: the smallest drafts that are true to life."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import post

HUNDRED = Money(10_000)


def make_draft(
    source: str = "txn-1", *, amount: Money = HUNDRED, kind: str = "payment_captured", memo: str = "", effective: date | None = None,
    debit: Account = Account.CARD_CLEARING, credit: Account = Account.CUSTOMER_DEPOSITS,
) -> Draft:
    """A draft of two legs; a payment of 100.00 when nothing else is said."""
    return Draft(kind, source, ((debit, amount), (credit, -amount)), memo, effective)


def make_entry(session: Session, source: str = "txn-1", *, amount: Money = HUNDRED, effective: date | None = None) -> Entry:
    """An entry in the books, by the real service."""
    return post(session, make_draft(source, amount=amount, effective=effective))
