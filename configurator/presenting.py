"""Everything that the configurator's templates are given, for one click.

Takes a session and asks what it needs there: prices, dates, the machine's day. What it gives is words and rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from configurator import limits
from configurator.deciding import Obstacle, Swap, cheapest_with, obstacle, reasons_of, swaps
from configurator.engine import answer
from configurator.language.specification import Model
from configurator.limits import Choice
from configurator.page import BY, LIMIT, Click, Pair, State, View, pack, plain
from configurator.prices.terms import SHOPPER
from configurator.pricing import list_price
from configurator.releasing import Released
from configurator.screen import Teller, in_words, short_money, signed, words_of
from configurator.service import Consultation, consult, leaves_us, ready_as_configured
from fulfillment.kernel.errors import translated
from fulfillment.kernel.i18n import current_locale, day, money, number, pick
from fulfillment.kernel.money import Money

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bargain:
    """The machine as it is, and the one with a wanted option, in words."""

    swaps: list[Swap]
    limits: list[Choice]
    price_before: str
    price_after: str
    difference: str
    ready_before: str
    ready_after: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Why an option is excluded, and what it would take to have it."""

    value: str
    name: str
    reasons: tuple[str, ...]
    choices: tuple[str, ...]
    attainable: bool
    offer: Bargain | None
    raise_to: Choice | None


@dataclass(frozen=True, slots=True)
class StartCard:
    """A machine to start from."""

    id: str
    name: str
    detail: str
    price: Money


def asked(session: Session, model: Released, state: State, dates: Mapping[str, date] | None = None) -> Consultation:
    """What the shop says to what was decided, with today's prices and dates; those of the parts may be known already."""
    return consult(
        session, model.model.id, state.own, terms=replace(SHOPPER, codes=state.codes), limit=state.limit, by=state.by, taken=state.deals,
        dates=dates,
    )


def shown(session: Session, click: Click, found: Consultation, *, view: View, was: Mapping[str, Sequence[str]]) -> Shown:
    """What changes at a click: the groups, and the summary beside them."""
    state, model, told = click.state, found.released.model, found.answer
    ready = ready_as_configured(session, model, told.configuration)
    teller = Teller(model, told, partial(leaves_us, model), found.circumstances["hidden"])
    changed = teller.changed(was, click.newest) if was else []
    wanted = view.want or view.why
    said_too = notices(click, found)
    return {
        "model": model,
        "version": found.released.version,
        "answer": told,
        "bill": found.bill,
        "state": state,
        "packed": pack(state),
        "sections": teller.sections(state, view),
        "configuration": teller.configuration(),
        "ready": ready,
        "changed": changed,
        "notices": said_too,
        "obstacle": panel(session, state, found, wanted, offered=view.want is not None) if wanted else None,
        "hidden": _hidden(state),
        "limits": limits.in_force(state),
        "limit_text": plain(state.limit) if state.limit else "",
        "by_text": state.by.isoformat() if state.by else "",
        "budgets": limits.budgets(told.price),
        "days": limits.days(leaves_us(model, told.earliest), ready) if told.earliest else [],
        "raise_to": _raise_to(state, found),
        "machines": machines_left(told.machines),
        "goals": _goals(model),
        "offers": _offers(found),
        "rules": _rules(found),
        "codes": " ".join(state.codes),
        "code_problems": [translated(problem) for problem in found.code_problems],
        "said": said(found, ready, changed, said_too),
    }


def _hidden(state: State) -> dict[str, str]:
    """What a form needs to know of the state that it was rendered for."""
    fields = {key: values[0] for key, values in state.query().items() if key in {"undo", "redo"}}
    if state.limit:
        fields["was.limit"] = plain(state.limit)
    if state.by:
        fields["was.by"] = state.by.isoformat()
    if state.codes:
        fields["was.code"] = " ".join(state.codes)
    return fields


def _goals(model: Model) -> list[Choice]:
    """What a machine can be finished for; power only where the model tells any."""
    has_power = any("power" in option.attributes for group in model.groups for option in group.options)
    strongest = [Choice("do", "strongest", _("The most powerful"))] if has_power else []
    return [Choice("do", "cheapest", _("The lowest price")), Choice("do", "fastest", _("The earliest day")), *strongest]


def machines_left(count: int | None) -> str:
    """How many machines the customer can still choose among."""
    if count is None:
        return ""
    if count < 10**12:
        return str(ngettext("%(count)s machine fits your choices", "%(count)s machines fit your choices", count, count=number(count)))
    digits = len(str(count)) - 1
    raised = str(digits).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return str(_("%(count)s machines fit your choices", count=f"{count // 10 ** (digits - 1) / 10} × 10{raised}"))


