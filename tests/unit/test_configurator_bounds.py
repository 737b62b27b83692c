"""A limit on price, a day, and options not shown, against brute force: they prune exactly as other choices do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from configurator.engine import (
    Answer,
    Choices,
    Goal,
    NothingLeft,
    Reason,
    UnknownChoice,
    answer,
    compile_model,
    count_machines,
    domains,
    finish,
    repair,
    why_not,
)
from configurator.language.specification import Model
from fulfillment.kernel.money import CurrencyMismatch, Money
from tests.builders.brute_force import (
    FIRST_DAY,
    TIMES,
    Configuration,
    bundled,
    has,
    lenient,
    look_at_everything,
    own_elsewhere,
    pairs_of,
    price_of,
    questions,
    rank,
    ready_on,
)
from tests.builders.machines import make_group, make_model, make_option, make_rule

Pair = tuple[str, str]


brief = settings(parent=lenient, max_examples=12 * TIMES)


class Terms(TypedDict):
    """What a question says besides choices and dates."""

    hidden: frozenset[Pair]
    limit: Money | None
    by: dt.date | None
    today: dt.date


@dataclass
class Asked:
    """A question, and every machine there is for it."""

    model: Model
    machines: list[Configuration]
    choices: Choices
    dates: dict[str, dt.date]
    hidden: frozenset[Pair]
    limit: int | None
    by: dt.date | None
    imaginable: list[tuple[Configuration, frozenset[str]]]
    """Every configuration of shown options, whatever rules it breaks, and those rules."""

    def answer(self) -> Answer:
        return answer(compile_model(self.model), self.choices, self.dates, **self.terms)

    @property
    def terms(self) -> Terms:
        return {"hidden": self.hidden, "limit": None if self.limit is None else Money(self.limit), "by": self.by, "today": FIRST_DAY}

    def over(self, machine: Configuration) -> bool:
        return self.limit is not None and price_of(self.model, machine) > self.limit

    def late(self, machine: Configuration) -> bool:
        return self.by is not None and ready_on(self.model, self.dates, machine) > self.by

    def lost(self, machine: Configuration, own: list[Pair]) -> set[Pair]:
        lost = {pair for pair in own if not has(machine, [pair])}
        return lost | ({("limit", "")} if self.over(machine) else set()) | ({("by", "")} if self.late(machine) else set())

    def badness(self, machine: Configuration, own: list[Pair]) -> tuple[int, bool, bool, int, int]:
        """What is to be kept low, in this order."""
        _, unlike, price = rank(self.model, self.choices, own, machine)
        return len(self.lost(machine, own)), self.over(machine), self.late(machine), unlike, price

    def keeping(self, pairs: Iterable[Pair], *, limit: bool = True, by: bool = True) -> list[Configuration]:
        fixed = list(pairs)
        fit = [machine for machine in self.machines if has(machine, fixed)]
        return [machine for machine in fit if not (limit and self.over(machine)) and not (by and self.late(machine))]


    def some_obeys(self, pairs: Iterable[Pair], rules: Iterable[str], *, limit: bool, by: bool) -> bool:
        """Whether some configuration, of all that can be imagined and are shown, has the options and keeps these rules."""
        fixed, named = list(pairs), set(rules)
        return any(
            has(configuration, fixed)
            and not broken & named
            and not (limit and self.over(configuration))
            and not (by and self.late(configuration))
            for configuration, broken in self.imaginable
        )


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    model, choices = draw(questions(bundled()))
    options = [(group.id, option.id) for group in model.groups for option in group.options if not group.hidden]
    free = [pair for pair in options if pair not in pairs_of(choices)]
    hidden: frozenset[Pair] = frozenset(draw(st.lists(st.sampled_from(free), max_size=2))) if free else frozenset()
    every = look_at_everything(model).broken
    imaginable = [(one, broken) for one, broken in every if not any(has(one, [pair]) for pair in hidden)]
    machines = [one for one, broken in imaginable if not broken]
    assume(machines)
    skus = [model.base.sku, *(part.sku for group in model.groups for option in group.options for part in option.parts)]
    dates = {sku: FIRST_DAY + dt.timedelta(days=draw(st.integers(0, 9))) for sku in skus}
    limit = price_of(model, draw(st.sampled_from(machines))) - draw(st.sampled_from([0, 0, 1])) if draw(st.booleans()) else None
    by = FIRST_DAY + dt.timedelta(days=draw(st.integers(2, 9))) if draw(st.booleans()) else None
    return Asked(model, machines, choices, dates, hidden, limit, by, imaginable)


def shown(model: Model) -> list[Pair]:
    return [(group.id, option.id) for group in model.groups if not group.hidden for option in group.options]


@brief
@given(asked())
def test_completion_gives_up_as_few_choices_as_possible_the_limit_and_the_day_among_them(question: Asked) -> None:
    own = pairs_of(question.choices)
    answered = question.answer()
    machine = dict(answered.configuration)
    best = min(question.badness(machine, own) for machine in question.machines)
    assert machine in question.machines
    assert question.badness(machine, own) == best
    assert set(answered.given_up) == question.lost(machine, own)
    assert answered.valid is (best[0] == 0)
    assert answered.price == Money(best[4])
    assert answered.ready == ready_on(question.model, question.dates, machine)
    assert not [group for group in answered.groups if question.model.by_id[group].hidden]


@brief
@given(asked())
def test_option_is_possible_exactly_if_a_machine_keeps_choices_limit_and_day(question: Asked) -> None:
    answered = question.answer()
    for group, option in shown(question.model):
        told = answered.groups[group].option(option)
        own = own_elsewhere(question.model, question.choices, group, option)
        fit = question.keeping([*own, (group, option)])
        assert told.possible is bool(fit)
        earliest = min((ready_on(question.model, question.dates, machine) for machine in fit), default=None)
        assert told.earliest == earliest
        if fit:
            best = min(rank(question.model, question.choices, own, machine) for machine in fit)
            machine = after(question, answered, group, option)
            assert machine in fit
            assert rank(question.model, question.choices, own, machine) == best
            assert told.price == Money(best[2])
            assert told.ready == ready_on(question.model, question.dates, machine)
        else:
            assert (told.price, told.difference, told.ready, told.changes) == (None, None, None, ())


def after(question: Asked, answered: Answer, group: str, option: str) -> Configuration:
    """The machine an option's answer speaks of: hidden groups follow from what is told."""
    machine = {name: set(chosen) for name, chosen in answered.configuration.items()}
    if question.model.by_id[group].kind == "one":
        machine[group] = set()
    machine[group].add(option)
    for change in answered.groups[group].option(option).changes:
        assert not question.model.by_id[change.group].hidden
        machine[change.group] -= set(change.lost)
        machine[change.group] |= set(change.gained)
    visible = [one for one in question.model.groups if not one.hidden]
    (found,) = [one for one in question.machines if all(set(one[each.id]) == machine[each.id] for each in visible)]
    return found


