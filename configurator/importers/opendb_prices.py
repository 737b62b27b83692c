"""A price list for parts of the open database: what of it the shop sells, under which number, for how much.

A CSV file with the columns of `COLUMNS`; `part` is the part's id in the database, one of its maker's part numbers,
or the word base for putting the machine together. Only what stands in the list is sold: no price is ever invented.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from configurator.importers.opendb_parts import Part
from configurator.language.fields import ModelError, Problem
from fulfillment.kernel.money import Money

COLUMNS = ("part", "sku", "price", "cost", "weight_g", "supplier", "lead_days")
BASE = "base"


@dataclass(frozen=True, slots=True)
class Sold:
    """How a part is sold: its number here, price and cost in dollars as written, grams, and who delivers in how many days."""

    sku: str
    price: str
    cost: str
    weight_g: int
    supplier: str
    lead_days: int


def read_prices(path: Path, parts: Iterable[Part]) -> Mapping[str, Sold]:
    """Read a price list: how each part is sold, by its id in the database, and the base. Raises ModelError with every problem."""
    named: dict[str, set[str]] = {BASE: {BASE}}
    for part in parts:
        for name in (part.key, *part.numbers):
            named.setdefault(name, set()).add(part.key)
    problems: list[Problem] = []
    sold: dict[str, Sold] = {}
    for line, row in _rows(path):
        try:
            key, how = _named(row["part"], named), _sold(row)
            if key:
                _check_new(row["part"], key, sold)
                sold[key] = how
        except ValueError as error:
            problems.append(Problem(path.name, line, f"{error}."))
    if BASE not in sold:
        problems.append(Problem(path.name, 1, f"putting the machine together has no price: add a line whose part is {BASE!r}."))
    if problems:
        raise ModelError(problems)
    return sold


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ModelError(
                [Problem(path.name, 1, f"the columns {', '.join(missing)} are missing: the first line must name {', '.join(COLUMNS)}.")]
            )
        return [(reader.line_num, {column: (row[column] or "").strip() for column in COLUMNS}) for row in reader]


def _named(name: str, named: Mapping[str, set[str]]) -> str | None:
    """The id of the part that is meant; None for one that is not to be had in this model."""
    meant = named.get(name, set())
    if len(meant) > 1:
        raise ValueError(f"{name!r} is the number of {len(meant)} parts: name the part by its id in the database")
    return next(iter(meant), None)


def _check_new(name: str, key: str, sold: Mapping[str, Sold]) -> None:
    if key in sold:
        raise ValueError(f"{name!r} has a price already: remove one of the two lines")


def _sold(row: Mapping[str, str]) -> Sold:
    def checked(column: str, fits: Callable[[str], bool], example: str) -> str:
        if not fits(row[column]):
            raise ValueError(f"{column!r} must be {example}, not {row[column]!r}")
        return row[column]

    return Sold(
        sku=checked(
            "sku", lambda text: bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", text)), 'the number of the part here, such as "CPU-D8"'
        ),
        price=checked("price", _is_amount, 'an amount of dollars such as "199.00"'),
        cost=checked("cost", _is_amount, 'an amount of dollars such as "150.00"'),
        weight_g=int(checked("weight_g", str.isdecimal, "a whole number of grams")),
        supplier=checked("supplier", bool, 'the code of a supplier such as "S-SILICON"'),
        lead_days=int(checked("lead_days", str.isdecimal, "a whole number of days")),
    )


def _is_amount(text: str) -> bool:
    try:
        return Money.parse(text).minor >= 0
    except ValueError:
        return False