def _offers(found: Consultation) -> list[Choice]:
    """What we offer instead of what is short: “In stock now: … for the same price, 6 days sooner”."""
    model, words = found.released.model, words_of(found.released.model)
    told = []
    for offer in found.offers:
        difference = offer.price_after - offer.price_before
        days = (leaves_us(model, offer.ready_before) - leaves_us(model, offer.ready_after)).days
        sentence = _(
            "In stock now: %(option)s instead, %(price)s, %(days)s.",
            option=words.options[offer.deal.group, offer.deal.option],
            price=_("for the same price") if not difference else signed(difference),
            days=ngettext("%(num)s day sooner", "%(num)s days sooner", days),
        )
        told.append(Choice("offer", offer.token, sentence))
    return told


def _rules(found: Consultation) -> list[tuple[str, str]]:
    """What came off the price, or which agreement or book made it, with the amount where there is one."""
    reckoned = found.bill
    off = [(pick(each.name), f"− {short_money(amount)}") for each, amount in (*reckoned.options_off, *reckoned.machine_off) if amount]
    return off + [(pick(deal.rule.name), f"− {short_money(deal.given)}") for deal in found.deals]


def _raise_to(state: State, found: Consultation) -> Choice | None:
    """The budget that would do, when the customer's is too small for what he chose."""
    if state.limit is None or (LIMIT, "") not in found.answer.given_up:
        return None
    price = cheapest_with(state, found)
    return _up_to(price) if price else None


def _up_to(price: Money) -> Choice:
    whole = Money(-(-price.minor // 100) * 100, price.currency)
    return Choice("under", plain(whole), short_money(whole))


def notices(click: Click, found: Consultation) -> list[tuple[str, str]]:
    """What the customer has to be told: kind and sentence."""
    model, told, state, notes = found.released.model, found.answer, click.state, []
    if click.given_up:
        notes.append(("warn", given_up(model, click.given_up)))
    if not told.valid:
        lost = "; ".join(named(model, pair) for pair in told.given_up)
        sentences = [_("These choices do not go together; left out: %(what)s.", what=lost), *reasons_of(told.conflict, state)]
        notes.append(("warn", " ".join(sentences)))
    if found.stale:
        notes.append(("warn", _("The offer you took no longer stands: the supply, or what goes with your choices, has changed.")))
    return notes


def named(model: Model, pair: Pair) -> str:
    """A choice in words; a limit too."""
    if pair[0] in {LIMIT, BY} and pair[0] not in model.by_id:
        return str(_("your budget") if pair[0] == LIMIT else _("your date"))
    return in_words(model, *pair)


def given_up(model: Model, pairs: Sequence[Pair]) -> str:
    """The sentence that tells what had to go for the newest choice."""
    return str(_("Given up for your newest choice: %(what)s", what="; ".join(named(model, pair) for pair in pairs)))


def said(found: Consultation, ready: date, changed: Sequence[str], notes: Sequence[tuple[str, str]]) -> str:
    """What is spoken after a click."""
    sentences = [_("Price now %(price)s, could leave us on %(day)s.", price=money(found.answer.price), day=day(ready))]
    if changed:
        sentences.append(_("This changed with it: %(what)s", what="; ".join(changed)))
    return " ".join([*sentences, *(text for _kind, text in notes)])


def panel(session: Session, state: State, found: Consultation, wanted: Pair, *, offered: bool) -> Panel:
    """Explain an exclusion; with the machine before and after when that was asked for."""
    told = obstacle(state, wanted, found)
    return Panel(
        ":".join(wanted), words_of(found.released.model).options[wanted], told.reasons, told.choices, told.mended is not None,
        _bargain(session, state, found, told) if offered else None, _up_to(told.raise_to) if told.raise_to else None,
    )


def _bargain(session: Session, state: State, found: Consultation, told: Obstacle) -> Bargain | None:
    mended, model = told.mended, found.released.model
    if mended is None:
        return None
    before = ready_as_configured(session, model, found.answer.configuration)
    after = ready_as_configured(session, model, mended.configuration)
    lost = {group for group, _option in mended.give_up}
    price = found.pays(mended.price)
    return Bargain(
        swaps(model, found.answer.configuration, mended.configuration, mended.give_up),
        [limit for limit in limits.in_force(state) if {"under": LIMIT, "until": BY}[limit.field] in lost],
        short_money(found.answer.price), short_money(price), signed(price - found.answer.price), day(before), day(after),
    )


_starts: dict[tuple[str, str], list[StartCard]] = {}


def starts(model: Released) -> list[StartCard]:
    """The machines to start from, at their list price."""
    key = (model.model.content_hash, current_locale())
    if key not in _starts:
        if len(_starts) > 64:
            _starts.clear()
        _starts[key] = [
            StartCard(
                start.id, pick(start.name), pick(start.detail) if start.detail else "",
                list_price(model.model, answer(model.compiled, start.choices).configuration),
            )
            for start in model.model.starts
        ]
    return _starts[key]
