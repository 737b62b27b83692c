"""A model's rules as a theory for the oracle, taken from the language's own meaning of words (`truth`) and nothing else.

A group with one choice is a variable; each option of a "many" group is one of its own. A comparison of numbers becomes
terms that are added up; terms that share a variable are worked out together, combination by combination.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf, lcm

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
from configurator.language.specification import Model
from configurator.language.truth import Scalar, attribute_of, compare, contribution
from tests.builders.oracles import (
    BOOLEAN,
    Assignment,
    Formula,
    Oracle,
    Pair,
    RuleOracle,
    Term,
    Theory,
    all_of,
    any_of,
    has,
    implies,
    negation,
    within,
)

Values = Mapping[str, str]


@dataclass(frozen=True)
class Amount:
    """A number that depends on the values of some variables."""

    scope: frozenset[str]
    of: Callable[[Values], Fraction]


def theory_of(model: Model) -> Theory:
    """The model's groups and rules as a theory; the rules by their ids."""
    domains: dict[str, tuple[str, ...]] = {}
    prices: dict[tuple[str, str], int] = {}
    for group in model.groups:
        if group.kind == "one":
            domains[group.id] = tuple(option.id for option in group.options)
            prices |= {(group.id, option.id): option.price.minor for option in group.options}
        else:
            domains |= {taken(group.id, option.id): BOOLEAN for option in group.options}
            prices |= {(taken(group.id, option.id), "yes"): option.price.minor for option in group.options}
    reader = _Reader(model, domains)
    rules = [(rule.id, reader.rule(rule.when, rule.require)) for rule in model.rules]
    assert len({name for name, _ in rules}) == len(rules), "two rules have one id"
    return Theory(model.id, domains, rules, prices, model.base_price.minor)


def taken(group: str, option: str) -> str:
    """The variable that says whether an option of a "many" group is taken."""
    return f"{group}\0{option}"


def meanings_of(model: Model) -> dict[Pair, Assignment]:
    """What each option is in the theory."""
    return {
        (group.id, option.id): {group.id: option.id} if group.kind == "one" else {taken(group.id, option.id): "yes"}
        for group in model.groups
        for option in group.options
    }


def decisions_of(model: Model) -> dict[Pair, str]:
    """Which options exclude each other by being of one group."""
    return {pair: next(iter(values)) for pair, values in meanings_of(model).items()}


def oracle_of(model: Model) -> Oracle:
    return Oracle(theory_of(model), meanings_of(model), decisions_of(model))


def rule_oracle_of(model: Model) -> RuleOracle:
    return RuleOracle(theory_of(model), meanings_of(model))


