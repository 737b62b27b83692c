"""A model's rules as formulas over variables: the step between the language and the decision diagram.

A group with one choice is a variable with its options as values; each option of a "many" group is a variable of its
own, 0 for no and 1 for yes. A comparison of one variable becomes a set of its values. Sums become running totals in
whole numbers (scaled, so nothing is rounded). A comparison that is not linear, or of texts, is split by the values of
one variable until it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from configurator.engine.diagram import CannotCompile
from configurator.engine.formulas import ALWAYS, NEVER, Formulas
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
from configurator.language.specification import Group, Model, Rule, exact
from configurator.language.truth import Scalar, attribute_of, compare, contribution

_MOST = 1 << 60
"""The largest running total: twice as much still is a whole number of 64 bits."""

Fixed = dict[int, int]
"""Variables that have their value already."""
Total = tuple[tuple[int, tuple[int, ...]], ...]
"""A running total: for each variable in it, what each of its values adds (0 or more)."""


Side = TypeVar("Side", bound=Scalar)
"""What one side of a comparison can be."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One decision: which option of a group, or whether an option of a "many" group is taken."""

    group: str
    option: str | None
    """The option of a "many" group; None for a group with one choice."""
    values: tuple[str, ...]
    """The option each value stands for; for a "many" option the empty text and the option."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A number that is a constant plus what each variable adds by its value."""

    constant: Fraction
    terms: dict[int, tuple[Fraction, ...]]


class _SplitNeeded(Exception):
    """An expression is not linear; it will be once this variable has a value."""

    def __init__(self, variable: int) -> None:
        super().__init__(variable)
        self.variable = variable


def variables_of(model: Model) -> list[Variable]:
    """Return the decisions of a model in the order of its file."""
    variables = []
    for group in model.groups:
        if group.kind == "one":
            variables.append(Variable(group.id, None, tuple(option.id for option in group.options)))
        else:
            variables += [Variable(group.id, option.id, ("", option.id)) for option in group.options]
    return variables


