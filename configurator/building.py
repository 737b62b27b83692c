"""Builds the decision diagram: every half-made machine, with those that can be finished alike in one node.

Layer by layer, variables get their values. The state of a half-made machine is what is left of each rule and, for the
running totals those rest rules speak of, the amount so far. States with the same rest differ only in amounts, and
most amounts end alike: so each finished node knows the range of amounts for which it is the same (its box), and an
amount inside a known box needs no further work. Nothing is rounded; the boxes are exact.
(Intervals for one sum: Abío et al., "A New Look at BDDs for Pseudo-Boolean Constraints", 2012.)
"""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from configurator.formulas import ALWAYS, NEVER, Formulas, Within

DEAD = -1
"""No machine can be finished from here."""

Rest = tuple[int, ...]
"""What is left of the rules, as formula numbers; empty when everything is allowed."""
Range = tuple[int, int]
Found = tuple[int, dict[int, Range]]
"""A node, and its box: the range of each total within which it is the same."""
_FAR = 1 << 62
_EVERYTHING: Range = (-_FAR, _FAR)


class TooLarge(Exception):
    """The diagram grew beyond its budget."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One variable in the order: its classes of values, and what each class adds to each running total."""

    variable: int
    representatives: tuple[int, ...]
    """A value of each class; all values of a class behave alike under the rules."""
    gains: dict[int, tuple[int, ...]]
    """For each total the variable is in: what each class adds."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One value chosen in one state, amounts apart: the rest, and the leaves to be judged by the amounts."""

    rest: Rest
    leaves: tuple[tuple[int, int, int], ...]
    """(formula number, total, bound) of every `Within` leaf in the rest."""


class _Boxes:
    """The finished nodes of one rest: boxes in rows by their ranges of the narrow totals, sorted by the widest one."""

    def __init__(self, totals: list[int]) -> None:
        self.wide: int | None = totals[0] if totals else None
        self.narrow = totals[1:]
        self.rows: dict[tuple[Range, ...], tuple[list[int], list[Found]]] = {}

    def find(self, amounts: dict[int, int]) -> Found | None:
        """Return the node whose box holds the amounts."""
        wide = amounts[self.wide] if self.wide is not None else 0
        for ranges, (lows, founds) in self.rows.items():
            for total, (low, high) in zip(self.narrow, ranges, strict=True):
                if not low <= amounts[total] <= high:
                    break
            else:
                place = bisect.bisect_right(lows, wide) - 1
                if place >= 0 and (self.wide is None or wide <= founds[place][1].get(self.wide, _EVERYTHING)[1]):
                    return founds[place]
        return None

    def add(self, found: Found) -> None:
        """Keep a finished node."""
        box = found[1]
        ranges = tuple(box.get(total, _EVERYTHING) for total in self.narrow)
        lows, founds = self.rows.setdefault(ranges, ([], []))
        low = box.get(self.wide, _EVERYTHING)[0] if self.wide is not None else 0
        place = bisect.bisect_right(lows, low)
        lows.insert(place, low)
        founds.insert(place, found)


