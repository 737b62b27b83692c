"""Readers of the public model files, for the proofs alone: UVL, FeatureIDE's XML, DIMACS, XCSP 2.1, CLib as JSON.

A feature is a variable of the values "no" and "yes". Nothing here is shared with the importers: that is the point.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, count
from math import inf
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.builders.oracles import BOOLEAN, Formula, Theory, all_of, any_of, has, implies, negation, term, within
from tests.conftest import SHARED

MODELS = SHARED / "models"


def read_theory(name: str) -> Theory:
    """Read a file of the public folder by its kind."""
    path = MODELS / name
    readers: dict[str, Callable[[Path], Theory]] = {
        ".uvl": uvl, ".dimacs": dimacs, ".json": clib, ".xml": feature_ide if "featureide" in name else xcsp,
    }
    return readers[path.suffix](path)


def feature(name: str) -> Formula:
    return has(name, "yes")


# ---------------------------------------------------------------- feature trees


def tree_rules(theory: Theory, parent: str, kind: str, children: Sequence[str]) -> None:
    """What a group of children demands: the child needs its parent, and the parent so and so many of them."""
    theory.rules += [(f"{child} under {parent}", implies(feature(child), feature(parent))) for child in children]
    features = [feature(child) for child in children]
    if kind == "mandatory":
        theory.rules += [(f"{parent} needs {child}", implies(feature(parent), feature(child))) for child in children]
    elif kind in {"or", "alternative"}:
        theory.rules.append((f"{parent} needs one of {children[0]}…", implies(feature(parent), any_of(features))))
    elif kind != "optional":
        raise ValueError(kind)
    if kind == "alternative":
        theory.rules += [
            (f"{one} or {other}", any_of([negation(feature(one)), negation(feature(other))])) for one, other in combinations(children, 2)
        ]


_LINE = re.compile(r'(\s*)(?:"([^"]*)"|([^\s{]+))\s*(\{.*\})?\s*$')
_GROUPS = {"mandatory", "optional", "or", "alternative"}


def uvl(path: Path) -> Theory:
    """Read a Universal Variability Language file of plain features."""
    head, _, rest = path.read_text().partition("features\n")
    tree, _, rules = rest.partition("constraints\n")
    assert not re.search("imports|include", head)
    theory = Theory(path.stem, {})
    _read_tree(theory, tree.splitlines())
    for number, line in enumerate(line for line in rules.splitlines() if line.strip()):
        theory.rules.append((f"constraint {number}", _Propositional(line).read()))
    return theory


def _read_tree(theory: Theory, lines: Iterable[str]) -> None:
    above: list[tuple[int, str, str, list[str]]] = []  # indent, parent, kind, children
    parents: list[tuple[int, str]] = []
    groups = []
    for line in lines:
        if not line.strip():
            continue
        match = _LINE.match(line)
        assert match, line
        indent, name, quoted = len(match[1]), match[2] or match[3], match[2] is not None
        while parents and parents[-1][0] >= indent:
            parents.pop()
        while above and above[-1][0] >= indent:
            above.pop()
        if not quoted and name in _GROUPS:
            above.append((indent, parents[-1][1], name, []))
            groups.append(above[-1])
            continue
        assert name not in theory.domains, name
        theory.domains[name] = BOOLEAN
        if above:
            above[-1][3].append(name)
        else:
            theory.rules.append((f"{name} is the root", feature(name)))
        parents.append((indent, name))
    for _, parent, kind, children in groups:
        tree_rules(theory, parent, kind, children)


class _Propositional:
    """A constraint of UVL: ! binds most, then &, |, =>, <=>."""

    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r'"[^"]*"|<=>|=>|[!&|()]|[^\s!&|()<=>"]+', text)
        self.at = 0

    def read(self) -> Formula:
        formula = self.equivalence()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return formula

    def take(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def equivalence(self) -> Formula:
        left = self.implication()
        while self.take("<=>"):
            right = self.implication()
            left = all_of([implies(left, right), implies(right, left)])
        return left

    def implication(self) -> Formula:
        left = self.joined("|", lambda: self.joined("&", self.factor, all_of), any_of)
        return implies(left, self.implication()) if self.take("=>") else left

    def joined(self, mark: str, part: Callable[[], Formula], join: Callable[[Iterable[Formula]], Formula]) -> Formula:
        parts = [part()]
        while self.take(mark):
            parts.append(part())
        return join(parts)

    def factor(self) -> Formula:
        if self.take("!"):
            return negation(self.factor())
        if self.take("("):
            inner = self.equivalence()
            assert self.take(")")
            return inner
        self.at += 1
        return feature(self.tokens[self.at - 1].strip('"'))


def feature_ide(path: Path) -> Theory:
    """Read a FeatureIDE extended feature model: the tree, the rules, and the attribute "Price" in euros."""
    root = ET.parse(path).getroot()
    struct, constraints = root.find("struct"), root.find("constraints")
    assert struct is not None
    assert constraints is not None
    (top,) = _nodes(struct)
    theory = Theory(path.stem, {})
    _read_node(theory, top)
    theory.rules.append(("the root", feature(str(top.get("name")))))
    for number, rule in enumerate(constraints.iter("rule")):
        theory.rules.append((f"constraint {number}", _xml_formula(rule[0])))
    return theory


def _nodes(parent: ET.Element) -> list[ET.Element]:
    return [child for child in parent if child.tag in {"and", "or", "alt", "feature"}]


def _read_node(theory: Theory, node: ET.Element) -> None:
    name = str(node.get("name"))
    assert name not in theory.domains, name
    theory.domains[name] = BOOLEAN
    for attribute in node.findall("attribute"):
        if attribute.get("name") == "Price" and attribute.get("value"):
            theory.prices[name, "yes"] = round(float(str(attribute.get("value"))) * 100)
    children = _nodes(node)
    names = [str(child.get("name")) for child in children]
    if node.tag == "and":
        mandatory = [str(child.get("name")) for child in children if child.get("mandatory") == "true"]
        tree_rules(theory, name, "mandatory", mandatory)
        tree_rules(theory, name, "optional", [child for child in names if child not in mandatory])
    elif children:
        tree_rules(theory, name, "alternative" if node.tag == "alt" else "or", names)
    for child in children:
        _read_node(theory, child)


def _xml_formula(node: ET.Element) -> Formula:
    parts = [_xml_formula(child) for child in node]
    match node.tag:
        case "var":
            return feature(str(node.text))
        case "not":
            return negation(parts[0])
        case "conj":
            return all_of(parts)
        case "disj":
            return any_of(parts)
        case "imp":
            return implies(*parts)
        case "eq":
            return all_of([implies(parts[0], parts[1]), implies(parts[1], parts[0])])
    raise ValueError(node.tag)


# ---------------------------------------------------------------- clauses, tables


def dimacs(path: Path) -> Theory:
    """Read clauses; a comment "c 3 NAME" names a variable."""
    names: dict[int, str] = {}
    theory = Theory(path.stem, {})
    numbers: Iterator[int] = iter(())
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["c"]:
            names[int(words[1])] = " ".join(words[2:])
        elif words[:1] == ["p"]:
            for number in range(1, int(words[2]) + 1):
                theory.domains[names.get(number, str(number))] = BOOLEAN
            numbers = count()
        elif words:
            assert words[-1] == "0"
            literals = [int(word) for word in words[:-1]]
            parts = [has(names.get(abs(one), str(abs(one))), BOOLEAN[one > 0]) for one in literals]
            theory.rules.append((f"clause {next(numbers)}", any_of(parts)))
    return theory


def xcsp(path: Path) -> Theory:
    """Read the relations of an XCSP 2.1 instance."""
    root = ET.parse(path).getroot()
    domains = {str(each.get("name")): _values(str(each.text)) for each in root.iter("domain")}
    theory = Theory(path.stem, {str(each.get("name")): domains[str(each.get("domain"))] for each in root.iter("variable")})
    relations = {str(each.get("name")): each for each in root.iter("relation")}
    for each in root.iter("constraint"):
        relation, scope = relations[str(each.get("reference"))], str(each.get("scope")).split()
        rows = [row.split() for row in str(relation.text).split("|") if row.split()]
        assert len(rows) == int(str(relation.get("nbTuples")))
        listed = any_of(all_of(has(*pair) for pair in zip(scope, row, strict=True)) for row in rows)
        supports = relation.get("semantics") == "supports"
        theory.rules.append((str(each.get("name")), listed if supports else negation(listed)))
    return theory


def _values(text: str) -> tuple[str, ...]:
    """The values of a domain: numbers, and ranges such as 3..7."""
    found: list[str] = []
    for word in text.split():
        first, _, last = word.partition("..")
        found += map(str, range(int(first), int(last or first) + 1))
    return tuple(found)


def clib(path: Path) -> Theory:
    """Read a CLib model as plain JSON: expressions over literals, and linear sums."""
    said = json.loads(path.read_text())
    theory = Theory(said["name"], {name: tuple(values) for name, values in said["vars"]})
    names = list(theory.domains)

    def expression(tree: list[Any]) -> Formula:
        kind, *parts = tree
        if kind == "lit":
            variable, places = names[parts[0]], parts[1]
            return has(variable, *(theory.domains[variable][place] for place in places))
        if kind == "not":
            return negation(expression(parts[0]))
        return {"and": all_of, "or": any_of}[kind](map(expression, parts))

    for name, kind, told in said["cons"]:
        if kind == "expr":
            theory.rules.append((name, expression(told)))
            continue
        assert kind == "lin"
        terms, operator, bound = told
        amounts = [term(names[place], dict(zip(theory.domains[names[place]], adds, strict=True))) for place, adds in terms]
        lowest, highest = {"<=": (-inf, bound), ">=": (bound, inf), "=": (bound, bound), "==": (bound, bound)}[operator]
        theory.rules.append((name, within(amounts, lowest, highest)))
    return theory
