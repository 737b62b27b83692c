"""What a click leads to: choices that go together, a machine that completes them, and what stands in the way of another.

Between the page, which knows what was clicked, and the engine, which knows what can be built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from configurator.engine import Goal, Reason, Repair, answer, finish, repair, why_not
from configurator.language.specification import Model
from configurator.page import BY, LIMIT, Click, Own, Pair, State, settle, without
from configurator.releasing import Released
from configurator.screen import in_words, short_money, words_of
from configurator.service import Consultation
from fulfillment.kernel.i18n import day, pick
from fulfillment.kernel.money import Money

Ask = Callable[[State], Consultation]
"""The shop's answer, with the prices and dates of this customer and this moment."""

GOALS: Mapping[str, Goal] = {"cheapest": "cheapest", "fastest": "fastest", "strongest": "strongest"}


@dataclass(frozen=True, slots=True)
class Swap:
    """A group in the machine as it is, and in the machine with a wanted option."""

    group: str
    before: str
    after: str
    given_up: bool
    """It was the customer's own choice."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an option cannot be had now, and the least that would have to go for it."""

    reasons: tuple[str, ...]
    choices: tuple[str, ...]
    """The customer's own choices at fault."""
    mended: Repair | None
    """The machine that has it; None when none does."""
    raise_to: Money | None
    """The budget under which it could be had, where the budget is at fault."""


def decide(click: Click, ask: Ask) -> tuple[Click, Consultation]:
    """Answer a click; where the choices do not go together, the newest stay and as few others as possible go for them."""
    found = ask(click.state)
    if found.answer.valid or not click.newest:
        return click, found
    own, lost = settle(found.released.compiled, click.own, click.newest, found.circumstances)
    settled = Click(_relieved(replace(click.state, own=own), lost), click.newest, (*click.given_up, *lost))
    return settled, ask(settled.state)


def _relieved(state: State, lost: Sequence[Pair]) -> State:
    """The state without the limits that had to go."""
    names = {group for group, _ in lost}
    return replace(state, limit=None if LIMIT in names else state.limit, by=None if BY in names else state.by)


def taken(state: State, wanted: Pair, ask: Ask) -> Click:
    """Choose an excluded option, and give up the least for it. An option that no machine has leaves everything as it is."""
    found = ask(state)
    mended = repair(found.released.compiled, state.own, wanted, **found.circumstances)
    if mended is None:
        return Click(state)
    own = _with(found.released.model, without(state.own, mended.give_up), wanted)
    return Click(_relieved(replace(state, own=own), mended.give_up).after(state), (), mended.give_up)


def _with(model: Model, own: Own, wanted: Pair) -> Own:
    group, option = wanted
    already = own.get(group, ()) if model.by_id[group].kind == "many" else ()
    return _in_order(model, own | {group: (*(each for each in already if each != option), option)})


def _in_order(model: Model, own: Own) -> Own:
    return {group.id: own[group.id] for group in model.groups if group.id in own}


def finished(state: State, goal: Goal, ask: Ask) -> Click | None:
    """Choose the rest for a goal: as few choices more as make the machine what it should be. None: nothing keeps the choices."""
    found = ask(state)
    compiled, told = found.released.compiled, found.circumstances
    done = finish(compiled, state.own, goal, **told)
    if done is None:
        return None
    return Click(replace(state, own=pinned(found.released, state.own, done.configuration, told)).after(state))


def pinned(asked: Released, own: Own, wanted: Mapping[str, tuple[str, ...]], told: Mapping[str, Any]) -> Own:
    """The own choices, and as few more as make the machine the wanted one, which keeps them."""
    own, model = dict(own), asked.model
    for _turn in model.groups:
        now = answer(asked.compiled, own, **told).configuration
        new = {group.id: wanted[group.id] for group in model.groups if _is_missed(group.id, model, now, wanted)}
        if not new:
            break
        own |= new
    return _in_order(model, own)


def _is_missed(group: str, model: Model, now: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether a group that is asked is not yet as wanted; what is hidden or not asked follows from the others."""
    asked = model.by_id[group]
    follows = asked.hidden or any(asked.by_id[option].absent for option in wanted[group])
    return not follows and set(now[group]) != set(wanted[group])


def cheapest_with(state: State, found: Consultation) -> Money | None:
    """What the cheapest machine with all choices costs, whatever the budget."""
    done = finish(found.released.compiled, state.own, "cheapest", **{**found.circumstances, "limit": None})
    return found.pays(done.price) if done else None


def obstacle(state: State, wanted: Pair, found: Consultation) -> Obstacle:
    """Why an option is excluded, and what it would take to have it."""
    compiled, told = found.released.compiled, found.circumstances
    reason = why_not(compiled, state.own, wanted, **told)
    raise_to = None
    if reason is not None and reason.limit:
        group, option = wanted
        price = answer(compiled, state.own, **{**told, "limit": None}).groups[group].option(option).price
        raise_to = found.pays(price) if price else None
    culprits = tuple(in_words(found.released.model, *choice) for choice in reason.choices) if reason else ()
    return Obstacle(reasons_of(reason, state), culprits, repair(compiled, state.own, wanted, **told), raise_to)


def reasons_of(reason: Reason | None, state: State) -> tuple[str, ...]:
    """The causes of an exclusion as sentences: rules in the product manager's words, then the customer's limits."""
    if reason is None:
        return ()
    sentences = [pick(rule.reason) for rule in reason.rules]
    if reason.limit and state.limit:
        sentences.append(_("The machine would cost more than your budget of %(price)s.", price=short_money(state.limit)))
    if reason.by and state.by:
        sentences.append(_("The machine would leave us later than %(day)s.", day=day(state.by)))
    return tuple(dict.fromkeys(sentences))


def swaps(
    model: Model, before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]], given_up: Sequence[Pair],
) -> list[Swap]:
    """What is different between two machines, group by group: first what is given up."""
    words, lost = words_of(model), {group for group, _ in given_up}
    found = []
    for group in model.groups:
        was, now = before.get(group.id, ()), after.get(group.id, ())
        if group.hidden or set(was) == set(now):
            continue
        before_it, after_it = (
            Markup(", ").join(words.options[group.id, each] for each in options if not group.by_id[each].absent) for options in (was, now)
        )
        found.append(Swap(words.groups[group.id], before_it, after_it, group.id in lost))
    return sorted(found, key=lambda swap: not swap.given_up)
