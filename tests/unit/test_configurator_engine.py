"""The engine against brute force: every small model is also answered by looking at every machine there is."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.engine import (
    Answer,
    CannotCompile,
    Choices,
    Reason,
    answer,
    compile_model,
    count_machines,
    repair,
    warm_up,
    why_not,
)
from configurator.language.specification import Model
from fulfillment.kernel.money import Money
from tests.builders.brute_force import (
    FIRST_DAY,
    Configuration,
    asked,
    has,
    lenient,
    look_at_everything,
    models,
    own_elsewhere,
    pairs_of,
    price_of,
    questions,
    rank,
    ready_on,
)


@lenient
@given(models())
def test_model_compiles_exactly_if_it_has_a_machine(model: Model) -> None:
    if look_at_everything(model).machines:
        compile_model(model)
    else:
        with pytest.raises(CannotCompile, match="no machine keeps all rules"):
            compile_model(model)


@lenient
@given(questions())
def test_option_is_possible_exactly_if_a_machine_has_it(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    answered = answer(compile_model(everything.model), choices)
    for group in everything.model.groups:
        for option in group.options:
            own = own_elsewhere(everything.model, choices, group.id, option.id)
            exists = any(has(machine, [*own, (group.id, option.id)]) for machine in everything.machines)
            assert answered.groups[group.id].option(option.id).possible is exists


@lenient
@given(questions())
def test_completion_keeps_choices_then_defaults_then_price(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    own = pairs_of(choices)
    answered = answer(compile_model(model), choices)
    best = min(rank(model, choices, own, machine) for machine in everything.machines)
    configuration = dict(answered.configuration)
    assert configuration in everything.machines
    assert rank(model, choices, own, configuration) == best
    assert answered.price == Money(best[2])
    assert answered.valid is (best[0] == 0)
    assert set(answered.given_up) == {pair for pair in own if not has(configuration, [pair])}
    assert (answered.conflict is None) is answered.valid


@lenient
@given(questions())
def test_price_of_an_option_is_that_of_the_best_machine_with_it(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    answered = answer(compile_model(model), choices)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = own_elsewhere(model, choices, group.id, option.id)
            ranks = [rank(model, choices, own, machine) for machine in everything.machines if has(machine, [(group.id, option.id)])]
            if told.possible:
                assert told.price == Money(min(ranks)[2])
                assert told.difference == told.price - answered.price
                machine = after(model, answered, group.id, option.id)
                assert machine in everything.machines
                assert rank(model, choices, own, machine) == min(ranks)
            elif ranks:
                assert told.give_up is not None
                assert len(told.give_up) == min(ranks)[0] > 0
                assert told.difference is None
            else:
                assert told.give_up is None


def after(model: Model, answered: Answer, group: str, option: str) -> Configuration:
    """The machine an option's answer speaks of: the completed one, the option, and the changes told."""
    machine = {name: set(chosen) for name, chosen in answered.configuration.items()}
    if model.by_id[group].kind == "one":
        machine[group] = set()
    machine[group].add(option)
    for change in answered.groups[group].option(option).changes:
        assert set(change.lost) <= set(answered.configuration[change.group])
        machine[change.group] -= set(change.lost)
        machine[change.group] |= set(change.gained)
    return {one.id: tuple(other.id for other in one.options if other.id in machine[one.id]) for one in model.groups}


@lenient
@given(questions())
def test_option_of_many_tells_what_leaving_it_out_saves(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    answered = answer(compile_model(model), choices)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = own_elsewhere(model, choices, group.id, option.id)
            without = [machine for machine in everything.machines if option.id not in machine[group.id]]
            ranks = [rank(model, choices, own, machine) for machine in without]
            if group.kind == "many" and ranks and min(ranks)[0] == 0:
                assert told.removal == Money(min(ranks)[2]) - answered.price
            else:
                assert told.removal is None


@lenient
@given(questions(), st.data())
def test_dates_are_those_of_the_machine_meant_and_of_the_quickest_one(question: tuple[Model, Choices], data: st.DataObject) -> None:
    everything, choices = asked(question)
    model = everything.model
    skus = [model.base.sku, *(part.sku for group in model.groups for option in group.options for part in option.parts)]
    dates = {sku: FIRST_DAY + dt.timedelta(days=data.draw(st.integers(0, 9))) for sku in skus}
    answered = answer(compile_model(model), choices, dates)
    keeping = [machine for machine in everything.machines if has(machine, pairs_of(choices))]
    assert answered.ready == ready_on(model, dates, answered.configuration)
    assert answered.earliest == min((ready_on(model, dates, machine) for machine in keeping), default=None)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = [*own_elsewhere(model, choices, group.id, option.id), (group.id, option.id)]
            with_it = [ready_on(model, dates, machine) for machine in everything.machines if has(machine, own)]
            assert told.earliest == min(with_it, default=None)
            if told.possible:
                assert told.ready == ready_on(model, dates, after(model, answered, group.id, option.id))
            else:
                assert told.ready is None


@lenient
@given(questions())
def test_count_is_the_number_of_machines_that_keep_the_choices(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    keeping = [machine for machine in everything.machines if has(machine, pairs_of(choices))]
    assert count_machines(compile_model(everything.model), choices) == len(keeping)


@lenient
@given(questions(), st.booleans())
def test_reason_names_as_few_choices_and_rules_as_suffice(question: tuple[Model, Choices], warm: bool) -> None:
    everything, choices = asked(question)
    model = everything.model
    compiled = compile_model(model)
    if warm:
        warm_up(compiled)
    answered = answer(compiled, choices)
    every_rule = [rule.id for rule in model.rules]
    reasons: list[tuple[list[tuple[str, str]], Reason]] = [([], answered.conflict)] if answered.conflict else []
    for group in model.groups:
        for told in answered.groups[group.id].options:
            assert (told.reason is None) is told.possible
            assert told.reason == why_not(compiled, choices, (group.id, told.option))
            if told.reason:
                assert set(told.reason.choices) <= set(own_elsewhere(model, choices, group.id, told.option))
                reasons.append(([(group.id, told.option)], told.reason))
    for target, reason in reasons:
        guilty = list(reason.choices)
        rules = [rule.id for rule in reason.rules]
        assert not everything.some_obeys([*target, *guilty], rules)
        for choice in guilty:
            rest = [other for other in guilty if other != choice]
            assert everything.some_obeys([*target, *rest], every_rule)
        for rule in rules:
            assert everything.some_obeys([*target, *guilty], [other for other in rules if other != rule])


@lenient
@given(questions())
def test_repair_gives_up_the_fewest_choices(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    for group in model.groups:
        for option in group.options:
            own = own_elsewhere(model, choices, group.id, option.id)
            with_it = [machine for machine in everything.machines if has(machine, [(group.id, option.id)])]
            found = repair(compile_model(model), choices, (group.id, option.id))
            if not with_it:
                assert found is None
                continue
            assert found is not None
            assert len(found.give_up) == min(rank(model, choices, own, machine)[0] for machine in with_it)
            assert dict(found.configuration) in with_it
            assert set(found.give_up) == {pair for pair in own if not has(found.configuration, [pair])}
            assert found.price == Money(price_of(model, found.configuration))
