"""An entry that no rule makes: two accounts, an amount, a reason and a name.

It is an entry like any other: posted once under its key, final, in the chain, refused in a closed
period. Who wrote it and why stands in its memo. A wrong one is mended by another, the other way round.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from fulfillment.kernel.events import publish
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.events import EnteredByHand
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import find_entry, post

KEY_LENGTH = 200


def enter_by_hand(
    session: Session, key: str, debit: Account, credit: Account, amount: Money, *, reason: str, by: str, on: date | None = None,
) -> Entry:
    """Book `amount` from `credit` to `debit`; the same key again finds the same entry.

    Raises Refusal for what is no entry, LedgerConflict for a key that was used otherwise, PeriodClosed.
    """
    key, reason, by = key.strip(), reason.strip(), by.strip()
    if not all((key, reason, by)) or len(key) > KEY_LENGTH or not f"{key}{reason}{by}".isprintable():
        raise Refusal("An entry by hand needs a key, a reason and a name, each in a line.")
    if debit is credit or amount.minor <= 0:
        raise Refusal("An entry by hand takes an amount above zero from one account to another.")
    known = find_entry(session, postings.entered_by_hand.__name__, key)
    entry = post(session, postings.entered_by_hand(key, debit, credit, amount, reason=reason, by=by, effective=on))
    if known is None:
        publish(session, EnteredByHand(key, by))
    return entry