@brief
@given(asked())
def test_repair_gives_up_the_fewest_of_choices_limit_and_day(question: Asked) -> None:
    compiled = compile_model(question.model)
    answered = question.answer()
    for group, option in shown(question.model):
        own = own_elsewhere(question.model, question.choices, group, option)
        with_it = question.keeping([(group, option)], limit=False, by=False)
        found = repair(compiled, question.choices, (group, option), dates=question.dates, **question.terms)
        told = answered.groups[group].option(option)
        if not with_it:
            assert found is None
            assert told.give_up is None
            continue
        assert found is not None
        machine = dict(found.configuration)
        assert machine in with_it
        assert question.badness(machine, own) == min(question.badness(machine, own) for machine in with_it)
        assert set(found.give_up) == question.lost(machine, own)
        assert told.possible or told.give_up == found.give_up
        assert found.price == Money(price_of(question.model, machine))
        assert found.difference == found.price - answered.price
        assert found.ready == ready_on(question.model, question.dates, machine)
        for change in found.changes:
            assert set(change.lost) == set(answered.configuration[change.group]) - set(machine[change.group])
            assert set(change.gained) == set(machine[change.group]) - set(answered.configuration[change.group])


@brief
@given(asked())
def test_reason_is_a_minimal_set_of_choices_limit_and_day(question: Asked) -> None:
    answered = question.answer()
    compiled = compile_model(question.model)
    reasons: list[tuple[list[Pair], Reason]] = [([], answered.conflict)] if answered.conflict else []
    for group, option in shown(question.model):
        told = answered.groups[group].option(option)
        assert told.reason == why_not(compiled, question.choices, (group, option), dates=question.dates, **question.terms)
        assert (told.reason is None) is told.possible
        if told.reason:
            reasons.append(([(group, option)], told.reason))
    for target, reason in reasons:
        assert not question.keeping([*target, *reason.choices], limit=reason.limit, by=reason.by)
        for choice in reason.choices:
            rest = [other for other in reason.choices if other != choice]
            assert question.keeping([*target, *rest], limit=reason.limit, by=reason.by)
        assert not reason.limit or question.keeping([*target, *reason.choices], limit=False, by=reason.by)
        assert not reason.by or question.keeping([*target, *reason.choices], limit=reason.limit, by=False)
        named = [rule.id for rule in reason.rules]
        assert not question.some_obeys([*target, *reason.choices], named, limit=reason.limit, by=reason.by)
        for rule in named:
            others = [other for other in named if other != rule]
            assert question.some_obeys([*target, *reason.choices], others, limit=reason.limit, by=reason.by)


@brief
@given(asked())
def test_counts_are_exact_and_leave_out_what_is_not_shown_or_late(question: Asked) -> None:
    compiled = compile_model(question.model)
    own = pairs_of(question.choices)
    assert count_machines(compiled, question.choices, hidden=question.hidden) == len(question.keeping(own, limit=False, by=False))
    expected = len(question.keeping(own)) if question.limit is None else None
    assert question.answer().machines == expected


