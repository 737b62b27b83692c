"""What the configurator's page knows: the customer's own choices and limits, and what a click meant.

The address holds only what the customer decided (`?cpu=c12&memory=m32&limit=1500`) and the way back from it;
everything else follows. The form, with or without script, posts every group's value and what was shown before:
a group whose value differs was just chosen. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

from configurator import history
from configurator.engine import Compiled, answer, repair
from configurator.language.specification import Model
from fulfillment.kernel.clock import today
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal

Own = dict[str, tuple[str, ...]]
Pair = tuple[str, str]

LIMIT, BY, CODE, DEAL = "limit", "by", "code", "deal"
"""The names of a budget, a day, promotion codes and taken offers in an address; no group is called so."""
RESERVED = frozenset({
    LIMIT, BY, CODE, DEAL, "own", "undo", "redo", "why", "want", "take", "free", "do", "start", "release", "under", "until", "quantity",
})
"""Names that the page's forms need for themselves: a group must not have one of them as its id."""
LONGEST_SEARCH = 60
MOST_CODES = 5


class BadLimit(Refusal):
    """A budget or a day that cannot be read."""


class Values(Protocol):
    """Query or form values with repeats, as the web framework holds them."""

    def getlist(self, key: str) -> list[str]: ...
    def __contains__(self, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class State:
    """What the customer decided so far, and the way there and back."""

    own: Own
    limit: Money | None = None
    """The machine may cost no more, tax excluded."""
    by: date | None = None
    """The machine leaves us by then."""
    codes: tuple[str, ...] = ()
    """Promotion codes."""
    deals: tuple[str, ...] = ()
    """Tokens of the offers that were taken."""
    past: tuple[history.Step, ...] = ()
    future: tuple[history.Step, ...] = ()

    def held(self) -> dict[str, tuple[str, ...]]:
        """All that was decided, by its names in the address."""
        held = dict(self.own)
        if self.limit is not None:
            held[LIMIT] = (plain(self.limit),)
        if self.by is not None:
            held[BY] = (self.by.isoformat(),)
        return held | {name: values for name, values in ((CODE, self.codes), (DEAL, self.deals)) if values}

    def query(self) -> dict[str, list[str]]:
        """The address's query, with the way back."""
        steps = {"undo": history.write(self.past), "redo": history.write(self.future)}
        return query(self.held()) | {name: [text] for name, text in steps.items() if text}

    def after(self, before: State) -> State:
        """This state, with the step that leads back to the one before."""
        taken = history.step(before.held(), self.held())
        return replace(self, past=(*before.past, taken), future=()) if taken else replace(self, past=before.past, future=before.future)


@dataclass(frozen=True, slots=True)
class View:
    """What of a page is unfolded: it changes nothing."""

    why: Pair | None = None
    """The option whose exclusion is to be explained."""
    want: Pair | None = None
    """The excluded option that is wanted all the same."""
    find: Mapping[str, str] = field(default_factory=dict)
    """What is looked for in a long group."""
    more: Mapping[str, int] = field(default_factory=dict)
    """How many more of a long group's options are shown, in pages."""

    def query(self) -> dict[str, list[str]]:
        """Its part of an address."""
        options = {name: [":".join(pair)] for name, pair in (("why", self.why), ("want", self.want)) if pair}
        searches = {f"find.{group}": [text] for group, text in self.find.items()}
        return options | searches | {f"more.{group}": [str(pages)] for group, pages in self.more.items()}


@dataclass(frozen=True, slots=True)
class Click:
    """What a submitted form meant: what was decided now, which groups were just chosen, and what had to go for them."""

    state: State
    newest: tuple[str, ...] = ()
    given_up: tuple[Pair, ...] = ()

    @property
    def own(self) -> Own:
        """The own choices now."""
        return self.state.own


def read_state(model: Model, values: Values) -> State:
    """What an address holds. Raises BadLimit; unknown options are left to the engine to refuse."""
    return State(
        own_choices(model, values), read_limit(_one(values, LIMIT)), read_day(_one(values, BY)),
        read_codes(values.getlist(CODE)), tuple(values.getlist(DEAL))[:MOST_CODES], *_steps(values),
    )


def _steps(values: Values) -> tuple[tuple[history.Step, ...], tuple[history.Step, ...]]:
    return history.read(_one(values, "undo")), history.read(_one(values, "redo"))


class _Query(dict[str, list[str]]):
    """A query that was read by hand."""

    def getlist(self, key: str) -> list[str]:
        return self.get(key, [])


def unpack(model: Model, text: str) -> State:
    """A state as a posted form carries it, all in one field. Raises BadLimit."""
    return read_state(model, _Query(parse_qs(text[:4000], keep_blank_values=True)))


def pack(state: State) -> str:
    """A state for a form that posts."""
    return urlencode(state.query(), doseq=True)


def read_codes(texts: Sequence[str]) -> tuple[str, ...]:
    """Promotion codes as they were typed, several in a field or in several."""
    return tuple(dict.fromkeys(code[:40] for text in texts for code in text.replace(",", " ").split()))[:MOST_CODES]


def read_view(model: Model, values: Values) -> View:
    """What of the page is unfolded."""
    find = {group.id: text for group in model.groups if (text := _one(values, f"find.{group.id}").strip()[:LONGEST_SEARCH])}
    more = {group.id: pages for group in model.groups if (pages := _most(values.getlist(f"more.{group.id}")))}
    return View(read_pair(model, values, "why"), read_pair(model, values, "want"), find, more)


def _most(texts: Sequence[str]) -> int:
    return max((int(text[:4]) for text in texts if text.isdecimal() and text.isascii()), default=0)


def read_limit(text: str) -> Money | None:
    """A budget as people write it. Raises BadLimit."""
    digits = text.strip().lstrip("$").replace(",", "").replace(" ", "")
    if not digits:
        return None
    try:
        limit = Money.parse(digits[:14])
    except ValueError:
        limit = Money(0)
    if limit.minor <= 0:
        raise BadLimit("“{text}” is no amount. Please write the budget in dollars, such as 1500.", text=text[:40])
    return limit


def read_day(text: str) -> date | None:
    """The day to leave us by. Raises BadLimit for what is no day, and for one that is over."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadLimit("“{text}” is no day. Please write year, month and day, such as 2027-03-31.", text=text[:40]) from None
    if day < today():
        raise BadLimit("{day} is over. Please choose a day to come.", day=day)
    return day


def plain(amount: Money) -> str:
    """An amount as an address holds it: `1500`, `1499.50`."""
    return f"{amount.decimal():f}".removesuffix(".00")


def own_choices(model: Model, values: Values) -> Own:
    """The customer's own choices as an address holds them; unknown groups and options are left to the engine to refuse."""
    return {group.id: _chosen(values, group.id) for group in model.groups if group.id in values}


def _chosen(values: Values, group: str) -> tuple[str, ...]:
    return tuple(option for option in values.getlist(group) if option)


def _shown(values: Values, group: str) -> tuple[str, ...]:
    return tuple(option for part in values.getlist(f"was.{group}") for option in part.split(",") if option)


def read_shown(model: Model, values: Values) -> Own:
    """The machine as it was shown before the click."""
    return {group.id: _shown(values, group.id) for group in model.groups if f"was.{group.id}" in values}


def _one(values: Values, name: str) -> str:
    return next(iter(values.getlist(name)), "")


def read_pair(model: Model, values: Values, name: str) -> Pair | None:
    """An option that a button names (`group:option`), if the model has it."""
    group, _, option = _one(values, name).partition(":")
    return (group, option) if group in model.by_id and option in model.by_id[group].by_id else None


def read_click(model: Model, values: Values) -> Click:
    """Read a submitted form: what was held before, and what is different now."""
    held = {group for part in values.getlist("own") for group in part.split(",")}
    before: Own = {}
    own: Own = {}
    newest: list[str] = []
    for group in model.groups:
        chosen = _chosen(values, group.id)
        shown = _shown(values, group.id)
        if group.id in held:
            before[group.id] = shown
        if set(chosen) != set(shown):
            newest.append(group.id)
        if group.id in held or group.id in newest:
            own[group.id] = chosen
    codes = read_codes(values.getlist("was.code"))
    was = State(before, read_limit(_one(values, "was.limit")), _former_day(_one(values, "was.by")), codes)
    was = replace(was, deals=tuple(values.getlist(DEAL))[:MOST_CODES], past=_steps(values)[0], future=_steps(values)[1])
    now = replace(was, own=own, limit=read_limit(_one(values, LIMIT)), by=read_day(_one(values, BY)))
    now = replace(now, codes=read_codes(values.getlist(CODE)))
    return Click(_pressed(model, now, was, values), tuple(newest))


def _former_day(text: str) -> date | None:
    """A day that was accepted before, even if midnight has passed since."""
    try:
        return read_day(text)
    except BadLimit:
        return None


def _pressed(model: Model, now: State, was: State, values: Values) -> State:
    """What the button that sent the form makes of it."""
    act = _one(values, "do")
    if act == "over":
        return State({}).after(was)
    if act == "undo" and was.past:
        held, forward = history.back(was.held(), was.past[-1])
        return _state_of(model, held, was.past[:-1], (*was.future, forward))
    if act == "redo" and was.future:
        held, backward = history.back(was.held(), was.future[-1])
        return _state_of(model, held, (*was.past, backward), was.future[:-1])
    if "under" in values:
        now = replace(now, limit=read_limit(_one(values, "under")))
    if "until" in values:
        now = replace(now, by=read_day(_one(values, "until")))
    if (freed := _one(values, "free")) in now.own:
        now = replace(now, own={group: chosen for group, chosen in now.own.items() if group != freed})
    if act == "suggest":
        now = replace(now, own={}, limit=read_limit(_one(values, "budget")))
    for start in model.starts:
        if start.id == _one(values, "for" if act == "suggest" else "start"):
            now = replace(now, own={group.id: start.choices[group.id] for group in model.groups if group.id in start.choices})
    return now.after(was)


def _state_of(model: Model, held: history.Held, past: tuple[history.Step, ...], future: tuple[history.Step, ...]) -> State:
    own = {group.id: held[group.id] for group in model.groups if group.id in held}
    limit, by = (next(iter(held.get(name, ())), "") for name in (LIMIT, BY))
    return State(own, read_limit(limit), _former_day(by), held.get(CODE, ()), held.get(DEAL, ()), past, future)


def settle(compiled: Compiled, own: Own, newest: Sequence[str], told: Mapping[str, Any] | None = None) -> tuple[Own, tuple[Pair, ...]]:
    """Drop the choices that cannot stay beside the newest ones: as few as possible. What stays, and what had to go.

    `told` is what the engine is told besides: dates, prices, limits.
    """
    told = told or {}
    older = {group: chosen for group, chosen in own.items() if group not in newest}
    lost: tuple[Pair, ...] = ()
    if len(newest) == 1 and len(own[newest[0]]) == 1:
        mended = repair(compiled, older, (newest[0], own[newest[0]][0]), **told)
        lost = mended.give_up if mended else ()
    kept = without(own, lost)
    rest = answer(compiled, kept, **told).given_up
    return without(kept, rest), (*lost, *rest)


def without(own: Own, lost: Sequence[Pair]) -> Own:
    """The choices but for some; a group that has none of its own left is no choice any more."""
    gone = set(lost)
    kept = {group: tuple(option for option in chosen if (group, option) not in gone) for group, chosen in own.items()}
    return {group: chosen for group, chosen in kept.items() if chosen or not own[group]}


def known(model: Model, own: Own) -> Own:
    """The choices that the model has: what is left of an address that was made for another release."""
    kept: Own = {}
    for group in model.groups:
        chosen = tuple(dict.fromkeys(option for option in own.get(group.id, ()) if option in group.by_id))
        if group.id in own and (len(chosen) == 1 or group.kind == "many"):
            kept[group.id] = chosen
    return kept


def query(held: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The address's query for these choices."""
    return {group: list(chosen) or [""] for group, chosen in held.items()}