class _Reader:
    """Reads conditions of one model."""

    def __init__(self, model: Model, domains: Mapping[str, tuple[str, ...]]) -> None:
        self.model = model
        self.domains = domains

    def rule(self, when: Condition | None, require: Condition) -> Formula:
        demanded = self.condition(require)
        return demanded if when is None else implies(self.condition(when), demanded)

    def condition(self, condition: Condition) -> Formula:  # noqa: PLR0911 - one for each kind
        match condition:
            case And(parts=parts):
                return all_of(self.condition(part) for part in parts)
            case Or(parts=parts):
                return any_of(self.condition(part) for part in parts)
            case Not(part=part):
                return negation(self.condition(part))
            case Chosen(group=group, options=options):
                if self.model.by_id[group].kind == "one":
                    return has(group, *options)
                return any_of(has(taken(group, option), "yes") for option in options)
            case Listed(groups=groups, rows=rows):
                return any_of(all_of(has(*pair) for pair in zip(groups, row, strict=True)) for row in sorted(rows))
            case Compared(operator=operator, left=left, right=right):
                if self.is_plain(left) or self.is_plain(right):
                    return self.plain(operator, left, right)
                return self.numbers(operator, [*self.amounts(left, 1), *self.amounts(right, -1)])

    def is_plain(self, expression: Expression) -> bool:
        """It is a text or a flag."""
        if isinstance(expression, Attribute):
            return not isinstance(self.attribute(expression, {one.id: one.options[0].id for one in self.model.groups}), Fraction)
        return isinstance(expression, Word | Flag)

    def attribute(self, attribute: Attribute, values: Values) -> Scalar:
        if attribute.group == "base":
            value = self.model.base_attributes.get(attribute.name)
            return value if isinstance(value, str | bool) else Fraction(value or 0)
        return attribute_of(self.model.by_id[attribute.group], values[attribute.group], attribute.name)

    def plain(self, operator: str, left: Expression, right: Expression) -> Formula:
        """Compare texts or flags, combination by combination."""

        def value(expression: Expression, values: Values) -> Scalar:
            if isinstance(expression, Attribute):
                return self.attribute(expression, values)
            assert isinstance(expression, Word | Flag)
            return expression.value

        scope = {side.group for side in (left, right) if isinstance(side, Attribute) and side.group != "base"}
        return any_of(
            all_of(has(*pair) for pair in values.items())
            for values in self.combinations(scope)
            if compare(operator, value(left, values), value(right, values))
        )

    def combinations(self, scope: Iterable[str]) -> Iterator[dict[str, str]]:
        names = sorted(scope)
        for values in itertools.product(*(self.domains[name] for name in names)):
            yield dict(zip(names, values, strict=True))

    def amounts(self, expression: Expression, sign: int) -> list[Amount]:  # noqa: PLR0911 - one for each kind
        """The expression as amounts to be added."""
        match expression:
            case Number(value=value):
                return [Amount(frozenset(), lambda _: sign * value)]
            case Attribute(group="base"):
                return [Amount(frozenset(), lambda values: sign * _number(self.attribute(expression, values)))]
            case Attribute(group=group):
                return [Amount(frozenset([group]), lambda values: sign * _number(self.attribute(expression, values)))]
            case Sum(name=name, groups=groups):
                return list(self.sum(name, groups, sign))
            case Count(group=group):
                return list(self.sum("qty", (group,), sign))
            case Combined(operator="*", left=left, right=right):
                return [_product(one, other) for one in self.amounts(left, sign) for other in self.amounts(right, 1)]
            case Combined(operator=operator, left=left, right=right):
                return [*self.amounts(left, sign), *self.amounts(right, sign if operator == "+" else -sign)]
        raise TypeError(expression)

    def sum(self, name: str, groups: tuple[str, ...], sign: int) -> Iterator[Amount]:
        meant = self.model.sum_of(name)
        for group_id in groups or meant.groups or ("base", *self.model.by_id):
            if group_id == "base":
                value = self.model.base_attributes.get(meant.attribute)
                assert not isinstance(value, str)
                base = Fraction(value or 0)
                yield Amount(frozenset(), lambda _, base=base: sign * base)  # type: ignore[misc]
                continue
            group = self.model.by_id[group_id]
            adds = {option.id: sign * contribution(option, meant.attribute) for option in group.options}
            if group.kind == "one":
                yield _gain(group.id, adds)
            else:
                for option, add in adds.items():
                    yield _gain(taken(group.id, option), {"no": Fraction(0), "yes": add})

    def numbers(self, operator: str, amounts: Iterable[Amount]) -> Formula:
        """Compare the sum of amounts with 0."""
        terms = [self.table(part) for part in _joined(amounts)]
        scale = lcm(*(gain.denominator for table in terms for gain in table))
        whole: list[Term] = [{int(gain * scale): when for gain, when in table.items()} for table in terms]
        if operator == "!=":
            return negation(within(whole, 0, 0))
        bounds = {"<=": (-inf, 0), "<": (-inf, -1), ">=": (0, inf), ">": (1, inf), "=": (0, 0)}[operator]
        return within(whole, *bounds)

    def table(self, part: list[Amount]) -> dict[Fraction, Formula]:
        """What amounts of the same variables come to, and for which of their values."""
        scope = frozenset[str]().union(*(amount.scope for amount in part))
        ways: dict[Fraction, list[dict[str, str]]] = {}
        for values in self.combinations(scope):
            ways.setdefault(sum((amount.of(values) for amount in part), Fraction(0)), []).append(values)
        if len(scope) == 1:
            (variable,) = scope
            return {gain: has(variable, *(values[variable] for values in found)) for gain, found in ways.items()}
        return {gain: any_of(all_of(has(*pair) for pair in values.items()) for values in found) for gain, found in ways.items()}


def _number(value: Scalar) -> Fraction:
    assert isinstance(value, Fraction)
    return value


def _gain(variable: str, adds: Mapping[str, Fraction]) -> Amount:
    return Amount(frozenset([variable]), lambda values: adds[values[variable]])


def _product(one: Amount, other: Amount) -> Amount:
    return Amount(one.scope | other.scope, lambda values: one.of(values) * other.of(values))


def _joined(amounts: Iterable[Amount]) -> list[list[Amount]]:
    """Put amounts together that share a variable."""
    parts: list[tuple[frozenset[str], list[Amount]]] = []
    for amount in amounts:
        scope, joined = amount.scope, [amount]
        for other in [part for part in parts if part[0] & scope]:
            parts.remove(other)
            scope, joined = scope | other[0], [*joined, *other[1]]
        parts.append((scope, joined))
    return [joined for _, joined in parts]
