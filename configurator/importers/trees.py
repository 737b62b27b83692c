"""A tree of features as groups of a model.

An alternative group becomes one group with its features as options; alternatives inside alternatives are merged into
it, so that a choice among three families of nine processors is one question with twenty-seven answers. A mandatory
feature is its parent under another name. Every other feature is a group of "no" and "yes", or of "no" and its own
alternatives. So a feature is a set of options of one group, and every valid set of features is exactly one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.importers.drafting import Draft, Literal, unused
from configurator.importers.logic import ALWAYS, Formula
from configurator.importers.originals import NO, YES
from configurator.language.conditions import Compared, Number, Sum

_DEEPEST_MERGE = 20
"""Alternatives inside alternatives beyond this get groups of their own."""


@dataclass(slots=True, eq=False)
class Feature:
    """A feature as its file has it."""

    name: str
    line: int
    file: str
    branches: list[Branch] = field(default_factory=list)
    attributes: dict[str, Fraction] = field(default_factory=dict)
    """Only those that are numbers."""
    price: int = 0
    """In minor units."""


@dataclass(slots=True, eq=False)
class Branch:
    """Children of a feature, and how many of them it has when it is chosen."""

    lower: int
    upper: int
    children: list[Feature]
    line: int


def all_features(root: Feature) -> Iterator[Feature]:
    """The features of a tree, parents first, in the order of the file."""
    waiting = [root]
    while waiting:
        feature = waiting.pop()
        yield feature
        waiting.extend(child for branch in reversed(feature.branches) for child in reversed(branch.children))


def plant(draft: Draft, root: Feature) -> dict[str, Literal]:
    """Turn the tree into groups and rules, with each feature's name and price; return what each feature is."""
    planter = _Planter(draft)
    planter.sprout(root.name, [root], root.line, absent=False)
    while planter.waiting:
        planter.tend(*planter.waiting.pop())
    for feature in all_features(root):
        group, options = planter.literals[feature.name]
        others = [option for option in draft.groups[group].options if option not in options]
        draft.named(feature.name, group, {NO: others, YES: options})
        for option in options if feature.price else ():
            draft.groups[group].options[option].price += feature.price
    return planter.literals


class _Planter:
    """Grows groups from the root down; `waiting` holds features whose other branches are still to be seen to."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.literals: dict[str, Literal] = {}
        self.waiting: list[tuple[Feature, Branch]] = []

    def sprout(self, name: str, nodes: list[Feature], line: int, *, absent: bool) -> Literal:
        """Make one group of features that exclude each other; return what "one of them" is."""
        leaves: dict[str, str] = {}
        absence = unused(NO if len(nodes) == 1 else "none", {node.name for node in nodes})
        if absent:
            leaves[absence] = absence
        spans = self._spans(nodes, leaves)
        if len(leaves) == 1 + absent and len(nodes) == 1:
            leaves = {**({NO: NO} if absent else {}), YES: YES}
        group = self.draft.group(name, leaves, line)
        order = list(leaves)
        for feature, start, end in spans:
            self.literals[feature.name] = (group, frozenset(order[start:end]))
        return group, frozenset(order[absent:])

    def _spans(self, nodes: list[Feature], leaves: dict[str, str]) -> list[tuple[Feature, int, int]]:
        """Find the options below the features, and for each feature met from which to which option it reaches."""
        spans = []
        others: list[tuple[Feature, Branch]] = []
        waiting: list[tuple[Feature, int, list[Feature] | None, int]] = [(node, 0, None, 0) for node in reversed(nodes)]
        while waiting:
            node, depth, same, start = waiting.pop()
            if same is not None:
                spans += [(feature, start, len(leaves)) for feature in same]
                continue
            same = _inseparable(node)
            inner = next((branch for feature in same for branch in feature.branches if _is_alternative(branch)), None)
            waiting.append((node, depth, same, len(leaves)))
            if inner is None or depth == _DEEPEST_MERGE:
                inner = None
                leaves[unused(node.name, leaves)] = node.name
            else:
                waiting.extend((child, depth + 1, None, 0) for child in reversed(inner.children))
            others += [
                (feature, branch) for feature in same for branch in feature.branches if branch is not inner and not _is_mandatory(branch)
            ]
        self.waiting.extend(reversed(others))
        return spans

    def tend(self, parent: Feature, branch: Branch) -> None:
        """Make groups of the children in a branch, and the rules that tie them to their parent."""
        draft, logic = self.draft, self.draft.logic
        above = draft.literal(self.literals[parent.name])
        if branch.upper == 1 and len(branch.children) > 1:
            absent = branch.lower == 0 or above is not ALWAYS
            some = draft.literal(self.sprout(parent.name, branch.children, branch.line, absent=absent))
            self._rule(logic.implied(some, above), branch.line, parent, f"one of these only with “{parent.name}”")
            if branch.lower == 1:
                self._rule(logic.implied(above, some), branch.line, parent, f"“{parent.name}” is one of these")
            return
        children = [self.sprout(child.name, [child], child.line, absent=True) for child in branch.children]
        for child, literal in zip(branch.children, children, strict=True):
            reason = f"“{child.name}” is part of “{parent.name}”"
            self._rule(logic.implied(draft.literal(literal), above), child.line, parent, reason)
        if branch.lower == 1:
            some = logic.any_of(draft.literal(child) for child in children)
            self._rule(logic.implied(above, some), branch.line, parent, f"“{parent.name}” needs at least one of these")
        if branch.lower > 1 or branch.upper < len(children):
            self._count(above, parent, branch, children)

    def _count(self, above: Formula, parent: Feature, branch: Branch, children: list[Literal]) -> None:
        """With the parent, as many children as the branch says."""
        name = f"{parent.name}:{branch.line}"
        for child in children:
            self.draft.add_attribute(child, name, Fraction(1))
        how_many = Sum(name, tuple(group for group, _ in children))
        reason = f"“{parent.name}” has {branch.lower} to {branch.upper} of these"
        if branch.lower > 1:
            enough = Formula(Compared(">=", how_many, Number(Fraction(branch.lower))))
            self._rule(self.draft.logic.implied(above, enough), branch.line, parent, reason)
        if branch.upper < len(children):
            few = Formula(Compared("<=", how_many, Number(Fraction(branch.upper))))
            self._rule(few, branch.line, parent, reason)

    def _rule(self, formula: Formula, line: int, feature: Feature, reason: str) -> None:
        self.draft.rule(formula, line, reason, feature.file)


def _inseparable(feature: Feature) -> list[Feature]:
    """The feature and all that is mandatory with it, and with those."""
    found = []
    waiting = [feature]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(child for branch in reversed(one.branches) if _is_mandatory(branch) for child in reversed(branch.children))
    return found


def _is_mandatory(branch: Branch) -> bool:
    return branch.lower == len(branch.children)


def _is_alternative(branch: Branch) -> bool:
    return branch.lower == branch.upper == 1 and len(branch.children) > 1

