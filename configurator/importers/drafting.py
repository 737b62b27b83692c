"""A model in the making: groups that get options, prices and attributes; rules; the file's own names at the end.

What every model must have and no foreign file tells (a bare machine, a picture) is neutral here: no price, no weight,
no time. Prices are only what the file says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from configurator.importers.logic import ALWAYS, Formula, Logic, chosen
from configurator.importers.originals import Imported, Original
from configurator.importers.problems import MOST_VALUES, Problems
from configurator.language.conditions import Condition
from configurator.language.specification import Group, Model, Option, PartSpec, Rule, Text, Value
from fulfillment.kernel.money import SHOP_CURRENCY, Money

Literal = tuple[str, frozenset[str]]
"""A group, and those of its options that mean yes."""


@dataclass(slots=True)
class DraftOption:
    """An option in the making."""

    name: str
    price: int = 0
    """In minor units."""
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class DraftGroup:
    """A group in the making; its first option becomes the default."""

    id: str
    name: str
    options: dict[str, DraftOption]
    hidden: bool = False
    line: int = 1


class Draft:
    """Collects what will be a model."""

    def __init__(self, path: Path, form: str, content: bytes) -> None:
        self.path = path
        self.form = form
        self.problems = Problems(path.name)
        self.logic = Logic(self.define)
        self.currency = SHOP_CURRENCY
        self.groups: dict[str, DraftGroup] = {}
        self.names: dict[str, Original] = {}
        self.constraints = 0
        self._rules: list[Rule] = []
        self._used: dict[str, int] = {}
        self._literals: dict[Literal, Formula] = {}
        self._definitions: dict[Formula, Formula] = {}
        self._hash = hashlib.sha256(content)

    def also_read(self, content: bytes) -> None:
        """Let what an imported file says count as content."""
        self._hash.update(b"\0")
        self._hash.update(content)

    def group(self, name: str, options: Mapping[str, str], line: int, *, hidden: bool = False) -> str:
        """Add a group with options (id and name) and return its id: the name, made different where that is taken."""
        if len(options) > MOST_VALUES:
            many = f"{name!r} has {len(options):,} values, more than {MOST_VALUES:,}"
            raise self.problems.fail(line, f"{many}: divide it into two questions.")
        group = unused("base (1)" if name == "base" else name, self.groups, self._used)
        self.groups[group] = DraftGroup(group, name, {each: DraftOption(said) for each, said in options.items()}, hidden, line)
        return group

    def literal(self, literal: Literal) -> Formula:
        """One of the literal's options is chosen: always, if they are all there are."""
        known = self._literals.get(literal)
        if known is None:
            group, options = literal
            every = self.groups[group].options
            known = chosen(group, (option for option in every if option in options)) if len(options) < len(every) else ALWAYS
            self._literals[literal] = known
        return known

    def named(self, name: str, group: str, values: Mapping[str, Iterable[str]]) -> None:
        """Say what a variable of the file is in the model."""
        self.names[name] = Original(name, group, {value: frozenset(options) for value, options in values.items()})

    def rule(self, formula: Formula, line: int, reason: str, file: str = "") -> None:
        """Demand that a formula holds; one that always does demands nothing."""
        if formula is ALWAYS:
            return
        self._add_rule(None, formula.condition, line, reason, file or self.path.name)

    def _add_rule(self, when: Condition | None, require: Condition, line: int, reason: str, file: str) -> None:
        self._rules.append(Rule(f"r{len(self._rules) + 1}", f"{file}:{line}", when, require, said(reason), line))

    def define(self, formula: Formula) -> Formula:
        """Give a formula a name: a hidden group that is on exactly when it holds."""
        if formula not in self._definitions:
            group = self.group(f"formula {len(self._definitions) + 1}", {"off": "off", "on": "on"}, 1, hidden=True)
            name = self._definitions[formula] = chosen(group, ("on",))
            self._add_rule(name.condition, formula.condition, 1, group, self.path.name)
            self._add_rule(formula.condition, name.condition, 1, group, self.path.name)
        return self._definitions[formula]

    def add_attribute(self, literal: Literal, name: str, amount: Fraction) -> None:
        """Let each of the literal's options bring an amount to the sum of that name."""
        group, options = literal
        for option in options:
            attributes = self.groups[group].options[option].attributes
            total = Fraction(amount) + Fraction(attributes.get(name, 0))
            attributes[name] = exact_value(total)

    def finished(self) -> Imported:
        """Return the model. Raises ModelError if any problem was noted."""
        self.problems.stop()
        if not self.groups:
            raise self.problems.fail(1, f"the file has no variables: is it really {self.form}?")
        return Imported(self._model(), self.names, self.constraints, self.form)

    def _model(self) -> Model:
        name = self.path.name.split(".")[0] or "model"
        self._hash.update(f"\0{self.form} 1".encode())
        nothing = Money(0, self.currency)
        return Model(
            id=name,
            family="desktop",
            name=said(name),
            tagline=said(""),
            summary=said(f"{self.form}, {self.path.name}"),
            base=PartSpec("BASE", said(name), 1, "hardware", False, nothing, 0, "", 0),
            base_price=nothing,
            base_attributes={},
            build_days=0,
            picture="",
            unspsc="",
            facts=(),
            sums={},
            groups=tuple(self._group(group) for group in self.groups.values()),
            rules=tuple(self._rules),
            content_hash=self._hash.hexdigest(),
            file=self.path.name,
        )

    def _group(self, group: DraftGroup) -> Group:
        options = tuple(
            Option(
                each, said(option.name), None, Money(option.price, self.currency), 1, (), {**option.attributes, "qty": 0}, line=group.line
            )
            for each, option in group.options.items()
        )
        return Group(group.id, said(group.name), None, None, "one", (options[0].id,), options, hidden=group.hidden, line=group.line)


def unused(name: str, taken: Container[str], used: dict[str, int] | None = None) -> str:
    """Return the name, or with a number behind it that makes it new; `used` remembers the last number of each name."""
    numbers = {} if used is None else used
    found = name
    while found in taken:
        numbers[name] = numbers.get(name, 1) + 1
        found = f"{name} ({numbers[name]})"
    return found


def exact_value(number: Fraction) -> Value:
    """A number with finitely many decimals as an attribute, exactly. Raises ValueError for one third and the like."""
    if number.denominator == 1:
        return int(number)
    for digits in range(1, 1 + number.denominator.bit_length()):
        scaled = number * 10**digits
        if scaled.denominator == 1:
            return Decimal(f"{int(scaled)}E-{digits}")
    raise ValueError(f"{number} has no end in decimals")


def said(text: str) -> Text:
    """A text of the file, in whatever language it is."""
    return {"en": text, "zh": text}
