"""Is a model fit to be released? What only the engine can see: options no machine can have, rules that never matter.

`language` has read the file by then; this compiles it and reports, again with lines, every problem at once.
"""

from __future__ import annotations

from configurator.engine import explain
from configurator.engine.compilation import Compiled, compile_model
from configurator.engine.diagram import CannotCompile
from configurator.engine.formulas import ALWAYS
from configurator.language.fields import ModelError, Problem
from configurator.language.specification import Group, Model, Option


def approve(model: Model) -> Compiled:
    """Compile a model that is fit for release. Raises ModelError with every problem found."""
    try:
        compiled = compile_model(model)
    except CannotCompile as error:
        raise ModelError([Problem(model.file, 1, f"the model cannot be compiled: {error}.")]) from error
    problems = [
        Problem(
            *model.place(rule.line),
            f"the rule {rule.id!r} can never be broken: it does nothing. Correct it, or remove it.",
        )
        for rule, formula in zip(model.rules, compiled.constraints.rules, strict=True)
        if formula == ALWAYS
    ]
    for group in model.groups:
        for option in group.options:
            problem = _never_chosen(compiled, group, option)
            if problem:
                problems.append(Problem(*model.place(option.line), problem))
    if problems:
        raise ModelError(problems)
    return compiled


def _never_chosen(compiled: Compiled, group: Group, option: Option) -> str | None:
    """Say which rules exclude an option whatever else is chosen; None if some machine has it."""
    variable, value = compiled.decision_of(group.id, option.id)
    reason = explain.why_not(compiled, {}, variable, value)
    if reason is None:
        return None
    rules = " and ".join(repr(rule.id) for rule in reason.rules)
    return f"the option {option.id!r} of {group.id!r} can never be chosen because of {rules}: correct that, or remove the option."
