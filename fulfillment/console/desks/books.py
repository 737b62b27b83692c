"""The books desk: where every account stands, how it came to that, and whether it can be true."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

import sqlalchemy as sa
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session, selectinload

from fulfillment.console.desk import bp
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading
from fulfillment.kernel.money import SHOP_CURRENCY, Money
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.web import needs
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import ask_witnesses, run_checks
from fulfillment.ledger.export import FORMATS, export_books
from fulfillment.ledger.journal import consistent, head, latest_entries
from fulfillment.ledger.models import Entry, EntryLine
from fulfillment.ledger.service import closed_until, trial_balance

PAGE = 40


@bp.get("/books")
@needs("books")
def books() -> ResponseReturnValue:
    """The trial balance: every account that was ever booked to."""
    with reading() as session:
        consistent(session)
        standing = trial_balance(session)
        seq, chained = head(session)
        closed = closed_until(session)
    currencies = sorted({currency for _account, currency in standing} | {SHOP_CURRENCY})
    sums = {currency: _sums([amount for amount in standing.values() if amount.currency == currency], currency) for currency in currencies}
    return render_template(
        "console/books.html", standing=standing, sums=sums, head=seq, hash=chained, closed=closed, formats=sorted(FORMATS),
    )


def _sums(amounts: list[Money], currency: str) -> tuple[Money, Money]:
    """All debits, all credits."""
    debit = sum((amount.minor for amount in amounts if amount.minor > 0), 0)
    credit = sum((-amount.minor for amount in amounts if amount.minor < 0), 0)
    return Money(debit, currency), Money(credit, currency)


def _before() -> int | None:
    """The number of the entry the page begins below."""
    return request.args.get("before", type=int)


@bp.get("/books/journal")
@needs("books")
def journal() -> ResponseReturnValue:
    """Every entry with its lines, newest first."""
    with reading() as session:
        entries = latest_entries(session, limit=PAGE + 1, before=_before())
    return render_template("console/journal.html", entries=entries[:PAGE], more=len(entries) > PAGE, before=_before())


@bp.get("/books/accounts/<code>")
@needs("books")
def account(code: str) -> ResponseReturnValue:
    """One account: its lines, newest first, with what it stood at after each."""
    try:
        wanted = Account.of(code)
    except ValueError:
        raise NotFound("There is no account {code}.", code=code) from None
    with reading() as session:
        consistent(session)
        rows = _lines_of(session, wanted, _before())
        after = _balances(session, wanted, rows[:PAGE])
    return render_template("console/account.html", account=wanted, rows=list(zip(rows[:PAGE], after, strict=True)), more=len(rows) > PAGE)


Row = tuple[EntryLine, Entry]


def _lines_of(session: Session, wanted: Account, before: int | None) -> list[Row]:
    statement = (
        sa.select(EntryLine, Entry)
        .join(Entry, Entry.seq == EntryLine.entry_seq)
        .where(EntryLine.account == wanted)
        .order_by(EntryLine.entry_seq.desc(), EntryLine.position.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        statement = statement.where(EntryLine.entry_seq < before)
    return [(line, entry) for line, entry in session.execute(statement)]


def _balances(session: Session, wanted: Account, rows: list[Row]) -> list[Money]:
    """What the account stood at after each of the rows, in the currency of each."""
    if not rows:
        return []
    upto = sa.select(EntryLine.currency, sa.func.sum(EntryLine.amount_minor)).where(
        EntryLine.account == wanted, EntryLine.entry_seq <= rows[0][0].entry_seq,
    )
    found: dict[str, int] = {}
    for currency, minor in session.execute(upto.group_by(EntryLine.currency).order_by(EntryLine.currency)):
        found[currency] = int(minor)
    after = []
    for line, _entry in rows:
        after.append(Money(found[line.currency], line.currency))
        found[line.currency] -= line.amount_minor
    return after


@bp.get("/books/entries/<int:seq>")
@needs("books")
def entry(seq: int) -> ResponseReturnValue:
    """One entry: its lines, the event it stands for, the paper behind it."""
    with reading() as session:
        statement = sa.select(Entry).where(Entry.seq == seq).options(selectinload(Entry.lines))
        found = session.scalars(statement).first() if seq < 2**62 else None
        if found is None:
            raise NotFound("There is no entry {seq}.", seq=seq)
        reversal = session.scalar(sa.select(Entry.seq).filter_by(reverses=seq))
    return render_template("console/entry.html", entry=found, reversal=reversal)


@bp.get("/books/checks")
@needs("books")
def checks() -> ResponseReturnValue:
    """Ask everything that must be true of the books, now."""
    witnesses = ask_witnesses()
    with reading() as session:
        results = run_checks(session, witnesses)
    wrong, silent = sum(not result.clean for result in results), [result for result in results if result.unasked]
    return render_template("console/checks.html", results=results, wrong=wrong, silent=silent)


@bp.get("/books/export/<format_>")
@needs("books")
def export(format_: str) -> ResponseReturnValue:
    """The whole books as a text file for a program we did not write."""
    if format_ not in FORMATS:
        raise NotFound("There is nothing at this address.")
    spool = tempfile.SpooledTemporaryFile(max_size=4_000_000)  # noqa: SIM115 - closed when it has been sent
    with reading() as session:
        for line in export_books(session, format_):
            spool.write(f"{line}\n".encode())
    spool.seek(0)
    response = Response(_sent(spool), mimetype="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="larkmill-{today()}.{format_}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _sent(spool: IO[bytes]) -> Iterator[bytes]:
    with spool:
        while block := spool.read(65_536):
            yield block
