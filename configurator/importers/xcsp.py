"""XCSP 2.1, as the public Renault instances use it: variables with domains, constraints that are tables.

A relation lists the tuples it supports, or those in conflict with it; a predicate is an expression, tabulated over the
variables it is used with. The joker value of an optional variable ("it is not there") is a value like any other.
Source: Organising Committee of the CSP competitions, "XML Representation of Constraint Networks, Format XCSP 2.1".
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from configurator.importers.drafting import Draft
from configurator.importers.logic import ALWAYS, Formula, chosen
from configurator.importers.markup import Node, read_markup
from configurator.importers.originals import Imported
from configurator.importers.predicates import Predicate, PredicateError, read_predicate
from configurator.importers.problems import MOST_VALUES, nearest, read_bytes
from configurator.language.conditions import Listed

MOST_TUPLES = 2_000_000
"""A predicate is tabulated over no more combinations of values."""

_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_WHOLE = re.compile(r"[-+]?\d+")


@dataclass(frozen=True, slots=True)
class _Relation:
    arity: int
    rows: tuple[tuple[str, ...], ...]
    supports: bool


def read_xcsp(path: Path) -> Imported:
    """Read an XCSP 2.1 file. Raises ModelError."""
    content = read_bytes(path)
    return _Reader(Draft(path, "XCSP 2.1", content), read_markup(content, path)).read()


class _Reader:
    """Reads domains, variables, relations, predicates and constraints, in this order."""

    def __init__(self, draft: Draft, instance: Node) -> None:
        self.draft = draft
        self.problems = draft.problems
        self.instance = instance
        self.relations: dict[str, _Relation] = {}
        self.predicates: dict[str, Predicate] = {}

    def read(self) -> Imported:
        """Read the instance."""
        if self.instance.tag != "instance":
            raise self.problems.fail(self.instance.line, f"<{self.instance.tag}> is no XCSP 2.1 file: it begins with <instance>.")
        presentation = self.instance.first("presentation")
        form = presentation.get("format") if presentation else ""
        if form and form != "XCSP 2.1":
            raise self.problems.fail(self.instance.line, f"the format is {form!r}; only XCSP 2.1 is read: convert it.")
        self._variables(self._domains())
        self._relations()
        for node in self._listed("predicates", "predicate"):
            try:
                self.predicates[node.get("name")] = read_predicate(node)
            except PredicateError as error:
                self.problems.add(node.line, f"predicate {node.get('name')!r}: {error}.")
        for node in self._listed("constraints", "constraint"):
            self._constraint(node)
        return self.draft.finished()

    def _listed(self, section: str, tag: str) -> list[Node]:
        """The nodes of a section; their number must be what the section promises, their names different."""
        around = self.instance.first(section)
        if around is None:
            return []
        nodes = list(around.all(tag))
        promised = around.get("nb" + section.capitalize())
        if promised and promised != str(len(nodes)):
            self.problems.add(around.line, f"<{section}> promises {promised}, but there are {len(nodes)}: was the file cut off?")
        lines: dict[str, int] = {}
        for node in nodes:
            name = node.get("name")
            if not name:
                self.problems.add(node.line, f"a <{tag}> has no name: give it one.")
            elif name in lines:
                self.problems.add(node.line, f"the {tag} {name!r} exists already in line {lines[name]}: rename one of them.")
            lines.setdefault(name, node.line)
        return nodes

    def _domains(self) -> dict[str, list[str]]:
        domains = {}
        for node in self._listed("domains", "domain"):
            values: dict[str, None] = {}
            for word in node.text.split():
                span = _RANGE.fullmatch(word)
                first, last = (int(span[1]), int(span[2])) if span else (0, -1)
                if span and last - first < MOST_VALUES:
                    values.update(dict.fromkeys(str(value) for value in range(first, last + 1)))
                elif _WHOLE.fullmatch(word):
                    values[str(int(word))] = None
                elif span:
                    many = f"domain {node.get('name')!r} has {last - first + 1:,} values, more than {MOST_VALUES:,}"
                    self.problems.add(node.line, f"{many}: divide it into ranges that matter.")
                else:
                    self.problems.add(node.line, f"{word[:40]!r} in {node.get('name')!r} is neither a whole number nor a range 1..9.")
            self._promised(node, "nbValues", len(values))
            if not values:
                self.problems.add(node.line, f"domain {node.get('name')!r} is empty: give it at least one value.")
            domains[node.get("name")] = list(values)
        return domains

    def _promised(self, node: Node, attribute: str, found: int) -> None:
        promised = node.get(attribute)
        if promised and promised != str(found):
            said = f"{node.tag} {node.get('name')!r} promises {attribute} {promised}, but has {found}"
            self.problems.add(node.line, f"{said}: correct one of them.")

    def _variables(self, domains: dict[str, list[str]]) -> None:
        for node in self._listed("variables", "variable"):
            values = domains.get(node.get("domain"))
            if values is None:
                self.problems.add(node.line, f"there is no domain {node.get('domain')!r}: {nearest(node.get('domain'), domains)}")
            elif node.get("name") not in self.draft.names and values:
                group = self.draft.group(node.get("name"), {value: value for value in values}, node.line)
                self.draft.named(node.get("name"), group, {value: [value] for value in values})
        self.problems.stop()

    def _relations(self) -> None:
        for node in self._listed("relations", "relation"):
            arity, semantics = node.get("arity"), node.get("semantics")
            if semantics not in {"supports", "conflicts"}:
                said = f"relation {node.get('name')!r} has semantics {semantics!r}"
                self.problems.add(node.line, f"{said}: 'supports' and 'conflicts' are read.")
            rows = [tuple(str(int(word)) if _WHOLE.fullmatch(word) else word for word in row.split()) for row in node.text.split("|")]
            rows = [row for row in rows if row]
            self._promised(node, "nbTuples", len(rows))
            wrong = next((row for row in rows if str(len(row)) != arity), None)
            if wrong:
                self.problems.add(node.line, f"relation {node.get('name')!r} has arity {arity!r}, but a tuple reads {' '.join(wrong)!r}.")
            self.relations[node.get("name")] = _Relation(len(rows[0]) if rows else int(arity or 0), tuple(rows), semantics == "supports")
        self.problems.stop()

    def _constraint(self, node: Node) -> None:
        names = node.get("scope").split()
        unknown = [name for name in names if name not in self.draft.names]
        reference = node.get("reference")
        said = f"constraint {node.get('name')!r}"
        if unknown:
            self.problems.add(node.line, f"{said} names no variable {unknown[0]!r}: {nearest(unknown[0], self.draft.names)}")
            return
        if len(set(names)) < len(names):
            self.problems.add(node.line, f"{said} names a variable twice: name each once.")
            return
        scope = tuple(self.draft.names[name].group for name in names)
        if reference in self.relations:
            formula = self._table(node, self.relations[reference], scope)
        elif reference in self.predicates:
            formula = self._tabulated(node, self.predicates[reference], names)
        elif reference.lower() == "global:alldifferent":
            formula = self._all_different(scope)
        else:
            known = [*self.relations, *self.predicates, "global:allDifferent"]
            self.problems.add(node.line, f"{said} refers to {reference!r}, which is not there: {nearest(reference, known)}")
            return
        self.draft.constraints += 1
        self.draft.rule(formula, node.line, f"{node.get('name')}: {', '.join(names)}")

    def _table(self, node: Node, relation: _Relation, scope: tuple[str, ...]) -> Formula:
        if len(scope) != relation.arity:
            message = f"constraint {node.get('name')!r} has {len(scope)} variables, but its relation {relation.arity}: correct its scope."
            self.problems.add(node.line, message)
            return ALWAYS
        domains = [self.draft.groups[group].options for group in scope]
        rows = frozenset(row for row in relation.rows if all(value in domain for value, domain in zip(row, domains, strict=False)))
        return self._among(scope, rows, supports=relation.supports)

    def _among(self, scope: tuple[str, ...], rows: frozenset[tuple[str, ...]], *, supports: bool) -> Formula:
        if len(scope) == 1:
            some = chosen(scope[0], sorted(value for (value,) in rows))
            return some if supports else self.draft.logic.negated(some)
        listed = Formula(Listed(scope, rows))
        return listed if supports else self.draft.logic.negated(listed)

    def _tabulated(self, node: Node, predicate: Predicate, names: list[str]) -> Formula:
        """Try a predicate on every combination of values."""
        parameters = node.first("parameters")
        words = parameters.text.split() if parameters else names
        domains = [list(self.draft.names[name].values) for name in names]
        size = 1
        for domain in domains:
            size *= len(domain)
        said = f"constraint {node.get('name')!r}"
        strange = [word for word in words if word not in names and not _WHOLE.fullmatch(word)]
        if strange or len(words) != len(predicate.parameters):
            self.problems.add(node.line, f"{said} must give its predicate {len(predicate.parameters)} variables of its scope or numbers.")
        elif size > MOST_TUPLES:
            many = f"{said} spans {size:,} combinations, more than {MOST_TUPLES:,}"
            self.problems.add(node.line, f"{many}: state it as a table, or in parts.")
        else:
            places = [names.index(word) if word in names else None for word in words]
            numbers = [0 if word in names else int(word) for word in words]
            rows = set()
            for row in itertools.product(*domains):
                given = [number if place is None else int(row[place]) for place, number in zip(places, numbers, strict=True)]
                if predicate.holds(given):
                    rows.add(row)
            return self._among(tuple(self.draft.names[name].group for name in names), frozenset(rows), supports=True)
        return ALWAYS

    def _all_different(self, scope: tuple[str, ...]) -> Formula:
        logic = self.draft.logic
        values = dict.fromkeys(value for group in scope for value in self.draft.groups[group].options)
        return logic.all_of(
            logic.at_most_one([chosen(group, (value,)) for group in scope if value in self.draft.groups[group].options]) for value in values
        )
