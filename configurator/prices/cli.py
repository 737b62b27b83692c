"""`flask prices`: the price books from the command line."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from configurator.prices.editing import export_table, import_table
from configurator.prices.models import PriceBook
from configurator.prices.sheet import BadSheet
from fulfillment.console.audit import record_act
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal

prices = AppGroup("prices", help="What machines cost for whom.")


@prices.command("list")
def list_books() -> None:
    """List the price books: code, currency, for whom, days."""
    with reading() as session:
        for book in session.scalars(sa.select(PriceBook).order_by(PriceBook.first_day, PriceBook.code)):
            whom = " ".join(filter(None, (book.customer_group or "everyone", book.market)))
            click.echo(f"{book.code}\t{book.currency}\t{whom}\t{book.first_day} – {book.last_day or ''}\t{book.name['en']}")


@prices.command("export")
@click.argument("book")
def export(book: str) -> None:
    """Write BOOK as a table (CSV) to standard output."""
    try:
        with reading() as session:
            click.echo(export_table(session, book), nl=False)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal


@prices.command("import")
@click.argument("book")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def bring_in(book: str, file: Path) -> None:
    """Put the rows of FILE (CSV) into BOOK in place of all it has; with a mistake in it nothing changes."""
    try:
        with transaction() as session:
            replaced = import_table(session, book, file.read_bytes())
            record_act(session, "command line", "book_imported", book, str(replaced))
    except BadSheet as bad:
        for mistake in bad.mistakes:
            click.echo(f"{file.name}:{mistake.line}: {mistake.refusal}", err=True)
        raise click.ClickException(str(bad)) from bad
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{book}: {replaced}")


commands = (prices,)
