"""Which of the customer's choices exclude an option together: own choices, a limit on price, a day.

The set is minimal: without any one of them some machine has the option. It is found by QuickXplain over walks; the
rules behind it are `explain`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from configurator.engine import explain, solving
from configurator.engine.answers import Reason
from configurator.engine.solving import Question

LIMIT, BY = -1, -2
"""The limit and the day among the variables whose choices may be at fault."""


def why_not(question: Question, number: int) -> Reason | None:
    """Explain why a value is excluded by the other choices; None if it is not."""
    compiled = question.compiled
    variable = int(compiled.variable_of[number])
    if _plain(question):
        return explain.why_not(compiled, question.own, variable, number - int(compiled.offsets[variable]))
    wanting = question.wanting(number)
    guilty = _guilty(wanting)
    if guilty is None:
        return None
    own = {other: value for other, value in wanting.own.items() if other in guilty}
    plain = explain.why_not(compiled, own, variable, number - int(compiled.offsets[variable]))
    return _told(wanting, guilty, plain)


def contradiction(question: Question) -> Reason | None:
    """Explain why the choices do not go together; None if they do."""
    if _plain(question):
        return explain.contradiction(question.compiled, question.own)
    guilty = _guilty(question)
    if guilty is None:
        return None
    own = {other: value for other, value in question.own.items() if other in guilty}
    return _told(question, guilty, explain.contradiction(question.compiled, own))


def _plain(question: Question) -> bool:
    """Nothing but own choices can be at fault."""
    return question.limit is None and question.by is None and not question.forbidden.any()


def _told(question: Question, guilty: Sequence[int], plain: Reason | None) -> Reason:
    variables = question.compiled.variables
    choices = tuple((variables[place].group, variables[place].values[question.own[place]]) for place in guilty if place >= 0)
    return Reason(choices, plain.rules if plain else (), limit=LIMIT in guilty, by=BY in guilty)


def _guilty(question: Question) -> list[int] | None:
    """A minimal part of the choices that excludes every machine; None if there is a machine."""
    items = [*question.own, *([LIMIT] if question.limit is not None else []), *([BY] if question.by is not None else [])]
    if _some_keeps(question, items):
        return None
    return sorted(explain.minimal_conflict(items, lambda some: _some_keeps(question, some)), key=items.index)


def _some_keeps(question: Question, items: Sequence[int]) -> bool:
    """Tell whether some machine keeps these choices."""
    asked = replace(
        question,
        own={place: question.own[place] for place in items if place >= 0},
        limit=question.limit if LIMIT in items else None,
        by=question.by if BY in items else None,
    )
    return solving.feasible(asked)
