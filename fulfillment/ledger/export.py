"""The books for strangers: plain text that beancount, hledger and ledger read and check.

Every entry with its source and document, ordered by day; at the end every account of the chart
asserts the balance our own database has, so that a program we did not write adds it all up again.
Amounts have the digits of the minor unit, never more. The text is made as it is read, never held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import chain

from sqlalchemy.orm import Session

from fulfillment.kernel.clock import today
from fulfillment.kernel.money import EXPONENT, SHOP_CURRENCY, Money
from fulfillment.ledger.accounts import Account, AccountKind
from fulfillment.ledger.journal import ReadEntry, consistent, stream_entries
from fulfillment.ledger.service import trial_balance

Standing = Mapping[tuple[Account, str], Money]


def export_books(session: Session, format_: str) -> Iterator[str]:
    """The books in `format_` (a key of FORMATS), line by line, of one moment. To be called first, in a reading session."""
    consistent(session)
    return FORMATS[format_](stream_entries(session, by_date=True), _whole_chart(trial_balance(session)))


def _whole_chart(booked: Standing) -> Standing:
    """What every account stands at, also one that was never booked to."""
    currencies = sorted({currency for _, currency in booked} | {SHOP_CURRENCY})
    return {(account, currency): booked.get((account, currency), Money(0, currency)) for account in Account for currency in currencies}


def figure(amount: Money) -> str:
    """The amount with exactly the digits of its currency: `-1299.50 USD`."""
    return f"{amount.decimal():f} {amount.currency}"


def _title(entry: ReadEntry) -> str:
    return entry.memo or entry.kind


# beancount


def beancount(entries: Iterator[ReadEntry], standing: Standing) -> Iterator[str]:
    """For `bean-check`. Every string is escaped; a tag or link keeps only the letters it may have, the metadata keep all."""
    yield 'option "title" "Larkmill"'
    for currency in sorted({currency for _, currency in standing}):
        yield f'option "operating_currency" "{currency}"'
    yield ""
    first = next(entries, None)
    last = opened = first.effective if first else today()
    for account in Account:
        yield f"{opened} open {account.path}"
        yield f"  name: {_quoted(account.en)}"
        yield f"  name-zh: {_quoted(account.zh)}"
    for entry in chain([first] if first else [], entries):
        last = entry.effective
        yield ""
        yield f"{entry.effective} * {_quoted(_title(entry))} #{_word(entry.kind)} ^{_word(entry.document)}"
        yield f"  seq: {entry.seq}"
        yield f"  source: {_quoted(entry.source)}"
        yield f"  document: {_quoted(entry.document)}"
        yield f"  sha256: {_quoted(entry.hash)}"
        if entry.reverses is not None:
            yield f"  reverses: {entry.reverses}"
        for line in entry.lines:
            yield f"  {line.account.path}  {figure(line.amount)}"
    yield ""
    for (account, _), amount in standing.items():  # a balance is asserted at the beginning of a day; the tolerance is none
        number, currency = figure(amount).split(" ")
        yield f"{last + timedelta(days=1)} balance {account.path}  {number} ~ 0 {currency}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_one_line(escaped)}"'


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_./-]+", "-", text)


# hledger, ledger

_TYPES = {
    AccountKind.ASSET: "A", AccountKind.LIABILITY: "L", AccountKind.EQUITY: "E", AccountKind.INCOME: "R", AccountKind.EXPENSE: "X",
}


def hledger(entries: Iterator[ReadEntry], standing: Standing) -> Iterator[str]:
    """For `hledger check --strict ordereddates`."""
    yield "decimal-mark ."
    for currency in sorted({currency for _, currency in standing}):
        digits = EXPONENT[currency]
        yield f"commodity 1000.{'0' * digits} {currency}"
    for account in Account:
        yield f"account {account.path}  ; type:{_TYPES[account.kind]}, name:{_value(account.en)}, zh:{account.zh}"
    yield from _journal(entries, standing)


def ledger(entries: Iterator[ReadEntry], standing: Standing) -> Iterator[str]:
    """For `ledger --strict --pedantic`."""
    for currency in sorted({currency for _, currency in standing}):
        sample = figure(Money(1000 * 10 ** EXPONENT[currency], currency))
        yield from (f"commodity {currency}", f"  format {sample}")
    for account in Account:
        yield from (f"account {account.path}", f"  note {account.zh}")
    yield from (f"tag {name}" for name in ("kind", "source", "document", "reverses", "sha256"))
    yield from _journal(entries, standing)


def _journal(entries: Iterator[ReadEntry], standing: Standing) -> Iterator[str]:
    last = None
    for entry in entries:
        last = entry.effective
        yield ""
        yield f"{entry.effective} * ({entry.seq}) {_value(_title(entry))}"
        yield f"    ; kind:{_value(entry.kind)}"
        yield f"    ; source:{_value(entry.source)}"
        yield f"    ; document:{_value(entry.document)}"
        yield f"    ; sha256:{entry.hash}"
        if entry.reverses is not None:
            yield f"    ; reverses:{entry.reverses}"
        for line in entry.lines:
            yield f"    {line.account.path}  {figure(line.amount)}"
    yield ""
    yield f"{last or today()} * The books stand at"
    for (account, currency), amount in standing.items():
        yield f"    {account.path}  {figure(Money(0, currency))} = {figure(amount)}"


_MARKS = str.maketrans({";": "；", ",": "，", "|": "｜", ":": "：", "[": "［", "]": "］"})


def _value(text: str) -> str:
    """Text for a description or a tag: marks that mean something to the reader become their wide twins."""
    plain = _one_line(text).translate(_MARKS)
    return f"“{plain}”" if plain[:1] in "*!(=\"'" else plain


def _one_line(text: str) -> str:
    """Line breaks and control characters become blanks."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


FORMATS: dict[str, Callable[[Iterator[ReadEntry], Standing], Iterator[str]]] = {
    "beancount": beancount, "hledger": hledger, "ledger": ledger,
}

