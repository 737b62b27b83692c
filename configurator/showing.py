"""A model on paper: its groups and options with prices, what follows from them, where to start, and its rules in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from configurator.language.lowering import written_rules
from configurator.language.specification import EVERYONE, Group, Model, Option, Text, Visibility
from configurator.language.wording import say, say_rule
from configurator.pricing import list_price
from fulfillment.kernel.money import Money


def show(model: Model, language: str) -> Iterator[str]:
    """The lines of a model in one language."""
    price = amount(list_price(model, model.defaults))
    yield f"{model.name[language]} ({model.id}): {price} as it stands, {model.build_days} working days to build"
    yield model.tagline[language]
    section: Text | None = None
    reasons = {rule.id: rule.reason for rule in model.rules}
    wide = max(len(option.id) for group in model.groups for option in group.options)
    for group in model.groups:
        if group.hidden:
            continue
        if group.section != section and group.section is not None:
            yield f"\n{group.section[language]}"
        section = group.section
        yield from _group(group, wide, language, reasons.get(f"{group.id}-not-asked"))
    yield from _following(model, language)
    yield from _starts(model, language)
    rules = written_rules(model)
    if rules:
        yield "\nRules"
    for rule in rules:
        yield f"  {rule.id}: {rule.reason[language]}"
        yield f"    {say_rule(rule)}"


def amount(money: Money) -> str:
    """An amount with its currency: 1,299.00 USD."""
    return f"{money.minor // 100:,}.{money.minor % 100:02} {money.currency}" if money.minor >= 0 else f"-{amount(-money)}"


def _group(group: Group, wide: int, language: str, why: Text | None) -> Iterator[str]:
    kind = ", any of them" if group.kind == "many" else ""
    when = f", asked when {say(group.when)}" if group.when is not None else ""
    yield f"  {group.name[language]} ({group.id}{kind}{when})"
    if why is not None:
        yield f"    {why[language]}"
    for option in group.options:
        if not option.absent:
            mark = "•" if option.id in group.default else " "
            yield f"    {mark} {option.id.ljust(wide)}  {_padded(option.name[language])} {amount(option.price):>14}{_limits(option)}"


def _limits(option: Option) -> str:
    """Who is shown an option and when, and how long it takes, where that is not "everyone, at once"."""
    said = [*_seen(option.visibility)] if option.visibility != EVERYONE else []
    if option.not_before_days:
        said.append(f"not before {option.not_before_days} days from now")
    return f"  [{'; '.join(said)}]" if said else ""


def _seen(visibility: Visibility) -> Iterator[str]:
    if visibility.first_day:
        yield f"from {visibility.first_day}"
    if visibility.last_day:
        yield f"until {visibility.last_day}"
    if visibility.markets:
        yield f"in {', '.join(sorted(visibility.markets))}"
    if visibility.customer_groups:
        yield f"for {', '.join(sorted(visibility.customer_groups))}"


def _following(model: Model, language: str) -> Iterator[str]:
    following = [group for group in model.groups if group.hidden and group.when is not None]
    if following:
        yield "\nFollows from the choices"
    for group in following:
        effect = group.options[-1]
        does = f"not before {effect.not_before_days} days" if effect.not_before_days else amount(effect.price)
        yield f"  {group.name[language]} ({group.id}): {does}, when {say(group.when) if group.when is not None else 'always'}"


def _starts(model: Model, language: str) -> Iterator[str]:
    if model.starts:
        yield "\nStart from"
    for start in model.starts:
        chosen = ", ".join(f"{group} {'+'.join(options) or 'none'}" for group, options in start.choices.items())
        yield f"  {start.name[language]} ({start.id}): {chosen}"


def _padded(text: str, width: int = 62) -> str:
    """The text in a column; a Chinese character takes two places."""
    return text + " " * max(0, width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
