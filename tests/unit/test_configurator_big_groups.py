"""Groups of hundreds of options: what is alike is one class, and the order of groups keeps the diagram small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from configurator.engine import Compiled, answer, compile_model, count_machines
from configurator.engine.frontiers import MOST_VARIABLES, narrowest_order
from configurator.language.specification import Group, Model
from tests.builders.machines import make_group, make_model, make_option, make_rule

EACH = 1_000


def many(name: str, **values: list[int]) -> Group:
    """A thousand options; the attributes go round their values."""
    plain = [make_option(f"o{n}", n) for n in range(EACH)]
    told = [{key: some[n % len(some)] for key, some in values.items()} for n in range(EACH)]
    return make_group(name, *(replace(option, attributes=attributes | {"qty": 0}) for option, attributes in zip(plain, told, strict=True)))


def workshop() -> Model:
    cards = many("card", length=[200, 250, 300, 350], watts=[75, 150, 300])
    cases = many("case", room=[220, 300, 400], form=[1, 2])
    boards = many("board", form=[1, 2])
    supplies = many("supply", watts=[0], capacity=[200, 300, 500])
    rules = [
        make_rule("length", "card.length <= case.room"),
        make_rule("form", "board.form <= case.form"),
        make_rule("watts", "sum(watts) + 60 <= supply.capacity"),
    ]
    return make_model([cards, cases, boards, supplies], rules)


def test_thousands_of_options_are_as_many_classes_as_rules_tell_apart() -> None:
    compiled = Compiled(workshop())

    widths = {group: max(compiled.diagram.classes[compiled.index[group, None]]) + 1 for group in ("card", "case", "board", "supply")}
    # 350 mm fits only into 400, 250 and 300 differ for no case; 75 and 150 W differ for no supply but the smallest.
    assert widths == {"card": 3 * 3, "case": 3 * 2, "board": 2, "supply": 3}
    assert compiled.diagram.size[1] < 100


def test_options_of_a_class_keep_their_own_prices() -> None:
    compiled = compile_model(workshop())
    answered = answer(compiled, {"card": "o2"})

    cases = answered.groups["case"].options
    assert [option.possible for option in cases[:6]] == [room >= 300 for room in (220, 300, 400, 220, 300, 400)]
    one, other = cases[1].price, cases[7].price
    assert one is not None
    assert other is not None
    assert other.minor - one.minor == 6
    assert count_machines(compiled, {}) == count_by_hand()


def count_by_hand() -> int:
    """Group by group, since the options go round their values."""
    cards = [((200, 250, 300, 350)[n % 4], (75, 150, 300)[n % 3]) for n in range(EACH)]
    cases = [((220, 300, 400)[n % 3], n % 2 + 1) for n in range(EACH)]
    capacities = [(200, 300, 500)[n % 3] for n in range(EACH)]
    boards = {form: sum(n % 2 + 1 <= form for n in range(EACH)) for form in (1, 2)}
    total = 0
    for length, watts in set(cards):
        housed = sum(boards[form] for room, form in cases if length <= room)
        fed = sum(watts + 60 <= capacity for capacity in capacities)
        total += cards.count((length, watts)) * housed * fed
    return total


def test_order_keeps_apart_what_has_nothing_to_do_with_each_other() -> None:
    """Two pairs of wide groups: asked pair by pair, a cut knows one group; asked crosswise, it would know two."""
    each = np.arange(50)
    order = narrowest_order(dict.fromkeys(range(4), 50), [{0: each, 2: each}, {1: each, 3: each}])

    assert order is not None
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}


def test_order_is_left_to_others_for_many_or_narrow_groups() -> None:
    assert narrowest_order(dict.fromkeys(range(4), 5), []) is None
    assert narrowest_order(dict.fromkeys(range(MOST_VARIABLES + 1), 50), []) is None
