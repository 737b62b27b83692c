"""Where each value of a TOML text stands: the lines and columns that `tomllib` does not tell.

The text has been parsed already, so it is known to be valid TOML; this walk only follows keys, headers, arrays
and inline tables, skips everything else, and notes where each path stands, such as
`("group", 0, "option", 2, "price")`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
Place = tuple[int, int]
"""A line and a column, both counted from 1."""



@dataclass(frozen=True, slots=True)
class Origin:
    """From which file the lines of a text come, from the line `first` on."""

    first: int
    file: str


def origin_of(origins: Sequence[Origin], line: int) -> tuple[str, int]:
    """Return the file and its line that a line of a text put together from several files comes from."""
    at = bisect_right([origin.first for origin in origins], line) - 1
    return origins[at].file, line - origins[at].first + 1


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^\s,\]}#]+(?: [0-9:.]+)?")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)


class Lines:
    """The place of each path; a path that is not there has the place of what it would belong to."""

    def __init__(self, found: Mapping[Path, Place], values: Mapping[Path, Place], top: Mapping[str, tuple[int, int]]) -> None:
        self._found = found
        self._values = values
        self.top = top
        """The keys that stand before the first header, with their first and their last line."""

    def of(self, path: Path) -> int:
        """Return the line of the path, or of the nearest table around it; the first line at last."""
        return self.place(path)[0]

    def place(self, path: Path) -> Place:
        """Return the line and the column of the path, or of the nearest table around it."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, (1, 1))

    def in_text(self, path: Path, column: int) -> Place:
        """Return where a column of a text that stands at the path is in the file."""
        line, first = self._values.get(path, self.place(path))
        return line, first + column


def index_lines(text: str) -> Lines:
    """Walk a valid TOML text and note the place of every key, table and array element."""
    walk = _Walk(text)
    walk.run()
    return Lines(walk.found, walk.values, walk.top)


class _Walk:
    """One pass over the text; `at` is the reading position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.top: dict[str, tuple[int, int]] = {}
        self.tables: dict[Path, int] = {}
        self.line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def run(self) -> None:
        """Read headers and keys to the end of the text."""
        table: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)
            self.blank()

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`: inside an array of tables a name means its newest element."""
        place = self.place()
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        names = self.key()
        self.blank()
        self.at += 2 if double else 1
        path: Path = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if double and position == len(names) - 1:
                self.tables[path] = self.tables.get(path, -1) + 1
            if path in self.tables:
                self.found.setdefault(path, place)
                path = (*path, self.tables[path])
        self.found[path] = place
        return path

    def pair(self, table: Path) -> None:
        """Read `key = value` of a table."""
        place = self.place()
        path = table
        for name in self.key():
            path = (*path, name)
            self.found.setdefault(path, place)
        self.blank()
        self.at += 1  # the equals sign
        self.blank()
        self.value(path)
        if not table:
            self.top[str(path[0])] = (place[0], self.place()[0])

    def key(self) -> list[str]:
        """Read a key, dotted perhaps."""
        names: list[str] = []
        while True:
            self.blank()
            if self.peek() in {'"', "'"}:
                names.append(self.string()[1:-1])
            else:
                names.append(self.match(_BARE_KEY))
            self.blank()
            if self.peek() != ".":
                return names
            self.at += 1

    def value(self, path: Path) -> None:
        """Read a value; arrays and inline tables note the lines of what they hold."""
        self.values[path] = self.place()
        first = self.peek()
        if first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        elif first in {'"', "'"}:
            self.string()
        else:
            self.match(_SCALAR)

    def array(self, path: Path) -> None:
        """Read `[ … ]`."""
        self.at += 1
        position = 0
        self.blank()
        while self.peek() != "]":
            self.found[(*path, position)] = self.place()
            self.value((*path, position))
            position += 1
            self.comma()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        """Read `{ … }`."""
        self.at += 1
        self.blank()
        while self.peek() != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        """Skip a separator and the blanks around it."""
        self.blank()
        if self.peek() == ",":
            self.at += 1
            self.blank()

    def string(self) -> str:
        """Skip a string of any of the four kinds, and return its text with the quotes."""
        for pattern in _STRINGS:
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found.group()
        raise ValueError(f"unterminated string in line {self.place()[0]}")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Skip what the pattern matches."""
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"unreadable text in line {self.place()[0]}")
        self.at = found.end()
        return found.group()

    def blank(self) -> None:
        """Skip blanks, line ends and comments."""
        self.match(_BLANK)

    def peek(self) -> str:
        """Return the next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def place(self) -> Place:
        """Return the line and the column of the reading position."""
        line = bisect_right(self.line_starts, self.at)
        return line, self.at - self.line_starts[line - 1] + 1
