"""What a new release of a model changes, in words: options, prices, rules, defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from configurator.language.lowering import written_rules
from configurator.language.specification import Group, Model, Option, Rule, Start
from configurator.language.wording import say, say_rule
from configurator.pricing import list_price
from configurator.showing import amount


def differences(old: Model, new: Model) -> list[str]:
    """Every difference, a sentence each, from the machine as a whole to its rules; none if both mean the same."""
    return [*_sheet(old, new), *_groups(old, new), *_following(old, new), *_rules(old, new), *_starts(old, new)]


def _sheet(old: Model, new: Model) -> Iterator[str]:
    if old.id != new.id:
        yield f"these are two models: {old.id} and {new.id}"
    before, after = list_price(old, old.defaults), list_price(new, new.defaults)
    if before != after:
        yield f"the machine as it stands costs {amount(after)} instead of {amount(before)}"
    if old.base_price != new.base_price:
        yield f"the bare machine costs {amount(new.base_price)} instead of {amount(old.base_price)}"
    if old.build_days != new.build_days:
        yield f"it takes {new.build_days} working days to build instead of {old.build_days}"
    if old.base_attributes != new.base_attributes:
        yield f"the bare machine has {_otherwise(old.base_attributes, new.base_attributes)}"
    if (old.name, old.tagline, old.summary, old.facts) != (new.name, new.tagline, new.summary, new.facts):
        yield "the machine is described in other words"


def _groups(old: Model, new: Model) -> Iterator[str]:
    for group in _shown(old):
        if group.id not in new.by_id:
            yield f"the group {_named(group)} is removed"
    for group in _shown(new):
        before = old.by_id.get(group.id)
        if before is None or before.hidden:
            options = sum(not option.absent for option in group.options)
            asked = f", asked when {say(group.when)}" if group.when is not None else ""
            yield f"the group {_named(group)} is new, with {_counted(options, 'option')}{asked}"
        else:
            yield from _group(before, group)
    common = [group.id for group in _shown(old) if group.id in new.by_id]
    if common != [group.id for group in _shown(new) if group.id in old.by_id]:
        yield "the groups stand in another order"


def _group(old: Group, new: Group) -> Iterator[str]:
    where = f"in {_named(new)}"
    for option in old.options:
        if option.id not in new.by_id:
            yield f"{where} the option {_named(option)} is removed"
    for option in new.options:
        if option.id not in old.by_id:
            yield f"{where} the option {_named(option)} is new, for {amount(option.price)}"
        else:
            yield from (f"{where} {said}" for said in _option(old.by_id[option.id], option))
    if old.default != new.default:
        yield f"{where} the default is {_listed(new.default)} instead of {_listed(old.default)}"
    if old.kind != new.kind:
        yield f"{where} one may choose {'any of the options' if new.kind == 'many' else 'exactly one option'} now"
    if old.when != new.when:
        yield f"{where} the condition under which it is asked is {_changed(old.when, new.when)}"
    if (old.name, old.help, old.section) != (new.name, new.help, new.section):
        yield f"{where} the words are others"


def _option(old: Option, new: Option) -> Iterator[str]:
    """What is different in one option."""
    name = _named(new)
    if old.price != new.price:
        yield f"{name} costs {amount(new.price)} instead of {amount(old.price)}"
    if [(part.sku, part.qty) for part in old.parts] != [(part.sku, part.qty) for part in new.parts]:
        yield f"{name} is made of {_parts(new)} instead of {_parts(old)}"
    elif old.parts != new.parts:
        yield f"the parts of {name} have another cost, weight, supplier or lead time"
    if old.attributes != new.attributes:
        yield f"{name} has {_otherwise(old.attributes, new.attributes)}"
    if old.visibility != new.visibility:
        yield f"{name} is offered to others, or at other times, than before"
    if old.not_before_days != new.not_before_days:
        yield f"{name} leaves no earlier than {new.not_before_days} days from now, instead of {old.not_before_days}"
    if (old.name, old.detail) != (new.name, new.detail):
        yield f"{name} is described in other words"


def _following(old: Model, new: Model) -> Iterator[str]:
    """Bundles and lead times."""
    before = {group.id: group for group in old.groups if group.hidden}
    after = {group.id: group for group in new.groups if group.hidden}
    for group in before.values():
        if group.id not in after:
            yield f"{_named(group)} no longer applies to anything"
    for group in after.values():
        if group.id not in before:
            yield f"{_named(group)} is new: {_effect(group)}"
        elif (before[group.id].when, before[group.id].options[-1]) != (group.when, group.options[-1]):
            change = f"{_effect(group)} instead of {_effect(before[group.id])}"
            yield f"{_named(group)} applies to other machines, or does something else: {change}"


def _rules(old: Model, new: Model) -> Iterator[str]:
    before, after = _written(old), _written(new)
    for rule in before.values():
        if rule.id not in after:
            yield f"the rule {rule.id!r} is removed ({rule.reason['en']})"
    for rule in after.values():
        known = before.get(rule.id)
        if known is None:
            yield f"the rule {rule.id!r} is new: {rule.reason['en']}"
        elif (known.when, known.require) != (rule.when, rule.require):
            yield f"the rule {rule.id!r} says {say_rule(rule)!r} instead of {say_rule(known)!r}"
        elif known.reason != rule.reason:
            yield f"the rule {rule.id!r} gives another reason: {rule.reason['en']}"


def _starts(old: Model, new: Model) -> Iterator[str]:
    before, after = _by_id(old.starts), _by_id(new.starts)
    for start in old.starts:
        if start.id not in after:
            yield f"one can no longer start from {_named(start)}"
    for start in new.starts:
        if start.id not in before:
            yield f"one can start from {_named(start)}"
        elif before[start.id] != start:
            yield f"to start from {_named(start)} means another machine, or is described in other words"


def _changed(before: object, after: object) -> str:
    if after is None:
        return "gone: it is always asked"
    return "new" if before is None else "another"


def _shown(model: Model) -> list[Group]:
    return [group for group in model.groups if not group.hidden]


def _written(model: Model) -> Mapping[str, Rule]:
    return {rule.id: rule for rule in written_rules(model)}


def _by_id(starts: Sequence[Start]) -> Mapping[str, Start]:
    return {start.id: start for start in starts}


def _named(thing: Group | Option | Start) -> str:
    return f"{thing.id!r} ({thing.name['en']})"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(options: Sequence[str]) -> str:
    return ", ".join(repr(option) for option in options) or "nothing"


def _parts(option: Option) -> str:
    return ", ".join(f"{part.qty} × {part.sku}" for part in option.parts) or "nothing"


def _otherwise(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """The attributes that are not the same."""
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return ", ".join(f"{name} {new.get(name, 'no more')} instead of {old.get(name, 'nothing')}" for name in changed)


def _effect(group: Group) -> str:
    effect = group.options[-1]
    return f"{effect.not_before_days} days" if effect.not_before_days else amount(effect.price)
