"""A model compiled once: its diagram, and the flat arrays that connect options, decisions, classes and layers.

Every value of every decision has a number; the values of a class stand together in `members`. Decisions are "slots":
first the layers of the diagram in its order, then the free ones.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from configurator.engine.clauses import Clauses
from configurator.engine.compiling import BUDGET, Budget, TooLargeToCompile, compile_constraints, unconstrained
from configurator.engine.constraints import Constraints, Variable, variables_of
from configurator.engine.deadlines import Deadline
from configurator.engine.diagram import CannotCompile, Diagram, Ints
from configurator.engine.explain import Explainer
from configurator.engine.satisfying import Satisfier
from configurator.engine.sweeps import Arcs, Bools, Longs, arcs_of
from configurator.language.specification import Model
from configurator.language.truth import contribution

Choices = Mapping[str, str | tuple[str, ...]]
"""What the customer has chosen: an option of a group, or any number of options of a "many" group."""

VALUE_BUDGET = 200_000
"""Options of all groups together: a click looks at each of them."""

_KEPT = 64


class UnknownChoice(ValueError):
    """A choice of something the model does not have."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Choices in the engine's terms: hard ones by variable, and the preferred value of every variable."""

    own: Mapping[int, int]
    preferred: tuple[int, ...]


class Compiled:
    """A model and everything precomputed for its questions; threads may share it."""

    def __init__(self, model: Model, diagram: Diagram | None = None, arcs: Arcs | None = None, *, too_large: str = "") -> None:
        check_size(model)
        self.model = model
        self.too_large = too_large
        """Why the model has no diagram of its own (the one it has says nothing), so that a SAT solver answers; empty if it has."""
        self.variables: list[Variable] = variables_of(model)
        self.index = {(variable.group, variable.option): place for place, variable in enumerate(self.variables)}
        self.diagram = diagram or compile_constraints(self.constraints)
        self.arcs = arcs or arcs_of(self.diagram)
        self.slots = self.arcs.slots
        """The variable of each slot."""
        self.slot_of = np.argsort(np.array(self.slots))
        self.class_offsets = self.arcs.class_offsets
        self._number_values()
        self._read_options()

    @cached_property
    def constraints(self) -> Constraints:
        """The rules as formulas: for compiling and for explanations, and not needed for anything else."""
        return Constraints(self.model)

    def _number_values(self) -> None:
        """Number the values of all variables through, and sort them by class."""
        sizes = np.array([len(variable.values) for variable in self.variables])
        self.offsets: Longs = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        self.variable_of = np.repeat(np.arange(len(sizes)), sizes)
        within = np.concatenate([np.array(numbers, dtype=np.int64) for numbers in self.diagram.classes])
        self.class_of: Ints = (self.class_offsets[self.slot_of[self.variable_of]] + within).astype(np.int32)
        self.members: Ints = np.argsort(self.class_of, kind="stable").astype(np.int32)
        self.value_names = [name for variable in self.variables for name in variable.values]

    def _read_options(self) -> None:
        """Note of each value its option, its price, its parts, and whether it is a loss beside a default."""
        by_key = {(group.id, option.id): option for group in self.model.groups for option in group.options}
        keys = [(variable.group, name) for variable in self.variables for name in variable.values]
        self.options = [by_key[key] if key[1] else None for key in keys]
        """The option each value stands for."""
        self.list_prices: Longs = np.array([option.price.minor if option else 0 for option in self.options], dtype=np.int64)
        self.waiting: Longs = np.array([option.not_before_days if option else 0 for option in self.options], dtype=np.int64)
        """For each value, how many days from now a machine with it leaves at the earliest."""
        hidden = np.array([self.model.by_id[group].hidden for group, _ in keys], dtype=np.bool_)
        absent = np.array([option is not None and option.absent for option in self.options], dtype=np.bool_)
        self.indifferent: Bools = hidden | absent
        """Values that are no loss beside a default: those of hidden groups, and that a group is not asked at all."""
        self.hidden = frozenset(place for place, variable in enumerate(self.variables) if self.model.by_id[variable.group].hidden)
        """The variables of hidden groups."""
        self.preferred = self._default_values()

    @cached_property
    def hardware(self) -> tuple[tuple[str, ...], Ints, Ints]:
        """All SKUs that are taken from stock, and pairs of a value and the place of one of its SKUs."""
        places = {self.model.base.sku: 0}
        pairs = [
            (number, places.setdefault(part.sku, len(places)))
            for number, option in enumerate(self.options)
            for part in (option.parts if option else ())
            if part.kind == "hardware"
        ]
        columns = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
        return tuple(places), columns[0], columns[1]

    @cached_property
    def power(self) -> Longs:
        """What each value adds to the power of a machine."""
        return np.array([int(contribution(option, "power")) if option else 0 for option in self.options], dtype=np.int64)

    def _default_values(self) -> tuple[int, ...]:
        """The value of each variable in the default configuration."""
        preferred = []
        for variable in self.variables:
            default = self.model.defaults[variable.group]
            if variable.option is None:
                preferred.append(variable.values.index(default[0]))
            else:
                preferred.append(int(variable.option in default))
        return tuple(preferred)

    @cached_property
    def explainer(self) -> Explainer:
        """What explains why options are out."""
        return Explainer(Clauses(self.constraints))

    @cached_property
    def satisfier(self) -> Satisfier:
        """What answers in the place of a diagram."""
        return Satisfier(Clauses(self.constraints, tuple(tuple(range(len(variable.values))) for variable in self.variables)))

    @property
    def layers(self) -> int:
        """How many of the slots are layers of the diagram."""
        return len(self.diagram.order)

    def number(self, variable: int, value: int) -> int:
        """The number of a value of a variable."""
        return int(self.offsets[variable]) + value

    def decision_of(self, group: str, option: str) -> tuple[int, int]:
        """The variable and the value that choose an option. Raises UnknownChoice."""
        self.check(group, option)
        if self.model.by_id[group].kind == "many":
            return self.index[group, option], 1
        variable = self.index[group, None]
        return variable, self.variables[variable].values.index(option)

    def check(self, group_id: str, *options: str) -> None:
        """Raise UnknownChoice for a group or an option that the model does not have."""
        group = self.model.by_id.get(group_id)
        if group is None:
            raise UnknownChoice(f"{self.model.id} has no option group {group_id!r}")
        for option in options:
            if option not in group.by_id:
                raise UnknownChoice(f"{group_id} of {self.model.id} has no option {option!r}")

    def read(self, choices: Choices) -> Wishes:
        """Put choices into the engine's terms. Raises UnknownChoice.

        In a "many" group the named options are wanted; the others are preferred not to be there, but a rule may
        bring them in.
        """
        own: dict[int, int] = {}
        preferred = list(self.preferred)
        for group_id, chosen in choices.items():
            options = (chosen,) if isinstance(chosen, str) else tuple(chosen)
            self.check(group_id, *options)
            group = self.model.by_id[group_id]
            if group.kind == "one":
                if len(options) != 1:
                    raise UnknownChoice(f"{group_id} of {self.model.id} takes exactly one option, not {len(options)}")
                variable = self.index[group_id, None]
                own[variable] = preferred[variable] = self.variables[variable].values.index(options[0])
                continue
            for option in group.options:
                variable = self.index[group_id, option.id]
                preferred[variable] = int(option.id in options)
                if option.id in options:
                    own[variable] = 1
        return Wishes(own, tuple(preferred))