@brief
@given(questions(bundled()))
def test_domains_are_what_goes_with_the_choices_in_other_groups(question: tuple[Model, Choices]) -> None:
    model, choices = question
    machines = look_at_everything(model).machines
    assume(machines)
    found = domains(compile_model(model), choices)
    for group in model.groups:
        own = {option.id: [*own_elsewhere(model, choices, group.id, option.id), (group.id, option.id)] for option in group.options}
        assert found[group.id] == {option for option, pairs in own.items() if any(has(machine, pairs) for machine in machines)}


@brief
@given(asked())
def test_finished_machine_is_the_best_for_its_goal(question: Asked) -> None:
    compiled = compile_model(question.model)
    own = pairs_of(question.choices)
    fit = question.keeping(own)

    def goodness(goal: str, machine: Configuration) -> tuple[object, ...]:
        _, unlike, price = rank(question.model, question.choices, own, machine)
        if goal == "cheapest":
            return (price,)
        if goal == "fastest":
            return ready_on(question.model, question.dates, machine), unlike, price
        return -power_of(question.model, machine), price

    goals: tuple[Goal, ...] = ("cheapest", "fastest", "strongest")
    for goal in goals:
        found = finish(compiled, question.choices, goal, question.dates, **question.terms)
        if not fit:
            assert found is None
            continue
        assert found is not None
        machine = dict(found.configuration)
        assert machine in fit
        assert goodness(goal, machine) == min(goodness(goal, machine) for machine in fit)
        assert found.price == Money(price_of(question.model, machine))
        assert found.ready == ready_on(question.model, question.dates, machine)
        assert found.power in {None, power_of(question.model, machine)}


def power_of(model: Model, machine: Configuration) -> int:
    options = [model.by_id[group].by_id[option] for group, chosen in machine.items() for option in chosen]
    return sum(int(option.attributes.get("power", 0)) * option.qty for option in options)


BOX = make_model(
    [
        make_group("cpu", make_option("c4", power=4), make_option("c8", 20_000, sku="CPU-8", power=8), make_option("c2", -5_000, power=2)),
        make_group("gpu", make_option("none"), make_option("g1", 30_000, sku="GPU", power=20)),
    ],
    [make_rule("hot", "gpu is none", when="cpu is c2")],
)


def test_limit_prunes_options_and_is_named_as_the_reason() -> None:
    answered = answer(compile_model(BOX), {"cpu": "c8"}, limit=Money(80_000))
    assert answered.valid
    assert answered.limit == Money(80_000)
    assert answered.price == Money(70_000)
    dear = answered.groups["gpu"].option("g1")
    assert not dear.possible
    assert dear.reason is not None
    assert (dear.reason.choices, dear.reason.rules, dear.reason.limit, dear.reason.by) == ((("cpu", "c8"),), (), True, False)
    assert dear.give_up == (("cpu", "c8"),)


def test_limit_below_every_machine_is_given_up() -> None:
    answered = answer(compile_model(BOX), {}, limit=Money(10_000))
    assert answered.given_up == (("limit", ""),)
    assert answered.configuration == {"cpu": ("c4",), "gpu": ("none",)}
    assert answered.conflict is not None
    assert answered.conflict.limit
    assert answered.conflict.choices == ()


def test_strongest_machine_spends_the_limit_well() -> None:
    compiled = compile_model(BOX)
    found = finish(compiled, {}, "strongest", limit=Money(80_000))
    assert found is not None
    assert (found.configuration, found.price, found.power) == ({"cpu": ("c4",), "gpu": ("g1",)}, Money(80_000), 24)
    unlimited = finish(compiled, {}, "strongest")
    assert unlimited is not None
    assert (unlimited.price, unlimited.power) == (Money(100_000), 28)
    assert finish(compiled, {"cpu": "c8", "gpu": "g1"}, "strongest", limit=Money(80_000)) is None


def test_option_that_is_not_shown_cannot_be_chosen() -> None:
    compiled = compile_model(BOX)
    hidden = frozenset({("cpu", "c8")})
    assert not answer(compiled, {}, hidden=hidden).groups["cpu"].option("c8").possible
    with pytest.raises(UnknownChoice, match="no option 'c8' for this customer"):
        answer(compiled, {"cpu": "c8"}, hidden=hidden)
    with pytest.raises(NothingLeft, match="no machine of test-box"):
        answer(compiled, {}, hidden=frozenset({("gpu", "none"), ("gpu", "g1")}))


def test_limit_in_another_currency_and_a_day_without_dates_are_refused() -> None:
    compiled = compile_model(BOX)
    with pytest.raises(CurrencyMismatch, match="limit is in EUR"):
        answer(compiled, {}, limit=Money(1, "EUR"))
    with pytest.raises(ValueError, match="needs the dates"):
        answer(compiled, {}, by=FIRST_DAY)
    with pytest.raises(ValueError, match="needs the dates"):
        finish(compiled, {}, "fastest")
