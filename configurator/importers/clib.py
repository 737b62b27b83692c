"""CLib's configuration problems as plain JSON: `vars` with their domains, and `cons` over places in those domains.

A constraint is [name, kind, body]: `table` [scope, tuples], `amo` [literals] (at most one holds), `lin` [terms, operator,
bound] with a number for each value of each variable in it, and `expr` of and, or, not, imp, iff, xor and literals
["lit", variable, places]. Variables and values are counted from 0.
Source: CLib, the configuration benchmarks library (IT University of Copenhagen).
"""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from configurator.importers.drafting import Draft
from configurator.importers.logic import Formula, chosen
from configurator.importers.originals import Imported
from configurator.importers.problems import MOST_DIGITS, read_text
from configurator.language.conditions import Compared, Comparison, Listed, Number, Sum

_COMPARISONS: dict[str, Comparison] = {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "=": "=", "==": "=", "!=": "!="}


class _Wrong(ValueError):
    """A constraint that cannot be read; the message says why."""


def read_clib(path: Path) -> Imported:
    """Read a CLib file. Raises ModelError."""
    text = read_text(path)
    draft = Draft(path, "CLib", text.encode())
    try:
        data = json.loads(text, parse_float=_exactly)
    except json.JSONDecodeError as error:
        raise draft.problems.fail(error.lineno, f"not valid JSON in column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise draft.problems.fail(1, "the constraints are nested too deeply to be read: join parts of the same kind.") from error
    return _Reader(draft, text, data).read()


class _Reader:
    """Reads variables, then constraints. JSON tells no lines, so a name's line is where its text stands first."""

    def __init__(self, draft: Draft, text: str, data: Any) -> None:
        self.draft = draft
        self.text = text
        self.data = data
        self.groups: list[str] = []
        self.places: list[list[str]] = []

    def line(self, name: str) -> int:
        """The line where a name stands first."""
        at = self.text.find(json.dumps(name, ensure_ascii=False))
        return self.text.count("\n", 0, max(at, 0)) + 1

    def read(self) -> Imported:
        """Read the file."""
        parts = self.data if isinstance(self.data, dict) else {}
        if not isinstance(parts.get("vars"), list) or not isinstance(parts.get("cons"), list):
            raise self.draft.problems.fail(1, 'a CLib file is {"vars": [[name, [values]], …], "cons": [[name, kind, body], …]}.')
        for variable in parts["vars"]:
            self._variable(variable)
        self.draft.problems.stop()
        for constraint in parts["cons"]:
            self._constraint(constraint)
        return self.draft.finished()

    def _variable(self, variable: Any) -> None:
        match variable:
            case [str(name), [_, *_] as values]:
                words = [str(value) for value in values]
                if name in self.draft.names or len(set(words)) < len(words):
                    self.draft.problems.add(self.line(name), f"variable {name!r} or one of its values is there twice: rename one.")
                    return
                group = self.draft.group(name, {word: word for word in words}, self.line(name))
                self.draft.named(name, group, {word: [word] for word in words})
                self.groups.append(group)
                self.places.append(words)
            case _:
                said = _told(variable)[:60]
                self.draft.problems.add(1, f"{said} is no variable: write [name, [values]], with a value at least.")

    def _constraint(self, constraint: Any) -> None:
        match constraint:
            case [str(name), str(kind), body]:
                try:
                    formula = self._formula(name, kind, body)
                except _Wrong as error:
                    self.draft.problems.add(self.line(name), f"{name!r}: {error}.")
                    return
                self.draft.constraints += 1
                self.draft.rule(formula, self.line(name), name)
            case _:
                self.draft.problems.add(1, f"{_told(constraint)[:60]} is no constraint: write [name, kind, body].")

    def _formula(self, name: str, kind: str, body: Any) -> Formula:
        match kind, body:
            case "expr", _:
                return self._expression(body)
            case "amo", [*literals]:
                return self.draft.logic.at_most_one([self._literal(literal) for literal in literals])
            case "table", [[*scope], [*rows]]:
                return self._table(scope, rows)
            case "lin", [[*terms], str(operator), int() | Fraction() as bound] if operator in _COMPARISONS:
                return self._linear(name, terms, _COMPARISONS[operator], Fraction(bound))
            case _:
                raise _Wrong(f"a {kind!r} of this shape is not known: use expr, table, amo or lin")

    def _expression(self, expression: Any) -> Formula:
        """Read an expression from the innermost parts outwards."""
        done: list[Formula] = []
        waiting: list[tuple[Any, bool]] = [(expression, False)]
        while waiting:
            part, inside_done = waiting.pop()
            match part:
                case ["lit", *_]:
                    done.append(self._literal(part))
                case [str(how), *parts] if inside_done:
                    inner = done[len(done) - len(parts) :]
                    del done[len(done) - len(parts) :]
                    done.append(self._joined(how, inner))
                case [str(_), *parts]:
                    waiting.append((part, True))
                    waiting.extend((each, False) for each in reversed(parts))
                case _:
                    raise _Wrong(f"{_told(part)[:40]} is no expression")
        return done[0]

    def _joined(self, how: str, parts: list[Formula]) -> Formula:
        joined = self.draft.logic.applied("all" if how == "and" else "any" if how == "or" else how, parts)
        if joined is None:
            raise _Wrong(f"{how!r} of {len(parts)} is not known: use and, or, not, imp, iff, xor")
        return joined

    def _literal(self, literal: Any) -> Formula:
        match literal[1:] if literal[:1] == ["lit"] else literal:
            case [int(variable), [*places]] if self._has(variable, places):
                values = frozenset(self.places[variable][place] for place in places)
                return self.draft.literal((self.groups[variable], values)) if values else self.draft.logic.any_of([])
            case _:
                raise _Wrong(f"{_told(literal)[:40]} names no variable with these values")

    def _has(self, variable: int, places: list[Any]) -> bool:
        known = 0 <= variable < len(self.groups)
        return known and all(isinstance(place, int) and 0 <= place < len(self.places[variable]) for place in places)

    def _table(self, scope: list[Any], rows: list[Any]) -> Formula:
        if any(not isinstance(variable, int) for variable in scope) or len(set(scope)) < len(scope):
            raise _Wrong("the scope of a table names variables by number, each once")
        for row in rows:
            fits = isinstance(row, list) and len(row) == len(scope)
            if not fits or not all(self._has(variable, [place]) for variable, place in zip(scope, row, strict=True)):
                raise _Wrong(f"the tuple {_told(row)[:40]} does not fit the scope")
        if len(scope) == 1:
            return chosen(self.groups[scope[0]], sorted({self.places[scope[0]][place] for (place,) in rows}))
        named = frozenset(tuple(self.places[variable][place] for variable, place in zip(scope, row, strict=True)) for row in rows)
        return Formula(Listed(tuple(self.groups[variable] for variable in scope), named))

    def _linear(self, name: str, terms: list[Any], operator: Comparison, bound: Fraction) -> Formula:
        """A sum of numbers that the values bring, against a bound."""
        name = f"{name} ({self.draft.constraints + 1})"
        scope = []
        for term in terms:
            match term:
                case [int(variable), [*numbers]] if self._has(variable, []) and _numbers(numbers, len(self.places[variable])):
                    for value, number in zip(self.places[variable], numbers, strict=True):
                        self.draft.add_attribute((self.groups[variable], frozenset({value})), name, Fraction(number))
                    scope.append(self.groups[variable])
                case _:
                    raise _Wrong("a term of a sum is [variable, [a number for each of its values]]")
        return Formula(Compared(operator, Sum(name, tuple(dict.fromkeys(scope))), Number(bound)))


def _exactly(text: str) -> Fraction | str:
    """A number with decimals; one of absurd size stays a text, which no sum takes."""
    number = Decimal(text)
    return Fraction(number) if abs(number.adjusted()) < MOST_DIGITS else text


def _numbers(found: list[Any], wanted: int) -> bool:
    return len(found) == wanted and all(isinstance(number, int | Fraction) for number in found)


def _told(part: Any) -> str:
    """A part of the file as it may be shown in a message."""
    return json.dumps(part, default=str)
