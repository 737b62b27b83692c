"""What a rule means for a finished configuration, word for word: slow, simple and exact.

This is the definition the decision diagram is tested against, and what judges a model's default configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from configurator.language.specification import Group, Model, Option, Rule, Value, exact

Configuration = Mapping[str, tuple[str, ...]]
"""The chosen options of every group: one, or for a "many" group any number."""
Scalar = Fraction | str | bool
"""What can be compared."""


def broken_rules(model: Model, configuration: Configuration) -> list[Rule]:
    """Return the rules a finished configuration breaks; none: it can be built."""
    return [rule for rule in model.rules if not obeys(model, rule, configuration)]


def obeys(model: Model, rule: Rule, configuration: Configuration) -> bool:
    """Tell whether the configuration keeps the rule."""
    if rule.when is not None and not holds(model, rule.when, configuration):
        return True
    return holds(model, rule.require, configuration)


def holds(model: Model, condition: Condition, configuration: Configuration) -> bool:
    """Tell whether the condition is true of the configuration."""
    match condition:
        case Chosen(group=group, options=options):
            return any(option in options for option in configuration[group])
        case Listed(groups=groups, rows=rows):
            return tuple(option for group in groups for option in configuration[group]) in rows
        case Not(part=part):
            return not holds(model, part, configuration)
        case And(parts=parts):
            return all(holds(model, part, configuration) for part in parts)
        case Or(parts=parts):
            return any(holds(model, part, configuration) for part in parts)
        case Compared(operator=operator, left=left, right=right):
            return compare(operator, value_of(model, left, configuration), value_of(model, right, configuration))


def compare(operator: str, left: Scalar, right: Scalar) -> bool:
    """Compare two values of the same type; texts and flags only for equality."""
    if operator == "=":
        return left == right
    if operator == "!=":
        return left != right
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        raise TypeError(f"{left!r} {operator} {right!r} compares no numbers")
    if operator in {"<=", ">"}:
        return (left <= right) is (operator == "<=")
    return (left < right) is (operator == "<")


def value_of(model: Model, expression: Expression, configuration: Configuration) -> Scalar:
    """Return the value of one side of a comparison."""
    match expression:
        case Number() | Word() | Flag():
            return expression.value
        case Attribute(group=group, name=name):
            if group == "base":
                return _plain(model.base_attributes.get(name))
            return attribute_of(model.by_id[group], configuration[group][0], name)
        case Sum():
            return total_of(model, expression.name, configuration, expression.groups)
        case Count(group=group):
            return total_of(model, "qty", configuration, (group,))
        case Combined(operator=operator, left=left, right=right):
            return combine(operator, value_of(model, left, configuration), value_of(model, right, configuration))


def combine(operator: str, left: Scalar, right: Scalar) -> Fraction:
    """Add, subtract or multiply two numbers."""
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        raise TypeError(f"{left!r} {operator} {right!r} combines no numbers")
    if operator == "+":
        return left + right
    return left - right if operator == "-" else left * right


def attribute_of(group: Group, option: str, name: str) -> Scalar:
    """An option's attribute; one it does not have is 0, '' or false, as the other options of the group have it."""
    value = group.by_id[option].attributes.get(name)
    if value is not None:
        return _plain(value)
    others = (other.attributes[name] for other in group.options if name in other.attributes)
    return _plain(type(next(others, 0))())


def total_of(model: Model, name: str, configuration: Configuration, groups: tuple[str, ...] = ()) -> Fraction:
    """Return `sum(name)`: over the named groups, or over all groups and the base."""
    meant = model.sum_of(name)
    scope = groups or meant.groups or ("base", *model.by_id)
    amount = Fraction(0)
    for group in scope:
        if group == "base":
            amount += exact(model.base_attributes.get(meant.attribute))
        else:
            amount += sum(contribution(option, meant.attribute) for option in _chosen(model, group, configuration))
    return amount


def contribution(option: Option, attribute: str) -> Fraction:
    """What a chosen option adds to a sum: its attribute for each of its pieces."""
    if attribute == "qty":
        return exact(option.pieces)
    return exact(option.attributes.get(attribute)) * option.qty


def _chosen(model: Model, group: str, configuration: Configuration) -> list[Option]:
    return [model.by_id[group].by_id[option] for option in configuration[group]]


def _plain(value: Value | None) -> Scalar:
    return value if isinstance(value, str | bool) else exact(value)
