"""Stripe's balance transactions: each is stored once, and booked once, by whoever sees it first."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.billing.entries import draft_of
from fulfillment.billing.facts import TransactionFacts
from fulfillment.billing.models import BalanceTransaction, Payment
from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.db import insert, lock
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.models import Entry, EntryLine

BY_HAND = postings.entered_by_hand.__name__


def store(session: Session, txn: TransactionFacts, payment: Payment | None, *, listed: bool = False) -> list[Draft]:
    """Note the movement; the entries it makes, none when it was known already.

    The caller posts them, after it has stored everything else: who posts holds the books' lock.
    Money that belongs to no payment of ours is booked as a deposit of nobody, with an alert.
    """
    draft = draft_of(txn, payment.order_number if payment else txn.source_id or txn.txn_id)
    if not _insert(session, txn, payment, draft, listed=listed):
        return []
    if draft is None:
        told = f"{txn.category}: {txn.gross}, fee {txn.fee}. No rule books this; flask books post --key {txn.txn_id} does it by hand."
        raise_alert(session, "transaction_unknown", key=txn.txn_id, subject=txn.txn_id, detail=told)
        return []
    if payment is None and draft.kind in {"payment_captured", "refund_settled", "dispute_opened"}:
        told = f"{txn.category} of {txn.gross} belongs to no order of ours ({txn.source_id})."
        raise_alert(session, "money_unassigned", key=txn.txn_id, subject=txn.txn_id, detail=told)
    if payment is None and draft.kind == "refund_settled":
        return [postings.refund_requested(txn.source_id or txn.txn_id, txn.txn_id, -txn.gross), draft]
    return [draft]


def _insert(session: Session, txn: TransactionFacts, payment: Payment | None, draft: Draft | None, *, listed: bool) -> bool:
    statement = (
        insert(session, BalanceTransaction)
        .values(
            txn_id=txn.txn_id, category=txn.category, source_id=txn.source_id, payment_id=payment.id if payment else None,
            gross_minor=txn.gross.minor, fee_minor=txn.fee.minor, net_minor=txn.net.minor, currency=txn.net.currency,
            created_at=txn.created_at, entry_kind=draft.kind if draft else None, listed=listed,
        )
        .on_conflict_do_nothing(index_elements=["txn_id"])
        .returning(BalanceTransaction.txn_id)
    )
    return session.scalars(statement).first() is not None


def booked_by_hand(session: Session, txn_id: str, by: str) -> None:
    """Somebody made an entry under the name of a movement: when it moves what the provider moved, nobody has to look any more."""
    txn = session.scalars(lock(sa.select(BalanceTransaction).filter_by(txn_id=txn_id, entry_kind=None))).first()
    if txn is None:
        return
    moved = sa.select(EntryLine.amount_minor).join(Entry, Entry.seq == EntryLine.entry_seq).where(
        Entry.kind == BY_HAND, Entry.source == txn_id, EntryLine.account == Account.CARD_CLEARING, EntryLine.currency == txn.currency,
    )
    if session.scalar(moved) != txn.net_minor:
        return
    txn.entry_kind = BY_HAND
    resolve(session, "transaction_unknown", key=txn_id, by=by)


def unknown(session: Session, txn_ids: list[str]) -> set[str]:
    """Those of the movements that we have not stored yet."""
    known = session.scalars(sa.select(BalanceTransaction.txn_id).where(BalanceTransaction.txn_id.in_(txn_ids)))
    return set(txn_ids) - set(known)