class Constraints:
    """The rules of a model as formulas: `rules[i]` is what the model's i-th rule demands."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.variables = variables_of(model)
        self.formulas = Formulas([len(variable.values) for variable in self.variables])
        self.index = {(variable.group, variable.option): place for place, variable in enumerate(self.variables)}
        self.totals: list[Total] = []
        self._total_numbers: dict[Total, int] = {}
        self.rules = [self._named(rule) for rule in model.rules]

    def _named(self, rule: Rule) -> int:
        """A rule as a formula. Raises CannotCompile with the rule's name for a sum beyond 64 bits."""
        try:
            return self._rule(rule.when, rule.require)
        except OverflowError as error:
            told = f"the sum in the rule {rule.id!r} (line {rule.line}) reaches {error}, beyond what 64 bits hold exactly"
            raise CannotCompile(f"{told}: give its attributes in larger units or with fewer decimals") from None

    def _rule(self, when: Condition | None, require: Condition) -> int:
        demanded = self._condition(require)
        if when is None:
            return demanded
        return self.formulas.any_of([self.formulas.negated(self._condition(when)), demanded])

    def _condition(self, condition: Condition) -> int:
        match condition:
            case And(parts=parts):
                return self.formulas.all_of([self._condition(part) for part in parts])
            case Or(parts=parts):
                return self.formulas.any_of([self._condition(part) for part in parts])
            case Not(part=part):
                return self.formulas.negated(self._condition(part))
            case Chosen(group=group, options=options):
                return self._chosen(self.model.by_id[group], options)
            case Compared():
                return self._compared(condition, {})
            case Listed(groups=groups, rows=rows):
                return self._listed(groups, rows)

    def _listed(self, groups: tuple[str, ...], rows: frozenset[tuple[str, ...]]) -> int:
        """A table becomes a leaf of its own. A group named twice is read once, in the rows that agree with themselves."""
        different = list(dict.fromkeys(groups))
        first = [groups.index(group) for group in different]
        agreeing = [row for row in rows if all(row[groups.index(group)] == option for group, option in zip(groups, row, strict=True))]
        places = [{option.id: place for place, option in enumerate(self.model.by_id[group].options)} for group in different]
        numbers = [tuple(place[row[column]] for place, column in zip(places, first, strict=True)) for row in agreeing]
        return self.formulas.among(tuple(self.index[group, None] for group in different), numbers, listed=True)

    def _chosen(self, group: Group, options: tuple[str, ...]) -> int:
        if group.kind == "many":
            return self.formulas.any_of(self.formulas.inside(self.index[group.id, option], 0b10) for option in options)
        places = {option.id: place for place, option in enumerate(group.options)}
        values = 0
        for option in options:
            values |= 1 << places[option]
        return self.formulas.inside(self.index[group.id, None], values)

    def _compared(self, condition: Compared, fixed: Fixed) -> int:
        """Turn a comparison into leaves, splitting by a variable's values where it is not linear."""
        try:
            if self._is_number(condition.left):
                return self._numbers(condition, fixed)
            return self._plain(condition, fixed)
        except _SplitNeeded as needed:
            variable = needed.variable
        by_outcome: dict[int, int] = {}
        for value in range(len(self.variables[variable].values)):
            outcome = self._compared(condition, {**fixed, variable: value})
            by_outcome[outcome] = by_outcome.get(outcome, 0) | 1 << value
        return self.formulas.any_of(
            self.formulas.all_of([self.formulas.inside(variable, values), outcome]) for outcome, values in by_outcome.items()
        )

    def _is_number(self, expression: Expression) -> bool:
        if isinstance(expression, Attribute):
            return isinstance(self._attribute_values(expression)[1][0], Fraction)
        return not isinstance(expression, Word | Flag)

    def _plain(self, condition: Compared, fixed: Fixed) -> int:
        """Compare texts or flags."""
        left_variable, left = self._values(condition.left, fixed)
        right_variable, right = self._values(condition.right, fixed)
        if left_variable is not None and right_variable is not None and left_variable != right_variable:
            return self._matched(left_variable, left, right_variable, right, lambda one, other: compare(condition.operator, one, other))
        if left_variable is None and right_variable is None:
            return ALWAYS if compare(condition.operator, left[0], right[0]) else NEVER
        values = 0
        for place in range(max(len(left), len(right))):
            if compare(condition.operator, left[place % len(left)], right[place % len(right)]):
                values |= 1 << place
        variable = left_variable if left_variable is not None else right_variable
        assert variable is not None
        return self.formulas.inside(variable, values)

    def _values(self, expression: Expression, fixed: Fixed) -> tuple[int | None, tuple[Scalar, ...]]:
        """The possible values of a text or flag, and the variable they depend on."""
        if isinstance(expression, Word | Flag):
            return None, (expression.value,)
        assert isinstance(expression, Attribute)
        variable, values = self._attribute_values(expression)
        if variable in fixed:
            return None, (values[fixed[variable]],)
        return variable, values

    def _attribute_values(self, attribute: Attribute) -> tuple[int | None, tuple[Scalar, ...]]:
        if attribute.group == "base":
            value = self.model.base_attributes.get(attribute.name)
            return None, (value if isinstance(value, str | bool) else exact(value),)
        group = self.model.by_id[attribute.group]
        values = tuple(attribute_of(group, option.id, attribute.name) for option in group.options)
        return self.index[group.id, None], values

    def _numbers(self, condition: Compared, fixed: Fixed) -> int:
        """Compare numbers: left - right against zero."""
        difference = _added(self._linear(condition.left, fixed), self._linear(condition.right, fixed), -1)
        if not difference.terms:
            return ALWAYS if compare(condition.operator, difference.constant, Fraction(0)) else NEVER
        if len(difference.terms) == 1:
            ((variable, values),) = difference.terms.items()
            inside = 0
            for place, value in enumerate(values):
                inside |= compare(condition.operator, value + difference.constant, Fraction(0)) << place
            return self.formulas.inside(variable, inside)
        operator = condition.operator
        if len(difference.terms) == 2:
            (one, ones), (other, others) = sorted(difference.terms.items())
            rest = difference.constant
            return self._matched(one, ones, other, others, lambda here, there: compare(operator, here + there + rest, Fraction(0)))
        at_most = self._at_most(difference, strict=False)
        below = self._at_most(difference, strict=True)
        if operator in {"=", "!="}:
            equal = self.formulas.all_of([at_most, self.formulas.negated(below)])
            return equal if operator == "=" else self.formulas.negated(equal)
        if operator in {"<=", "<"}:
            return at_most if operator == "<=" else below
        return self.formulas.negated(at_most if operator == ">" else below)

    def _matched(self, one: int, ones: Sequence[Side], other: int, others: Sequence[Side], together: Callable[[Side, Side], bool]) -> int:
        """Two variables go together: for each value of the one, the values of the other that fit.

        Options whose attribute is the same are one value here, so thousands of options with a few dozen lengths make a
        few dozen clauses.
        """
        if len(set(ones)) > len(set(others)):
            return self._matched(other, others, one, ones, lambda here, there: together(there, here))
        there = _alike(others)
        clauses = []
        for value, having in _alike(ones).items():
            fitting = sum(places for added, places in there.items() if together(value, added))
            clauses.append(
                self.formulas.any_of([self.formulas.negated(self.formulas.inside(one, having)), self.formulas.inside(other, fitting)])
            )
        return self.formulas.all_of(clauses)

    def _at_most(self, number: Linear, *, strict: bool) -> int:
        """The number is at most (if strict: below) zero, as a bound on a running total of whole numbers."""
        lowest = {variable: min(values) for variable, values in number.terms.items()}
        gains = {variable: [value - lowest[variable] for value in values] for variable, values in sorted(number.terms.items())}
        bound = -number.constant - sum(lowest.values())
        every = [gain for values in gains.values() for gain in values]
        scale = Fraction(math.lcm(*(gain.denominator for gain in every)))
        scale /= math.gcd(*(int(gain * scale) for gain in every))
        total: Total = tuple((variable, tuple(int(gain * scale) for gain in values)) for variable, values in gains.items())
        limit = math.ceil(bound * scale) - 1 if strict else math.floor(bound * scale)
        most = sum(max(values) for _, values in total)
        if most > _MOST:
            raise OverflowError(f"{most:,}")
        if limit < 0 or limit >= most:
            return NEVER if limit < 0 else ALWAYS
        number_of_total = self._total_numbers.setdefault(total, len(self.totals))
        if number_of_total == len(self.totals):
            self.totals.append(total)
        return self.formulas.within(number_of_total, limit, at_most=True)

    def _linear(self, expression: Expression, fixed: Fixed) -> Linear:
        match expression:
            case Number(value=value):
                return Linear(value, {})
            case Attribute():
                variable, values = self._attribute_values(expression)
                numbers = tuple(value for value in values if isinstance(value, Fraction))
                return Linear(numbers[0], {}) if variable is None else _term(variable, numbers, fixed)
            case Sum(name=name, groups=groups):
                return self._sum(name, groups, fixed)
            case Count(group=group):
                return self._sum("qty", (group,), fixed)
            case Combined(operator="*", left=left, right=right):
                return _multiplied(self._linear(left, fixed), self._linear(right, fixed))
            case Combined(operator=operator, left=left, right=right):
                return _added(self._linear(left, fixed), self._linear(right, fixed), 1 if operator == "+" else -1)
            case Word() | Flag():
                raise TypeError(f"not a number: {expression.value!r}")

    def _sum(self, name: str, groups: tuple[str, ...], fixed: Fixed) -> Linear:
        meant = self.model.sum_of(name)
        amount = Linear(Fraction(0), {})
        for group_id in groups or meant.groups or ("base", *self.model.by_id):
            if group_id == "base":
                base = exact(self.model.base_attributes.get(meant.attribute))
                amount = _added(amount, Linear(base, {}), 1)
                continue
            group = self.model.by_id[group_id]
            gains = [contribution(option, meant.attribute) for option in group.options]
            if group.kind == "one":
                amount = _added(amount, _term(self.index[group_id, None], tuple(gains), fixed), 1)
                continue
            for option, gain in zip(group.options, gains, strict=True):
                amount = _added(amount, _term(self.index[group_id, option.id], (Fraction(0), gain), fixed), 1)
        return amount


