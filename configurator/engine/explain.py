"""Why an option is out: the fewest of the customer's own choices, and the fewest rules, that exclude it together.

Both sets are minimal: without any one of the choices some machine has the option, and without any one of the rules
too. They are found by QuickXplain (Junker 2004), the choices by walks over the diagram, the rules by building small
diagrams of some rules only. What has been found is remembered: the same conflict comes up at click after click.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from configurator.engine import sweeps
from configurator.engine.answers import Reason
from configurator.engine.building import DEAD, Builder, Layer, TooLarge
from configurator.engine.compilation import Compiled, Decision
from configurator.engine.formulas import ALWAYS

Item = TypeVar("Item")

_REMEMBERED = 100
_FAULTS_KEPT = 20_000


def why_not(compiled: Compiled, own: Mapping[int, int], variable: int, value: int) -> Reason | None:
    """Explain why a value is excluded by the own choices of other decisions; None if it is not."""
    others = {other: chosen for other, chosen in own.items() if other != variable}
    return _explained(compiled, others, {variable: value})


def contradiction(compiled: Compiled, own: Mapping[int, int]) -> Reason | None:
    """Explain why the own choices do not go together; None if they do."""
    return _explained(compiled, own, {})


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


def _explained(compiled: Compiled, own: Mapping[int, int], target: Mapping[int, int]) -> Reason | None:
    """Find a remembered conflict that is among the choices, or find a new one.

    Choices count by their classes: what excludes one value of a class excludes all of them.
    """
    chosen = {decision: variable for variable, decision in _decisions(compiled, own)}
    wanted = [decision for _, decision in _decisions(compiled, target)]
    with compiled.lock:
        remembered = compiled.conflicts.setdefault(tuple(wanted), [])
        guilty = next((known for known in remembered if known <= chosen.keys()), None)
        if guilty is None:
            if _possible(compiled, [*chosen, *wanted]):
                return None
            guilty = frozenset(_guilty(compiled, list(chosen), wanted))
            remembered.append(guilty)
            del remembered[:-_REMEMBERED]
        rules = _rules_at_fault(compiled, guilty.union(wanted))
    choices = [
        (compiled.variables[variable].group, compiled.variables[variable].values[own[variable]])
        for decision, variable in chosen.items()
        if decision in guilty
    ]
    return Reason(tuple(choices), tuple(compiled.model.rules[place] for place in rules))


def _decisions(compiled: Compiled, values: Mapping[int, int]) -> Iterator[tuple[int, Decision]]:
    """Yield variable and decision of what matters to the rules; free variables exclude nothing."""
    for variable, value in values.items():
        layer = int(compiled.slot_of[variable])
        if layer < compiled.layers:
            yield variable, (layer, compiled.diagram.classes[variable][value])


def _possible(compiled: Compiled, decisions: Iterable[Decision]) -> bool:
    """Tell whether some machine has all these classes."""
    allowed = np.ones(compiled.arcs.classes, dtype=np.bool_)
    for decision in decisions:
        slot = decision[0]
        allowed[compiled.class_offsets[slot] : compiled.class_offsets[slot + 1]] = False
        allowed[compiled.class_number(decision)] = True
    return sweeps.satisfiable(compiled.arcs, allowed)


def _guilty(compiled: Compiled, own: list[Decision], target: list[Decision]) -> list[Decision]:
    """Return a minimal part of the own choices that excludes the target; a single one if there is such a one."""
    for wanted in target:
        place = compiled.class_number(wanted)
        if not compiled.pairs[place, place]:
            return []
        for other in own:
            if not compiled.pairs[place, compiled.class_number(other)]:
                return [other]
    return minimal_conflict(own, lambda some: _possible(compiled, [*some, *target]))


def warm_up(compiled: Compiled) -> None:
    """Explain beforehand every two classes that exclude each other, so that even the first click is quick."""
    decisions = [(place, k) for place, layer in enumerate(compiled.steps) for k in range(len(layer.representatives))]
    for first, second in itertools.combinations(decisions, 2):
        numbers = compiled.class_number(first), compiled.class_number(second)
        alive = compiled.pairs[numbers[0], numbers[0]] and compiled.pairs[numbers[1], numbers[1]]
        if alive and first[0] != second[0] and not compiled.pairs[numbers]:
            with compiled.lock:
                _rules_at_fault(compiled, frozenset({first, second}))


def _rules_at_fault(compiled: Compiled, decisions: frozenset[Decision]) -> tuple[int, ...]:
    """Return a minimal set of rules that forbids the classes together, found once for the same classes."""
    rules = compiled.faults.get(decisions)
    if rules is None:
        rules = compiled.faults[decisions] = _minimal_rules(compiled, dict(sorted(decisions)))
        if len(compiled.faults) > _FAULTS_KEPT:
            del compiled.faults[next(iter(compiled.faults))]
    return rules


def _minimal_rules(compiled: Compiled, fixed: Mapping[int, int]) -> tuple[int, ...]:
    """Return a minimal set of rules that forbids the classes together; a single one if there is such a one."""
    near = _by_distance(compiled, fixed)
    for place in near[0]:
        if not _obeyable(compiled, [place], fixed):
            return (place,)
    candidates: list[int] = []
    for ring in near:
        candidates += ring
        if not _obeyable(compiled, candidates, fixed):
            break
    return tuple(sorted(minimal_conflict(candidates, lambda some: _obeyable(compiled, some, fixed))))


def _by_distance(compiled: Compiled, fixed: Mapping[int, int]) -> list[list[int]]:
    """Sort the rules that are not kept already into rings: those about fixed decisions, those about theirs, and on."""
    formulas = compiled.constraints.formulas
    waiting = {}
    for place, rule in enumerate(compiled.constraints.rules):
        left = rule
        for layer, position in fixed.items():
            here = compiled.steps[layer]
            left = formulas.assigned(left, here.variable, here.representatives[position])
        if left != ALWAYS:
            waiting[place] = compiled.scopes[place]
    reached = set(fixed)
    rings = []
    while True:
        ring = [place for place, scope in waiting.items() if scope & reached]
        rings.append(ring)
        if not ring:
            rings[-1] = list(waiting)
            return rings
        for place in ring:
            reached |= waiting.pop(place)


def _obeyable(compiled: Compiled, places: Sequence[int], fixed: Mapping[int, int]) -> bool:
    """Tell whether some machine, of all that can be imagined, has the fixed classes and keeps these rules."""
    scope = frozenset[int]().union(*(compiled.scopes[place] for place in places))
    layers = []
    for place in sorted(scope, key=lambda place: (place not in fixed, place)):
        layer = compiled.steps[place]
        if place in fixed:
            position = fixed[place]
            gains: dict[int, tuple[int, ...]] = {total: (gain[position],) for total, gain in layer.gains.items()}
            layer = Layer(layer.variable, (layer.representatives[position],), gains)
        layers.append(layer)
    builder = Builder(compiled.constraints.formulas, layers, 60_000, any_will_do=True)
    try:
        return builder.build(compiled.constraints.rules[place] for place in places) != DEAD
    except TooLarge:
        return True  # not found to be broken: the explanation only names more rules than it must
