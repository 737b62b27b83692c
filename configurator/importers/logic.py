"""Conditions put together part by part, kept shallow and small however deep and wide the file's own formulas are.

A formula remembers how deep and how large its condition is. Where one gets too deep for a recursive walk, or would be
written twice and is large, it is given a name: a hidden group that is "on" exactly when the formula holds, so nothing
changes in what can be built or how many ways there are. (Tseitin 1968, with definitions both ways.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from configurator.language.conditions import And, Chosen, Condition, Not, Or

DEEPEST = 40
LARGEST_TWICE = 60


@dataclass(frozen=True, slots=True)
class Formula:
    """A condition, how many levels it has, and how many parts."""

    condition: Condition
    depth: int = 1
    size: int = 1


ALWAYS = Formula(And(()))
NEVER = Formula(Or(()))

Define = Callable[[Formula], Formula]
"""Gives a formula a name, and returns the name."""


def chosen(group: str, options: Iterable[str]) -> Formula:
    """One of the options is chosen in the group."""
    return Formula(Chosen(group, tuple(options), "is"))


class Logic:
    """Joins formulas; `define` names those that get too deep or too large."""

    def __init__(self, define: Define) -> None:
        self._define = define

    def negated(self, part: Formula) -> Formula:
        """The part does not hold."""
        if part is ALWAYS:
            return NEVER
        if part is NEVER:
            return ALWAYS
        if isinstance(part.condition, Not):
            return Formula(part.condition.part, part.depth - 1, part.size)
        return Formula(Not(part.condition), part.depth + 1, part.size)

    def all_of(self, parts: Iterable[Formula]) -> Formula:
        """Every part holds."""
        kept = [part for part in parts if part is not ALWAYS]
        if any(part is NEVER for part in kept):
            return NEVER
        return self._joined(And, kept) or ALWAYS

    def any_of(self, parts: Iterable[Formula]) -> Formula:
        """At least one part holds."""
        kept = [part for part in parts if part is not NEVER]
        if any(part is ALWAYS for part in kept):
            return ALWAYS
        return self._joined(Or, kept) or NEVER

    def implied(self, left: Formula, right: Formula) -> Formula:
        """If the left holds, so does the right."""
        return self.any_of([self.negated(left), right])

    def equal(self, left: Formula, right: Formula) -> Formula:
        """Both hold, or neither."""
        if left.size + right.size > LARGEST_TWICE:
            left, right = self._named(left), self._named(right)
        return self.all_of([self.implied(left, right), self.implied(right, left)])

    def at_most_one(self, parts: list[Formula]) -> Formula:
        """No two of the parts hold."""
        named = [self._named(part) for part in parts]
        return self.all_of(
            self.negated(self.all_of([one, other])) for place, one in enumerate(named) for other in named[place + 1 :]
        )

    def applied(self, how: str, parts: list[Formula]) -> Formula | None:
        """Apply a connective by its word: all, any, not, imp, iff, xor, amo. None: there is no such one of so many parts."""
        match how, parts:
            case "not", [part]:
                return self.negated(part)
            case "imp", [left, right]:
                return self.implied(left, right)
            case "iff" | "xor", [left, right]:
                equal = self.equal(left, right)
                return equal if how == "iff" else self.negated(equal)
        joins = {"all": self.all_of, "any": self.any_of, "amo": self.at_most_one}
        return joins[how](parts) if how in joins else None

    def _named(self, part: Formula) -> Formula:
        return part if part.size == 1 else self._define(part)

    def _joined(self, how: type[And | Or], parts: list[Formula]) -> Formula | None:
        """Join the parts, those of the same kind merged into one level."""
        if len(parts) < 2:
            return parts[0] if parts else None
        conditions: list[Condition] = []
        depth = 0
        for part in (self._define(part) if part.depth >= DEEPEST else part for part in parts):
            if isinstance(part.condition, how):
                conditions.extend(part.condition.parts)
                depth = max(depth, part.depth - 1)
            else:
                conditions.append(part.condition)
                depth = max(depth, part.depth)
        return Formula(how(tuple(conditions)), depth + 1, sum(part.size for part in parts))
