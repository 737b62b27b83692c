"""Typed reading of a TOML table: each wrong field is noted with its line, and reading goes on.

A product manager wants every mistake of a file at once. So a getter never raises: it notes the problem and returns
a harmless value of the right type; `language` refuses the file at the end if anything was noted.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from configurator.language.positions import Lines, Path
from configurator.language.specification import LANGUAGES, Text, Value
from fulfillment.kernel.money import Money

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
LARGEST = 2**63 - 1
"""No number of a model, and nothing that can be added up in it, may be larger: 64 bits hold it."""
MOST = 1_000_000_000
MOST_DAYS = 3_650
"""Ten years: a day beyond the calendar would take the machine off its page."""
"""The largest count, weight or number of days."""
FINEST = 9
"""How many digits an attribute may have behind the point."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in a model file, and what to do about it."""

    file: str
    line: int
    message: str
    column: int = 0
    """Where in the line, from 1; 0 where that says nothing."""

    @property
    def where(self) -> str:
        """The place as compilers write it: file, line, column."""
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ModelError(ValueError):
    """A model file that cannot be used; carries every problem, in the order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Notes:
    """The problems found so far in one file."""

    file: str
    lines: Lines
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, message: str) -> None:
        """Note a problem of the value at the path."""
        self.add_at(*self.lines.place(path), message)

    def add_in_text(self, path: Path, column: int, message: str) -> None:
        """Note a problem in a column of the text that stands at the path."""
        self.add_at(*self.lines.in_text(path, column), message)

    def add_at(self, line: int, column: int, message: str) -> None:
        """Note a problem of a line, and of a column if it is not 0."""
        self.problems.append(Problem(self.file, line, message, column))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt word: the nearest known one, or the list of them."""
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are: {', '.join(choices)}." if choices else "there is none."


