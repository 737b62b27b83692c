"""`flask books …`: check, export, balance, head, close, post."""

from __future__ import annotations

from datetime import datetime
from typing import TextIO

import click

from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import EXPONENT, SHOP_CURRENCY, Money
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.settings import settings
from fulfillment.ledger import heads
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.by_hand import enter_by_hand
from fulfillment.ledger.checks import Checked, ask_witnesses, proven, run_checks
from fulfillment.ledger.closing import close_period
from fulfillment.ledger.export import FORMATS, export_books
from fulfillment.ledger.journal import consistent, head
from fulfillment.ledger.service import closed_until, trial_balance

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("books")
def cli() -> None:
    """The ledger: check it, hand it to strangers, close it."""


@cli.command("check")
def check_command() -> None:
    """Ask everything that must be true of the books; exit 1 when something is not, in production also when a witness is not heard."""
    results = _ask_everybody()
    _print_checks(results)
    if not proven(results):
        raise SystemExit(1)


def _ask_everybody() -> list[Checked]:
    witnesses = ask_witnesses()
    with reading() as session:
        return run_checks(session, witnesses)


def _print_checks(results: list[Checked]) -> None:
    width = max(len(result.name) for result in results)
    asked = [result for result in results if result.unasked is None]
    for result in asked:
        mark = click.style("ok   ", fg="green") if result.clean else click.style("WRONG", fg="red")
        click.echo(f"{mark} {result.name:<{width}}  {result.milliseconds:>6} ms  {result.says}")
        for finding in result.findings:
            click.echo(f"      {'':<{width}}  – {finding.text}{f' [{finding.about}]' if finding.about else ''}")
    silent = [result for result in results if result.unasked is not None]
    for result in silent:
        click.echo(f"{click.style('not asked:', fg='yellow')} {result.name}: {result.unasked}")
    wrong = sum(not result.clean for result in asked)
    rest = f"; {len(silent)} not asked" if silent else ""
    click.echo(f"{len(asked)} checks, {f'{wrong} wrong' if wrong else 'the books are clean'}{rest}")


@cli.command("export")
@click.option("--format", "format_", type=click.Choice(sorted(FORMATS)), default="beancount", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="A file; standard output when left out.")
def export_command(format_: str, output: TextIO) -> None:
    """Write the whole books as plain text, with the balance of every account asserted."""
    with reading() as session:
        output.writelines(line + "\n" for line in export_books(session, format_))


@cli.command("balance")
@click.option("--as-of", type=DAY, help="At the end of this day; now when left out.")
def balance_command(as_of: datetime | None) -> None:
    """Print the trial balance."""
    with reading() as session:
        standing = trial_balance(session, as_of.date() if as_of else None)
    click.echo(f"{'Account':<9} {'Debit':>18} {'Credit':>18}  Name")
    sums: dict[str, tuple[int, int]] = {}
    for (account, currency), amount in standing.items():
        text = _figure(abs(amount.minor), currency)
        debit, credit = (text, "") if amount.minor >= 0 else ("", text)
        click.echo(f"{account.code:<9} {debit:>18} {credit:>18}  {currency} {account.en} {account.zh}")
        plus, minus = sums.get(currency, (0, 0))
        sums[currency] = (plus + max(amount.minor, 0), minus + max(-amount.minor, 0))
    for currency, (plus, minus) in sorted(sums.items()):
        click.echo(f"{'Total':<9} {_figure(plus, currency):>18} {_figure(minus, currency):>18}  {currency}")


def _figure(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).decimal():,}"


@cli.command("head")
@click.option("--keep", "reason", help="Also note it in the file of heads outside the database, with this reason.")
def head_command(reason: str | None) -> None:
    """Print the number and hash of the last entry: who has noted them can tell whether the books were rewritten."""
    with reading() as session:
        consistent(session)
        seq, chained = head(session)
        until = closed_until(session)
    click.echo(f"{seq} {chained}")
    click.echo(f"closed up to {until or 'nothing'}", err=True)
    if reason is not None:
        click.echo(f"noted in {heads.keep(settings().var_dir, seq, chained, now(), reason)}", err=True)


@cli.command("close")
@click.argument("until", type=DAY)
@click.option("--by", required=True, help="Who closes.")
def close_command(until: datetime, by: str) -> None:
    """Close the books up to and including the day UNTIL, when every check is clean, and note the head."""
    results = _ask_everybody()
    if not proven(results):
        _print_checks(results)
        raise SystemExit(1)
    with transaction() as session:
        close = close_period(session, until.date(), by)
        seq, chained, day = close.seq, close.hash, close.until
    path = heads.keep(settings().var_dir, seq, chained, now(), f"closed up to {day} by {by}")
    click.echo(f"closed up to {day} at entry {seq} {chained}; noted in {path}")


def _account(_context: click.Context, _option: click.Parameter, code: str) -> Account:
    try:
        return Account.of(code)
    except ValueError as error:
        raise click.BadParameter(f"there is no account {code}") from error


@cli.command("post")
@click.option("--debit", callback=_account, required=True, help="The code of the account that gets it.")
@click.option("--credit", callback=_account, required=True, help="The code of the account it is taken from.")
@click.option("--amount", required=True, help="Such as 12.50.")
@click.option("--currency", type=click.Choice(sorted(EXPONENT)), default=SHOP_CURRENCY, show_default=True)
@click.option("--reason", required=True, help="Why: it stands in the books for ever.")
@click.option("--by", required=True, help="Who books it.")
@click.option("--key", required=True, help="What it is about, such as the provider's txn_…: an entry is made once for each.")
@click.option("--on", type=DAY, help="The day it belongs to; today when left out.")
def post_command(
    *, debit: Account, credit: Account, amount: str, currency: str, reason: str, by: str, key: str, on: datetime | None,
) -> None:
    """Book by hand what no rule books: from one account to another, once for each key."""
    try:
        money = Money.parse(amount, currency)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--amount") from error
    try:
        with transaction() as session:
            entry = enter_by_hand(session, key, debit, credit, money, reason=reason, by=by, on=on.date() if on else None)
            seq, memo = entry.seq, entry.memo
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"entry {seq}: {money} from {credit.code} {credit.en} to {debit.code} {debit.en}; {memo}")


commands = (cli,)
