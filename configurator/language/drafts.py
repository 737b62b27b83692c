"""What has been read so far of one model's text, shared by the readers of its groups and of its rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from configurator.language.conditions import Chosen, Condition, ConditionError, Not, parse_condition
from configurator.language.fields import Notes, Table
from configurator.language.positions import Path
from configurator.language.specification import PartSpec, Rule, Text

UNREADABLE = Chosen("", (), "is")
"""Stands for a condition that could not be read, and was noted."""
SAME_PART = ("kind", "serialised", "cost", "weight_g", "supplier", "lead_days")


@dataclass(slots=True)
class Draft:
    """Parts, conditions and rules by where they stand; what is wrong goes to the notes."""

    notes: Notes
    parts: dict[str, tuple[PartSpec, int]] = field(default_factory=dict)
    """Each SKU with the line it stood in first."""
    conditions: list[tuple[str, Path, Condition]] = field(default_factory=list)
    """Every condition somebody wrote: its key, its place, what it says."""
    rules: dict[str, Rule] = field(default_factory=dict)

    def condition(self, table: Table, key: str, example: str = '"memory.gb <= 64"') -> Condition:
        """Read a condition; one that cannot be parsed is noted with its column."""
        text = table.string(key, example)
        if not text:
            return UNREADABLE
        try:
            condition = parse_condition(text)
        except ConditionError as error:
            message = f"{key!r} cannot be read, column {error.column} of {text!r}: {error.message}."
            self.notes.add_in_text(table.path_of(key), error.column, message)
            return UNREADABLE
        self.conditions.append((key, table.path_of(key), condition))
        return condition

    def add(self, rule: Rule, table: Table) -> None:
        """Add a rule; a second one of the same id is noted."""
        if rule.id in self.rules:
            table.problem("id", f"the rule {rule.id!r} exists already in line {self.rules[rule.id].line}.")
        self.rules.setdefault(rule.id, rule)

    def short_rules(self, table: Table, subject: Condition, name: str) -> None:
        """Read `requires`, `excludes` and `only_with` of an option: rules that begin with its being chosen."""
        for word in ("requires", "excludes", "only_with"):
            for place, row in enumerate(table.table_or_tables(word)):
                that = self.condition(row, "that", '"psu is p750"')
                reason = row.text("reason")
                source = row.string("source", '"ours"', required=False) or "ours"
                rule_id = row.id() if row.has("id") else "-".join([name, word.replace("_", "-"), *([str(place + 1)] if place else [])])
                require = Not(that) if word == "excludes" else that
                self.add(Rule(rule_id, source, subject, require, reason, line=row.line), row)
                row.nothing_else()

    def one_part(self, spec: PartSpec, table: Table, key: str) -> None:
        """The same SKU is the same part wherever it stands: cost, weight and supplier must agree."""
        line = self.notes.lines.of(table.path_of(key))
        first, first_line = self.parts.setdefault(spec.sku, (spec, line))
        for name in SAME_PART:
            if spec.sku and getattr(first, name) != getattr(spec, name):
                table.problem(
                    key,
                    f"the part {spec.sku!r} has {name} {getattr(spec, name)} here, but {getattr(first, name)} "
                    f"in line {first_line}: one part has one {name}.",
                )


def text_or(table: Table, key: str, otherwise: Text) -> Text:
    """A text of the table, or another if it has none."""
    return table.optional_text(key) or otherwise
