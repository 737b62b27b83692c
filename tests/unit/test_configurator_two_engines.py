"""The SAT engine answers as the diagram does: random models with limits and days, and the shop's own."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import Answer, Choices, NothingLeft, answer, compile_model, domains, finish, repair, why_not
from configurator.engine.compilation import by_solver
from configurator.language.specification import Model
from fulfillment.kernel.money import Money
from tests.builders.brute_force import FIRST_DAY, asked, lenient, questions


def told(answered: Answer) -> dict[str, object]:
    """Everything an answer says, but which of several machines equally good it means."""
    options = {
        (group.group, option.option): (
            option.possible,
            option.price,
            option.difference,
            option.earliest,
            option.removal,
            len(option.give_up) if option.give_up is not None else None,
        )
        for group in answered.groups.values()
        for option in group.options
    }
    return {
        "options": options,
        "price": answered.price,
        "valid": answered.valid,
        "lost": len(answered.given_up),
        "earliest": answered.earliest,
    }


@settings(lenient, max_examples=12)
@given(questions(), st.data())
def test_both_engines_answer_alike(question: tuple[Model, Choices], data: st.DataObject) -> None:
    everything, choices = asked(question)
    model = everything.model
    skus = [model.base.sku, *(part.sku for group in model.groups for option in group.options for part in option.parts)]
    dates = {sku: FIRST_DAY + dt.timedelta(days=data.draw(st.integers(0, 9))) for sku in skus}
    limit = data.draw(st.one_of(st.none(), st.integers(49_000, 55_000).map(Money)))
    by = data.draw(st.one_of(st.none(), st.integers(0, 9).map(lambda days: FIRST_DAY + dt.timedelta(days=days))))
    diagram, solver = compile_model(model), by_solver(model, "tried")
    try:
        expected = told(answer(diagram, choices, dates, limit=limit, by=by))
    except NothingLeft:
        with pytest.raises(NothingLeft):
            told(answer(solver, choices, dates, limit=limit, by=by))
        return
    assert told(answer(solver, choices, dates, limit=limit, by=by)) == expected
    assert domains(solver, choices) == domains(diagram, choices)
    for goal in ("cheapest", "fastest", "strongest"):
        one, other = (finish(engine, choices, goal, dates, limit=limit, by=by) for engine in (diagram, solver))
        assert (one is None) is (other is None)
        if one and other:
            assert one.price == other.price
            assert goal != "strongest" or one.power == other.power
            assert goal != "fastest" or one.ready == other.ready
    for group in model.groups:
        wanted = (group.id, group.options[-1].id)
        mended, again = (repair(engine, choices, wanted, dates=dates, limit=limit, by=by) for engine in (diagram, solver))
        assert (mended is None) is (again is None)
        if mended and again:
            assert (len(mended.give_up), mended.price) == (len(again.give_up), again.price)
        reason = why_not(diagram, choices, wanted, dates=dates, limit=limit, by=by)
        assert (reason is None) is (why_not(solver, choices, wanted, dates=dates, limit=limit, by=by) is None)
