"""Reads a model file, the specification sheet a product manager writes, into a `Model`.

The file is TOML: `[model]` with the bare machine, `[[group]]` with options, `[[rule]]` with a condition and the
reason a customer reads. Nothing is guessed: a missing price, an unknown option in a rule or a default that breaks
a rule is refused, and every such problem of the file is reported at once, with its line and what to do.

An option may say `part_name` where the part's own name differs from the option's ("32 GB module" of "4 × 32 GB").
Attributes of the bare machine are written `base.watts = 35` in `[model]`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import pathlib
import re
import tomllib
from decimal import Decimal

from configurator.language import soundness
from configurator.language.conditions import KEYWORDS, Chosen, Condition, ConditionError, parse_condition
from configurator.language.fields import ModelError, Notes, Problem, Table, did_you_mean
from configurator.language.positions import index_lines
from configurator.language.specification import (
    FAMILIES,
    Fact,
    Group,
    Model,
    Option,
    PartSpec,
    Rule,
    SumOf,
    Text,
)

_SYNTAX_ERROR = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")
_SUM = re.compile(r"sum of (?P<attribute>[A-Za-z_][\w-]*)(?: in (?P<groups>[\w-]+(?: *, *[\w-]+)*))?")
_OPTION_FIELDS = (
    *("name", "detail", "price", "sku", "qty", "parts", "part_name", "kind"),
    *("cost", "weight_g", "supplier", "lead_days", "serialised"),
)
_UNREADABLE = Chosen("", (), "is")


def read_model(path: pathlib.Path) -> Model:
    """Read a model file. Raises ModelError with every problem in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ModelError([Problem(path.name, line, "the file is not UTF-8 text: save it as UTF-8.")]) from error
    return read_model_text(text, path.name)


