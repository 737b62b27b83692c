"""Problems of a foreign file, each with its place and what to do about it; and the limits within which one is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from configurator.language.fields import ModelError, Problem, did_you_mean

MOST_BYTES = 200_000_000
"""A longer file is not read at all."""
MOST_VALUES = 20_000
"""More values than this in one domain are no question to put to anyone."""
MOST_MINOR = 10**11
"""A price has less than so many minor units: sums of prices are compared exactly in 64 bits."""
MOST_DIGITS = 1000
"""No number means anything with more digits, and reading one takes ever longer."""
MOST_PROBLEMS = 50
"""After so many a file is given up: they mostly have one cause."""

_ENDLESS = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))


class Problems:
    """What is wrong in a file, collected until there is something to refuse."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, line: int, message: str, file: str = "") -> None:
        """Note a problem of a line. Raises ModelError when there are too many to go on."""
        self.found.append(Problem(file or self.file, line, message))
        if len(self.found) >= MOST_PROBLEMS:
            raise ModelError(self.found)

    def stop(self) -> None:
        """Raise ModelError if anything was noted."""
        if self.found:
            raise ModelError(self.found)

    def fail(self, line: int, message: str, file: str = "") -> ModelError:
        """Return the error of a problem after which nothing more can be read."""
        return ModelError([*self.found, Problem(file or self.file, line, message)])


def read_bytes(path: Path) -> bytes:
    """Read a file. Raises ModelError when it is missing, a folder, or enormous."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelError([Problem(path.name, 1, f"the file has {size:,} bytes, more than {MOST_BYTES:,}: split it.")])
        content = path.read_bytes()
    except OSError as error:
        raise ModelError([Problem(path.name, 1, f"the file cannot be read ({error.strerror}): check its path, {path}.")]) from error
    endless = _ENDLESS.search(content)
    if endless:
        line = content.count(b"\n", 0, endless.start()) + 1
        raise ModelError([Problem(path.name, line, f"a number has more than {MOST_DIGITS:,} digits: round it.")])
    return content


def read_text(path: Path) -> str:
    """Read a UTF-8 file. Raises ModelError, with the line of the first wrong byte."""
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ModelError([Problem(path.name, line, "the file is not UTF-8 text: save it as UTF-8.")]) from error


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt name, but no list of hundreds."""
    hint = did_you_mean(word, known)
    return hint if len(hint) < 200 else "correct its spelling."
