"""Builds the decision diagram: every half-made machine, with those that can be finished alike in one node.

Layer by layer, variables get their values. The state of a half-made machine is what is left of each rule and, for the
running totals those rest rules speak of, the amount so far. States with the same rest differ only in amounts, and
most amounts end alike: so each finished node knows the range of amounts for which it is the same (its box), and an
amount inside a known box needs no further work. Nothing is rounded; the boxes are exact.
(Intervals for one sum: Abío et al., "A New Look at BDDs for Pseudo-Boolean Constraints", 2012.)
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from configurator.engine.deadlines import NEVER_ENDING, Deadline, TooLarge
from configurator.engine.formulas import ALWAYS, NEVER, Formulas, Inside, Within

DEAD = -1
"""No machine can be finished from here."""

Rest = tuple[int, ...]
"""What is left of the rules, as formula numbers; empty when everything is allowed."""
Box = dict[int, tuple[int, int]]
"""For each total, the amounts from and to which a node is the same."""
Found = tuple[int, Box]
_FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Layer:
    """One variable in the order: its classes of values, and what each class adds to each running total."""

    variable: int
    representatives: tuple[int, ...]
    """A value of each class; all values of a class behave alike under the rules."""
    gains: dict[int, tuple[int, ...]]
    """For each total the variable is in: what each class adds."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A `Within` leaf to be judged on arrival in a layer, by the amount before the last step."""

    number: int
    total: int
    holds_to: int
    """Up to here it holds whatever comes later."""
    open_to: int
    """Above this it fails whatever comes later."""


@dataclass(slots=True)
class _Step:
    """One value chosen in one state: what is left of the rules, and how the amounts decide what remains of that."""

    rest: Rest
    gains: dict[int, int]
    """What the value adds to each total the rest speaks of."""
    leaves: list[_Leaf]
    decided: dict[tuple[bool | None, ...], Rest | None] = field(default_factory=dict)
    """What is left for each way the leaves can turn out; None if a rule is broken."""


class _State:
    """Half-made machines with the same rest: their next steps, and the finished nodes.

    Boxes stand in rows by their ranges of the narrower totals, sorted by the widest one, so that finding the box of
    an amount is a short search.
    """

    def __init__(self, totals: Sequence[int], steps: list[_Step | None]) -> None:
        self.wide, self.narrow = totals[:1], totals[1:]
        self.different = list({id(step): step for step in steps if step is not None}.values())
        """Many classes take the same step: the rest and the gains are all that counts."""
        numbers = {id(step): number for number, step in enumerate(self.different)}
        self.taken = [DEAD if step is None else numbers[id(step)] for step in steps]
        """For each class, the number of its step."""
        self.rows: dict[tuple[tuple[int, int], ...], tuple[list[int], list[Found]]] = {}

    def find(self, amounts: Mapping[int, int]) -> Found | None:
        """Return the node whose box holds the amounts."""
        for ranges, (lows, founds) in self.rows.items():
            for total, (low, high) in zip(self.narrow, ranges, strict=True):
                if not low <= amounts[total] <= high:
                    break
            else:
                if not self.wide:
                    return founds[0]
                amount = amounts[self.wide[0]]
                place = bisect.bisect_right(lows, amount) - 1
                if place >= 0 and amount <= founds[place][1][self.wide[0]][1]:
                    return founds[place]
        return None

    def add(self, found: Found) -> None:
        """Keep a finished node."""
        box = found[1]
        lows, founds = self.rows.setdefault(tuple(box[total] for total in self.narrow), ([], []))
        low = box[self.wide[0]][0] if self.wide else 0
        place = bisect.bisect_right(lows, low)
        lows.insert(place, low)
        founds.insert(place, found)


