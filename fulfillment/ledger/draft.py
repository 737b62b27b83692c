"""An entry before it is posted: a value that cannot be built unless it balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account

Leg = tuple[Account, Money]
"""An account and what is booked to it: a debit is positive, a credit negative."""


class Unbalanced(ValueError):
    """The legs do not add up to zero in every currency, or fewer than two are left."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an event does to the books.

    `(kind, source)` says which event it was and is posted once; `document` is the paper a reader
    would look for (an order, an invoice; the source when left out). `effective` is the day it
    belongs to; left out, it is the day of posting. Legs of zero are dropped.
    Raises Unbalanced; ValueError for a text no database or book can hold.
    """

    kind: str
    source: str
    legs: tuple[Leg, ...]
    memo: str = ""
    effective: date | None = None
    document: str = ""
    red: bool = field(default=False, kw_only=True)
    """Written in red: it takes back, so the turnover of each side shrinks instead of the other side growing."""
    reverses: int | None = field(default=None, kw_only=True)
    """The `seq` of the entry it takes back whole."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", tuple((account, amount) for account, amount in self.legs if amount))
        object.__setattr__(self, "document", self.document or self.source)
        if not self.kind or not self.source:
            raise ValueError("an entry needs a kind and a source")
        for text in (self.kind, self.source, self.memo, self.document):
            if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                raise ValueError(f"not a text to write in the books: {text!r}")
        rest = {currency: amount for currency, amount in totals(self.legs).items() if amount}
        if rest:
            raise Unbalanced(f"{self.kind} {self.source} is off by {', '.join(str(amount) for amount in rest.values())}")
        if len(self.legs) < 2:
            raise Unbalanced(f"{self.kind} {self.source} has nothing to book")

    def side(self, amount: Money) -> str:
        """`D` or `C`: the column of the journal it stands in, whatever its sign."""
        return "D" if (amount.minor > 0) is not self.red else "C"


def totals(legs: Iterable[Leg]) -> dict[str, Money]:
    """What the legs come to, for each currency."""
    sums: dict[str, int] = defaultdict(int)
    for _, amount in legs:
        sums[amount.currency] += amount.minor
    return {currency: Money(minor, currency) for currency, minor in sums.items()}
