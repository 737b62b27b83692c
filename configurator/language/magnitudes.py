"""How large can a sum become? Nothing a model adds up or compares may exceed 64 bits, in whole numbers of its finest unit.

The engine counts in such numbers; a sum that could overflow is refused here, where the line is known, and not at a click.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from configurator.language.conditions import Attribute, Combined, Compared, Count, Expression, Number, Sum
from configurator.language.fields import LARGEST
from configurator.language.specification import Group, Model, Value, exact
from configurator.language.truth import contribution


@dataclass(frozen=True, slots=True)
class Magnitude:
    """The largest absolute value, and the denominator that makes every value whole."""

    largest: Fraction
    unit: int = 1

    @property
    def fits(self) -> bool:
        """64 bits hold it, counted in its unit."""
        return self.largest * self.unit <= LARGEST

    def plus(self, other: Magnitude) -> Magnitude:
        """Of a sum or a difference of two."""
        return Magnitude(self.largest + other.largest, math.lcm(self.unit, other.unit))

    def times(self, other: Magnitude) -> Magnitude:
        """Of a product of two."""
        return Magnitude(self.largest * other.largest, self.unit * other.unit)


NOTHING = Magnitude(Fraction(0))


def of_comparison(model: Model, compared: Compared) -> Magnitude:
    """What comparing both sides takes: their difference."""
    return of_expression(model, compared.left).plus(of_expression(model, compared.right))


def of_expression(model: Model, expression: Expression) -> Magnitude:
    """The magnitude of one side of a comparison; texts and flags have none."""
    if isinstance(expression, Combined):
        left, right = of_expression(model, expression.left), of_expression(model, expression.right)
        return left.times(right) if expression.operator == "*" else left.plus(right)
    match expression:
        case Sum(name=name, groups=groups):
            meant = model.sum_of(name)
            return of_sum(model, meant.attribute, groups or meant.groups)
        case Count(group=group):
            return of_sum(model, "qty", (group,))
        case Attribute(group=group, name=name):
            return _of_values(_values_of(model, group, name))
    return _of([expression.value]) if isinstance(expression, Number) else NOTHING


def _values_of(model: Model, group: str, name: str) -> list[Value]:
    if group == "base":
        return [model.base_attributes[name]]
    return [option.attributes[name] for option in model.by_id[group].options if name in option.attributes]


def of_sum(model: Model, attribute: str, groups: tuple[str, ...]) -> Magnitude:
    """What an attribute can add up to over some groups, or over all and the base."""
    amount = NOTHING
    for group in groups or ("base", *model.by_id):
        if group == "base":
            amount = amount.plus(_of_values([model.base_attributes.get(attribute, 0)]))
        else:
            amount = amount.plus(_of_group(model.by_id[group], attribute))
    return amount


def of_price(model: Model) -> Magnitude:
    """What a machine can cost, in minor units."""
    amount = _of([Fraction(model.base_price.minor)])
    for group in model.groups:
        prices = [Fraction(option.price.minor) for option in group.options]
        amount = amount.plus(_of([Fraction(sum(abs(price) for price in prices))] if group.kind == "many" else prices))
    return amount


def _of_group(group: Group, attribute: str) -> Magnitude:
    values = [contribution(option, attribute) for option in group.options]
    each = _of(values)
    return Magnitude(Fraction(sum(abs(value) for value in values)), each.unit) if group.kind == "many" else each


def _of_values(values: Iterable[Value]) -> Magnitude:
    return _of([exact(value) for value in values if not isinstance(value, str)])


def _of(values: list[Fraction]) -> Magnitude:
    return Magnitude(max((abs(value) for value in values), default=Fraction(0)), math.lcm(*(value.denominator for value in values)))
