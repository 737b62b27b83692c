"""Reads a model file, the specification sheet a product manager writes, into a `Model`.

The file is TOML: `[model]` with the bare machine, `[[group]]` with options, `[[rule]]` with a condition and the
reason a customer reads; the manual is LANGUAGE.md. Nothing is guessed: a missing price, an unknown option in a rule or
a default that breaks a rule is refused, and every such problem of the file is reported at once, with its place and
what to do.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
from dataclasses import replace

from configurator.language import lowering, rules, soundness
from configurator.language.drafts import Draft
from configurator.language.fields import MOST_DAYS, ModelError, Notes, Problem, Table
from configurator.language.groups import read_groups
from configurator.language.positions import index_lines
from configurator.language.sources import Whole, parse_toml, put_together
from configurator.language.specification import FAMILIES, Fact, Group, Model, PartSpec, SumOf

_SUM = re.compile(r"sum of (?P<attribute>[A-Za-z_][\w-]*)(?: in (?P<groups>[\w-]+(?: *, *[\w-]+)*))?")


def read_model(path: pathlib.Path) -> Model:
    """Read a model file and what it includes. Raises ModelError with every problem in them."""
    return read_whole(put_together(path))


def read_whole(whole: Whole, *, judged: bool = True) -> Model:
    """Read a model put together from its files. Raises ModelError; each problem names the file it is in."""
    try:
        return replace(read_model_text(whole.text, whole.name, judged=judged), origins=whole.origins)
    except ModelError as error:
        raise ModelError(whole.blamed(error.problems)) from error


def read_model_text(text: str, name: str, *, judged: bool = True) -> Model:
    """Read the whole text of a model, as releases keep it; `name` is its name in messages. Raises ModelError.

    Not judged, it may have a default that breaks rules: who approves it then can tell whether the rules are to blame.
    """
    data = parse_toml(text, name)
    notes = Notes(name, index_lines(text))
    if "include" in data:  # what it would bring is missing, so nothing more can be said
        notes.add(("include",), "only a file can include others: check or release the file, not its text alone.")
        raise ModelError(notes.problems)
    draft = Draft(notes)
    model = _Reader(draft, Table(data, (), notes)).model()
    if not notes.problems:
        soundness.check_attributes(model, notes)
        soundness.check_sums(model, notes)
        soundness.check_conditions(model, draft.conditions, notes)
        soundness.check_circles(model, notes)
    if not notes.problems:
        soundness.check_magnitudes(model, draft.conditions, notes)
        written, model = model, lowering.settled(model)
        soundness.check_asked(written, model, notes)
        if judged:
            soundness.check_default(model, notes)
    if notes.problems:
        raise ModelError(notes.problems)
    return model


def content_hash(data: dict[str, object]) -> str:
    """SHA-256 of the content: layout, comments and the order of keys do not count, the order of options does."""
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


class _Reader:
    """Reads the tables of one text; every problem goes to the notes."""

    def __init__(self, draft: Draft, top: Table) -> None:
        self.draft = draft
        self.notes = draft.notes
        self.top = top

    def model(self) -> Model:
        """Read the whole file."""
        if not self.top.has("model"):
            raise ModelError([Problem(self.notes.file, 1, "[model] is missing: a model file begins with it.")])
        sheet = Table(self.top.get("model", ""), ("model",), self.notes)
        base = self.base(sheet)
        attributes = sheet.get("base", "{ watts = 35 }", required=False)
        base_attributes = Table(attributes or {}, ("model", "base"), self.notes).rest()
        groups = self.groups()
        rules.read_rules(self.top, self.draft)
        rules.read_tables(self.top, self.draft, groups)
        starts = rules.read_starts(self.top, groups)
        model = Model(
            id=sheet.id(),
            family=sheet.one_of("family", FAMILIES),
            name=sheet.text("name"),
            tagline=sheet.text("tagline"),
            summary=sheet.text("summary"),
            base=base,
            base_price=sheet.money("base_price", least=0),
            base_attributes=base_attributes,
            build_days=sheet.whole("build_days", least=0, most=MOST_DAYS),
            picture=sheet.string("picture", '"a-picture.svg"'),
            unspsc=sheet.string("unspsc", '"43211503"'),
            facts=self.facts(sheet),
            sums=self.sums(),
            groups=tuple(groups.values()),
            rules=tuple(self.draft.rules.values()),
            content_hash=content_hash(self.top.data),
            starts=starts,
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
            lead_days=sheet.whole("base_lead_days", least=0, most=MOST_DAYS),
        )
        self.draft.one_part(spec, sheet, "base_sku")
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

    def groups(self) -> dict[str, Group]:
        """Read the groups, and behind them those that follow from the choices."""
        groups = read_groups(self.top, self.draft)
        for table, group in rules.read_following(self.top, self.draft):
            if group.id in groups:
                table.problem("id", f"{group.id!r} exists already in line {groups[group.id].line}: choose another id.")
            groups.setdefault(group.id, group)
        return groups