def read_model_text(text: str, name: str) -> Model:
    """Read the text of a model file; `name` is the file's name in messages. Raises ModelError."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ModelError([_syntax_problem(error, name, text)]) from error
    notes = Notes(name, index_lines(text))
    model = _Reader(notes, Table(data, (), notes)).model()
    if not notes.problems:
        soundness.check_attributes(model, notes)
        soundness.check_sums(model, notes)
        soundness.check_conditions(model, notes)
    if not notes.problems:
        soundness.check_default(model, notes)
    if notes.problems:
        raise ModelError(notes.problems)
    return model


def content_hash(data: dict[str, object]) -> str:
    """SHA-256 of the content: layout, comments and the order of keys do not count, the order of options does."""
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _syntax_problem(error: tomllib.TOMLDecodeError, name: str, text: str) -> Problem:
    found = _SYNTAX_ERROR.fullmatch(str(error))
    if not found:
        return Problem(name, text.count("\n") + 1, f"not valid TOML: {error}.")
    return Problem(name, int(found["line"]), f"not valid TOML in column {found['column']}: {found['what']}.")


class _Reader:
    """Reads the tables of one file; every problem goes to the notes."""

    def __init__(self, notes: Notes, top: Table) -> None:
        self.notes = notes
        self.top = top
        self.parts: dict[str, tuple[PartSpec, int]] = {}

    def model(self) -> Model:
        """Read the whole file."""
        if not self.top.has("model"):
            raise ModelError([Problem(self.notes.file, 1, "[model] is missing: a model file begins with it.")])
        sheet = Table(self.top.get("model", ""), ("model",), self.notes)
        base = self.base(sheet)
        attributes = sheet.get("base", "{ watts = 35 }", required=False)
        base_attributes = Table(attributes or {}, ("model", "base"), self.notes).rest()
        groups = self.groups()
        model = Model(
            id=sheet.id(),
            family=sheet.one_of("family", FAMILIES),
            name=sheet.text("name"),
            tagline=sheet.text("tagline"),
            summary=sheet.text("summary"),
            base=base,
            base_price=sheet.money("base_price", least=0),
            base_attributes=base_attributes,
            build_days=sheet.whole("build_days", least=0),
            picture=sheet.string("picture", '"a-picture.svg"'),
            unspsc=sheet.string("unspsc", '"43211503"'),
            facts=self.facts(sheet),
            sums=self.sums(),
            groups=groups,
            rules=self.rules(),
            content_hash=content_hash(self.top.data),
            file=self.notes.file,
        )
        sheet.nothing_else()
        self.top.nothing_else()
        return model

    def base(self, sheet: Table) -> PartSpec:
        """Read the bare machine, which is in every configuration."""
        spec = PartSpec(
            sku=sheet.string("base_sku", '"BSE-…"'),
            name=sheet.text("name"),
            qty=1,
            kind="hardware",
            serialised=True,
            cost=sheet.money("base_cost", least=0),
            weight_g=sheet.whole("base_weight_g", least=0),
            supplier=sheet.string("base_supplier", '"S-…"'),
            lead_days=sheet.whole("base_lead_days", least=0),
        )
        self.one_part(spec, sheet, "base_sku")
        return spec

    def facts(self, sheet: Table) -> tuple[Fact, ...]:
        """Read the technical data."""
        facts = []
        for table in sheet.tables("fact", required=False):
            facts.append(Fact(table.text("label"), table.text("value")))
            table.nothing_else()
        return tuple(facts)

    def sums(self) -> dict[str, SumOf]:
        """Read the named totals: `watts = "sum of watts in cpu, gpu"`."""
        sums: dict[str, SumOf] = {}
        table = Table(self.top.get("sums", "(a table)", required=False) or {}, ("sums",), self.notes)
        for name in table.data:
            found = _SUM.fullmatch(table.string(name, '"sum of watts"'))
            if name == "qty":
                table.problem(name, "'qty' counts pieces everywhere: choose another name for the sum.")
            elif found:
                groups = tuple(part.strip() for part in (found["groups"] or "").split(",") if part.strip())
                sums[name] = SumOf(found["attribute"], groups)
            else:
                table.problem(name, f'{name!r} must read "sum of watts" or "sum of watts in cpu, gpu".')
        return sums

    def groups(self) -> tuple[Group, ...]:
        """Read the option groups."""
        groups: dict[str, Group] = {}
        for table in self.top.tables("group"):
            group = self.group(table)
            if group.id in groups:
                table.problem("id", f"the group {group.id!r} exists already in line {groups[group.id].line}.")
            groups.setdefault(group.id, group)
        if self.top.has("group") and not groups:
            self.top.problem("group", "the model has no groups: there is nothing to configure.")
        return tuple(groups.values())

    def group(self, table: Table) -> Group:
        """Read one group and its options."""
        options: dict[str, Option] = {}
        for row in table.tables("option"):
            option = self.option(row)
            if option.id in options:
                row.problem("id", f"the option {option.id!r} exists already in line {options[option.id].line}.")
            options.setdefault(option.id, option)
        group = Group(
            id=table.id(taken=KEYWORDS),
            name=table.text("name"),
            help=table.optional_text("help"),
            section=table.optional_text("section"),
            kind="many" if table.one_of("kind", ("one", "many"), "one") == "many" else "one",
            default=self.default(table, list(options)),
            options=tuple(options.values()),
            line=table.line,
        )
        if table.has("option") and not options:
            table.problem("option", f"the group {group.id!r} has no options: add some, or remove the group.")
        table.nothing_else()
        return group

    def default(self, table: Table, known: list[str]) -> tuple[str, ...]:
        """Read the default: an option's id, or a list of ids for a "many" group."""
        if table.data.get("kind") == "many":
            value = table.get("default", "[]", required=False)
            chosen = [] if value is None else value
            if not isinstance(chosen, list) or not all(isinstance(option, str) for option in chosen):
                table.problem("default", '\'default\' of a "many" group must be a list of option ids, such as ["a"].')
                return ()
            if len(set(chosen)) < len(chosen):
                table.problem("default", "the default names an option twice.")
        else:
            chosen = [table.string("default", f'"{known[0] if known else "an-option"}"')]
            if chosen == [""]:
                return ()
        for option in chosen:
            if option not in known:
                table.problem("default", f"the default {option!r} is no option here: {did_you_mean(option, known)}")
        return tuple(option for option in known if option in chosen)

    def option(self, table: Table) -> Option:
        """Read one option; keys that mean nothing here are its attributes."""
        sold = table.has("sku") or table.has("parts")
        qty = table.whole("qty", least=1, default=1)
        option_id = table.id(taken=KEYWORDS)
        name = table.text("name")
        detail = table.optional_text("detail")
        price = table.money("price", required=sold)
        parts = [self.part(table, name, qty)] if table.has("sku") else []
        for row in table.tables("parts", required=False):
            own_name = row.optional_text("name") or name
            parts.append(self.part(row, own_name, row.whole("qty", least=1, default=1)))
            row.nothing_else()
        attributes = table.rest()
        for key in attributes:
            near = difflib.get_close_matches(key, _OPTION_FIELDS, n=1, cutoff=0.85)
            if key in _OPTION_FIELDS:
                table.problem(key, f"{key!r} describes a part, but the option has no sku: add the sku or remove {key!r}.")
            elif near:
                table.problem(key, f"{key!r} looks like a misspelt {near[0]!r}: correct it, or rename the attribute.")
        pieces = qty if sold or table.has("qty") else 0
        return Option(option_id, name, detail, price, qty, tuple(parts), {**attributes, "qty": pieces}, line=table.line)

    def part(self, table: Table, name: Text, qty: int) -> PartSpec:
        """Read what is taken from stock; a service has no weight and no supplier."""
        hardware = table.one_of("kind", ("hardware", "service"), "hardware") == "hardware"
        spec = PartSpec(
            sku=table.string("sku", '"AN-SKU"'),
            name=table.optional_text("part_name") or name,
            qty=qty,
            kind="hardware" if hardware else "service",
            serialised=table.flag("serialised", default=hardware),
            cost=table.money("cost", least=0),
            weight_g=table.whole("weight_g", least=0, default=None if hardware else 0),
            supplier=table.string("supplier", '"S-…"', required=hardware),
            lead_days=table.whole("lead_days", least=0, default=None if hardware else 0),
        )
        if spec.serialised and not hardware:
            table.problem("serialised", f"{spec.sku!r} is a service and cannot have serial numbers.")
        self.one_part(spec, table, "sku")
        return spec

    def one_part(self, spec: PartSpec, table: Table, key: str) -> None:
        """The same SKU is the same part wherever it stands: cost, weight and supplier must agree."""
        line = self.notes.lines.of((*table.path, key))
        first, first_line = self.parts.setdefault(spec.sku, (spec, line))
        for field in ("kind", "serialised", "cost", "weight_g", "supplier", "lead_days"):
            if spec.sku and getattr(first, field) != getattr(spec, field):
                table.problem(
                    key,
                    f"the part {spec.sku!r} has {field} {getattr(spec, field)} here, but {getattr(first, field)} "
                    f"in line {first_line}: one part has one {field}.",
                )

    def rules(self) -> tuple[Rule, ...]:
        """Read the rules."""
        rules: dict[str, Rule] = {}
        for table in self.top.tables("rule", required=False):
            rule = Rule(
                id=table.id(),
                source=table.string("source", '"ours"'),
                when=self.condition(table, "when") if table.has("when") else None,
                require=self.condition(table, "require"),
                reason=table.text("reason"),
                line=table.line,
            )
            if rule.id in rules:
                table.problem("id", f"the rule {rule.id!r} exists already in line {rules[rule.id].line}.")
            rules.setdefault(rule.id, rule)
            table.nothing_else()
        return tuple(rules.values())

    def condition(self, table: Table, key: str) -> Condition:
        """Read a condition; one that cannot be parsed is noted with its column."""
        text = table.string(key, '"memory.gb <= 64"')
        if not text:
            return _UNREADABLE
        try:
            return parse_condition(text)
        except ConditionError as error:
            table.problem(key, f"{key!r} cannot be read, column {error.column} of {text!r}: {error.message}.")
            return _UNREADABLE
