"""The open parts database (BuildCores OpenDB) as a model "build your own desktop", in our language.

Parts come as one JSON object a line, a file per category. What a part needs to be judged must be known: what is null
is unknown, and never fits. Each part that is left out is counted with its reason, and so is each that no machine of
these parts can hold. The default machine is the nearest that can be built to the newest of everything.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from configurator.engine import CannotCompile, Compiled, answer, compile_model
from configurator.engine.constraints import Constraints
from configurator.engine.formulas import ALWAYS
from configurator.importers import opendb_parts
from configurator.importers.opendb_parts import Part, Told, part_of
from configurator.importers.opendb_prices import Sold, read_prices
from configurator.importers.opendb_rows import BadRow, Row, Unfit, read_rows
from configurator.importers.opendb_rules import DRIVES, Parts, Sentence, rules_for
from configurator.importers.opendb_text import HEADINGS, MODEL_ID, model_text, no_part
from configurator.language import read_model_text
from configurator.language.conditions import parse_condition
from configurator.language.fields import ModelError, Problem
from configurator.language.specification import Model, Rule

CATEGORIES: Mapping[str, tuple[str, Callable[[Row], Told]]] = {
    "cpu": ("CPU", opendb_parts.processor),
    "board": ("Motherboard", opendb_parts.board),
    "memory": ("RAM", opendb_parts.memory),
    "graphics": ("GPU", opendb_parts.graphics),
    "cooler": ("CPUCooler", opendb_parts.cooler),
    "case": ("PCCase", opendb_parts.case),
    "power": ("PSU", opendb_parts.power),
    "drive": ("Storage", opendb_parts.drive),
    "monitor": ("Monitor", opendb_parts.monitor),
    "os": ("OS", opendb_parts.system),
}
"""The file of each group, and who reads its rows."""
NOT_PRICED = "it is not in the price list"
NOWHERE = "no machine of these parts can hold it"


@dataclass(slots=True)
class Report:
    """What became of the rows."""

    read: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    """For each group, how many parts were left out for each reason."""
    problems: list[Problem] = field(default_factory=list)
    """Rows that are no parts."""

    def leave_out(self, group: str, reason: str, number: int = 1) -> None:
        """Count parts that do not become options."""
        self.left_out.setdefault(group, Counter())[reason] += number

    def lines(self) -> Iterator[str]:
        """The report in words, one group after the other."""
        for group, (file, _) in CATEGORIES.items():
            out = self.left_out.get(group, Counter())
            yield f"{file}: {self.read[group]} read, {self.read[group] - out.total()} options"
            for reason, number in sorted(out.items(), key=lambda item: (-item[1], item[0])):
                yield f"  {number} left out: {reason}"


@dataclass(frozen=True, slots=True)
class Imported:
    """The model, the text of its file, and what was left out of it."""

    model: Model
    text: str
    report: Report


def import_opendb(directory: Path, prices: Path | None = None) -> Imported:
    """Make a model of the database in a directory. With a price list, what stands in it; without, a model to look at.

    Raises ModelError where a category is missing or nothing of it fits, and with every problem of the price list.
    """
    report = Report()
    parts = _read(directory, report)
    sold = read_prices(prices, [part for group in parts.values() for part in group]) if prices else None
    if sold is not None:
        parts = _keep(parts, lambda _, part: part.key in sold, NOT_PRICED, report)
    _check_groups(directory, parts)
    opening = answer(_compiled(directory, _draft(parts, _preferred(parts), sold)), {})
    if not opening.valid:
        raise ModelError([Problem(str(directory), 1, "no machine can be built of these parts: add parts that go together.")])
    alive = {(group.group, option.option) for group in opening.groups.values() for option in group.options if option.possible}
    parts = _keep(parts, lambda group, part: (group, part.id) in alive, NOWHERE, report)
    defaults = {group: chosen[0] for group, chosen in opening.configuration.items()}
    text = model_text(parts, _biting(parts, defaults, sold), defaults, sold)
    return Imported(read_model_text(text, f"{MODEL_ID}.toml"), text, report)


def _compiled(directory: Path, model: Model) -> Compiled:
    try:
        return compile_model(model)
    except CannotCompile as error:
        message = f"these parts make too large a model ({error}). Give a price list with the parts that are sold."
        raise ModelError([Problem(str(directory), 1, message)]) from error


def _read(directory: Path, report: Report) -> Parts:
    """Read every category; a part that cannot be used is counted with the reason, a row that is none is noted."""
    parts: dict[str, list[Part]] = {}
    for group, (file, read) in CATEGORIES.items():
        path = directory / f"{file}.jsonl"
        parts[group] = []
        if not path.is_file():
            continue
        first: dict[str, int] = {}
        for row in read_rows(path, report.problems):
            report.read[group] += 1
            try:
                part = part_of(row, read)
                _check_new(part, row.line, first)
                parts[group].append(part)
            except Unfit as unfit:
                report.leave_out(group, str(unfit))
            except BadRow as bad:
                report.problems.append(Problem(path.name, row.line, f"{bad}."))
                report.leave_out(group, "the row cannot be read")
        parts[group].sort(key=lambda part: part.id)
    return {**parts, DRIVES[1]: list(parts[DRIVES[0]])}


def _check_new(part: Part, line: int, first: dict[str, int]) -> None:
    """Note where a part stands first. Raises BadRow the second time."""
    if first.setdefault(part.id, line) != line:
        raise BadRow(f"the part {part.key!r} stands in line {first[part.id]} already: remove one of the two lines")


def _keep(parts: Parts, wanted: Callable[[str, Part], bool], reason: str, report: Report) -> Parts:
    """The parts that are wanted; the others are counted with the reason."""
    kept = {group: [part for part in some if wanted(group, part)] for group, some in parts.items()}
    for group, some in parts.items():
        if len(kept[group]) < len(some) and group in CATEGORIES:  # the second drive is a choice from the same rows
            report.leave_out(group, reason, len(some) - len(kept[group]))
    return kept


def _check_groups(directory: Path, parts: Parts) -> None:
    needed = {heading.id for heading in HEADINGS if heading.none is None}
    problems = [
        Problem(
            f"{file}.jsonl",
            1,
            f"no part of the group {group!r} is left: a desktop needs one. Put the category's file into {directory}, or add priced parts.",
        )
        for group, (file, _) in CATEGORIES.items()
        if not parts[group] and group in needed
    ]
    if problems:
        raise ModelError(problems)


def _preferred(parts: Parts) -> Mapping[str, str]:
    """The newest of every group, and none where there may be none: the default machine is the nearest to it that can be built."""
    newest = {group: max(some, key=lambda part: (part.year, part.id)).id for group, some in parts.items() if some}
    return {heading.id: no_part(heading.id) if heading.none else newest[heading.id] for heading in HEADINGS}


def _draft(parts: Parts, defaults: Mapping[str, str], sold: Mapping[str, Sold] | None) -> Model:
    """The model before its default machine is known."""
    text = model_text(parts, (), defaults, sold)
    rules = tuple(
        Rule(rule.id, rule.source, parse_condition(rule.when) if rule.when else None, parse_condition(rule.require), rule.reason)
        for rule in rules_for(parts)
    )
    bare = read_model_text(text, f"{MODEL_ID}.toml")
    return replace(bare, rules=rules, content_hash=hashlib.sha256(repr((text, rules)).encode()).hexdigest())


def _biting(parts: Parts, defaults: Mapping[str, str], sold: Mapping[str, Sold] | None) -> list[Sentence]:
    """The rules that some machine of these parts could break."""
    formulas = Constraints(_draft(parts, defaults, sold)).rules
    return [rule for rule, formula in zip(rules_for(parts), formulas, strict=True) if formula != ALWAYS]