_compiled: OrderedDict[str, Compiled] = OrderedDict()
_lock = threading.Lock()


def compile_model(model: Model, budget: Budget | None = None) -> Compiled:
    """Compile a model, or return what was compiled before from the same content, within whatever budget.

    A model that exceeds the budget is answered for by a SAT solver: more slowly, to the same questions, the same.
    Raises CannotCompile for rules that contradict each other.
    """
    with _lock:
        known = _compiled.get(model.content_hash)
        if known is None:
            known = _compiled[model.content_hash] = compiled_within(model, budget or BUDGET)
            while len(_compiled) > _KEPT:
                _compiled.popitem(last=False)
        _compiled.move_to_end(model.content_hash)
        return known


def check_size(model: Model) -> None:
    """Raise CannotCompile for groups too large to be looked at click by click."""
    values = sum(len(group.options) for group in model.groups)
    if values > VALUE_BUDGET:
        raise CannotCompile(f"its groups have {values:,} options together, more than {VALUE_BUDGET:,}: leave out what is not sold")


def compiled_within(model: Model, budget: Budget) -> Compiled:
    """Compile a model within a budget, or make it ready for the SAT solver. Raises CannotCompile for contradictory rules."""
    check_size(model)
    deadline = Deadline(budget.seconds)
    constraints = Constraints(model)
    try:
        return Compiled(model, compile_constraints(constraints, budget, deadline))
    except TooLargeToCompile as error:
        return by_solver(model, str(error), constraints)


def by_solver(model: Model, too_large: str, constraints: Constraints | None = None) -> Compiled:
    """Make a model ready for the SAT solver, for a reason; its constraints may be there already."""
    known = constraints or Constraints(model)
    compiled = Compiled(model, unconstrained(known), too_large=too_large)
    compiled.constraints = known  # the solver is going to ask for them
    return compiled
