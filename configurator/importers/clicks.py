"""Clicks on a foreign model in its own words, and after each what is still possible: for comparison by other programs.

The file of clicks is a JSON list. A click is {"name": value}, ["name", value] or {"variable": "name", "value": value};
`true` and `false` stand for "yes" and "no", numbers for their text, and `null` takes the choice back. Choosing another
value of a variable replaces the first.

After each click every variable has its domain: the values that some machine has together with all choices made in the
*other* variables. For a variable without a choice that is what can still be chosen; for one with a choice, what it
could be changed to. A click on something unknown, or not possible any more, is refused, and nothing changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configurator.engine import Compiled, count_machines, domains
from configurator.importers.originals import NO, YES, Imported, Original
from configurator.importers.problems import Problems, nearest, read_text

Options = frozenset[str]


@dataclass(frozen=True, slots=True)
class Click:
    """A value chosen for a variable; None takes the choice back."""

    variable: str
    value: str | None


def read_clicks(path: Path) -> list[Click]:
    """Read a file of clicks. Raises ModelError with the place of what is no click."""
    problems = Problems(path.name)
    try:
        listed = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise problems.fail(error.lineno, f"not valid JSON in column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise problems.fail(1, "the JSON is nested too deeply: a list of clicks is flat.") from error
    if not isinstance(listed, list):
        raise problems.fail(1, 'the file must be a list of clicks: [{"name": value}, …].')
    clicks = []
    for place, said in enumerate(listed, 1):
        click = _click(said)
        if click is None:
            problems.add(1, f'click {place} is not {{"name": value}}, ["name", value] or {{"variable": "name", "value": value}}.')
        else:
            clicks.append(click)
    problems.stop()
    return clicks


def _click(said: Any) -> Click | None:
    match said:
        case {"variable": str(name), "value": value, **rest} if not rest:
            pass
        case [str(name), value]:
            pass
        case dict() if len(said) == 1:
            ((name, value),) = said.items()
        case _:
            return None
    if value is None:
        return Click(name, None)
    if isinstance(value, bool):
        return Click(name, YES if value else NO)
    return Click(name, str(value)) if isinstance(value, str | int | float) else None


class Replay:
    """The choices so far, and what they leave possible."""

    def __init__(self, imported: Imported, compiled: Compiled) -> None:
        self.imported = imported
        self.compiled = compiled
        self.chosen: dict[str, str] = {}
        self.many = {group.id for group in imported.model.groups if group.kind == "many"}
        self.domains = self._domains()

    def after(self, clicks: list[Click]) -> Iterator[dict[str, Any]]:
        """Click one after the other, and tell after each where things stand."""
        for place, click in enumerate(clicks, 1):
            refused = self.click(click)
            told: dict[str, Any] = {"click": place, "variable": click.variable, "value": click.value}
            if refused:
                told["refused"] = refused
            yield {**told, **self.state()}

    def click(self, click: Click) -> str:
        """Choose a value, or say why not; then nothing has changed."""
        original = self.imported.names.get(click.variable)
        if original is None:
            return f"there is no variable {click.variable!r}: {nearest(click.variable, self.imported.names)}"
        if click.value is None:
            self.chosen.pop(click.variable, None)
        elif click.value not in original.values:
            return f"{click.variable!r} has no value {click.value!r}: {nearest(click.value, original.values)}"
        elif click.value not in self.domains[click.variable]:
            return f"{click.variable!r} cannot be {click.value!r} with the other choices."
        else:
            self.chosen[click.variable] = click.value
        self.domains = self._domains()
        return ""

    def state(self) -> dict[str, Any]:
        """What is chosen, how many machines have it all, and every domain; `machines` is null where nobody can count them."""
        choices, without = self._asked()
        machines = count_machines(self.compiled, choices, hidden=without)
        return {
            "valid": machines is None or machines > 0,
            "machines": None if machines is None else str(machines),
            "chosen": dict(self.chosen),
            "domains": self.domains,
        }

    def _domains(self) -> dict[str, list[str]]:
        """The domain of every variable."""
        choices, without = self._asked()
        reach = domains(self.compiled, choices, without=without)
        by_group = self._by_group()
        return {
            name: self._of_many(original) if original.group in self.many else self._of_one(original, reach, by_group)
            for name, original in self.imported.names.items()
        }

    def _of_one(self, original: Original, reach: Mapping[str, Options], by_group: Mapping[str, list[str]]) -> list[str]:
        """The values left by the choices in other groups, and by those in other variables of the same group."""
        left = reach[original.group]
        for name in by_group.get(original.group, ()):
            if name != original.name:
                left &= self.imported.names[name].values[self.chosen[name]]
        return [value for value, options in original.values.items() if not options.isdisjoint(left)]

    def _of_many(self, original: Original) -> list[str]:
        """Whether an option of a "many" group can stay away, and whether it can be there."""
        before = self.chosen.get(original.name)
        found = []
        for value in original.values:
            self.chosen[original.name] = value
            if self._some(*self._asked()):
                found.append(value)
        self.chosen.pop(original.name)
        if before is not None:
            self.chosen[original.name] = before
        return found

    def _some(self, choices: dict[str, str | tuple[str, ...]], without: frozenset[tuple[str, str]]) -> bool:
        """Tell whether any machine keeps the choices: then one group at least has an option left."""
        group = next(group.id for group in self.imported.model.groups if group.kind == "one")
        left = domains(self.compiled, choices, without=without)[group]
        return choices[group] in left if group in choices else bool(left)

    def _by_group(self) -> dict[str, list[str]]:
        """The variables with a choice, by their group."""
        found: dict[str, list[str]] = {}
        for name in self.chosen:
            found.setdefault(self.imported.names[name].group, []).append(name)
        return found

    def _asked(self) -> tuple[dict[str, str | tuple[str, ...]], frozenset[tuple[str, str]]]:
        """The choices in the engine's terms: options chosen, and options ruled out."""
        choices: dict[str, str | tuple[str, ...]] = {}
        without: set[tuple[str, str]] = set()
        for group, names in self._by_group().items():
            meant = {value: [self.imported.names[name] for name in names if self.chosen[name] == value] for value in (YES, NO)}
            if group in self.many:
                choices[group] = tuple(option for original in meant[YES] for option in original.values[YES])
                without |= {(group, option) for original in meant[NO] for option in original.values[YES]}
                continue
            options = frozenset(self.imported.model.by_id[group].by_id)
            allowed = options.intersection(*(self.imported.names[name].values[self.chosen[name]] for name in names))
            if len(allowed) == 1:
                (choices[group],) = allowed
            else:
                without |= {(group, option) for option in options - allowed}
        return choices, frozenset(without)
