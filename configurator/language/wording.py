"""A condition back in the words of the language: what `parse_condition` reads, in its plainest form."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from configurator.language.conditions import (
    And,
    Attribute,
    Chosen,
    Combined,
    Compared,
    Condition,
    Count,
    Expression,
    Flag,
    Listed,
    Not,
    Number,
    Or,
    Sum,
    Word,
)
from configurator.language.specification import Rule


def say_rule(rule: Rule) -> str:
    """A rule as one sentence: `when … : …`."""
    return f"when {say(rule.when)}: {say(rule.require)}" if rule.when is not None else say(rule.require)


def say(condition: Condition) -> str:
    """A condition as its author could have written it; a table says how many rows it has."""
    match condition:
        case Or(parts=parts):
            return " or ".join(_alternative(part) for part in parts)
        case And(parts=parts):
            return " and ".join(f"({say(part)})" if isinstance(part, Or | And) else say(part) for part in parts)
        case Not(part=part):
            return _negated(part)
        case Chosen(group=group, options=options, verb=verb):
            return f"{group} {verb} {_joined(options)}"
        case Compared():
            return _compared(condition)
        case Listed(groups=groups, rows=rows):
            return f"{', '.join(groups)} as in one of {len(rows)} rows"


def _alternative(part: Condition) -> str:
    """A part of an `or`; after a choice the word would go on with its options."""
    return f"({say(part)})" if isinstance(part, Or | Chosen) or (isinstance(part, Not) and isinstance(part.part, Chosen)) else say(part)


def _negated(part: Condition) -> str:
    if isinstance(part, Chosen):
        return f"{part.group} {part.verb} not {_joined(part.options)}"
    return f"not ({say(part)})"


def _joined(options: Iterable[str]) -> str:
    return " or ".join(options)


def _compared(compared: Compared) -> str:
    if compared.operator == "=" and compared.right == Flag(value=True) and isinstance(compared.left, Attribute):
        return _said(compared.left)
    return f"{_said(compared.left)} {compared.operator} {_said(compared.right)}"


def _said(expression: Expression) -> str:
    """One side of a comparison."""
    match expression:
        case Attribute(group=group, name=name):
            return f"{group}.{name}"
        case Sum(name=name, groups=groups):
            return f"sum({name} in {', '.join(groups)})" if groups else f"sum({name})"
        case Count(group=group):
            return f"count({group})"
        case Combined():
            return _combined(expression)
        case Number() | Word() | Flag():
            return _plain(expression)


def _plain(value: Number | Word | Flag) -> str:
    if isinstance(value, Number):
        return number(value.value)
    return f"'{value.value}'" if isinstance(value, Word) else str(value.value).lower()


def _combined(combined: Combined) -> str:
    left, right = _said(combined.left), _said(combined.right)
    if combined.operator == "*" and isinstance(combined.left, Combined) and combined.left.operator != "*":
        left = f"({left})"
    if isinstance(combined.right, Combined):
        right = f"({right})"
    return f"{left} {combined.operator} {right}"


def number(value: Fraction) -> str:
    """A number in decimal digits; every number of the language has an end."""
    if value.denominator == 1:
        return str(value.numerator)
    return format(Decimal(value.numerator) / Decimal(value.denominator), "f")