class Builder:
    """Builds nodes for one order of the variables. Raises TooLarge beyond `budget` nodes."""

    def __init__(self, formulas: Formulas, layers: Sequence[Layer], budget: int, *, any_will_do: bool = False) -> None:
        self.formulas = formulas
        self.layers = layers
        self.budget = budget
        self.any_will_do = any_will_do
        """Stop at the first machine: enough to know whether there is one."""
        self.nodes: list[dict[tuple[int, ...], int]] = [{} for _ in layers]
        """Per layer: the children of each node (one per class) and its number."""
        self.work = 0
        self.to_come = self._ranges_to_come()
        self.known: list[dict[Rest, _Boxes]] = [{} for _ in range(len(layers) + 1)]
        self._steps: dict[tuple[int, Rest, int], _Step | None] = {}
        self._outcomes: dict[tuple[Rest, tuple[bool | None, ...]], Rest | None] = {}
        self._free = self._free_nodes()

    def build(self, rules: Iterable[int]) -> int:
        """Build everything below the rules; return the root's number in the first layer, or DEAD."""
        rest = self._rest(rules)
        if rest is None:
            return DEAD
        totals = {total: 0 for _, total, _ in self._leaves(rest)}
        limits: dict[int, Range] = {}
        decided = self._decided(0, _Step(rest, self._leaves(rest)), totals, limits)
        return DEAD if decided is None else self._node(0, decided, totals)[0]

    def _ranges_to_come(self) -> list[dict[int, Range]]:
        """Per layer: the least and the most that this and the later layers can add to each total."""
        ranges: list[dict[int, Range]] = [{}]
        for layer in reversed(self.layers):
            here = dict(ranges[0])
            for total, gains in layer.gains.items():
                least, most = here.get(total, (0, 0))
                here[total] = (least + min(gains), most + max(gains))
            ranges.insert(0, here)
        return ranges

    def _free_nodes(self) -> list[int]:
        """Make the nodes below which everything is allowed, one per layer; 0 stands after the last layer."""
        free = [0] * (len(self.layers) + 1)
        for place in range(len(self.layers) - 1, -1, -1):
            free[place] = self._numbered(place, (free[place + 1],) * len(self.layers[place].representatives))
        return free

    def _numbered(self, place: int, children: tuple[int, ...]) -> int:
        """Number a node; equal nodes of a layer are one."""
        nodes = self.nodes[place]
        return nodes.setdefault(children, len(nodes))

    def _node(self, place: int, rest: Rest, totals: dict[int, int]) -> Found:
        """Return the node of a state, and the box of amounts for which it is the same."""
        if not rest:
            return self._free[place], {}
        known = self.known[place].get(rest)
        if known is None:
            known = self.known[place][rest] = _Boxes(self._by_width(place, totals))
        found = known.find(totals)
        if found is None:
            self.work += 1
            if self.work > self.budget:
                raise TooLarge
            found = self._expanded(place, rest, totals)
            known.add(found)
        return found

    def _by_width(self, place: int, totals: Iterable[int]) -> list[int]:
        """Sort totals so that the one with the widest range to come is first."""
        return sorted(totals, key=lambda total: operator.sub(*self.to_come[place].get(total, (0, 0))))

    def _expanded(self, place: int, rest: Rest, totals: dict[int, int]) -> Found:
        """Try every class of the layer's variable; the box is where all of them end as they do now."""
        layer = self.layers[place]
        box: dict[int, Range] = {}
        children = []
        for position in range(len(layer.representatives)):
            step = self._step(place, rest, position)
            limits: dict[int, Range] = {}
            child = DEAD
            if step is not None:
                gains = {total: layer.gains[total][position] if total in layer.gains else 0 for _, total, _ in step.leaves}
                amounts = {total: totals[total] + gain for total, gain in gains.items()}
                decided = self._decided(place + 1, step, amounts, limits)
                if decided is not None:
                    child, below = self._node(place + 1, decided, amounts)
                    for total, range_below in below.items():
                        limits[total] = _common(limits.get(total), range_below)
                limits = {total: (low - gains[total], high - gains[total]) for total, (low, high) in limits.items()}
                if self.any_will_do and child != DEAD:
                    return 0, limits
            for total, range_here in limits.items():
                box[total] = _common(box.get(total), range_here)
            children.append(child)
        alive = any(child != DEAD for child in children)
        return (self._numbered(place, tuple(children)) if alive else DEAD), box

    def _step(self, place: int, rest: Rest, position: int) -> _Step | None:
        """Give the layer's variable a value in every rest rule; None if that breaks one."""
        key = (place, rest, position)
        if key in self._steps:
            return self._steps[key]
        layer = self.layers[place]
        value = layer.representatives[position]
        after = self._rest(self.formulas.assigned(rule, layer.variable, value) for rule in rest)
        step = self._steps[key] = None if after is None else _Step(after, self._leaves(after))
        return step

    def _decided(self, place: int, step: _Step, amounts: dict[int, int], limits: dict[int, Range]) -> Rest | None:
        """Judge every leaf that later choices cannot change any more, and note the amounts for which this is so."""
        if not step.leaves:
            return step.rest
        outcomes: list[bool | None] = []
        for _, total, bound in step.leaves:
            least, most = self.to_come[place].get(total, (0, 0))
            amount = amounts[total]
            outcome: bool | None = None
            if amount + most <= bound:
                outcome, fits = True, (-_FAR, bound - most)
            elif amount + least > bound:
                outcome, fits = False, (bound - least + 1, _FAR)
            else:
                fits = (bound - most + 1, bound - least)
            limits[total] = _common(limits.get(total), fits)
            outcomes.append(outcome)
        return self._judged(step, tuple(outcomes))

    def _judged(self, step: _Step, outcomes: tuple[bool | None, ...]) -> Rest | None:
        """Return what is left of the rules when some totals are known to stay below or above their bounds."""
        key = (step.rest, outcomes)
        if key not in self._outcomes:
            leaves = {
                number: outcome is self._at_most(number)
                for (number, _, _), outcome in zip(step.leaves, outcomes, strict=True)
                if outcome is not None
            }
            self._outcomes[key] = self._rest(self.formulas.decided(rule, leaves) for rule in step.rest)
        return self._outcomes[key]

    def _at_most(self, number: int) -> bool:
        leaf = self.formulas.nodes[number]
        assert isinstance(leaf, Within)
        return leaf.at_most

    def _leaves(self, rest: Rest) -> tuple[tuple[int, int, int], ...]:
        numbers = sorted(frozenset().union(*(self.formulas.totals[rule] for rule in rest)))
        leaves = [(number, self.formulas.nodes[number]) for number in numbers]
        return tuple((number, leaf.total, leaf.bound) for number, leaf in leaves if isinstance(leaf, Within))

    def _rest(self, rules: Iterable[int]) -> Rest | None:
        """Sort what is left of the rules, without those that hold already; None if one is broken."""
        left = set(rules)
        if NEVER in left:
            return None
        left.discard(ALWAYS)
        return tuple(sorted(left))


def _common(first: Range | None, second: Range) -> Range:
    """The amounts in both ranges."""
    if first is None:
        return second
    return max(first[0], second[0]), min(first[1], second[1])
