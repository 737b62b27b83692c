"""The sentences of a rule: `gpu is rtx or gtx and sum(watts) * 1.2 <= psu.capacity`.

A small recursive-descent parser turns the text into a tree of frozen nodes; each error knows its column. What a
condition means for a configuration of a model is in `truth`; whether its names exist, in `soundness`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Comparison = Literal["<=", ">=", "<", ">", "=", "!="]
Arithmetic = Literal["+", "-", "*"]

KEYWORDS = frozenset({"is", "has", "not", "and", "or", "sum", "count", "in", "true", "false", "base"})
"""Words that cannot be the id of a group or an option."""


class ConditionError(ValueError):
    """A condition that cannot be read; `column` counts from 1 in the condition's own text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class Number:
    """A number, exact."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Word:
    """A text in single quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Attribute:
    """`group.name`: the attribute of the option chosen in the group."""

    group: str
    name: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """`sum(name)` over all groups, or `sum(name in g1, g2)` over the named ones."""

    name: str
    groups: tuple[str, ...] = ()
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Count:
    """`count(group)`: how many pieces are chosen in the group."""

    group: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Combined:
    """Two numbers added, subtracted or multiplied."""

    operator: Arithmetic
    left: Expression
    right: Expression


Expression = Number | Word | Flag | Attribute | Sum | Count | Combined


@dataclass(frozen=True, slots=True)
class Chosen:
    """`group is a or b` (verb "is") and `group has a or b` (verb "has"): one of them is chosen."""

    group: str
    options: tuple[str, ...]
    verb: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values compared."""

    operator: Comparison
    left: Expression
    right: Expression
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The options chosen in these groups (each with one choice), read together, stand in one of the rows."""

    groups: tuple[str, ...]
    rows: frozenset[tuple[str, ...]]


