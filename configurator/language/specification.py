"""A model as the configurator knows it: groups of options, rules between them, and the parts behind them.

Everything here is frozen: a model comes from the text of a model file (`language.read_model`) and is released
with the hash of that text's content. Texts shown to people are `{"en": …, "zh": …}`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal

from configurator.language.conditions import Condition
from configurator.language.positions import Origin, origin_of
from fulfillment.kernel.money import Money

Text = Mapping[str, str]
Value = int | Decimal | str | bool
"""An attribute: a number, a text, or yes and no."""
PartKind = Literal["hardware", "service"]
GroupKind = Literal["one", "many"]
"""What the engine knows; the language's "optional" and "quantity" become "one" (see `lowering`)."""

LANGUAGES = ("en", "zh")
FAMILIES = ("laptop", "desktop", "workstation", "server")


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the technical data."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class PartSpec:
    """What is taken from stock (or done, for a service) when an option is chosen."""

    sku: str
    name: Text
    qty: int
    kind: PartKind
    serialised: bool
    cost: Money
    """Standard cost per piece."""
    weight_g: int
    """Per piece."""
    supplier: str
    lead_days: int


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who is shown an option, and when: it is still part of the model, so that old quotes keep their meaning."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    markets: frozenset[str] = frozenset()
    """Countries (ISO 3166); empty: everywhere."""
    customer_groups: frozenset[str] = frozenset()
    """Empty: everyone."""


EVERYONE = Visibility()


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill a group. Its attributes are per piece; sums multiply them by `qty`."""

    id: str
    name: Text
    detail: Text | None
    price: Money
    """What choosing it adds to the base price, for all its pieces together, tax excluded."""
    qty: int
    parts: tuple[PartSpec, ...]
    """Empty for "none": nothing enters the bill of materials."""
    attributes: Mapping[str, Value]
    visibility: Visibility = EVERYONE
    absent: bool = False
    """Stands for "this group is not asked": what a group with a condition has when the condition does not hold."""
    not_before_days: int = 0
    """A machine with it leaves no earlier than this many days from now, whatever its parts say."""
    line: int = field(default=1, compare=False)

    @property
    def pieces(self) -> int:
        """How many pieces a customer gets: 0 for an option without a part and without a quantity of its own."""
        return int(self.attributes["qty"])


@dataclass(frozen=True)
class Group:
    """A question to the customer: exactly one of its options ("one"), or any of them ("many")."""

    id: str
    name: Text
    help: Text | None
    section: Text | None
    kind: GroupKind
    default: tuple[str, ...]
    options: tuple[Option, ...]
    hidden: bool = False
    """Not a question to the customer: it follows from the others (a bundle's price, a condition's delay)."""
    counted: bool = False
    """Its options are numbers of equal pieces: a quantity."""
    when: Condition | None = None
    """When the group is asked; of a hidden group: when it is "on". The rules say the same to the engine."""
    line: int = field(default=1, compare=False)

    @cached_property
    def by_id(self) -> Mapping[str, Option]:
        """The options by their ids."""
        return {option.id: option for option in self.options}


@dataclass(frozen=True, slots=True)
class Rule:
    """`require` must hold whenever `when` holds; the reason is what the customer reads."""

    id: str
    source: str
    when: Condition | None
    require: Condition
    reason: Text
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class SumOf:
    """A named total: an attribute added over all chosen options, or over those of some groups."""

    attribute: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """A place to start from: a good machine for a kind of work. The choices are suggestions, not the customer's own."""

    id: str
    name: Text
    detail: Text | None
    choices: Mapping[str, tuple[str, ...]]
    """Group -> options; the groups left out have their defaults."""
    line: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Model:
    """A machine that can be configured."""

    id: str
    family: str
    name: Text
    tagline: Text
    summary: Text
    base: PartSpec
    base_price: Money
    base_attributes: Mapping[str, Value]
    build_days: int
    """Working days of kitting, build, test and boxing."""
    picture: str
    unspsc: str
    facts: tuple[Fact, ...]
    sums: Mapping[str, SumOf]
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]
    content_hash: str
    """SHA-256 of the content: the same for two texts that differ only in layout and comments."""
    starts: tuple[Start, ...] = ()
    file: str = field(default="", compare=False)
    origins: tuple[Origin, ...] = field(default=(), compare=False)
    """The files its text was put together from, where it includes any."""

    @cached_property
    def by_id(self) -> Mapping[str, Group]:
        """The groups by their ids."""
        return {group.id: group for group in self.groups}

    @cached_property
    def defaults(self) -> Mapping[str, tuple[str, ...]]:
        """The default configuration: the chosen options of every group."""
        return {group.id: group.default for group in self.groups}

    def place(self, line: int) -> tuple[str, int]:
        """Return the file and its line that a line of the model's text comes from."""
        return origin_of(self.origins, line) if self.origins else (self.file, line)

    def sum_of(self, name: str) -> SumOf:
        """Return what `sum(name)` adds up: a named sum, or else the attribute of that name."""
        return self.sums.get(name, SumOf(name))


def exact(value: Value | None) -> Fraction:
    """An attribute as a number; a missing one is 0. Raises TypeError for a text."""
    if isinstance(value, str):
        raise TypeError(f"not a number: {value!r}")
    return Fraction(value or 0)
