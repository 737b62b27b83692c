"""What the engine answers: plain values for pages, API and quotes.

Whatever takes work is worked out when it is asked for: most options are never opened to see why they are out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from configurator.language.specification import Rule
from fulfillment.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Reason:
    """What excludes an option (or what contradicts itself, where no option is asked for)."""

    choices: tuple[tuple[str, str], ...]
    """The customer's own choices at fault: group and option. With no limit and no date either, the option is never possible."""
    rules: tuple[Rule, ...]
    """The rules at fault, each with its reason in the customer's words."""
    limit: bool = False
    """The customer's limit on the price is among the causes."""
    by: bool = False
    """The customer's date is among the causes."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would change in another group (or, of a "many" group, in its other options)."""

    group: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]


class Findings(Protocol):
    """What one question found out, by the numbers of values; each engine has its own.

    `options` are those of a group in the order of the model: the option, the number of its value, and of a "many" group
    the number of the value that leaves it out.
    """

    @property
    def price(self) -> Money: ...
    @property
    def ready(self) -> dt.date | None: ...
    @property
    def earliest(self) -> dt.date | None: ...
    @property
    def limit(self) -> Money | None: ...
    @property
    def by(self) -> dt.date | None: ...
    @property
    def configuration(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def given_up(self) -> tuple[tuple[str, str], ...]: ...
    def groups(self) -> tuple[str, ...]: ...
    def options(self, group_id: str) -> tuple[tuple[str, int, int | None], ...]: ...
    def is_own(self, group_id: str) -> bool: ...
    def conflict(self) -> Reason | None: ...
    def machines(self) -> int | None: ...
    def is_chosen(self, number: int) -> bool: ...
    def is_possible(self, number: int) -> bool: ...
    def price_of(self, number: int) -> Money | None: ...
    def difference_of(self, number: int) -> Money | None: ...
    def changes_of(self, number: int) -> tuple[Change, ...]: ...
    def ready_of(self, number: int) -> dt.date | None: ...
    def earliest_of(self, number: int) -> dt.date | None: ...
    def reason_of(self, number: int) -> Reason | None: ...
    def give_up_of(self, number: int) -> tuple[tuple[str, str], ...] | None: ...


@dataclass(eq=False, slots=True)  # not frozen and nothing kept here: there may be thousands at every click
class OptionAnswer:
    """One option, given the customer's choices in the other groups.

    The machine meant is the one a click on the option gives: own choices kept, then as many defaults as possible, then
    the lowest price. For an option that is not possible all but `reason` and `give_up` is empty.
    """

    option: str
    findings: Findings
    number: int
    without: int | None = None
    """The value that leaves it out, of an option of a "many" group."""

    @property
    def chosen(self) -> bool:
        """It is in the completed configuration."""
        return self.findings.is_chosen(self.number)

    @property
    def possible(self) -> bool:
        """Some machine has it and keeps all choices in the other groups."""
        return self.findings.is_possible(self.number)

    @property
    def difference(self) -> Money | None:
        """What the whole machine costs more (or less) than the completed configuration if this option is chosen."""
        return self.findings.difference_of(self.number)

    @property
    def price(self) -> Money | None:
        """What the whole machine costs then."""
        return self.findings.price_of(self.number)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What else changes then, against the completed configuration."""
        return self.findings.changes_of(self.number) if self.possible else ()

    @property
    def ready(self) -> dt.date | None:
        """When all parts of that machine are here. None if no dates were given."""
        return self.findings.ready_of(self.number)

    @property
    def earliest(self) -> dt.date | None:
        """When the parts of the quickest machine with this option are here, whatever else it has but the own choices."""
        return self.findings.earliest_of(self.number)

    @property
    def removal(self) -> Money | None:
        """For an option of a "many" group: what the machine costs more (or less) without it. None: it must stay."""
        return None if self.without is None else self.findings.difference_of(self.without)

    @property
    def reason(self) -> Reason | None:
        """Why it is not possible."""
        return None if self.possible else self.findings.reason_of(self.number)

    @property
    def give_up(self) -> tuple[tuple[str, str], ...] | None:
        """If not possible: the fewest own choices (group, option) to give up for it; None if nothing helps."""
        return None if self.possible else self.findings.give_up_of(self.number)


@dataclass(frozen=True)
class GroupAnswer:
    """One group: its options in the order of the model."""

    group: str
    findings: Findings

    @property
    def chosen(self) -> tuple[str, ...]:
        """The options in the completed configuration."""
        return self.findings.configuration[self.group]

    @cached_property
    def own(self) -> bool:
        """The customer chose here, and the choice was kept."""
        return self.findings.is_own(self.group)

    @cached_property
    def options(self) -> tuple[OptionAnswer, ...]:
        """The answer for each option."""
        return tuple(OptionAnswer(option, self.findings, number, without) for option, number, without in self.findings.options(self.group))

    def option(self, option: str) -> OptionAnswer:
        """Return the answer for an option."""
        return next(answer for answer in self.options if answer.option == option)


@dataclass(frozen=True)
class Answer:
    """Every option of every group that is shown, and the configuration that completes the choices."""

    findings: Findings

    @cached_property
    def groups(self) -> Mapping[str, GroupAnswer]:
        """The groups by their ids; hidden ones are not among them."""
        return {group: GroupAnswer(group, self.findings) for group in self.findings.groups()}

    @property
    def configuration(self) -> Mapping[str, tuple[str, ...]]:
        """Always buildable, hidden groups included. It keeps all choices if they go together, else as many as possible."""
        return self.findings.configuration

    @property
    def price(self) -> Money:
        """What the configuration costs."""
        return self.findings.price

    @property
    def ready(self) -> dt.date | None:
        """When all its parts are here. None if no dates were given."""
        return self.findings.ready

    @property
    def earliest(self) -> dt.date | None:
        """When the parts of the quickest machine that keeps all choices are here."""
        return self.findings.earliest

    @property
    def limit(self) -> Money | None:
        """What the machine may cost at most, as asked."""
        return self.findings.limit

    @property
    def by(self) -> dt.date | None:
        """The day by which all parts must be here, as asked."""
        return self.findings.by

    @property
    def valid(self) -> bool:
        """All choices were kept."""
        return not self.findings.given_up

    @property
    def given_up(self) -> tuple[tuple[str, str], ...]:
        """The choices that were not kept: group and option; ("limit", "") and ("by", "") for the two others."""
        return self.findings.given_up

    @cached_property
    def conflict(self) -> Reason | None:
        """Why the choices do not go together."""
        return None if self.valid else self.findings.conflict()

    @cached_property
    def machines(self) -> int | None:
        """How many different machines keep the choices, exactly; None under a limit on price, where nobody can tell."""
        return self.findings.machines()


@dataclass(frozen=True, slots=True)
class Repair:
    """The least a customer must give up to get an option."""

    give_up: tuple[tuple[str, str], ...]
    """Own choices that cannot stay: group and option; ("limit", "") and ("by", "") for the two others."""
    configuration: Mapping[str, tuple[str, ...]]
    """A machine with the wanted option and all other choices."""
    price: Money
    changes: tuple[Change, ...]
    """What is different in it from the completed configuration, the wanted option included."""
    difference: Money
    """What it costs more (or less) than that."""
    ready: dt.date | None = None
    """When all its parts are here. None if no dates were given."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A machine finished for a goal, all choices kept."""

    configuration: Mapping[str, tuple[str, ...]]
    price: Money
    ready: dt.date | None
    power: int | None
    """Its options' `power` added up; None if no option of the model has any."""
