"""FeatureIDE's feature models in XML, with the prices that extended models carry.

`<and>`, `<or>`, `<alt>` and `<feature>` make the tree (only under `<and>` may a feature be mandatory), `<rule>` holds a
constraint. An attribute called Price (or price) is money in the currency of its unit, exactly; the root's is the price
of the bare machine. Other attributes do not matter here.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

from configurator.importers.drafting import Draft, Literal
from configurator.importers.logic import ALWAYS, Formula
from configurator.importers.markup import Node, read_markup
from configurator.importers.originals import Imported
from configurator.importers.problems import MOST_MINOR, nearest, read_bytes
from configurator.importers.trees import Branch, Feature, plant
from fulfillment.kernel.money import EXPONENT

_CURRENCIES = {"": "EUR", "€": "EUR", "$": "USD", "£": "GBP", "¥": "CNY"}
"""By the sign of a price's unit; a code stands for itself. FeatureIDE writes no unit where there is only one: euros."""
_CONNECTIVES = {"conj": "all", "disj": "any", "not": "not", "imp": "imp", "eq": "iff", "atmost1": "amo"}
_KINDS = frozenset({"and", "or", "alt", "feature"})
_REMARKS = frozenset({"description", "graphics", "attribute", "tags", "property"})


def read_featureide(path: Path) -> Imported:
    """Read a FeatureIDE file. Raises ModelError."""
    content = read_bytes(path)
    return _Reader(Draft(path, "FeatureIDE", content), read_markup(content, path)).read()


class _Reader:
    """Reads the tree, then the constraints."""

    def __init__(self, draft: Draft, document: Node) -> None:
        self.draft = draft
        self.problems = draft.problems
        self.document = document
        self.lines: dict[str, int] = {}
        self.currency = ""
        self.literals: dict[str, Literal] = {}

    def read(self) -> Imported:
        """Read the document."""
        struct = self.document.first("struct")
        roots = [node for node in struct.children if node.tag in _KINDS] if struct else []
        if len(roots) != 1:
            line = struct.line if struct else self.document.line
            raise self.problems.fail(line, f"<struct> must hold one root feature, not {len(roots)}: is it a FeatureIDE model?")
        root = self._tree(roots[0])
        self.problems.stop()
        if self.currency:
            self.draft.currency = self.currency
        self.literals = plant(self.draft, root)
        constraints = self.document.first("constraints")
        for rule in constraints.all("rule") if constraints else ():
            self._rule(rule)
        return self.draft.finished()

    def _tree(self, top: Node) -> Feature:
        """Read features from the root down."""
        root = self._feature(top)
        waiting = [(top, root)]
        while waiting:
            node, feature = waiting.pop()
            inner = [child for child in node.children if child.tag not in _REMARKS]
            for child in inner:
                if child.tag not in _KINDS:
                    self.problems.add(child.line, f"<{child.tag}> is no kind of feature: and, or, alt and feature are.")
            pairs = [(child, self._feature(child)) for child in inner if child.tag in _KINDS]
            feature.branches = self._branches(node, pairs)
            waiting.extend(pairs)
        return root

    def _branches(self, node: Node, pairs: list[tuple[Node, Feature]]) -> list[Branch]:
        children = [child for _, child in pairs]
        if not children:
            if node.tag in {"or", "alt"}:
                self.problems.add(node.line, f"{node.get('name')!r} is an empty group: give it a feature, or make it a <feature>.")
            return []
        if node.tag == "feature":
            self.problems.add(node.line, f"<feature> {node.get('name')!r} has features inside: make it <and>, <or> or <alt>.")
        if node.tag in {"or", "alt"}:
            return [Branch(1, 1 if node.tag == "alt" else len(children), children, node.line)]
        mandatory = [child for inner, child in pairs if inner.get("mandatory") == "true"]
        optional = [child for inner, child in pairs if inner.get("mandatory") != "true"]
        branches = [Branch(len(mandatory), len(mandatory), mandatory, node.line), Branch(0, len(optional), optional, node.line)]
        return [branch for branch in branches if branch.children]

    def _feature(self, node: Node) -> Feature:
        name = node.get("name")
        if not name:
            self.problems.add(node.line, f"a <{node.tag}> has no name: give it one.")
        elif name in self.lines:
            self.problems.add(node.line, f"the feature {name!r} exists already in line {self.lines[name]}: rename one of them.")
        self.lines.setdefault(name, node.line)
        feature = Feature(name, node.line, self.draft.path.name)
        for attribute in node.all("attribute"):
            if attribute.get("name").lower() == "price" and attribute.get("value"):
                feature.price += self._price(attribute)
        return feature

    def _price(self, attribute: Node) -> int:
        """A price in minor units, exactly."""
        unit = attribute.get("unit").strip()
        currency = _CURRENCIES.get(unit, unit.upper())
        if currency not in EXPONENT:
            self.problems.add(attribute.line, f"the currency {unit!r} is not known: write one of {', '.join(sorted(EXPONENT))}.")
            return 0
        if self.currency not in {"", currency}:
            self.problems.add(attribute.line, f"a price in {currency} among prices in {self.currency}: use one currency.")
        self.currency = currency
        said = attribute.get("value")
        try:
            price = Decimal(said)
        except InvalidOperation:
            price = Decimal("NaN")
        minor = price.scaleb(EXPONENT[currency]) if abs(price.adjusted()) < 20 else price
        if not price.is_finite():
            self.problems.add(attribute.line, f"the price {said[:20]!r} is no number: write it as 12.50.")
        elif not -MOST_MINOR < minor < MOST_MINOR:
            self.problems.add(attribute.line, f"the price {said[:20]} is beyond any machine: correct it.")
        elif minor != int(minor):
            self.problems.add(attribute.line, f"the price {said[:20]} is finer than {currency} allows: round it.")
        else:
            return int(minor)
        return 0

    def _rule(self, rule: Node) -> None:
        expressions = [node for node in rule.children if node.tag not in _REMARKS]
        if len(expressions) != 1:
            self.problems.add(rule.line, f"a <rule> holds one formula, not {len(expressions)}: join them by <conj>.")
            return
        self.draft.constraints += 1
        formula = self._formula(expressions[0])
        description = rule.first("description")
        reason = description.text.strip() if description else ""
        self.draft.rule(formula, rule.line, reason or f"the rule in line {rule.line}")

    def _formula(self, top: Node) -> Formula:
        """Read a formula from the innermost parts outwards."""
        done: list[Formula] = []
        waiting = [(top, False)]
        while waiting:
            node, inside_done = waiting.pop()
            if node.tag == "var":
                done.append(self._variable(node))
            elif inside_done:
                start = len(done) - len(node.children)
                done[start:] = [self._joined(node, done[start:])]
            else:
                waiting.append((node, True))
                waiting.extend((child, False) for child in reversed(node.children))
        return done[0]

    def _variable(self, node: Node) -> Formula:
        name = node.text.strip()
        if name in self.literals:
            return self.draft.literal(self.literals[name])
        self.problems.add(node.line, f"the rule names no feature {name!r}: {nearest(name, self.literals)}")
        return ALWAYS

    def _joined(self, node: Node, parts: list[Formula]) -> Formula:
        joined = self.draft.logic.applied(_CONNECTIVES.get(node.tag, ""), parts) if parts else None
        if joined is None:
            known = ", ".join(_CONNECTIVES)
            self.problems.add(node.line, f"<{node.tag}> with {len(parts)} parts is not known: {known} and var are.")
            return ALWAYS
        return joined
