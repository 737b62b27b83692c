"""Do the rules speak of things the model has? Names, types and the default configuration.

Every name in a condition is looked up, so that a misspelt option never silently makes a rule idle.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

from configurator.language import lowering, magnitudes
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
    Not,
    Number,
    Or,
    Sum,
    Word,
)
from configurator.language.fields import LARGEST, Notes, did_you_mean
from configurator.language.positions import Path
from configurator.language.specification import EVERYONE, Group, Model, Value
from configurator.language.truth import broken_rules

_TYPE_NAMES = {"number": "a number", "text": "a text", "flag": "true or false"}


def check_conditions(model: Model, written: Iterable[tuple[str, Path, Condition]], notes: Notes) -> None:
    """Note every name in a condition that the model does not have, and every comparison of unlike things."""
    names = _Names(model)
    for key, path, condition in written:
        for column, message in names.problems(condition):
            notes.add_in_text(path, column, f"in {key!r}, column {column}: {message}")


def check_circles(model: Model, notes: Notes) -> None:
    """Note groups whose conditions wait for each other."""
    if notes.problems:
        return
    found = lowering.circle(model)
    if found:
        group = model.by_id[found[0]]
        steps = [f"whether {first!r} is asked depends on {second!r}" for first, second in itertools.pairwise(found)]
        notes.add_at(group.line, 0, f"conditions go round in a circle: {', '.join(steps)}. Let one of them stand without 'when'.")


def check_magnitudes(model: Model, written: Iterable[tuple[str, Path, Condition]], notes: Notes) -> None:
    """Note every comparison and every price that can become larger than 64 bits hold."""
    for key, path, condition in written:
        for compared in comparisons(condition):
            found = magnitudes.of_comparison(model, compared)
            if not found.fits:
                notes.add_in_text(
                    path,
                    compared.column,
                    f"in {key!r}, column {compared.column}: this can come to {_large(found.largest)}, counted in units of 1/{found.unit}, "
                    f"more than {LARGEST:,}: use a larger unit, or rounder numbers.",
                )
    price = magnitudes.of_price(model)
    if not price.fits:
        notes.add(("model", "base_price"), f"a machine can cost {_large(price.largest)} cents, more than {LARGEST:,}: correct the prices.")


def comparisons(condition: Condition) -> Iterator[Compared]:
    """Every comparison in a condition."""
    match condition:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from comparisons(part)
        case Not(part=part):
            yield from comparisons(part)
        case Compared():
            yield condition


def check_sums(model: Model, notes: Notes) -> None:
    """Note every named sum of an attribute or a group that does not exist."""
    names = _Names(model)
    for name, meant in model.sums.items():
        for _, message in names.total(Sum(meant.attribute, meant.groups)):
            notes.add(("sums", name), message)


def check_attributes(model: Model, notes: Notes) -> None:
    """Note every attribute that is a number in one option of a group and a text in another."""
    for position, group in enumerate(model.groups):
        kinds: dict[str, str] = {}
        for place, option in enumerate(group.options):
            for name, value in option.attributes.items():
                if kinds.setdefault(name, kind_of(value)) != kind_of(value):
                    notes.add(
                        ("group", position, "option", place, name),
                        f"{name!r} is {_TYPE_NAMES[kind_of(value)]} here, but {_TYPE_NAMES[kinds[name]]} in another "
                        f"option of {group.id!r}: make them alike.",
                    )


def check_asked(written: Model, settled: Model, notes: Notes) -> None:
    """Note every conditional group whose default is missing where it is asked, or idle where it is not."""
    for before, after in zip(written.groups, settled.groups, strict=True):
        if before.when is None or before.hidden or before.default == after.default:
            continue
        if before.default == (lowering.ABSENT,):
            notes.add_at(before.line, 0, f"the default machine is asked for {before.id!r}: give the group a default.")
        else:
            message = f"the default machine is not asked for {before.id!r}, so its default does nothing: leave 'default' out."
            notes.add_at(before.line, 0, message)


def check_default(model: Model, notes: Notes) -> None:
    """Note what makes the default configuration unfit."""
    for line, message in unfit_defaults(model):
        notes.add_at(line, 0, message)


def unfit_defaults(model: Model) -> Iterator[tuple[int, str]]:
    """Every rule that the default configuration breaks, and every default that is not offered to everyone, with its line."""
    for rule in broken_rules(model, model.defaults):
        said = f"the default configuration breaks the rule {rule.id!r} ({rule.reason['en']})"
        yield rule.line, f"{said}: change the rule, or the default of one of its groups."
    for group in model.groups:
        for option in group.default:
            if group.by_id[option].visibility != EVERYONE:
                said = f"{option!r} is the default of {group.id!r}, so it must be offered to everyone at any time"
                yield group.by_id[option].line, f"{said}: make another option the default, or offer this one to all."


def kind_of(value: Value) -> str:
    """Name the type of an attribute: number, text or flag."""
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"


class _Names:
    """Looks up the names of conditions in one model; yields (column, message)."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def problems(self, condition: Condition) -> Iterator[tuple[int, str]]:
        """Every problem of a condition."""
        match condition:
            case And(parts=parts) | Or(parts=parts):
                for part in parts:
                    yield from self.problems(part)
            case Not(part=part):
                yield from self.problems(part)
            case Chosen():
                yield from self.chosen(condition)
            case Compared():
                yield from self.compared(condition)

    def chosen(self, condition: Chosen) -> Iterator[tuple[int, str]]:
        """Group and options must exist, and the verb must fit the kind of the group."""
        group = self.model.by_id.get(condition.group)
        if group is None:
            yield condition.column, self.no_group(condition.group)
            return
        verb = "is" if group.kind == "one" else "has"
        if condition.verb != verb:
            yield condition.column, f"{group.id!r} is a group of kind {group.kind!r}: write '{group.id} {verb} …'."
        for option in condition.options:
            if option not in group.by_id:
                yield condition.column, f"{group.id!r} has no option {option!r}: {did_you_mean(option, group.by_id)}"

    def compared(self, condition: Compared) -> Iterator[tuple[int, str]]:
        """Both sides must exist and be of one type; only numbers have an order."""
        found = [*self.expression(condition.left), *self.expression(condition.right)]
        yield from found
        if found:
            return
        left, right = self.kind(condition.left), self.kind(condition.right)
        if left != right:
            yield condition.column, f"{_TYPE_NAMES[left]} is compared with {_TYPE_NAMES[right]}: they are never alike."
        elif left != "number" and condition.operator not in {"=", "!="}:
            yield condition.column, f"{_TYPE_NAMES[left]} has no order: use = or !=, not {condition.operator}."

    def expression(self, expression: Expression) -> Iterator[tuple[int, str]]:
        """Every problem of one side of a comparison."""
        match expression:
            case Attribute():
                yield from self.attribute(expression)
            case Sum():
                yield from self.total(expression)
            case Count(group=group, column=column):
                if group not in self.model.by_id:
                    yield column, self.no_group(group)
            case Combined(left=left, right=right, operator=operator):
                found = [*self.expression(left), *self.expression(right)]
                yield from found
                if not found and {self.kind(left), self.kind(right)} != {"number"}:
                    yield getattr(left, "column", 1), f"only numbers can be combined by {operator}."

    def attribute(self, attribute: Attribute) -> Iterator[tuple[int, str]]:
        """The group must exist, have one choice, and at least one option with the attribute."""
        name, column = attribute.name, attribute.column
        if attribute.group == "base":
            if name not in self.model.base_attributes:
                hint = did_you_mean(name, self.model.base_attributes)
                yield column, f"the base has no attribute {name!r}: add base.{name} = … to [model], or {hint}"
            return
        group = self.model.by_id.get(attribute.group)
        if group is None:
            yield column, self.no_group(attribute.group)
        elif group.kind == "many":
            yield column, f"{group.id!r} can have several options: use sum({name} in {group.id})."
        elif name not in _attributes(group):
            hint = did_you_mean(name, _attributes(group))
            yield column, f"no option of {group.id!r} has the attribute {name!r}: {hint}"

    def total(self, total: Sum) -> Iterator[tuple[int, str]]:
        """The groups must exist, and one of them must have the attribute, as a number."""
        meant = self.model.sum_of(total.name)
        unknown = [group for group in (*total.groups, *meant.groups) if group not in {"base", *self.model.by_id}]
        for group in unknown:
            yield total.column, self.no_group(group)
        if unknown:
            return
        scope = total.groups or meant.groups or ("base", *self.model.by_id)
        known: dict[str, str] = {}
        for group in scope:
            known |= _base_kinds(self.model) if group == "base" else _attributes(self.model.by_id[group])
        if meant.attribute not in known:
            hint = did_you_mean(meant.attribute, [*known, *self.model.sums])
            yield total.column, f"no option has the attribute {meant.attribute!r} to add up: {hint}"
        elif known[meant.attribute] != "number":
            yield total.column, f"{meant.attribute!r} is {_TYPE_NAMES[known[meant.attribute]]} and cannot be added up."

    def kind(self, expression: Expression) -> str:
        """The type of an expression whose names exist."""
        match expression:
            case Word():
                return "text"
            case Flag():
                return "flag"
            case Attribute(group="base", name=name):
                return kind_of(self.model.base_attributes[name])
            case Attribute(group=group, name=name):
                return _attributes(self.model.by_id[group])[name]
            case Number() | Sum() | Count() | Combined():
                return "number"

    def no_group(self, group: str) -> str:
        """The message for a group that is not there."""
        return f"there is no group {group!r}: {did_you_mean(group, self.model.by_id)}"


def _attributes(group: Group) -> dict[str, str]:
    """The attributes of a group's options, and their types."""
    return {name: kind_of(value) for option in group.options for name, value in option.attributes.items()}


def _base_kinds(model: Model) -> dict[str, str]:
    return {name: kind_of(value) for name, value in model.base_attributes.items()}


def _large(value: Fraction) -> str:
    return f"{int(value):,}" if value < 10**30 else "a number of more than 30 digits"
