"""How accessories are described in the window: category, picture, a sentence, technical data.

Read from the catalogue's own file; what is sold, for how much and when comes from the parts. An item
without a description is shown by its name alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import configurator
from configurator.specification import Text

FILE = Path(configurator.__file__).parent / "catalogue" / "accessories.toml"


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the accessories."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Description:
    """What the window says of an item."""

    category: Category
    picture: str
    detail: Text
    facts: tuple[tuple[Text, Text], ...]
    """Technical data: label and value."""


def read_descriptions(text: str) -> Mapping[str, Description]:
    """Read the text of an accessories file: SKU -> description, in the order of its categories. KeyError for what is missing."""
    data = tomllib.loads(text)
    shelves = {row["id"]: Category(row["id"], row["name"]) for row in data["category"]}
    order = list(shelves)
    items = sorted(data["item"], key=lambda row: order.index(row["category"]))
    return {
        row["sku"]: Description(
            shelves[row["category"]], row["picture"], row["detail"], tuple((fact["label"], fact["value"]) for fact in row.get("facts", [])),
        )
        for row in items
    }


@cache
def descriptions() -> Mapping[str, Description]:
    """The descriptions of our own catalogue."""
    return read_descriptions(FILE.read_text(encoding="utf-8"))
