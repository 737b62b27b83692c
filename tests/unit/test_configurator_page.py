"""What a form of the configurator means: which choices are the customer's own, which is the newest, which had to go."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from configurator.engine import Compiled, UnknownChoice, answer, compile_model
from configurator.page import Click, own_choices, query, read_click, settle
from tests.builders.machines import make_group, make_model, make_option, make_rule

MODEL = make_model(
    [
        make_group("cpu", make_option("c4"), make_option("c8", 10_000)),
        make_group("cooler", make_option("small"), make_option("large", 2_000)),
        make_group("color", make_option("grey"), make_option("red")),
        make_group("extras", make_option("bag", 3_000, sku="BAG"), make_option("dock", 9_000, sku="DOCK"), many=True),
    ],
    [make_rule("heat", "cooler is large", when="cpu is c8"), make_rule("red", "cpu is c8", when="color is red")],
)


@pytest.fixture(scope="module")
def machine() -> Compiled:
    return compile_model(MODEL)


def sent(machine: Compiled, own: Mapping[str, tuple[str, ...]], **clicked: str | list[str]) -> MultiDict[str, str]:
    """The form as the page with these own choices posts it, after some more clicks."""
    shown = answer(machine, own).configuration
    values: MultiDict[str, str] = MultiDict([("own", ",".join(own))])
    for group, options in shown.items():
        values.add(f"was.{group}", ",".join(options))
        now = clicked.get(group, list(options))
        values.setlist(group, [now] if isinstance(now, str) else now)
    return values


def test_nothing_clicked_is_nothing_chosen(machine: Compiled) -> None:
    assert read_click(machine, sent(machine, {})) == Click({})


def test_a_click_is_a_choice_of_ones_own_and_what_follows_is_not(machine: Compiled) -> None:
    assert read_click(machine, sent(machine, {}, cpu="c8")) == Click({"cpu": ("c8",)})


def test_older_choices_stay(machine: Compiled) -> None:
    click = read_click(machine, sent(machine, {"cooler": ("large",)}, color="red"))
    assert click == Click({"cooler": ("large",), "color": ("red",)})


def test_the_newest_choice_wins_and_says_which_older_one_went(machine: Compiled) -> None:
    click = read_click(machine, sent(machine, {"cooler": ("small",)}, cpu="c8"))
    assert click.own == {"cpu": ("c8",)}
    assert click.given_up == (("cooler", "small"),)


def test_choosing_back_is_a_choice_too(machine: Compiled) -> None:
    click = read_click(machine, sent(machine, {"cpu": ("c8",)}, cpu="c4"))
    assert click == Click({"cpu": ("c4",)})


def test_boxes_are_ticked_and_unticked(machine: Compiled) -> None:
    ticked = read_click(machine, sent(machine, {}, extras=["bag", "dock"]))
    assert ticked == Click({"extras": ("bag", "dock")})
    unticked = read_click(machine, sent(machine, ticked.own, extras=["bag"]))
    assert set(unticked.own["extras"]) == {"bag"}
    none = read_click(machine, sent(machine, unticked.own, extras=[]))
    assert none.own == {"extras": ()}


def test_two_clicks_at_once_that_do_not_go_together_leave_one_that_does(machine: Compiled) -> None:
    click = settle(machine, {"cpu": ("c8",), "cooler": ("small",)}, ["cpu", "cooler"])
    assert len(click.own) == 1
    assert len(click.given_up) == 1


@pytest.mark.parametrize(("group", "option"), [("cpu", "c16"), ("extras", "bag,dock"), ("cpu", "small"), ("cpu", "\0")])
def test_an_option_nobody_offered_is_refused(machine: Compiled, group: str, option: str) -> None:
    with pytest.raises(UnknownChoice):
        read_click(machine, sent(machine, {}, **{group: option}))


def test_groups_nobody_asked_for_are_not_read(machine: Compiled) -> None:
    values = MultiDict([("price", "1"), ("own", "price,nothing"), ("was.nothing", "x"), ("nothing", "y")])
    assert read_click(machine, values) == Click({})
    assert own_choices(MODEL, values) == {}


def test_an_address_holds_the_own_choices_and_nothing_else() -> None:
    own = own_choices(MODEL, MultiDict([("cpu", "c8"), ("extras", "bag"), ("extras", "dock"), ("price", "1")]))
    assert own == {"cpu": ("c8",), "extras": ("bag", "dock")}
    assert query(own) == {"cpu": ["c8"], "extras": ["bag", "dock"]}


def test_an_address_can_hold_that_nothing_is_wanted() -> None:
    assert own_choices(MODEL, MultiDict([("extras", "")])) == {"extras": ()}
    assert query({"extras": ()}) == {"extras": [""]}


CLICKS = [(group.id, option.id) for group in MODEL.groups for option in group.options]


@given(st.lists(st.sampled_from(CLICKS), max_size=6))
def test_however_one_clicks_the_machine_can_be_built_and_has_the_last_choice(clicks: list[tuple[str, str]]) -> None:
    machine = compile_model(MODEL)
    own: Mapping[str, tuple[str, ...]] = {}
    for group, option in clicks:
        own = read_click(machine, sent(machine, own, **{group: [option]})).own
        told = answer(machine, own)
        assert option in told.configuration[group]
        assert not told.given_up
