"""Answers for every option what choosing it would mean: possible or not, price, changes, dates; counts and repairs too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from configurator.engine import causes, solving
from configurator.engine.answers import Answer, Finished, Reason, Repair
from configurator.engine.compilation import Choices, Compiled, UnknownChoice
from configurator.engine.finding import Found, changes, completed, configuration, count, given_up, possible_values
from configurator.engine.seeking import Sought, earliest, possible
from configurator.engine.solving import PriceOf, Question, dates_for, prices_for
from configurator.engine.sweeps import NONE, Longs
from fulfillment.kernel.money import CurrencyMismatch, Money

Hidden = frozenset[tuple[str, str]]
"""Options (group, option) that a customer is not shown."""
Goal = Literal["cheapest", "fastest", "strongest"]


def answer(
    compiled: Compiled,
    choices: Choices,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Answer:
    """Answer for every option of every group, given the choices in the other groups.

    `dates` says when each SKU can be here; all hardware of the model must be in it. `hidden` options are never
    possible. The machine may cost at most `limit` and its parts must be here `by` then: both are choices like any
    other. Raises UnknownChoice for choices the model does not have or show, LookupError for a SKU without a date,
    ValueError for a day without dates, CurrencyMismatch, NothingLeft.
    """
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today)
    return Answer(Sought(question, limit, by) if compiled.too_large else Found(question, limit, by))


def rehearse(compiled: Compiled) -> None:
    """Ask one question of each kind, so that no customer waits for the loops to be made ready."""
    dates = dict.fromkeys(compiled.hardware[0], dt.date.min)
    opening = answer(compiled, {}, dates)
    for answered in (opening, answer(compiled, {}, dates, limit=opening.price - Money(1, opening.price.currency))):
        for option in (option for group in answered.groups.values() for option in group.options):
            _ = option.price, option.ready, option.earliest, option.changes
    _ = opening.machines, domains(compiled, {})


def repair(
    compiled: Compiled,
    choices: Choices,
    wanted: tuple[str, str],
    *,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Repair | None:
    """Find the least to give up for a wanted option; None if no machine has it. Raises as `answer`."""
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today)
    variable, value = compiled.decision_of(*wanted)
    machine = solving.complete(question.wanting(compiled.number(variable, value)))
    if machine is None:
        return None
    before = completed(question)
    return Repair(
        give_up=given_up(question, machine),
        configuration=configuration(compiled, machine.values),
        price=question.price(machine.values),
        changes=changes(compiled, before.values, machine.values),
        difference=question.price(machine.values) - question.price(before.values),
        ready=question.ready(machine.values),
    )


def why_not(
    compiled: Compiled,
    choices: Choices,
    wanted: tuple[str, str],
    *,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Reason | None:
    """Explain why an option is not possible with the other choices; None if it is. Raises as `answer`."""
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today)
    return causes.why_not(question, compiled.number(*compiled.decision_of(*wanted)))


def count_machines(compiled: Compiled, choices: Choices, *, hidden: Hidden = frozenset()) -> int | None:
    """Count, exactly, the different machines that keep the choices; None for a model too large for it. Raises UnknownChoice."""
    return None if compiled.too_large else count(_question(compiled, choices, hidden=hidden))


def domains(
    compiled: Compiled, choices: Choices, *, hidden: Hidden = frozenset(), without: Hidden = frozenset(),
) -> Mapping[str, frozenset[str]]:
    """The options of every group that go with the choices in the other groups. Raises UnknownChoice.

    Options `without` which the machine must be are choices too: those of a group bind the other groups only.
    """
    question = _question(compiled, choices, hidden=hidden)
    refused = [compiled.number(*compiled.decision_of(group, option)) for group, option in sorted(without)]
    goes = possible(question, refused) if compiled.too_large else possible_values(question, refused)
    found: dict[str, set[str]] = {group.id: set() for group in compiled.model.groups}
    for number in np.flatnonzero(goes).tolist():
        if compiled.value_names[number]:
            found[compiled.variables[compiled.variable_of[number]].group].add(compiled.value_names[number])
    return {group: frozenset(options) for group, options in found.items()}


def finish(
    compiled: Compiled,
    choices: Choices,
    goal: Goal,
    dates: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Finished | None:
    """Complete the choices for a goal, all of them kept; None if they do not go together. Raises as `answer`.

    The cheapest machine has the least price, whatever the defaults; the fastest is here first and then keeps defaults,
    then is cheap; the strongest has the most `power` added up, and then the least price.
    """
    question = _question(compiled, choices, dates, price_of, hidden=hidden, limit=limit, by=by, today=today).firmly()
    power = compiled.power
    if goal == "fastest":
        if question.dates is None:
            raise ValueError("the fastest machine needs the dates of parts")
        day = _earliest_day(question)
        if day is None:
            return None
        question = replace(question, by=day)
    machine = solving.least(question, _goal_costs(question, goal, power))
    if machine is None:
        return None
    return Finished(
        configuration=configuration(compiled, machine),
        price=question.price(machine),
        ready=question.ready(machine),
        power=int(power[machine].sum()) if power.any() else None,
    )


def _earliest_day(question: Question) -> int | None:
    """The ordinal of the earliest day on which a machine can be had, every choice a must; None if there is none."""
    if question.compiled.too_large:
        day = earliest(question)
        return None if day is None else day.toordinal()
    ordinal, _ = solving.earliest(question)
    return ordinal if ordinal < NONE else None


def _goal_costs(question: Question, goal: Goal, power: Longs) -> Longs:
    """What a goal keeps low, times the question's unit, plus price."""
    if goal == "fastest":
        return question.costs
    most = np.maximum.reduceat(power, question.compiled.offsets[:-1])[question.compiled.variable_of]
    missing = most - power if goal == "strongest" else np.zeros(len(power), dtype=np.int64)
    if int(most.max(initial=0)) * question.unit * len(question.compiled.slots) >= NONE:
        raise ValueError("powers of options are too large to be compared exactly")
    return np.where(question.barred, NONE, missing * question.unit + question.shifted)


def _question(
    compiled: Compiled,
    choices: Choices,
    by_sku: Mapping[str, dt.date] | None = None,
    price_of: PriceOf | None = None,
    *,
    hidden: Hidden = frozenset(),
    limit: Money | None = None,
    by: dt.date | None = None,
    today: dt.date | None = None,
) -> Question:
    """Put a question into the engine's terms. Raises as `answer`."""
    wishes = compiled.read(choices)
    prices = prices_for(compiled, price_of)
    if limit is not None and limit.currency != prices.currency:
        raise CurrencyMismatch(f"the limit is in {limit.currency}, the prices are in {prices.currency}")
    if by is not None and by_sku is None:
        raise ValueError("a day by which parts must be here needs the dates of parts")
    forbidden = np.zeros(len(prices.values), dtype=np.bool_)
    for group, option in hidden:
        forbidden[compiled.number(*compiled.decision_of(group, option))] = True
    for variable, value in wishes.own.items():
        if forbidden[compiled.number(variable, value)]:
            chosen = compiled.variables[variable]
            raise UnknownChoice(f"{chosen.group} of {compiled.model.id} has no option {chosen.values[value]!r} for this customer")
    return Question(
        compiled,
        wishes.own,
        wishes.preferred,
        prices,
        dates_for(compiled, by_sku, today) if by_sku is not None else None,
        forbidden,
        None if limit is None else limit.minor,
        None if by is None else by.toordinal(),
    )