class Table:
    """One table of the file; remembers which of its keys were read."""

    def __init__(self, data: object, path: Path, notes: Notes) -> None:
        self.path = path
        self.notes = notes
        self.data: dict[str, object] = data if isinstance(data, dict) else {}
        self.read: set[str] = set()
        if not isinstance(data, dict):
            notes.add(path, f"{_named(path)} must be a table: {{ … }}.")

    @property
    def line(self) -> int:
        """Where the table begins."""
        return self.notes.lines.of(self.path)

    def path_of(self, key: str) -> Path:
        """Where a key of this table stands."""
        return (*self.path, key)

    def problem(self, key: str, message: str) -> None:
        """Note a problem of a key of this table."""
        self.notes.add(self.path_of(key), message)

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self.data

    def get(self, key: str, example: str, *, required: bool = True) -> object:
        """Return the raw value, or None; a missing key is a problem if it is required."""
        self.read.add(key)
        if key not in self.data and required:
            self.problem(key, f"{key!r} is missing in {_named(self.path)}: add {key} = {example}.")
        return self.data.get(key)

    def string(self, key: str, example: str, *, required: bool = True) -> str:
        """Read a text that is not empty."""
        value = self.get(key, example, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.problem(key, f"{key!r} must be a text such as {example}, not {_shown(value)}.")
            return ""
        return value

    def id(self, taken: frozenset[str] = frozenset()) -> str:
        """Read the id; `taken` are words that mean something else."""
        value = self.string("id", '"an-id"')
        if value and not _ID.fullmatch(value):
            self.problem("id", f"the id {value!r} may hold only small letters, digits, - and _.")
        if value in taken:
            self.problem("id", f"the id {value!r} is a word of the rule language: choose another.")
        return value

    def one_of(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Read a word out of a few."""
        words = list(allowed)
        value = self.string(key, f'"{words[0]}"', required=default is None)
        if value and value not in words:
            self.problem(key, f"{key!r} cannot be {value!r}: {did_you_mean(value, words)}")
        return value if value in words else default or words[0]

    def text(self, key: str) -> Text:
        """Read a text in every language; one missing is noted."""
        return self.optional_text(key, required=True) or dict.fromkeys(LANGUAGES, "")

    def optional_text(self, key: str, *, required: bool = False) -> Text | None:
        """Read a text in every language, if it is there."""
        example = "{ " + ", ".join(f'{language} = "…"' for language in LANGUAGES) + " }"
        value = self.get(key, example, required=required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.problem(key, f"{key!r} must be given in every language: {key} = {example}.")
            return None
        for language in LANGUAGES:
            if not isinstance(value.get(language), str) or not value[language].strip():
                self.problem(key, f'{key!r} has no {language!r} translation: add {language} = "…".')
        for language in value:
            if language not in LANGUAGES:
                self.problem(key, f"{key!r} has the unknown language {language!r}: {did_you_mean(language, LANGUAGES)}")
        return {language: str(value.get(language, "")) for language in LANGUAGES}

    def money(self, key: str, *, required: bool = True, least: int | None = None) -> Money:
        """Read an amount of dollars, written as a text so that no cent is lost."""
        value = self.get(key, '"199.00"', required=required)
        if value is None:
            return Money(0)
        try:
            amount = Money.parse(value if isinstance(value, str) else "")
        except ValueError:
            self.problem(key, f'{key!r} must be an amount in quotes such as "199.00", not {_shown(value)}.')
            return Money(0)
        if least is not None and amount.minor < least:
            self.problem(key, f"{key!r} must not be negative.")
        return amount

    def whole(self, key: str, *, least: int, default: int | None = None, most: int = MOST) -> int:
        """Read a whole number."""
        value = self.get(key, str(max(least, 1)), required=default is None)
        if value is None:
            return default if default is not None else least
        if type(value) is not int or value < least:
            self.problem(key, f"{key!r} must be a whole number, {least} or more, not {_shown(value)}.")
            return least
        if value > most:
            self.problem(key, f"{key!r} must be {most:,} at most.")
            return most
        return value

    def day(self, key: str) -> dt.date | None:
        """Read a day, written without quotes: 2026-12-31."""
        value = self.get(key, "2026-12-31", required=False)
        if value is None or type(value) is dt.date:
            return value
        self.problem(key, f"{key!r} must be a day without quotes such as 2026-12-31, not {_shown(value)}.")
        return None

    def words(self, key: str, pattern: re.Pattern[str], example: str) -> frozenset[str]:
        """Read a list of words that fit a pattern."""
        value = self.get(key, example, required=False)
        if value is None:
            return frozenset()
        if not isinstance(value, list) or not value or not all(isinstance(word, str) and pattern.fullmatch(word) for word in value):
            self.problem(key, f"{key!r} must be a list such as {example}.")
            return frozenset()
        return frozenset(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self.get(key, "true", required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(key, f"{key!r} must be true or false, not {_shown(value)}.")
            return default
        return value

    def tables(self, key: str, *, required: bool = True) -> list[Table]:
        """Read a list of tables."""
        value = self.get(key, "[ { … } ]", required=required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, f"{key!r} must be a list of tables: [ {{ … }} ].")
            return []
        return [Table(item, (*self.path_of(key), position), self.notes) for position, item in enumerate(value)]

    def table_or_tables(self, key: str) -> list[Table]:
        """Read one table, or a list of them; none if the key is not there."""
        if isinstance(self.data.get(key), dict):
            return [Table(self.get(key, "{ … }"), self.path_of(key), self.notes)]
        return self.tables(key, required=False)

    def rest(self) -> dict[str, Value]:
        """Return every key not read so far as an attribute: a number, a text, true or false."""
        attributes: dict[str, Value] = {}
        for key in self.data.keys() - self.read:
            value = self.data[key]
            if isinstance(value, str | bool):
                attributes[key] = value
            elif isinstance(value, int | Decimal):
                attributes[key] = self._number(key, value)
            else:
                self.problem(key, f"{key!r} must be a number, a text, true or false, not {_shown(value)}.")
        return dict(sorted(attributes.items()))

    def _number(self, key: str, value: int | Decimal) -> int | Decimal:
        """A number that can be reckoned with exactly; another is noted, and counts as 0."""
        fine = isinstance(value, int) or (value.is_finite() and int(value.as_tuple().exponent) >= -FINEST and value.adjusted() < FINEST * 2)
        if fine and -LARGEST <= value <= LARGEST:
            return value
        self.problem(key, f"{key!r} must be a number of at most {LARGEST:,}, with at most {FINEST} digits behind the point.")
        return 0

    def nothing_else(self) -> None:
        """Note every key that was not read: it is misspelt, or does not belong here."""
        for key in sorted(self.data.keys() - self.read):
            self.problem(key, f"{key!r} is unknown in {_named(self.path)}: {did_you_mean(key, sorted(self.read))}")


class Derived(Table):
    """A table that takes the keys it does not have itself from another one."""

    def __init__(self, own: Table, base: Table) -> None:
        super().__init__({**base.data, **own.data}, own.path, own.notes)
        self.own = own
        self.base = base

    def path_of(self, key: str) -> Path:
        """Where the key stands: here, or in the table it comes from."""
        return (self.own if key in self.own.data or key not in self.base.data else self.base).path_of(key)


def _named(path: Path) -> str:
    """The table's name in a sentence: [[group]], option, [model]."""
    words = [str(step) for step in path if isinstance(step, str)]
    if not words:
        return "the file"
    if isinstance(path[-1], int):
        return f"this {words[-1]}"
    return f"[{'.'.join(words)}]"


def _shown(value: object) -> str:
    """A wrong value as the author would recognise it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a table"
    return str(value)
