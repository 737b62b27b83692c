"""What must be true of the books, asked again and again: `flask books check`.

Every slice adds what it knows, in its own `checks.py`, one small function each:

    @check("customer deposits")
    def deposits(session: Session) -> list[Finding]:
        \"\"\"Customer deposits are what is paid and not shipped.\"\"\"
        return ties(session, Account.CUSTOMER_DEPOSITS, -paid_and_not_shipped(session))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Unavailable
from fulfillment.kernel.settings import settings
from fulfillment.ledger import chain, heads
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.journal import consistent, head, stream_entries
from fulfillment.ledger.models import Entry, EntryLine, LedgerAccount, PeriodClose
from fulfillment.ledger.service import balance, moved_by, trial_balance


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    text: str
    about: str = ""
    """The document to look at, when it is one."""


Check = Callable[[Session], list[Finding]]


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and what it found."""

    name: str
    says: str
    """What must be true, in a sentence."""
    findings: list[Finding]
    milliseconds: int
    unasked: Unavailable | None = None
    """Why the stranger who knows could not be asked; None when he was, and for what our own books know."""

    @property
    def clean(self) -> bool:
        """Whether all is as it must be."""
        return not self.findings


CHECKS: dict[str, Check] = {}
"""Every check by its name, in the order of registration."""


def check(name: str) -> Callable[[Check], Check]:
    """Register `f(session)`; the first line of its docstring says what must be true."""

    def register(function: Check) -> Check:
        there = CHECKS.setdefault(name, function)
        if there.__qualname__ != function.__qualname__ or there.__module__ != function.__module__:
            raise RuntimeError(f"two checks are named {name!r}")
        return function

    return register


Witness = Callable[[], Check]

WITNESSES: dict[str, Witness] = {}
"""Strangers who know something of our books (the payment provider): asked over the network, before a session begins."""


def witness(name: str) -> Callable[[Witness], Witness]:
    """Register `f()`, which asks the stranger and returns the check of his answer, or raises Unavailable with the reason why not.

    The first line of its docstring says what must be true.
    """

    def register(function: Witness) -> Witness:
        WITNESSES[name] = function
        return function

    return register


def ask_witnesses() -> dict[str, Check | Unavailable]:
    """What the strangers say now, for `run_checks`: a check of each one's answer, or why there is none."""
    return {name: _ask(function) for name, function in WITNESSES.items()}


def _ask(function: Witness) -> Check | Unavailable:
    try:
        return function()
    except Unavailable as refusal:
        return refusal


def run_checks(session: Session, witnesses: Mapping[str, Check | Unavailable] | None = None) -> list[Checked]:
    """Ask everything, about one moment; a check that breaks is a finding. To be called first, in a reading session."""
    consistent(session)
    ours = [_run(session, name, function, _says(function)) for name, function in CHECKS.items()]
    return ours + [_hear(session, name, answer) for name, answer in (witnesses or {}).items()]


def proven(results: Collection[Checked]) -> bool:
    """Whether the books may be called clean; in production only when every witness was heard."""
    heard = not settings().production or not any(result.unasked for result in results)
    return heard and all(result.clean for result in results)


def _hear(session: Session, name: str, answer: Check | Unavailable) -> Checked:
    says = _says(WITNESSES[name])
    return Checked(name, says, [], 0, answer) if isinstance(answer, Unavailable) else _run(session, name, answer, says)


def _says(function: Check | Witness) -> str:
    return (function.__doc__ or "").strip().split("\n")[0]


def _run(session: Session, name: str, function: Check, says: str) -> Checked:
    began = perf_counter()
    try:
        with session.begin_nested():
            findings = function(session)
    except Exception as error:
        findings = [Finding(f"the check itself broke: {type(error).__name__}: {error}")]
    return Checked(name, says, findings, int((perf_counter() - began) * 1000))


BY_ITSELF = ("opening", "entered_by_hand")
"""Entries that are their own documents: no row of any slice says the same."""


def ties(
    session: Session, account: Account, expected: Money, *, to: str = "the documents", besides: Collection[str] = (),
) -> list[Finding]:
    """Nothing when the account stands at `expected` (debit positive), else a finding with both figures.

    Kinds of entries `besides` the documents are taken as they are: nothing else tells of them.
    """
    booked = balance(session, account, currency=expected.currency)
    expected += moved_by(session, account, besides, currency=expected.currency)
    if booked == expected:
        return []
    return [Finding(f"{account.code} {account.en} stands at {booked}, {to} say {expected}: {booked - expected} off")]


@check("trial balance")
def trial_balance_is_zero(session: Session) -> list[Finding]:
    """All accounts together come to zero in every currency."""
    sums: dict[str, Money] = {}
    for (_, currency), amount in trial_balance(session).items():
        sums[currency] = sums.get(currency, Money(0, currency)) + amount
    return [Finding(f"the accounts are off by {amount}") for amount in sums.values() if amount]


