"""Every reason is a conflict, and minimal in choices and in rules, whatever the customer's limit, day and view of the options."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import Choices, NothingLeft, Reason, answer, compile_model
from configurator.language.specification import Model
from fulfillment.kernel.money import Money
from tests.builders.brute_force import FIRST_DAY, Configuration, asked, has, lenient, pairs_of, price_of, questions, ready_on

Kept = Callable[[Configuration], bool]


@settings(lenient, max_examples=40)
@given(questions(), st.data())
def test_reason_is_a_conflict_and_minimal_with_limit_day_and_hidden_options(question: tuple[Model, Choices], data: st.DataObject) -> None:
    everything, choices = asked(question)
    model = everything.model
    skus = [model.base.sku, *(part.sku for group in model.groups for option in group.options for part in option.parts)]
    dates = {sku: FIRST_DAY + dt.timedelta(days=data.draw(st.integers(0, 9))) for sku in skus}
    limit = data.draw(st.one_of(st.none(), st.integers(490, 540).map(lambda euros: Money(euros * 100))))
    by = data.draw(st.one_of(st.none(), st.integers(0, 9).map(lambda days: FIRST_DAY + dt.timedelta(days=days))))
    own = set(pairs_of(choices))
    others = [(group.id, option.id) for group in model.groups for option in group.options if (group.id, option.id) not in own]
    hidden = frozenset(data.draw(st.lists(st.sampled_from(others), max_size=2)) if others else ())

    def some(target: list[tuple[str, str]], guilty: list[tuple[str, str]], rules: set[str], *, cheap: bool, soon: bool) -> bool:
        """Some configuration has the target and the guilty choices, and breaks none of the rules."""
        return any(
            has(machine, [*target, *guilty])
            and not broken & rules
            and not any(has(machine, [pair]) for pair in hidden)
            and not (cheap and limit is not None and price_of(model, machine) > limit.minor)
            and not (soon and by is not None and ready_on(model, dates, machine) > by)
            for machine, broken in everything.broken
        )

    try:
        answered = answer(compile_model(model), choices, dates, hidden=hidden, limit=limit, by=by)
        reasons: list[tuple[list[tuple[str, str]], Reason]] = [([], answered.conflict)] if answered.conflict else []
    except NothingLeft:
        return
    for group in answered.groups.values():
        reasons += [([(group.group, told.option)], told.reason) for told in group.options if told.reason]
    every = {rule.id for rule in model.rules}
    for target, reason in reasons:
        guilty, rules = list(reason.choices), {rule.id for rule in reason.rules}
        assert not some(target, guilty, rules, cheap=reason.limit, soon=reason.by)
        for rule in rules:
            assert some(target, guilty, rules - {rule}, cheap=reason.limit, soon=reason.by)
        for choice in guilty:
            assert some(target, [other for other in guilty if other != choice], every, cheap=reason.limit, soon=reason.by)
        assert not reason.limit or some(target, guilty, every, cheap=False, soon=reason.by)
        assert not reason.by or some(target, guilty, every, cheap=reason.limit, soon=False)
