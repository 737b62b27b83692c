"""Is a model fit to be released? What only the engine can see: options no machine can have, rules that contradict each other.

`language` has read the file by then; this compiles it and reports, again with file and line, every problem at once.
What is merely doubtful, and costs more time to find, is in `checking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from configurator.engine import CannotCompile, Compiled, answer, compile_model, why_not
from configurator.engine.consistency import Consistency
from configurator.language.fields import ModelError, Problem
from configurator.language.lowering import OFF, ON
from configurator.language.soundness import unfit_defaults
from configurator.language.specification import Group, Model, Option, Start


def approve(model: Model) -> Compiled:
    """Compile a model that is fit for release. Raises ModelError with every problem found."""
    try:
        compiled = compile_model(model)
    except CannotCompile as error:
        raise ModelError([_cannot_compile(model, error)]) from error
    problems = [problem_at(model, line, said) for line, said in unfit_defaults(model)]
    problems += _never_broken(model)
    problems += _nothing_sold(model)
    for group in model.groups:
        problems += _never_chosen(compiled, group)
    problems += [problem for start in model.starts for problem in _conflicts(compiled, start)]
    if problems:
        raise ModelError(problems)
    return compiled


def _nothing_sold(model: Model) -> Iterator[Problem]:
    """A model without a single part behind its options is one to look at: an order for it would build nothing."""
    if not model.base_price.minor and not any(option.parts for group in model.groups for option in group.options):
        yield Problem(model.file, 1, "nothing in this model has a sku and a price, so it cannot be sold: add them, or keep it for looking.")


def problem_at(model: Model, line: int, message: str) -> Problem:
    """A problem of a line of the model's text, told with the file it comes from."""
    return Problem(*model.place(line), message)


def _cannot_compile(model: Model, error: CannotCompile) -> Problem:
    """Say which rules contradict each other, or what makes the model too large."""
    guilty = Consistency(model).contradiction()
    if guilty is None:
        return Problem(model.file, 1, f"the model cannot be compiled: {error}.")
    rules = [rule for rule in model.rules if rule.id in guilty]
    named = ", ".join(f"{rule.id!r} (line {model.place(rule.line)[1]}: {rule.reason['en']})" for rule in rules)
    return problem_at(model, rules[-1].line, f"no machine keeps these rules together: {named} Change one of them.")


def _never_broken(model: Model) -> Iterator[Problem]:
    consistency = Consistency(model)
    for rule in model.rules:
        if not consistency.is_breakable(rule.id):
            message = f"the rule {rule.id!r} can never be broken: it does nothing. Correct it, or remove it."
            yield problem_at(model, rule.line, message)


def _never_chosen(compiled: Compiled, group: Group) -> list[Problem]:
    """Say which options of a group no machine can have, and which rules are to blame."""
    model = compiled.model
    reasons = {option.id: why_not(compiled, {}, (group.id, option.id)) for option in group.options}
    blamed = {option: [rule.id for rule in reason.rules] for option, reason in reasons.items() if reason is not None}
    dead = [option for option in group.options if option.id in blamed]
    if group.hidden and dead:
        always = {OFF: "always", ON: "never"}[dead[0].id]
        return [problem_at(model, group.line, f"{group.id!r} {always} applies, whatever is chosen: correct 'when', or remove it.")]
    if group.when is not None and group.kind == "one" and dead:
        asked = [option for option in group.options if not option.absent]
        if dead == [option for option in group.options if option.absent]:
            return [problem_at(model, group.line, f"the condition of {group.id!r} always holds: leave 'when' and 'reason' out.")]
        if dead == asked:
            return [problem_at(model, group.line, f"{group.id!r} is never asked, because its condition never holds: correct 'when'.")]
    return [_dead(model, group, option, blamed[option.id]) for option in dead]


def _dead(model: Model, group: Group, option: Option, rules: Sequence[str]) -> Problem:
    named = " and ".join(repr(rule) for rule in rules)
    return problem_at(
        model,
        option.line,
        f"the option {option.id!r} of {group.id!r} can never be chosen because of {named}: correct that, or remove the option.",
    )


def _conflicts(compiled: Compiled, start: Start) -> Iterator[Problem]:
    """Say why a start cannot be built as it stands."""
    answered = answer(compiled, start.choices)
    if not answered.valid:
        rules = answered.conflict.rules if answered.conflict else ()
        named = "; ".join(f"{rule.id!r}: {rule.reason['en']}" for rule in rules)
        message = f"the start {start.id!r} breaks rules ({named}): change its choices."
        yield problem_at(compiled.model, start.line, message)
