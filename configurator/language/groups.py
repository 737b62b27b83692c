"""Reads option groups of every kind: one, optional, many and quantity, from the sheet itself or from a family.

A group of kind "quantity" describes one `piece` and how many of it there may be; an "optional" group may be left
empty. Both come out as plain groups (see `lowering`). `use` takes a group that stands elsewhere in the text, from a
family file mostly, to this place; what is said beside it replaces what the family says.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from configurator.language import lowering
from configurator.language.conditions import KEYWORDS, Chosen
from configurator.language.drafts import Draft
from configurator.language.fields import MOST_DAYS, Derived, Table, did_you_mean
from configurator.language.specification import EVERYONE, Group, Option, PartSpec, Text, Value, Visibility

MOST_OPTIONS = 20_000
"""How many options a group may have; more are no choice, and no page shows them."""

_KINDS = ("one", "optional", "many", "quantity")
_OPTION_FIELDS = (
    *("name", "detail", "price", "sku", "qty", "parts", "part_name", "kind"),
    *("cost", "weight_g", "supplier", "lead_days", "serialised", "not_before_days"),
    *("sold_from", "sold_until", "markets", "customers", "requires", "excludes", "only_with"),
)
_MARKET = re.compile(r"[A-Z]{2}")
_CUSTOMERS = re.compile(r"[a-z0-9][a-z0-9_-]*")


def read_groups(top: Table, draft: Draft) -> dict[str, Group]:
    """Read the option groups, each at the place where it is used."""
    groups: dict[str, Group] = {}
    for table in _placed(top):
        group = _Groups(draft, table).group()
        if group.id in groups:
            table.problem("id", f"the group {group.id!r} exists already in line {groups[group.id].line}.")
        groups.setdefault(group.id, group)
    if top.has("group") and not groups:
        top.problem("group", "the model has no groups: there is nothing to configure.")
    return groups


def _placed(top: Table) -> list[Table]:
    """The tables of the groups: one that is used stands where it is used, and not where it was written."""
    tables = top.tables("group")
    written = {str(table.data.get("id")): table for table in tables if not table.has("use")}
    used: set[str] = set()
    placed: list[Table] = []
    for table in tables:
        if not table.has("use"):
            placed.append(table)
            continue
        name = table.string("use", '"warranty"')
        if name and name not in written:
            table.problem("use", f"there is no group {name!r} to use here: {did_you_mean(name, written)}")
        elif name:
            used.add(name)
            placed.append(Derived(table, written[name]))
    return [table for table in placed if table.has("use") or table.data.get("id") not in used]


class _Groups:
    """Reads one group and its options."""

    def __init__(self, draft: Draft, table: Table) -> None:
        self.draft = draft
        self.table = table
        self.id = table.id(taken=KEYWORDS)
        table.get("use", "", required=False)
        self.kind = table.one_of("kind", _KINDS, "one")

    def group(self) -> Group:
        """Read the whole group."""
        table = self.table
        none = table.optional_text("none")
        options = self.quantity(none) if self.kind == "quantity" else self.listed(none)
        group = Group(
            id=self.id,
            name=table.text("name"),
            help=table.optional_text("help"),
            section=table.optional_text("section"),
            kind="many" if self.kind == "many" else "one",
            default=self.default(list(options)),
            options=tuple(options.values()),
            counted=self.kind == "quantity",
            line=table.line,
        )
        if none and self.kind in {"one", "many"}:
            table.problem("none", f'\'none\' names the empty choice of an "optional" or a "quantity" group; {self.id!r} is "{self.kind}".')
        for word in ("from", "to", "step", "piece"):
            if self.kind != "quantity" and table.has(word):
                table.get(word, "")
                table.problem(word, f'{word!r} belongs to a group of kind "quantity"; {self.id!r} is "{self.kind}".')
        if table.has("when"):
            when = self.draft.condition(table, "when", '"case is tower"')
            group, rules = lowering.only_when(group, when, table.text("reason"))
            for rule in rules:
                self.draft.add(rule, table)
        table.nothing_else()
        return group

    def listed(self, none: Text | None) -> dict[str, Option]:
        """Read the options one by one."""
        table, line = self.table, self.table.line
        options: dict[str, Option] = {}
        if self.kind == "optional":
            options[lowering.NONE] = lowering.nothing(lowering.NONE, none, line)
        for row in self.rows():
            option = self.option(row)
            if option.id == lowering.NONE and self.kind == "optional":
                row.problem("id", "an \"optional\" group has its option 'none' already: name it with none = { … }.")
            elif option.id in options:
                row.problem("id", f"the option {option.id!r} exists already in line {options[option.id].line}.")
            options.setdefault(option.id, option)
        if len(options) > MOST_OPTIONS:
            table.problem("option", f"{self.id!r} has {len(options):,} options, more than {MOST_OPTIONS:,}: divide it into groups.")
            options = dict(list(options.items())[:1])
        if table.has("option") and len(options) == (self.kind == "optional"):
            table.problem("option", f"the group {self.id!r} has no options: add some, or remove the group.")
        return options

    def rows(self) -> list[Table]:
        """The tables of the options: those of the family without what is left out, and those added here."""
        if not isinstance(self.table, Derived):
            return self.table.tables("option")
        self.table.read |= {"option", "without"}
        family = self.table.base.tables("option")
        known = [str(row.data.get("id")) for row in family]
        left_out = self.table.own.get("without", '["an-option"]', required=False) or []
        if not isinstance(left_out, list):
            self.table.problem("without", "'without' must be a list of option ids.")
            left_out = []
        for option in left_out:
            if option not in known:
                self.table.problem("without", f"the family has no option {option!r} to leave out: {did_you_mean(str(option), known)}")
        return [
            *(row for row in family if row.data.get("id") not in left_out),
            *self.table.own.tables("option", required=False),
        ]

    def quantity(self, none: Text | None) -> dict[str, Option]:
        """Read how many pieces there may be, and what one piece is."""
        table = self.table
        least = table.whole("from", least=0, default=0)
        most = table.whole("to", least=max(least, 1))
        step = table.whole("step", least=1, default=1)
        counts = range(least, most + 1, step)
        row = Table(table.get("piece", '{ sku = "…", price = "…" }') or {}, table.path_of("piece"), self.draft.notes)
        if (most - least) % step:
            reached = f"make 'to' {counts[-1]} or {counts[-1] + step}"
            table.problem("step", f"from {least} by steps of {step} one never comes to {most}: {reached}.")
        if len(counts) > MOST_OPTIONS:
            table.problem("to", f"{self.id!r} has {len(counts):,} values, more than {MOST_OPTIONS:,}: take a larger step.")
            counts = counts[:1]
        if not table.has("piece"):
            return {}
        ids = tuple(str(count) for count in counts if count)
        piece = self.option(row, ids)
        if piece.qty != 1:
            row.problem("qty", "a piece is one piece: leave 'qty' out.")
        return {option.id: option for option in lowering.pieces_of(piece, counts, none)}

    def default(self, known: list[str]) -> tuple[str, ...]:
        """Read the default: an option's id, a list of ids for a "many" group, a number for a quantity."""
        table = self.table
        if table.has("when") and not table.has("default"):
            return () if self.kind == "many" else (lowering.ABSENT,)
        if self.kind == "many":
            value = table.get("default", "[]", required=False)
            chosen = [] if value is None else value
            if not isinstance(chosen, list) or not all(isinstance(option, str) for option in chosen):
                table.problem("default", '\'default\' of a "many" group must be a list of option ids, such as ["a"].')
                return ()
            if len(set(chosen)) < len(chosen):
                table.problem("default", "the default names an option twice.")
        elif self.kind == "quantity":
            chosen = [str(table.whole("default", least=0))]
        elif self.kind == "optional" and not table.has("default"):
            chosen = [lowering.NONE]
        else:
            chosen = [table.string("default", f'"{known[0] if known else "an-option"}"')]
            if chosen == [""]:
                return ()
        for option in chosen:
            if option not in known:
                table.problem("default", f"the default {option!r} is no option here: {did_you_mean(option, known)}")
        return tuple(option for option in known if option in chosen)

    def option(self, table: Table, ids: tuple[str, ...] = ()) -> Option:
        """Read one option, or the piece that the options `ids` are made of; keys that mean nothing here are its attributes."""
        sold = table.has("sku") or table.has("parts")
        qty = table.whole("qty", least=1, default=1)
        option_id = "" if ids else table.id(taken=KEYWORDS | ({lowering.ABSENT} if self.table.has("when") else set()))
        name = table.text("name")
        detail = table.optional_text("detail")
        price = table.money("price", required=sold)
        parts = [self.part(table, name, qty)] if table.has("sku") else []
        for row in table.tables("parts", required=False):
            own_name = row.optional_text("name") or name
            parts.append(self.part(row, own_name, row.whole("qty", least=1, default=1)))
            row.nothing_else()
        not_before = table.whole("not_before_days", least=0, default=0, most=MOST_DAYS)
        visibility = self.visibility(table)
        subject = Chosen(self.id, ids or (option_id,), "has" if self.kind == "many" else "is")
        self.draft.short_rules(table, subject, f"{self.id}-{option_id}" if option_id else self.id)
        attributes = table.rest()
        self.doubtful(table, attributes)
        pieces = qty if sold or table.has("qty") else 0
        values = {**attributes, "qty": pieces}
        return Option(
            option_id, name, detail, price, qty, tuple(parts), values, visibility, not_before_days=not_before, line=table.line
        )

    def doubtful(self, table: Table, attributes: Mapping[str, Value]) -> None:
        """Note attributes that look like something else, and a power that is no whole number."""
        for key, value in attributes.items():
            near = difflib.get_close_matches(key, _OPTION_FIELDS, n=1, cutoff=0.85)
            if key in _OPTION_FIELDS:
                table.problem(key, f"{key!r} describes a part, but the option has no sku: add the sku or remove {key!r}.")
            elif near:
                table.problem(key, f"{key!r} looks like a misspelt {near[0]!r}: correct it, or rename the attribute.")
            if key == "power" and (type(value) is not int or value < 0):
                table.problem(key, "'power' says how much an option adds to speed: a whole number, 0 or more.")

    def visibility(self, table: Table) -> Visibility:
        """Read who is shown the option, and when."""
        seen = Visibility(
            first_day=table.day("sold_from"),
            last_day=table.day("sold_until"),
            markets=table.words("markets", _MARKET, '["CN", "DE"]'),
            customer_groups=table.words("customers", _CUSTOMERS, '["education"]'),
        )
        if seen.first_day and seen.last_day and seen.first_day > seen.last_day:
            table.problem("sold_until", f"'sold_until' is before 'sold_from' ({seen.first_day}): nobody would ever see the option.")
        return EVERYONE if seen == EVERYONE else seen

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
            lead_days=table.whole("lead_days", least=0, default=None if hardware else 0, most=MOST_DAYS),
        )
        if spec.serialised and not hardware:
            table.problem("serialised", f"{spec.sku!r} is a service and cannot have serial numbers.")
        self.draft.one_part(spec, table, "sku")
        return spec