Condition = Chosen | Compared | Listed | Not | And | Or

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_-]*|\d+[A-Za-z_-][A-Za-z0-9_-]*)|(?P<number>\d+(?:\.\d+)?)"
    r"|'(?P<text>[^']*)'|(?P<mark><=|>=|!=|==|≤|≥|≠|<|>|=|\+|-|\*|×|/|\(|\)|\.|,)|(?P<end>$))"
)
_DIGITS = 30
_SAME: dict[str, str] = {"≤": "<=", "≥": ">=", "≠": "!=", "×": "*"}
_COMPARISONS: dict[str, Comparison] = {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "=": "=", "!=": "!="}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises ConditionError with the column of the first thing that does not fit."""
    parser = _Parser(_tokens(text))
    try:
        condition = parser.condition()
    except RecursionError:
        raise ConditionError("too many parentheses inside each other", 1) from None
    parser.end()
    return condition


def _tokens(text: str) -> list[_Token]:
    """Cut the text into words, numbers, quoted texts and marks."""
    tokens: list[_Token] = []
    at = 0
    while True:
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise ConditionError(f"unexpected {text[start]!r}", start + 1)
        kind = found.lastgroup
        column = found.start(kind) + 1
        if kind == "number" and len(found.group(kind)) > _DIGITS:
            raise ConditionError(f"a number of more than {_DIGITS} digits", column)
        tokens.append(_Token(kind, _SAME.get(found.group(kind), found.group(kind)), column))
        if kind == "end":
            return tokens
        at = found.end()


class _Parser:
    """Reads tokens from left to right; each method reads one kind of phrase."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, expected: str) -> ConditionError:
        """Say what was expected where reading stopped."""
        token = self.token
        got = "the end" if token.kind == "end" else repr(token.text)
        if token.text == "==":
            expected = "a single ="
        if token.text == "/":
            expected = "a multiplication on the other side (division is not supported)"
        return ConditionError(f"expected {expected}, but found {got}", token.column)

    def take(self, *texts: str) -> bool:
        """Step over the next token if it is one of these words or marks."""
        if self.token.kind in {"word", "mark"} and self.token.text in texts:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        """Step over a mark or word that must come now."""
        if not self.take(text):
            raise self.fail(repr(text))

    def end(self) -> None:
        """Nothing may follow."""
        if self.token.kind != "end":
            raise self.fail("'and', 'or' or the end")

    def condition(self) -> Condition:
        """Read parts joined by `or`."""
        parts = [self.conjunction()]
        while self.take("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Condition:
        """Read parts joined by `and`, which binds more tightly than `or`."""
        parts = [self.part()]
        while self.take("and"):
            parts.append(self.part())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def part(self) -> Condition:
        """Read one statement, negated perhaps, in parentheses perhaps."""
        if self.take("not"):
            return Not(self.part())
        if self.token.text == "(" and self.token.kind == "mark":
            return self.parenthesised()
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if self.token.kind in {"word", "number"} and following.kind == "word" and following.text in {"is", "has"}:
            return self.choice()
        return self.comparison()

    def parenthesised(self) -> Condition:
        """Read `( … )`, which holds a condition, or the left side of a comparison."""
        start = self.at
        try:
            self.at += 1
            inner = self.condition()
            self.need(")")
            if self.token.kind == "mark" and self.token.text != ")":
                raise self.fail("'and', 'or' or the end")
        except ConditionError as as_condition:
            self.at = start
            try:
                return self.comparison()
            except ConditionError as as_comparison:
                raise max(as_condition, as_comparison, key=lambda error: error.column) from None
        return inner

    def choice(self) -> Condition:
        """Read `group is a or b`, `group is not a`, `group has a`."""
        column = self.token.column
        group = self.name("the id of a group")
        verb = self.token.text
        self.at += 1
        negated = self.take("not")
        options = [self.name("the id of an option")]
        while self.continues_options():
            self.at += 1
            options.append(self.name("the id of an option"))
        chosen = Chosen(group, tuple(options), verb, column)
        return Not(chosen) if negated else chosen

    def continues_options(self) -> bool:
        """Tell `is a or b` from `is a or memory is c`: after an option nothing but and, or, ) may come."""
        if not (self.token.kind == "word" and self.token.text == "or"):
            return False
        option, after = self.tokens[self.at + 1 : self.at + 3] if self.at + 2 < len(self.tokens) else (None, None)
        if option is None or after is None or option.kind not in {"word", "number"} or option.text in KEYWORDS:
            return False
        return after.kind == "end" or after.text in {"and", "or", ")"}

    def name(self, what: str) -> str:
        """Read the id of a group, an option or an attribute."""
        token = self.token
        if token.kind not in {"word", "number"} or token.text in KEYWORDS - {"base"}:
            raise self.fail(what)
        self.at += 1
        return token.text

    def comparison(self) -> Condition:
        """Read `left <= right`, or a lone `group.attribute` that is true or false."""
        column = self.token.column
        left = self.expression()
        operator = _COMPARISONS.get(self.token.text) if self.token.kind == "mark" else None
        if operator is None:
            if isinstance(left, Attribute) and self.token.text != "==":
                return Compared("=", left, Flag(value=True), column)
            raise self.fail("a comparison (<=, >=, <, >, = or !=)")
        self.at += 1
        return Compared(operator, left, self.expression(), column)

    def expression(self) -> Expression:
        """Read terms joined by + and -."""
        left = self.term()
        while self.token.kind == "mark" and self.token.text in {"+", "-"}:
            operator: Arithmetic = "+" if self.token.text == "+" else "-"
            self.at += 1
            left = Combined(operator, left, self.term())
        return left

    def term(self) -> Expression:
        """Read factors joined by *."""
        left = self.factor()
        while self.take("*"):
            left = Combined("*", left, self.factor())
        return left

    def factor(self) -> Expression:
        """Read a number, a text, an attribute, a sum, a count or parentheses."""
        token = self.token
        if token.kind in {"number", "text"}:
            self.at += 1
            return Number(Fraction(token.text)) if token.kind == "number" else Word(token.text)
        if self.take("-"):
            return Combined("-", Number(Fraction(0)), self.factor())
        if self.take("("):
            inner = self.expression()
            self.need(")")
            return inner
        if self.take("true", "false"):
            return Flag(token.text == "true")
        if self.take("sum", "count"):
            return self.total(token.column) if token.text == "sum" else self.count(token.column)
        return self.attribute(token.column)

    def attribute(self, column: int) -> Attribute:
        """Read `group.name`."""
        group = self.name("a number, a 'text', group.attribute or sum(…)")
        if not self.take("."):
            raise self.fail("'is', 'has' or '.attribute'")
        return Attribute(group, self.name("the name of an attribute"), column)

    def count(self, column: int) -> Count:
        """Read `(group)` after `count`."""
        self.need("(")
        group = self.name("the id of a group")
        self.need(")")
        return Count(group, column)

    def total(self, column: int) -> Sum:
        """Read `(watts)` or `(watts in cpu, gpu)` after `sum`."""
        self.need("(")
        name = self.name("the name of an attribute")
        groups: list[str] = []
        if self.take("in"):
            groups.append(self.name("the id of a group"))
            while self.take(","):
                groups.append(self.name("the id of a group"))
        self.need(")")
        return Sum(name, tuple(groups), column)
