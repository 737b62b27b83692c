"""Rows of the open parts database: one JSON object a line, read with care for what is not known.

A row that is no part (broken JSON, a text where a number belongs) is a `BadRow`, told with its line and what to do.
A field that is null is unknown, and a part is `Unfit` where something unknown decides whether it fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from configurator.language.fields import Problem

Number = int | Decimal


class BadRow(ValueError):
    """A row that cannot be read as a part; the message says what to do about it."""


class Unfit(Exception):
    """A part that is left out; the message says why, as in "12 are left out: …"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One part as the database describes it."""

    line: int
    data: dict[str, object]

    def get(self, path: str) -> object:
        """The value at `a.b.c`, or None where anything on the way is missing. Raises BadRow."""
        value: object = self.data
        for step in path.split("."):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise BadRow(f"{path!r} cannot be read, because {value!r} is no object: write {{ … }} or null")
            value = value.get(step)
        return value

    def text(self, path: str) -> str | None:
        """A text, or None. Raises BadRow."""
        value = self.get(path)
        if value is not None and not isinstance(value, str):
            raise BadRow(f"{path!r} must be a text or null, not {value!r}")
        return value.strip() or None if value else None

    def flag(self, path: str) -> bool:
        """True only where the row says so. Raises BadRow."""
        value = self.get(path)
        if value is not None and not isinstance(value, bool):
            raise BadRow(f"{path!r} must be true, false or null, not {value!r}")
        return bool(value)

    def number(self, path: str) -> Number | None:
        """A number from 0 to a million, or None. Raises BadRow."""
        value = self.get(path)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1_000_000:
            raise BadRow(f"{path!r} must be a number from 0 to 1,000,000 or null, not {value!r}")
        return int(value) if value == int(value) else value

    def whole(self, path: str) -> int | None:
        """A whole number, or None. Raises BadRow."""
        value = self.number(path)
        if isinstance(value, Decimal):
            raise BadRow(f"{path!r} must be a whole number or null, not {value}")
        return value

    def texts(self, path: str) -> tuple[str, ...]:
        """A list of texts; null is an empty one. Raises BadRow."""
        value = self.get(path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BadRow(f"{path!r} must be a list of texts or null, not {value!r}")
        return tuple(value)

    def rows(self, path: str) -> tuple[Row, ...]:
        """A list of objects; null is an empty one. Raises BadRow."""
        value = self.get(path)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise BadRow(f"{path!r} must be a list of objects or null, not {value!r}")
        return tuple(Row(self.line, each) for each in value)


def read_rows(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """The rows of a file; lines that hold no JSON object are noted as problems and passed over."""
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                data = json.loads(raw.decode("utf-8"), parse_float=Decimal)
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                problems.append(Problem(path.name, line, f"not a line of JSON in UTF-8 ({error}): correct or remove the line."))
                continue
            if isinstance(data, dict):
                yield Row(line, data)
            else:
                problems.append(Problem(path.name, line, "a part must be a JSON object, { … }: correct or remove the line."))
