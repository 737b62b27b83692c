"""Why an option is out: the fewest of the customer's own choices, and the fewest rules, that exclude it together.

Both sets are minimal: without any one of the choices some machine has the option, and without any one of the rules
too. They are found by QuickXplain (Junker 2004), the choices by walks over the diagram, the rules by building small
diagrams of some rules only. What has been found is remembered: the same conflict comes up at click after click.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from configurator import sweeps
from configurator.answers import Reason
from configurator.building import DEAD, Builder, Layer, TooLarge
from configurator.compilation import Compiled
from configurator.diagram import NODE_BUDGET, layers_of, scope_of
from configurator.formulas import ALWAYS
from configurator.specification import Rule

Decision = tuple[int, int]
"""A variable and its value."""
Item = TypeVar("Item")

_REMEMBERED = 50


def why_not(compiled: Compiled, own: Mapping[int, int], variable: int, value: int) -> Reason | None:
    """Explain why a value is excluded by the own choices of other decisions; None if it is not."""
    others = [(other, chosen) for other, chosen in own.items() if other != variable]
    return _explained(compiled, others, [(variable, value)])


def contradiction(compiled: Compiled, own: Mapping[int, int]) -> Reason | None:
    """Explain why the own choices do not go together; None if they do."""
    return _explained(compiled, list(own.items()), [])


def minimal_conflict(items: Sequence[Item], consistent: Callable[[Sequence[Item]], bool]) -> list[Item]:
    """Return a minimal inconsistent part of the items, which must be inconsistent together (QuickXplain)."""

    def search(background: list[Item], *, grown: bool, candidates: Sequence[Item]) -> list[Item]:
        if grown and not consistent(background):
            return []
        if len(candidates) == 1:
            return list(candidates)
        half = len(candidates) // 2
        first, second = candidates[:half], candidates[half:]
        from_second = search([*background, *first], grown=True, candidates=second)
        from_first = search([*background, *from_second], grown=bool(from_second), candidates=first)
        return [*from_first, *from_second]

    if not items or not consistent([]):
        return []
    return search([], grown=False, candidates=items)


def _explained(compiled: Compiled, own: list[Decision], target: list[Decision]) -> Reason | None:
    """Find a remembered conflict that is among the choices, or find a new one."""
    remembered = compiled.conflicts.setdefault(tuple(target), [])
    chosen = set(own)
    for decisions, reason in remembered:
        if decisions <= chosen:
            return reason
    if _possible(compiled, [*own, *target]):
        return None
    guilty = _guilty(compiled, own, target)
    with compiled.lock:  # formulas are made while rules are tried
        rules = _rules_at_fault(compiled, [*guilty, *target])
    named = tuple((compiled.variables[variable].group, compiled.variables[variable].values[value]) for variable, value in guilty)
    reason = Reason(named, rules)
    remembered.append((frozenset(guilty), reason))
    del remembered[:-_REMEMBERED]
    return reason


def _guilty(compiled: Compiled, own: list[Decision], target: list[Decision]) -> list[Decision]:
    """Return a minimal part of the own choices that excludes the target; a single one if there is such a one."""
    for variable, value in target:
        wanted = compiled.layer_class(variable, value)
        for other in own:
            met = compiled.layer_class(*other)
            if wanted is not None and met is not None and compiled.pairs[wanted, wanted] and not compiled.pairs[wanted, met]:
                return [other]
    return minimal_conflict(own, lambda some: _possible(compiled, [*some, *target]))


def _possible(compiled: Compiled, decisions: Iterable[Decision]) -> bool:
    """Tell whether some machine has all these values."""
    fixed: dict[int, int] = {}
    for variable, value in decisions:
        slot = int(compiled.slot_of[variable])
        if slot < compiled.layers:
            fixed[slot] = compiled.diagram.classes[variable][value]
    return sweeps.satisfiable(compiled.diagram, fixed)


def _rules_at_fault(compiled: Compiled, decisions: Sequence[Decision]) -> tuple[Rule, ...]:
    """Return a minimal set of rules that forbids the values together; a single one if there is such a one."""
    fixed = dict(decisions)
    formulas = compiled.constraints.formulas
    candidates = []
    for place, rule in enumerate(compiled.constraints.rules):
        left = rule
        for variable, value in fixed.items():
            left = formulas.assigned(left, variable, value)
        if left != ALWAYS:
            candidates.append(place)
    for place in candidates:
        if not _obeyable(compiled, [place], fixed):
            return (compiled.model.rules[place],)
    places = minimal_conflict(candidates, lambda some: _obeyable(compiled, some, fixed))
    return tuple(compiled.model.rules[place] for place in sorted(places))


def _obeyable(compiled: Compiled, places: Sequence[int], fixed: Mapping[int, int]) -> bool:
    """Tell whether some machine, of all that can be imagined, has the fixed values and keeps these rules."""
    constraints = compiled.constraints
    rules = [constraints.rules[place] for place in places]
    scope = frozenset[int]().union(*(scope_of(constraints, rule) for rule in rules))
    ordered = [layer.variable for layer in compiled.diagram.layers if layer.variable in scope]
    layers = []
    for layer in layers_of(constraints, sorted(ordered, key=lambda variable: variable not in fixed), compiled.diagram.classes):
        if layer.variable in fixed:
            position = compiled.diagram.classes[layer.variable][fixed[layer.variable]]
            gains: dict[int, tuple[int, ...]] = {total: (by_class[position],) for total, by_class in layer.gains.items()}
            layers.append(Layer(layer.variable, (layer.representatives[position],), gains))
        else:
            layers.append(layer)
    builder = Builder(constraints.formulas, layers, NODE_BUDGET, any_will_do=True)
    try:
        return builder.build(rules) != DEAD
    except TooLarge:
        return True  # not found to be broken: the explanation only names more rules than it must
