"""Which of the customer's choices exclude an option together: own choices, a limit on price, a day.

The set is minimal: without any one of them some machine has the option. It is found by QuickXplain over walks; the
rules behind it, again as few as can be, are `explain`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from configurator.engine import explain, solving
from configurator.engine.answers import Reason
from configurator.engine.solving import Question
from configurator.language.specification import Rule

LIMIT, BY = -1, -2
"""The limit and the day among the variables whose choices may be at fault."""


def why_not(question: Question, number: int) -> Reason | None:
    """Explain why a value is excluded by the other choices; None if it is not."""
    compiled = question.compiled
    variable = int(compiled.variable_of[number])
    if _plain(question):
        return explain.why_not(compiled, question.own, variable, number - int(compiled.offsets[variable]))
    return _reason(question.wanting(number))


def contradiction(question: Question) -> Reason | None:
    """Explain why the choices do not go together; None if they do."""
    return explain.contradiction(question.compiled, question.own) if _plain(question) else _reason(question)


def _plain(question: Question) -> bool:
    """Nothing but own choices can be at fault."""
    return question.limit is None and question.by is None and not question.forbidden.any()


def _reason(question: Question) -> Reason | None:
    """A minimal part of the choices that excludes every machine, and the rules behind it; None if there is a machine."""
    guilty = _guilty(question)
    if guilty is None:
        return None
    variables = question.compiled.variables
    choices = tuple((variables[place].group, variables[place].values[question.own[place]]) for place in guilty if place >= 0)
    return Reason(choices, _rules(_only(question, guilty)), limit=LIMIT in guilty, by=BY in guilty)


def _rules(question: Question) -> tuple[Rule, ...]:
    """A minimal set of rules that leave no machine for the choices; none if even without rules there is none."""
    compiled = question.compiled
    out = question.barred | question.broken
    asked = compiled.offsets[:-1]
    if question.too_late or (np.add.reduceat(~out, asked) == 0).any():
        return ()
    return tuple(compiled.model.rules[place] for place in compiled.explainer.rules_against(out, *question.priced))


def _guilty(question: Question) -> list[int] | None:
    """A minimal part of the choices that excludes every machine; None if there is a machine."""
    items = [*question.own, *([LIMIT] if question.limit is not None else []), *([BY] if question.by is not None else [])]
    if _some_keeps(question, items):
        return None
    return sorted(explain.minimal_conflict(items, lambda some: _some_keeps(question, some)), key=items.index)


def _some_keeps(question: Question, items: Sequence[int]) -> bool:
    """Tell whether some machine keeps these choices."""
    return solving.feasible(_only(question, items))


def _only(question: Question, items: Sequence[int]) -> Question:
    """The same question with only these of its choices."""
    return replace(
        question,
        own={place: question.own[place] for place in items if place >= 0},
        limit=question.limit if LIMIT in items else None,
        by=question.by if BY in items else None,
    )