def _alike(values: Sequence[Side]) -> dict[Side, int]:
    """For each value that occurs, the places where it does (bits)."""
    places: dict[Side, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return {value: sum(1 << place for place in where) for value, where in places.items()}


def _term(variable: int, values: tuple[Fraction, ...], fixed: Fixed) -> Linear:
    """What one variable adds; a constant if it is fixed or all its values add the same."""
    if variable in fixed:
        return Linear(values[fixed[variable]], {})
    if len(set(values)) == 1:
        return Linear(values[0], {})
    return Linear(Fraction(0), {variable: values})


def _added(left: Linear, right: Linear, sign: int) -> Linear:
    terms = dict(left.terms)
    for variable, values in right.terms.items():
        before = terms.get(variable, (Fraction(0),) * len(values))
        terms[variable] = tuple(one + sign * other for one, other in zip(before, values, strict=True))
    constant = left.constant + sign * right.constant
    return _tidied(constant, terms)


def _multiplied(left: Linear, right: Linear) -> Linear:
    """Multiply; a product of two different variables must be split first."""
    if not left.terms:
        left, right = right, left
    if not right.terms:
        scaled = {variable: tuple(value * right.constant for value in values) for variable, values in left.terms.items()}
        return _tidied(left.constant * right.constant, scaled)
    if len(left.terms) == len(right.terms) == 1 and left.terms.keys() == right.terms.keys():
        (variable,) = left.terms
        pairs = zip(left.terms[variable], right.terms[variable], strict=True)
        values = tuple((one + left.constant) * (other + right.constant) for one, other in pairs)
        return _tidied(Fraction(0), {variable: values})
    smaller = min(left.terms, right.terms, key=len)
    raise _SplitNeeded(min(smaller, key=lambda variable: len(smaller[variable])))


def _tidied(constant: Fraction, terms: dict[int, tuple[Fraction, ...]]) -> Linear:
    """Move what does not depend on the choice into the constant."""
    varying = {}
    for variable, values in terms.items():
        if len(set(values)) == 1:
            constant += values[0]
        else:
            varying[variable] = values
    return Linear(constant, varying)