@check("entries balance")
def entries_balance(session: Session) -> list[Finding]:
    """Every entry is sealed, has all its lines, at least two, none of zero, and sums to zero in every currency."""
    by_currency = sa.select(
        EntryLine.entry_seq, EntryLine.currency, sa.func.sum(EntryLine.amount_minor).label("rest"), sa.func.count().label("lines"),
        sa.func.sum(sa.case((EntryLine.amount_minor == 0, 1), else_=0)).label("zeros"),
    ).group_by(EntryLine.entry_seq, EntryLine.currency).subquery()
    lines = sa.func.coalesce(sa.func.sum(by_currency.c.lines), 0)
    wrong = (
        sa.select(Entry.seq, Entry.document)
        .outerjoin(by_currency, by_currency.c.entry_seq == Entry.seq)
        .group_by(Entry.seq, Entry.document, Entry.line_count, Entry.unsealed)
        .having(sa.or_(
            lines != Entry.line_count, lines < 2, Entry.unsealed.is_not(None), sa.func.max(by_currency.c.rest) != 0,
            sa.func.min(by_currency.c.rest) != 0, sa.func.max(by_currency.c.zeros) > 0,
        ))
        .order_by(Entry.seq)
    )
    return [Finding(f"entry {seq} is not whole or not balanced", document) for seq, document in session.execute(wrong)]


@check("reversals")
def reversals_negate(session: Session) -> list[Finding]:
    """Every reversal takes back exactly the entry it names."""
    line, original, reversed_entry = aliased(EntryLine), aliased(EntryLine), aliased(Entry)
    same = sa.and_(
        original.entry_seq == Entry.reverses, original.position == line.position, original.account == line.account,
        original.side == line.side, original.currency == line.currency, original.amount_minor == -line.amount_minor,
    )
    wrong = (
        sa.select(Entry.seq, Entry.document)
        .join(reversed_entry, reversed_entry.seq == Entry.reverses)
        .join(line, line.entry_seq == Entry.seq)
        .outerjoin(original, same)
        .where(sa.or_(original.entry_seq.is_(None), reversed_entry.line_count != Entry.line_count))
        .distinct()
        .order_by(Entry.seq)
    )
    return [Finding(f"entry {seq} is not the negation of the one it reverses", document) for seq, document in session.execute(wrong)]


@check("chain of hashes")
def chain_verifies(session: Session) -> list[Finding]:
    """Nothing in the books was changed after it was written."""
    return verify_chain(session)


def verify_chain(session: Session) -> list[Finding]:
    """Recompute every hash from the first entry to the head; the first that differs ends the walk."""
    return next(_breaks(session), [])


def _breaks(session: Session) -> Iterator[list[Finding]]:
    seq, previous = 0, chain.GENESIS
    for entry in stream_entries(session):
        seq += 1
        if entry.seq != seq:
            yield [Finding(f"entry {seq} is missing: {entry.seq} follows {seq - 1}")]
        previous = chain.chain_hash(previous, entry.record(), entry.version)
        if entry.hash != previous:
            yield [Finding(f"entry {seq} is not what was written: its hash differs", entry.document)]
    if (seq, previous) != head(session):
        yield [Finding(f"the last entry is {seq}, but the head stands at {head(session)[0]} or has another hash")]


@check("numbering")
def numbering_has_no_gap(session: Session) -> list[Finding]:
    """Entries are numbered from 1 to the head without a gap."""
    count, last = session.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(Entry.seq), 0)).select_from(Entry)).one()
    at_head = head(session)[0]
    return [] if count == last == at_head else [Finding(f"{count} entries, the last is {last}, the head is {at_head}")]


@check("closed periods")
def closed_periods_are_still(session: Session) -> list[Finding]:
    """Nothing was added to a closed period, and every close still finds its head in the books."""
    found = []
    for close in session.scalars(sa.select(PeriodClose).order_by(PeriodClose.until)):
        late = session.scalar(sa.select(sa.func.count()).select_from(Entry).where(Entry.seq > close.seq, Entry.effective <= close.until))
        if late:
            found.append(Finding(f"{late} entries were added to the period closed on {close.until}"))
        if close.seq and session.scalar(sa.select(Entry.hash).filter_by(seq=close.seq)) != close.hash:
            found.append(Finding(f"entry {close.seq} is not the one the books were closed with on {close.until}"))
    return found


@check("heads kept outside")
def outside_heads_are_met(session: Session) -> list[Finding]:
    """Every head written down outside the database is still in the books."""
    found = []
    for kept in heads.kept(settings().var_dir):
        there = session.scalar(sa.select(Entry.hash).filter_by(seq=kept.seq)) if kept.seq else chain.GENESIS
        if there != kept.hash:
            found.append(Finding(f"entry {kept.seq} is not the one noted at {kept.at}: these are other books, or rewritten ones"))
    return found


DEBIT = (Account.PARTS, Account.WIP, Account.FINISHED_GOODS, Account.SHIPPED_NOT_INVOICED, Account.ON_CONSIGNMENT)
CREDIT = (Account.CUSTOMER_DEPOSITS, Account.REFUNDS_DUE)


@check("right side")
def accounts_stand_on_their_side(session: Session) -> list[Finding]:
    """Goods are never less than nothing, and customers never owe us their own deposits or refunds."""
    standing = trial_balance(session).items()
    return [
        Finding(f"{account.code} {account.en} stands at {amount}")
        for (account, _), amount in standing
        if (account in DEBIT and amount.minor < 0) or (account in CREDIT and amount.minor > 0)
    ]


@check("chart of accounts")
def chart_matches(session: Session) -> list[Finding]:
    """The database knows the accounts of the code, and no others."""
    code = {(account.value, account.kind.value) for account in Account}
    table = sa.select(sa.type_coerce(LedgerAccount.code, sa.String), sa.type_coerce(LedgerAccount.kind, sa.String))
    there = {(row[0], row[1]) for row in session.execute(table.order_by(LedgerAccount.code))}
    return [Finding(f"account {account} ({kind}) is known to one side only") for account, kind in sorted(code ^ there)]
