"""A price book as a table to be edited elsewhere (CSV): written, and read back with every mistake by its line. Pure."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from configurator.language.specification import Model
from configurator.prices.lists import Entry
from configurator.prices.terms import BASE, Target
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal

COLUMNS = ("model", "group", "option", "sku", "from_quantity", "price", "first_day", "last_day")
MOST_ROWS = 20_000
MOST_PIECES = 100_000
MOST_PRICE = 10**9
"""In minor units: far above any option, far below what the engine compares exactly."""


Place = tuple[str, str, str, str, int, dt.date]
"""What an entry is about, from how many and which day on: there is one of each in a book."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a row that cannot be taken, and what to do about it."""

    line: int
    refusal: Refusal


class BadSheet(Refusal):
    """A table with mistakes; nothing of it was taken."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("{count} lines cannot be taken; nothing was changed.", count=len(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Known:
    """What a row may name."""

    models: Mapping[str, Model]
    skus: frozenset[str]
    currency: str
    first_day: dt.date
    """Of the book: where a row names none."""


def write_sheet(entries: Iterable[Entry], currency: str) -> str:
    """The entries of a book as CSV, in the order of their targets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in sorted(entries, key=place_of):
        about, price = entry.target, Money(entry.minor, currency).decimal()
        days = entry.first_day.isoformat(), entry.last_day.isoformat() if entry.last_day else ""
        writer.writerow((about.model, about.group, about.option, about.sku, entry.from_quantity, price, *days))
    return out.getvalue()


def place_of(entry: Entry) -> Place:
    """What is the same in two entries of which one takes the other's place."""
    about = entry.target
    return about.model, about.group, about.option, about.sku, entry.from_quantity, entry.first_day


class _Reading:
    """What was read so far."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.entries: dict[Place, Entry] = {}
        self.lines: dict[Place, int] = {}
        self.mistakes: list[Mistake] = []

    def wrong(self, line: int, refusal: Refusal) -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(line, refusal))

    def take(self, cells: Sequence[str], line: int) -> None:
        """Read a row, or note what is wrong with it."""
        try:
            entry = _read(cells, self.known)
        except Refusal as refusal:
            self.wrong(line, refusal)
            return
        first = self.lines.setdefault(place_of(entry), line)
        if first != line:
            self.wrong(line, Refusal("Line {line} gives a price for the same already: keep one of them.", line=first))
        self.entries[place_of(entry)] = entry


def read_sheet(text: str, known: Known) -> list[Entry]:
    """Read a table. Raises BadSheet with every mistake of all rows, by their lines."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    read = _Reading(known)
    try:
        if tuple(name.strip().lower() for name in next(reader, [])) != COLUMNS:
            read.wrong(1, Refusal("The first line names the columns: {columns}.", columns=", ".join(COLUMNS)))
        for cells in reader if not read.mistakes else ():
            if any(cell.strip() for cell in cells):
                read.take(cells, reader.line_num)
    except csv.Error:
        read.wrong(reader.line_num, Refusal("This is not a table of values with commas between them."))
    if len(read.entries) > MOST_ROWS:
        read.wrong(MOST_ROWS + 2, Refusal("A book holds {most} prices at most.", most=MOST_ROWS))
    if read.mistakes:
        raise BadSheet(read.mistakes)
    return list(read.entries.values())


def _read(cells: Sequence[str], known: Known) -> Entry:
    """Read a row. Raises Refusal."""
    if len(cells) != len(COLUMNS):
        raise Refusal("There are {found} values; a line has {wanted}.", found=len(cells), wanted=len(COLUMNS))
    row = dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))
    target = _target(row, known)
    first = _day(row["first_day"], "first_day") or known.first_day
    last = _day(row["last_day"], "last_day")
    if last is not None and last < first:
        raise Refusal("The last day {last} is before the first, {first}.", last=last, first=first)
    return Entry(_price(row["price"], target, known), target, _pieces(row["from_quantity"]), first, last)


def _target(row: Mapping[str, str], known: Known) -> Target:
    if row["sku"]:
        if row["model"] or row["group"] or row["option"]:
            raise Refusal("Name either a part (sku) or an option of a model, not both.")
        if row["sku"] not in known.skus:
            raise Refusal("We know no part with the number “{sku}”.", sku=row["sku"])
        return Target(sku=row["sku"])
    model = known.models.get(row["model"])
    if model is None:
        raise Refusal("We make no machine called “{model}”. We make: {known}.", model=row["model"], known=", ".join(sorted(known.models)))
    if row["group"] == BASE:
        if row["option"] != model.base.sku:
            raise Refusal("The bare machine of the {model} is {sku}.", model=model.name, sku=model.base.sku)
    elif row["group"] not in model.by_id:
        raise Refusal("The {model} has no group “{group}”.", model=model.name, group=row["group"])
    elif row["option"] not in model.by_id[row["group"]].by_id:
        options = ", ".join(model.by_id[row["group"]].by_id)
        raise Refusal("“{group}” has no option “{option}”. It has: {known}.", group=row["group"], option=row["option"], known=options)
    return Target(row["model"], row["group"], row["option"])


def _price(text: str, target: Target, known: Known) -> int:
    try:
        price = Money.parse(text, known.currency)
    except ValueError:
        raise Refusal("“{price}” is no amount in {currency}: write 1299 or 1299.50.", price=text, currency=known.currency) from None
    if abs(price.minor) > MOST_PRICE:
        raise Refusal("{price} is more than anything costs.", price=text)
    if price.minor < 0 and (target.sku or target.group == BASE):
        raise Refusal("{price}: only an option can cost less than nothing, as against the bare machine.", price=text)
    return price.minor


def _pieces(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_PIECES):
        raise Refusal("“{quantity}” is no quantity: write a whole number from 1 to {most}.", quantity=text, most=MOST_PIECES)
    return int(text)


def _day(text: str, column: str) -> dt.date | None:
    parse: Callable[[str], dt.date] = dt.date.fromisoformat
    try:
        return parse(text) if text else None
    except ValueError:
        raise Refusal("{column}: “{day}” is no day. Write it like 2026-11-25.", column=column, day=text) from None
