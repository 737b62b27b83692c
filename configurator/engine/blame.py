"""What is wrong with a model that does not compile, in words for a product manager: contradictory rules, or what makes it large."""

from __future__ import annotations

from collections import Counter

from pysat.solvers import Solver

from configurator.engine.clauses import Clauses
from configurator.engine.constraints import Constraints
from configurator.engine.layering import scope_of
from configurator.engine.ordering import force

_NAMED = 5
"""How many rules a message names at most."""


def contradictory_rules(clauses: Clauses) -> str:
    """Say that no machine keeps all rules, and name a minimal set of rules that contradict each other."""
    rules = clauses.constraints.model.rules
    place_of = {selector: place for place, selector in enumerate(clauses.selectors)}
    with Solver("glucose4", bootstrap_with=clauses.clauses) as solver:
        solver.solve(assumptions=clauses.selectors)
        guilty: list[int] = list(solver.get_core() or ())
        for selector in sorted(guilty):
            rest = [other for other in guilty if other != selector]
            if not solver.solve(assumptions=rest):
                guilty = list(solver.get_core() or ())
    names = [f"{rules[place].id} (line {rules[place].line})" for place in sorted(place_of[selector] for selector in guilty)]
    if len(names) == 1:
        return f"no machine keeps all rules: {names[0]} can never hold"
    return f"no machine keeps all rules: these contradict each other: {', '.join(names)}"


def too_large(constraints: Constraints) -> str:
    """Say what makes a model too large: where most rules reach across, and which rules and groups those are."""
    model = constraints.model
    scopes = [scope_of(constraints, rule) for rule in constraints.rules]
    order = force(range(len(constraints.variables)), scopes)
    places = {variable: place for place, variable in enumerate(order)}
    spans = [(min(map(places.__getitem__, scope)), max(map(places.__getitem__, scope))) if scope else (0, 0) for scope in scopes]
    crossing = [0] * (len(order) + 1)
    for first, last in spans:
        crossing[first] += 1
        crossing[last] -= 1
    widest, most, running = 0, 0, 0
    for place, change in enumerate(crossing):
        running += change
        if running > most:
            widest, most = place, running
    across = sorted(
        (place for place, (first, last) in enumerate(spans) if first <= widest < last), key=lambda place: spans[place][0] - spans[place][1]
    )
    spoken_of = Counter(group for place in across for group in {constraints.variables[variable].group for variable in scopes[place]})
    rules = ", ".join(model.rules[place].id for place in across[:_NAMED])
    groups = ", ".join(group for group, _ in spoken_of.most_common(_NAMED))
    return (
        f"the rules are too entangled to be compiled within the budget: at {constraints.variables[order[widest]].group}, {most} rules "
        f"reach across from the groups before to the groups after it, the widest of them {rules}; they speak most of {groups}. "
        "Let sums run over fewer groups, give their attributes rounder numbers, or take rules apart"
    )
