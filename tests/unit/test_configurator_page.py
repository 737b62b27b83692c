"""What a form of the configurator means: which choices are the customer's own, which is the newest, which had to go, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from configurator import history
from configurator.engine import Compiled, UnknownChoice, answer, compile_model
from configurator.page import (
    BadLimit,
    Own,
    Pair,
    State,
    own_choices,
    pack,
    plain,
    query,
    read_click,
    read_codes,
    read_day,
    read_limit,
    read_state,
    read_view,
    settle,
    unpack,
)
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.money import Money
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


def meant(machine: Compiled, values: MultiDict[str, str]) -> tuple[Own, tuple[Pair, ...]]:
    """The own choices after a click, and what had to go for it."""
    click = read_click(machine.model, values)
    return settle(machine, click.own, click.newest)


def test_nothing_clicked_is_nothing_chosen(machine: Compiled) -> None:
    assert meant(machine, sent(machine, {})) == ({}, ())


def test_a_click_is_a_choice_of_ones_own_and_what_follows_is_not(machine: Compiled) -> None:
    assert meant(machine, sent(machine, {}, cpu="c8")) == ({"cpu": ("c8",)}, ())


def test_older_choices_stay(machine: Compiled) -> None:
    assert meant(machine, sent(machine, {"cooler": ("large",)}, color="red"))[0] == {"cooler": ("large",), "color": ("red",)}


def test_the_newest_choice_wins_and_says_which_older_one_went(machine: Compiled) -> None:
    assert meant(machine, sent(machine, {"cooler": ("small",)}, cpu="c8")) == ({"cpu": ("c8",)}, (("cooler", "small"),))


def test_choosing_back_is_a_choice_too(machine: Compiled) -> None:
    assert meant(machine, sent(machine, {"cpu": ("c8",)}, cpu="c4")) == ({"cpu": ("c4",)}, ())


def test_boxes_are_ticked_and_unticked(machine: Compiled) -> None:
    ticked = meant(machine, sent(machine, {}, extras=["bag", "dock"]))[0]
    assert ticked == {"extras": ("bag", "dock")}
    unticked = meant(machine, sent(machine, ticked, extras=["bag"]))[0]
    assert set(unticked["extras"]) == {"bag"}
    assert meant(machine, sent(machine, unticked, extras=[]))[0] == {"extras": ()}


def test_two_clicks_at_once_that_do_not_go_together_leave_one_that_does(machine: Compiled) -> None:
    own, lost = settle(machine, {"cpu": ("c8",), "cooler": ("small",)}, ["cpu", "cooler"])
    assert (len(own), len(lost)) == (1, 1)


@pytest.mark.parametrize(("group", "option"), [("cpu", "c16"), ("extras", "bag,dock"), ("cpu", "small"), ("cpu", "\0")])
def test_an_option_nobody_offered_is_refused(machine: Compiled, group: str, option: str) -> None:
    with pytest.raises(UnknownChoice):
        meant(machine, sent(machine, {}, **{group: option}))


def test_groups_nobody_asked_for_are_not_read(machine: Compiled) -> None:
    values = MultiDict([("price", "1"), ("own", "price,nothing"), ("was.nothing", "x"), ("nothing", "y")])
    assert meant(machine, values) == ({}, ())
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
        own = meant(machine, sent(machine, own, **{group: [option]}))[0]
        told = answer(machine, own)
        assert option in told.configuration[group]
        assert not told.given_up


class TestTheWayBack:
    def page_of(self, machine: Compiled, state: State, **more: str) -> MultiDict[str, str]:
        """The form as the page of a state posts it."""
        values = sent(machine, state.own)
        for name in ("undo", "redo"):
            values.setlist(name, state.query().get(name, []))
        if state.limit:
            values["was.limit"] = values["limit"] = plain(state.limit)
        for name, value in more.items():
            values[name] = value
        return values

    def test_ten_clicks_are_undone_one_by_one_and_done_again(self, machine: Compiled) -> None:
        seen = [State({})]
        for number in range(12):
            click = read_click(MODEL, self.page_of(machine, seen[-1], color=("red", "grey")[number % 2], limit=str(1000 + number)))
            seen.append(click.state)
        assert len(seen[-1].past) == 12
        now = seen[-1]
        for before in seen[-2::-1]:
            now = read_state(MODEL, MultiDict(read_click(MODEL, self.page_of(machine, now, do="undo")).state.query()))
            assert (now.own, now.limit) == (before.own, before.limit)
        for after in seen[1:]:
            now = read_click(MODEL, self.page_of(machine, now, do="redo")).state
            assert (now.own, now.limit) == (after.own, after.limit)
        assert now.future == ()

    def test_a_new_choice_ends_the_way_forward(self, machine: Compiled) -> None:
        chosen = read_click(MODEL, self.page_of(machine, State({}), color="red")).state
        undone = read_click(MODEL, self.page_of(machine, chosen, do="undo")).state
        assert (undone.own, len(undone.future)) == ({}, 1)
        other = read_click(MODEL, self.page_of(machine, undone, cpu="c8")).state
        assert (other.own, other.future) == ({"cpu": ("c8",)}, ())

    def test_starting_over_is_undone_like_any_step(self, machine: Compiled) -> None:
        over = read_click(MODEL, self.page_of(machine, State({"color": ("red",)}, Money(150_000)), do="over")).state
        assert (over.own, over.limit) == ({}, None)
        back = read_click(MODEL, self.page_of(machine, over, do="undo")).state
        assert (back.own, back.limit) == ({"color": ("red",)}, Money(150_000))

    def test_a_choice_is_left_to_us_again(self, machine: Compiled) -> None:
        freed = read_click(MODEL, self.page_of(machine, State({"color": ("red",), "cpu": ("c8",)}), free="color")).state
        assert freed.own == {"cpu": ("c8",)}

    def test_a_budget_is_set_and_removed_by_a_button(self, machine: Compiled) -> None:
        set_to = read_click(MODEL, self.page_of(machine, State({}), under="1500")).state
        assert set_to.limit == Money(150_000)
        assert read_click(MODEL, self.page_of(machine, set_to, under="")).state.limit is None

    @pytest.mark.parametrize("text", ["", "!!", "nothing:x!cpu", ";;:!:,", "a" * 5000, "cpu:c8;limit:no"])
    def test_a_past_that_makes_no_sense_does_no_harm(self, text: str) -> None:
        state = read_state(MODEL, MultiDict({"undo": text, "cpu": "c8"}))
        assert state.own == {"cpu": ("c8",)}
        assert len(state.past) <= history.MOST_STEPS

    def test_a_long_past_is_cut_at_its_far_end(self) -> None:
        steps = [{"cpu": (f"c{number:040}",)} for number in range(60)]
        written = history.write(steps)
        assert len(written) <= history.LONGEST
        assert history.read(written)[-1] == steps[-1]

    def test_a_posted_form_carries_everything_in_one_field(self) -> None:
        state = State({"cpu": ("c8",), "extras": ()}, Money(149_950), None, ("SPRING",), ("R1~cpu~c4~c8",), ({"cpu": None},), ())
        assert unpack(MODEL, pack(state)) == state
        assert unpack(MODEL, "a=1&" * 2_000) == State({})


class TestLimits:
    @pytest.mark.parametrize(("text", "minor"), [("1500", 150_000), (" $1,500 ", 150_000), ("1499.50", 149_950)])
    def test_a_budget_is_read_as_people_write_it(self, text: str, minor: int) -> None:
        assert read_limit(text) == Money(minor)
        assert read_limit(plain(Money(minor))) == Money(minor)

    @pytest.mark.parametrize("text", ["cheap", "-5", "0", "1.234", "1e9", "٣"])
    def test_what_is_no_amount_is_said_to_be_none(self, text: str) -> None:
        with pytest.raises(BadLimit, match="is no amount"):
            read_limit(text)

    def test_a_day_is_one_to_come(self) -> None:
        with frozen(datetime(2026, 11, 25, 12, tzinfo=UTC)):
            assert read_day("2026-12-04") == date(2026, 12, 4)
            assert read_day(" ") is None
            with pytest.raises(BadLimit, match="is no day"):
                read_day("Friday")
            with pytest.raises(BadLimit, match="is over"):
                read_day("2026-11-24")

    def test_codes_are_typed_together_or_apart(self) -> None:
        assert read_codes(["SPRING, TEAM", "SPRING"]) == ("SPRING", "TEAM")


def test_what_is_unfolded_is_read_and_written() -> None:
    asked = [("why", "cpu:c8"), ("want", "cpu:c99"), ("find.cpu", " eight "), ("more.cpu", "1"), ("more.cpu", "2"), ("more.x", "9")]
    values = MultiDict(asked)
    view = read_view(MODEL, values)
    assert (view.why, view.want, view.find, view.more) == (("cpu", "c8"), None, {"cpu": "eight"}, {"cpu": 2})
    assert read_view(MODEL, MultiDict(view.query())) == view
