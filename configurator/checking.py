"""What people get wrong in a model, before anybody can buy it: `flask model check`.

Errors are what `approval` refuses. Doubts are worth a look, and stop nothing: rules that the others imply, groups with
one value left, options nobody will see again, reasons that were never translated. Sizes are told with them: how many
machines can be built, exactly, and what compiling took.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from configurator.approval import approve, problem_at
from configurator.engine import Budget, CannotCompile, Compiled, compile_model, count_machines, why_not
from configurator.engine.consistency import Consistency
from configurator.language import ModelError, put_together, read_whole
from configurator.language.fields import Problem
from configurator.language.lowering import written_rules
from configurator.language.specification import Group, Model
from fulfillment.kernel.clock import today


@dataclass(slots=True)
class Report:
    """What is known of one file; a file that cannot be read or compiled has errors and no sizes."""

    file: str
    model: str = ""
    groups: int = 0
    options: int = 0
    rules: int = 0
    machines: int | None = None
    nodes: int = 0
    arcs: int = 0
    seconds: float = 0.0
    """What compiling took."""
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The same for programs; the number of machines as a text, since it may have hundreds of digits."""
        return {**asdict(self), "machines": None if self.machines is None else str(self.machines)}

    def lines(self) -> Iterator[str]:
        """The same for people."""
        if self.model:
            sizes = (_counted(self.groups, "group"), _counted(self.options, "option"), _counted(self.rules, "rule"))
            yield f"{self.file}: {self.model}, {', '.join(sizes)}"
        if self.machines is not None:
            yield f"  {self.machines:,} machines can be built"
            yield f"  {self.nodes:,} nodes and {self.arcs:,} arcs, compiled in {self.seconds:.3f} s"
        yield from (f"{problem.where}: error: {problem.message}" for problem in self.errors)
        yield from (f"{problem.where}: warning: {problem.message}" for problem in self.warnings)


def check(path: pathlib.Path, budget: Budget | None = None) -> Report:
    """Look at a model file from all sides; never raises for what is wrong in it."""
    report = Report(path.name)
    try:
        model = read_whole(put_together(path), judged=False)
        report.model, report.rules = model.id, len(model.rules)
        report.groups = sum(not group.hidden for group in model.groups)
        report.options = sum(not option.absent for group in model.groups if not group.hidden for option in group.options)
        began = time.perf_counter()
        compiled = compile_model(model, budget)
        report.seconds = time.perf_counter() - began
        report.machines = count_machines(compiled, {})
        if compiled.too_large:
            said = f"the model is answered for by a solver, more slowly, and its machines are not counted: {compiled.too_large}."
            report.warnings.append(Problem(model.file, 1, said))
        else:
            report.nodes, report.arcs = compiled.diagram.size
        report.warnings += sorted(doubts(compiled))
        approve(model)
    except CannotCompile:
        report.errors += _refused(model)
    except ModelError as error:
        report.errors += error.problems
    return report


def _refused(model: Model) -> tuple[Problem, ...]:
    try:
        approve(model)
    except ModelError as error:
        return error.problems
    return ()


def doubts(compiled: Compiled) -> Iterator[Problem]:
    """What is worth a look in a model that compiles."""
    model = compiled.model
    for group in model.groups:
        if not group.hidden:
            yield from _choice(compiled, group)
            yield from _never_seen(model, group)
    for rule in written_rules(model):
        if rule.reason["en"] == rule.reason["zh"]:
            yield problem_at(model, rule.line, f"the reason of {rule.id!r} is the same in both languages: translate it.")
    yield from idle(model)


def idle(model: Model) -> Iterator[Problem]:
    """Rules that never bite: no machine breaks such a rule and keeps all others."""
    consistency = Consistency(model)
    for rule in written_rules(model):
        others = consistency.implied_by(rule.id) if consistency.is_breakable(rule.id) else None
        if others is not None:
            named = " and ".join(repr(other) for other in others) or "what there is to choose"
            message = f"the rule {rule.id!r} never bites, because it follows from {named}: remove it, or correct what it should add."
            yield problem_at(model, rule.line, message)


def _choice(compiled: Compiled, group: Group) -> Iterator[Problem]:
    """A group with one value left is no question."""
    asked = [option for option in group.options if not option.absent]
    left = [option.id for option in asked if why_not(compiled, {}, (group.id, option.id)) is None]
    if group.kind == "one" and len(left) == 1:
        message = f"{group.id!r} has one value left, {left[0]!r}: there is nothing to choose. Add options, or put it into the machine."
        yield problem_at(compiled.model, group.line, message)


def _never_seen(model: Model, group: Group) -> Iterator[Problem]:
    """An option whose time is over."""
    day: dt.date = today()
    for option in group.options:
        last = option.visibility.last_day
        if last is not None and last < day:
            yield problem_at(model, option.line, f"the option {option.id!r} of {group.id!r} has not been offered since {last}: remove it.")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
