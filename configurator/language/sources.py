"""One text out of several: a model file and the family files it includes, as they stand.

A release must mean the same for ever, so what is released is the whole text. Files are put together line by line, the
model first, and the `include` of each becomes a comment: a line of the whole is a line of one of the files.
"""

from __future__ import annotations

import difflib
import pathlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from configurator.language.fields import ModelError, Problem
from configurator.language.positions import Lines, Origin, index_lines, origin_of

LARGEST_TEXT = 16 * 2**20
"""Characters of a model's whole text: more than 20,000 options, and read in seconds."""

_SYNTAX_ERROR = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


@dataclass(frozen=True, slots=True)
class Whole:
    """The text of a model with all it includes, and where its lines come from."""

    text: str
    origins: tuple[Origin, ...]

    @property
    def name(self) -> str:
        """The name of the model's own file."""
        return self.origins[0].file

    def blamed(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems of the whole, each with the file and the line it comes from."""
        placed = ((problem, origin_of(self.origins, problem.line)) for problem in problems)
        return [replace(problem, file=file, line=line) for problem, (file, line) in placed]


def put_together(path: pathlib.Path) -> Whole:
    """Read a model file and what it includes. Raises ModelError for what cannot be read, is missing, or includes itself."""
    pieces = _Pieces()
    pieces.take(path, ())
    if pieces.problems:
        raise ModelError(pieces.problems)
    text, line = "", 1
    origins: list[Origin] = []
    for name, piece in pieces.found.items():
        heading = f"# ── from {name} ──\n" if origins else ""
        origins.append(Origin(line + heading.count("\n"), name))
        text += heading + piece
        line = text.count("\n") + 1
    if len(text) > LARGEST_TEXT:
        raise ModelError([Problem(path.name, 1, f"the model is larger than {LARGEST_TEXT:,} characters: make several models of it.")])
    return Whole(text, tuple(origins))


def parse_toml(text: str, name: str) -> dict[str, object]:
    """Parse TOML, numbers exactly. Raises ModelError with the place where it cannot be read."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_ERROR.fullmatch(str(error))
        if not found:
            raise ModelError([Problem(name, text.count("\n") + 1, f"not valid TOML: {error}.")]) from error
        problem = Problem(name, int(found["line"]), f"not valid TOML: {found['what']}.", int(found["column"]))
        raise ModelError([problem]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, arrays in arrays in arrays
        raise ModelError([Problem(name, 1, f"the file cannot be read: {error}.")]) from error


@dataclass(slots=True)
class _Pieces:
    """The files taken so far, in the order they are put together."""

    found: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, path: pathlib.Path, chain: tuple[str, ...]) -> None:
        """Take a file, then those it includes that are not there yet; `chain` is who includes whom."""
        text, data = self.read(path)
        if data is None:
            return
        lines = index_lines(text)
        included = self.included(path, data, lines)
        if chain:
            self.refuse_what_only_models_have(path, data, lines)
        self.found[path.name] = _without_include(text, lines)
        for place, name in enumerate(included):
            line, column = lines.place(("include", place))
            if name in (*chain, path.name):
                circle = " includes ".join([*(*chain, path.name)[(*chain, path.name).index(name) :], name])
                self.problems.append(Problem(path.name, line, f"the files include each other in a circle: {circle}.", column))
            elif not (path.parent / name).is_file():
                self.problems.append(Problem(path.name, line, _no_file(path, name), column))
            elif name not in self.found:
                self.take(path.parent / name, (*chain, path.name))

    def read(self, path: pathlib.Path) -> tuple[str, dict[str, object] | None]:
        """Read and parse one file; what is wrong with it is noted."""
        if path.stat().st_size > LARGEST_TEXT * 4:  # UTF-8 has four bytes a character at most
            self.problems.append(Problem(path.name, 1, f"the file is larger than {LARGEST_TEXT:,} characters: make several models of it."))
            return "", None
        try:
            text = path.read_text(encoding="utf-8")
            return text + ("" if text.endswith("\n") else "\n"), parse_toml(text, path.name)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self.problems.append(Problem(path.name, line, "the file is not UTF-8 text: save it as UTF-8."))
        except ModelError as error:
            self.problems += error.problems
        return "", None

    def included(self, path: pathlib.Path, data: dict[str, object], lines: Lines) -> list[str]:
        """The names of the files a file includes: they stand in its folder."""
        names = data.get("include", [])
        if isinstance(names, list) and all(isinstance(name, str) and name == pathlib.PurePath(name).name for name in names):
            return names
        line, column = lines.place(("include",))
        message = "'include' must be a list of files in the same folder, such as [\"family-laptop.toml\"]."
        self.problems.append(Problem(path.name, line, message, column))
        return []

    def refuse_what_only_models_have(self, path: pathlib.Path, data: dict[str, object], lines: Lines) -> None:
        """An included file has no machine of its own, and nothing before its first header but what it includes."""
        wrong = {key: f"[[{key}]] must be written with a header in a file that others include." for key in lines.top if key != "include"}
        if "model" in data:
            wrong["model"] = "a file that others include has no [model]: it is a family, not a machine."
        for key, message in wrong.items():
            self.problems.append(Problem(path.name, lines.of((key,)), message))


def _without_include(text: str, lines: Lines) -> str:
    """The text with its `include` as a comment; no line moves."""
    first, last = lines.top.get("include", (0, -1))
    kept = text.split("\n")
    for at in range(first - 1, last):
        kept[at] = f"# {kept[at]}"
    return "\n".join(kept)


def _no_file(path: pathlib.Path, name: str) -> str:
    beside = sorted(other.name for other in path.parent.glob("*.toml") if other.name != path.name)
    near = difflib.get_close_matches(name, beside, n=1)
    return f"there is no file {name!r} beside this one: " + (f"did you mean {near[0]!r}?" if near else "write it, or correct the name.")
