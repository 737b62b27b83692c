"""Reads what holds between the groups: rules, tables of what goes together, bundles, lead times, and where to start from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from configurator.language import lowering
from configurator.language.conditions import KEYWORDS, Condition, Listed, Not
from configurator.language.drafts import Draft
from configurator.language.fields import Table, did_you_mean
from configurator.language.specification import Group, Rule, Start

ANY = "*"
"""A cell of a table that every option fits."""
MOST_ROWS = 200_000
"""How many combinations a table may list when its cells are written out."""


def read_rules(top: Table, draft: Draft) -> None:
    """Read `[[rule]]`."""
    for table in top.tables("rule", required=False):
        rule = Rule(
            id=table.id(),
            source=table.string("source", '"ours"'),
            when=draft.condition(table, "when") if table.has("when") else None,
            require=draft.condition(table, "require"),
            reason=table.text("reason"),
            line=table.line,
        )
        draft.add(rule, table)
        table.nothing_else()


def read_following(top: Table, draft: Draft) -> Iterator[tuple[Table, Group]]:
    """Read `[[price_rule]]` and `[[lead_rule]]`: hidden groups that follow from the choices."""
    for word in ("price_rule", "lead_rule"):
        for table in top.tables(word, required=False):
            group_id, name, detail = table.id(taken=KEYWORDS), table.text("name"), table.optional_text("detail")
            when = draft.condition(table, "when", '"graphics is d16 and monitor is m32"')
            if word == "price_rule":
                effect = lowering.effect(name, detail, table.line, price=table.money("amount"))
            else:
                effect = lowering.effect(name, detail, table.line, days=table.whole("days", least=1))
            group, rules = lowering.following(group_id, when, effect)
            for rule in rules:
                draft.add(rule, table)
            table.nothing_else()
            yield table, group


def read_tables(top: Table, draft: Draft, groups: Mapping[str, Group]) -> None:
    """Read `[[table]]`: which options of a few groups go together (`rows`), or never do (`never`)."""
    for table in top.tables("table", required=False):
        names = table.get("groups", '["cpu", "cooler"]')
        scope = _scope(table, names, groups)
        word = "never" if table.has("never") else "rows"
        if table.has("never") and table.has("rows"):
            table.problem("never", "a table has either 'rows', which go together, or 'never', which do not.")
            table.read.add("rows")
        rows = table.get(word, '[["a", "b"]]')
        listed = Listed(tuple(group.id for group in scope), frozenset(_rows(table, word, rows, scope)))
        require: Condition = listed if word == "rows" else Not(listed)
        when = draft.condition(table, "when") if table.has("when") else None
        source = table.string("source", '"ours"', required=False) or "ours"
        draft.add(Rule(table.id(), source, when, require, table.text("reason"), line=table.line), table)
        table.nothing_else()


def _scope(table: Table, names: object, groups: Mapping[str, Group]) -> list[Group]:
    """The groups of a table's columns; those that cannot be are noted."""
    if not isinstance(names, list) or len(names) < 2:
        table.problem("groups", "'groups' must be a list of two groups or more, such as [\"cpu\", \"cooler\"].")
        return []
    scope = []
    for name in names:
        group = groups.get(str(name))
        if group is None:
            table.problem("groups", f"there is no group {name!r}: {did_you_mean(str(name), groups)}")
        elif group.kind == "many":
            table.problem("groups", f"{name!r} can have several options, so it cannot be a column: write a rule with 'has'.")
        elif group in scope:
            table.problem("groups", f"{name!r} is a column twice.")
        else:
            scope.append(group)
    return scope if len(scope) == len(names) else []


def _rows(table: Table, word: str, rows: object, scope: Sequence[Group]) -> Iterator[tuple[str, ...]]:
    """The rows written out, one option in every cell."""
    if not isinstance(rows, list) or not rows:
        table.problem(word, f'{word!r} must be a list of rows, such as [["a", "b"]].')
        return
    total = 0
    for place, row in enumerate(rows if scope else []):
        path = (*table.path_of(word), place)
        if not isinstance(row, list) or len(row) != len(scope):
            table.notes.add(path, f"a row of this table has {len(scope)} cells, one for each of its groups.")
            continue
        cells = [_cell(table, (*path, column), cell, group) for column, (cell, group) in enumerate(zip(row, scope, strict=True))]
        total += math.prod(map(len, cells))
        if total > MOST_ROWS:
            table.problem(word, f"the table lists more than {MOST_ROWS:,} combinations: compare attributes in a rule instead.")
            return
        yield from itertools.product(*cells)


def _cell(table: Table, path: tuple[str | int, ...], cell: object, group: Group) -> list[str]:
    """The options a cell names: one, several in a list, or "*" for all."""
    if cell == ANY:
        return [option.id for option in group.options]
    named = [str(word) for word in (cell if isinstance(cell, list) else [cell])]
    for option in named:
        if option not in group.by_id:
            table.notes.add(path, f"{group.id!r} has no option {option!r}: {did_you_mean(option, group.by_id)}")
    return named


def read_starts(top: Table, groups: Mapping[str, Group]) -> tuple[Start, ...]:
    """Read `[[start]]`: good machines to begin with."""
    starts: dict[str, Start] = {}
    for table in top.tables("start", required=False):
        chosen = Table(table.get("choices", '{ cpu = "c8" }') or {}, table.path_of("choices"), table.notes)
        choices = {name: _chosen(chosen, name, groups) for name in chosen.data}
        start = Start(table.id(), table.text("name"), table.optional_text("detail"), choices, line=table.line)
        if start.id in starts:
            table.problem("id", f"the start {start.id!r} exists already.")
        starts.setdefault(start.id, start)
        table.nothing_else()
    return tuple(starts.values())


def _chosen(table: Table, name: str, groups: Mapping[str, Group]) -> tuple[str, ...]:
    """What a start chooses in a group: an option, a number of pieces, or a list."""
    value, group = table.data[name], groups.get(name)
    if group is None or group.hidden:
        table.problem(name, f"there is no group {name!r}: {did_you_mean(name, [each for each in groups if not groups[each].hidden])}")
        return ()
    chosen = tuple(str(word) for word in (value if isinstance(value, list) else [value]))
    if group.kind == "one" and len(chosen) != 1:
        table.problem(name, f"{name!r} takes exactly one option, not {len(chosen)}.")
    for option in chosen:
        if option not in group.by_id:
            table.problem(name, f"{name!r} has no option {option!r}: {did_you_mean(option, group.by_id)}")
    return chosen