class Builder:
    """Builds nodes for one order of the variables. Raises TooLarge beyond `budget` states, `most_arcs` arcs or the deadline."""

    def __init__(
        self,
        formulas: Formulas,
        layers: Sequence[Layer],
        budget: int,
        *,
        most_arcs: int = _FAR,
        any_will_do: bool = False,
        deadline: Deadline = NEVER_ENDING,
    ) -> None:
        self.formulas = formulas
        self.layers = layers
        self.budget = budget
        self.arcs_left = most_arcs
        self.deadline = deadline
        self.any_will_do = any_will_do
        """Stop at the first machine: enough to know whether there is one."""
        self.nodes: list[dict[tuple[int, ...], int]] = [{} for _ in layers]
        """Per layer: the children of each node (one per class) and its number."""
        self.work = 0
        """How many states were looked into."""
        self._to_come = self._ranges_to_come()
        self._states: list[dict[Rest, _State]] = [{} for _ in layers]
        self._steps: dict[tuple[int, Rest, tuple[tuple[int, int], ...]], _Step] = {}
        self._leaves_of: dict[Rest, list[tuple[int, Within]]] = {}
        self.free = self._free_nodes()

    def build(self, rules: Iterable[int]) -> int:
        """Build everything below the rules; return the root's number in the first layer, or DEAD."""
        rest = self._sorted(rules)
        if rest is None:
            return DEAD
        start = self._arrival(0, rest, {})
        amounts = dict.fromkeys(start.gains, 0)
        decided = self._decided(start, amounts, {}, {})
        return DEAD if decided is None else self._node(0, decided, amounts)[0]

    def _ranges_to_come(self) -> list[dict[int, tuple[int, int]]]:
        """Per layer: the least and the most that this and the later layers can add to each total."""
        ranges: list[dict[int, tuple[int, int]]] = [{}]
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
        number = nodes.get(children)
        if number is None:
            number = nodes[children] = len(nodes)
            self.arcs_left -= len(children) - children.count(DEAD)
            if self.arcs_left < 0:
                raise TooLarge
        return number

    def _node(self, place: int, rest: Rest, amounts: Mapping[int, int]) -> Found:
        """Return the node of a state, and its box."""
        if not rest:
            return self.free[place], {}
        state = self._states[place].get(rest)
        if state is None:
            state = self._states[place][rest] = self._state(place, rest)
        found = state.find(amounts)
        if found is None:
            self.work += 1
            if self.work > self.budget:
                raise TooLarge
            self.deadline.check()
            found = self._expanded(place, state, amounts)
            state.add(found)
        return found

    def _expanded(self, place: int, state: _State, amounts: Mapping[int, int]) -> Found:
        """Try every class of the layer's variable; the box is where all of them end as they do now."""
        totals = [*state.wide, *state.narrow]
        lows = dict.fromkeys(totals, -_FAR)
        highs = dict.fromkeys(totals, _FAR)
        ends = []
        for step in state.different:
            rest = self._decided(step, amounts, lows, highs)
            if rest is None:
                ends.append(DEAD)
                continue
            gains = step.gains
            child, box = self._node(place + 1, rest, {total: amounts[total] + gain for total, gain in gains.items()})
            for total, (low, high) in box.items():
                gain = gains[total]
                lows[total] = max(lows[total], low - gain)
                highs[total] = min(highs[total], high - gain)
            ends.append(child)
            if self.any_will_do and child != DEAD:
                return 0, {total: (lows[total], highs[total]) for total in totals}
        ends.append(DEAD)  # DEAD is -1: the last of the list, for classes without a step
        alive = any(child != DEAD for child in ends)
        node = self._numbered(place, tuple([ends[number] for number in state.taken])) if alive else DEAD
        return node, {total: (lows[total], highs[total]) for total in totals}

    def _decided(self, step: _Step, amounts: Mapping[int, int], lows: dict[int, int], highs: dict[int, int]) -> Rest | None:
        """Judge every leaf that later choices cannot change any more; narrow the box to where this is so.

        A leaf that stays open narrows nothing: the box of the node below knows for which amounts it comes out alike.
        """
        outcomes: list[bool | None] = []
        for leaf in step.leaves:
            total = leaf.total
            amount = amounts[total]
            outcome: bool | None = None
            if amount <= leaf.holds_to:
                outcome = True
                highs[total] = min(highs.get(total, _FAR), leaf.holds_to)
            elif amount > leaf.open_to:
                outcome = False
                lows[total] = max(lows.get(total, -_FAR), leaf.open_to + 1)
            outcomes.append(outcome)
        key = tuple(outcomes)
        if key not in step.decided:
            step.decided[key] = self._judged(step, key)
        return step.decided[key]

    def _judged(self, step: _Step, outcomes: tuple[bool | None, ...]) -> Rest | None:
        """Return what is left of the rules when some totals are known to stay below or above their bounds."""
        leaves = {}
        for leaf, outcome in zip(step.leaves, outcomes, strict=True):
            node = self.formulas.nodes[leaf.number]
            if outcome is not None and isinstance(node, Within):
                leaves[leaf.number] = outcome is node.at_most
        return self._sorted(self.formulas.decided(rule, leaves) for rule in step.rest)

    def _state(self, place: int, rest: Rest) -> _State:
        """Prepare the steps from a rest: each class of the layer's variable put into every rule."""
        layer = self.layers[place]
        touched = [rule for rule in rest if self.formulas.variables[rule] >> layer.variable & 1]
        others = [rule for rule in rest if not self.formulas.variables[rule] >> layer.variable & 1]
        allowed = self.formulas.full[layer.variable]
        for rule in touched:
            node = self.formulas.nodes[rule]
            if isinstance(node, Inside):
                allowed &= node.values
        steps: list[_Step | None] = []
        for position, value in enumerate(layer.representatives):
            after = None
            if allowed >> value & 1:
                after = self._sorted([*others, *(self.formulas.assigned(rule, layer.variable, value) for rule in touched)])
            gains = {total: by_class[position] for total, by_class in layer.gains.items()}
            steps.append(None if after is None else self._arrival(place + 1, after, gains))
        to_come = self._to_come[place]
        totals = sorted({leaf.total for _, leaf in self._leaves(rest)})
        widths = {total: high - low for total, (low, high) in ((total, to_come.get(total, (0, 0))) for total in totals)}
        return _State(sorted(totals, key=lambda total: -widths[total]), steps)

    def _arrival(self, place: int, rest: Rest, gains: Mapping[int, int]) -> _Step:
        """Prepare the judgement of a rest on arrival in a layer, after a step with these gains."""
        added = tuple((leaf.total, gains.get(leaf.total, 0)) for _, leaf in self._leaves(rest))
        step = self._steps.get((place, rest, added))
        if step is None:
            leaves = []
            for (number, leaf), (_, gain) in zip(self._leaves(rest), added, strict=True):
                least, most = self._to_come[place].get(leaf.total, (0, 0))
                left = leaf.bound - gain
                leaves.append(_Leaf(number, leaf.total, left - most, left - least))
            step = self._steps[place, rest, added] = _Step(rest, dict(added), leaves)
        return step

    def _leaves(self, rest: Rest) -> list[tuple[int, Within]]:
        known = self._leaves_of.get(rest)
        if known is None:
            numbers = sorted(frozenset[int]().union(*(self.formulas.totals[rule] for rule in rest)))
            leaves = [(number, self.formulas.nodes[number]) for number in numbers]
            known = self._leaves_of[rest] = [(number, leaf) for number, leaf in leaves if isinstance(leaf, Within)]
        return known

    def _sorted(self, rules: Iterable[int]) -> Rest | None:
        """Sort what is left of the rules, without those that hold already; None if one is broken."""
        left = set(rules)
        if NEVER in left:
            return None
        left.discard(ALWAYS)
        return tuple(sorted(left))
