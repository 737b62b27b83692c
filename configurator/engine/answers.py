"""What the engine answers: plain frozen values for pages, API and quotes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from configurator.language.specification import Rule
from fulfillment.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Reason:
    """What excludes an option (or what contradicts itself, where no option is asked for)."""

    choices: tuple[tuple[str, str], ...]
    """The customer's own choices at fault: group and option. Empty: the option is never possible."""
    rules: tuple[Rule, ...]
    """The rules at fault, each with its reason in the customer's words."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would change in another group (or, of a "many" group, in its other options)."""

    group: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionAnswer:
    """One option, given the customer's choices in the other groups.

    The machine meant is the one a click on the option gives: own choices kept, then as many defaults as possible, then
    the lowest price. For an option that is not possible all but `reason` and `give_up` is empty.
    """

    option: str
    chosen: bool
    """It is in the completed configuration."""
    possible: bool
    difference: Money | None = None
    """What the whole machine costs more (or less) than the completed configuration if this option is chosen."""
    price: Money | None = None
    """What the whole machine costs then."""
    changes: tuple[Change, ...] = ()
    """What else changes then, against the completed configuration."""
    ready: dt.date | None = None
    """When all parts of that machine are here. None if no dates were given."""
    earliest: dt.date | None = None
    """When the parts of the quickest machine with this option are here, whatever else it has but the own choices."""
    removal: Money | None = None
    """For an option of a "many" group: what the machine costs more (or less) without it. None: it must stay."""
    reason: Reason | None = None
    """Why it is not possible."""
    give_up: tuple[tuple[str, str], ...] | None = None
    """If not possible: the fewest own choices (group, option) to give up for it; None if nothing helps."""


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One group: its options in the order of the model."""

    group: str
    chosen: tuple[str, ...]
    own: bool
    """The customer chose here, and the choice was kept."""
    options: tuple[OptionAnswer, ...]

    def option(self, option: str) -> OptionAnswer:
        """Return the answer for an option."""
        return next(answer for answer in self.options if answer.option == option)


@dataclass(frozen=True, slots=True)
class Answer:
    """Every option of every group, and the configuration that completes the choices."""

    configuration: Mapping[str, tuple[str, ...]]
    """Always buildable. It keeps all choices if they go together, else as many as possible."""
    price: Money
    ready: dt.date | None
    earliest: dt.date | None
    valid: bool
    """All choices were kept."""
    given_up: tuple[tuple[str, str], ...]
    """The choices that were not kept."""
    conflict: Reason | None
    """Why the choices do not go together."""
    groups: Mapping[str, GroupAnswer]


@dataclass(frozen=True, slots=True)
class Repair:
    """The least a customer must give up to get an option."""

    give_up: tuple[tuple[str, str], ...]
    """Own choices that cannot stay: group and option."""
    configuration: Mapping[str, tuple[str, ...]]
    """A machine with the wanted option and all other choices."""
    price: Money
