"""What the engine need not know: optional groups, quantities, conditional groups, bundles and lead times in plain groups and rules.

An optional group gets the option "none"; a quantity becomes an option for each number of pieces; a group that is asked
only under a condition gets an option "absent"; what follows from the choices (a bundle's price, a delay) becomes a
hidden group that is "on" exactly when its condition holds. Everything after the reader sees groups of kind "one" and
"many", options and rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from configurator.language.conditions import (
    And,
    Attribute,
    Chosen,
    Combined,
    Compared,
    Condition,
    Count,
    Expression,
    Listed,
    Not,
    Or,
    Sum,
)
from configurator.language.specification import Group, Model, Option, Rule, Text
from configurator.language.truth import Configuration, holds
from fulfillment.kernel.money import Money

NONE, ABSENT, OFF, ON = "none", "absent", "off", "on"
"""The ids of the options that nobody writes."""
NOTHING: Text = {"en": "None", "zh": "无"}
NOT_ASKED: Text = {"en": "Not asked here", "zh": "不适用"}
NO: Text = {"en": "No", "zh": "否"}


def nothing(option_id: str, name: Text | None, line: int) -> Option:
    """The option that adds nothing: "none", or no piece of a quantity."""
    return Option(option_id, name or NOTHING, None, Money(0), 1, (), {"qty": 0}, line=line)


def pieces_of(piece: Option, counts: Iterable[int], none: Text | None) -> tuple[Option, ...]:
    """An option for each number of pieces; the price, the parts and the sums are those of one piece, so many times."""
    return tuple(_times(piece, count) if count else nothing("0", none, piece.line) for count in counts)


def _times(piece: Option, count: int) -> Option:
    name = piece.name if count == 1 else {language: f"{count} × {said}" for language, said in piece.name.items()}
    return replace(
        piece,
        id=str(count),
        name=name,
        price=piece.price * count,
        qty=count,
        parts=tuple(replace(part, qty=part.qty * count) for part in piece.parts),
        attributes={**piece.attributes, "qty": count},
    )


def only_when(group: Group, when: Condition, reason: Text) -> tuple[Group, list[Rule]]:
    """A group that is asked only under a condition, and the rules that say so."""
    source, line = "ours", group.line
    if group.kind == "many":
        some = Chosen(group.id, tuple(option.id for option in group.options), "has")
        rules = [Rule(f"{group.id}-not-asked", source, Not(when), Not(some), reason, line=line)]
        return replace(group, when=when), rules
    absent = Option(ABSENT, NOT_ASKED, None, Money(0), 1, (), {"qty": 0}, absent=True, line=line)
    is_absent = Chosen(group.id, (ABSENT,), "is")
    rules = [
        Rule(f"{group.id}-not-asked", source, Not(when), is_absent, reason, line=line),
        Rule(f"{group.id}-asked", source, when, Not(is_absent), reason, line=line),
    ]
    return replace(group, options=(*group.options, absent), when=when), rules


def following(group_id: str, when: Condition, effect: Option) -> tuple[Group, list[Rule]]:
    """A hidden group whose `effect` holds exactly when the condition does, and the rules that say so."""
    line = effect.line
    off = replace(nothing(OFF, NO, line))
    group = Group(group_id, effect.name, None, None, "one", (OFF,), (off, effect), hidden=True, when=when, line=line)
    rules = [
        Rule(f"{group_id}-on", "ours", when, Chosen(group_id, (ON,), "is"), effect.name, line=line),
        Rule(f"{group_id}-off", "ours", Not(when), Chosen(group_id, (OFF,), "is"), effect.name, line=line),
    ]
    return group, rules


def effect(name: Text, detail: Text | None, line: int, *, price: Money | None = None, days: int = 0) -> Option:
    """What a hidden group does when it is on: change the price, or delay the machine."""
    return Option(ON, name, detail, price or Money(0), 1, (), {"qty": 0}, not_before_days=days, line=line)


def written_rules(model: Model) -> list[Rule]:
    """The rules somebody wrote, without those that say when a group is asked or a bundle applies."""
    made = {f"{group.id}-{end}" for group in model.groups if group.when is not None for end in ("on", "off", "asked", "not-asked")}
    return [rule for rule in model.rules if rule.id not in made]


def settled(model: Model) -> Model:
    """The model with the defaults of its conditional and hidden groups as they follow from the others."""
    defaults = followed(model, model.defaults)
    return replace(model, groups=tuple(replace(group, default=defaults[group.id]) for group in model.groups))


def followed(model: Model, configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """A configuration with its conditional and hidden groups as they follow from the others.

    A group that is asked after all takes its default, or its first option. The conditions must not go round in circles.
    """
    settled_so_far = dict(configuration)
    for group in in_order(model):
        if group.when is None:
            continue
        chosen, asked = settled_so_far[group.id], holds(model, group.when, settled_so_far)
        if group.hidden:
            chosen = (ON,) if asked else (OFF,)
        elif not asked:
            chosen = () if group.kind == "many" else (ABSENT,)
        elif chosen == (ABSENT,):
            chosen = group.default if group.default != (ABSENT,) else (group.options[0].id,)
        settled_so_far[group.id] = chosen
    return settled_so_far


def in_order(model: Model) -> list[Group]:
    """The groups, each after those its condition speaks of."""
    needs = {group.id: speaks_of(model, group.when) for group in model.groups}
    ordered: dict[str, Group] = {}

    def visit(group_id: str) -> None:
        if group_id not in ordered:
            for other in needs[group_id]:
                visit(other)
            ordered[group_id] = model.by_id[group_id]

    for group in model.groups:
        visit(group.id)
    return list(ordered.values())


def circle(model: Model) -> list[str]:
    """The groups whose conditions depend on each other in a circle, the first of them again at the end; empty if there is none."""
    needs: Mapping[str, Sequence[str]] = {group.id: list(speaks_of(model, group.when)) for group in model.groups}
    done: set[str] = set()

    def search(path: list[str]) -> list[str]:
        for other in needs[path[-1]]:
            if other in path:
                return [*path[path.index(other) :], other]
            found = search([*path, other]) if other not in done else []
            if found:
                return found
        done.add(path[-1])
        return []

    for group in model.groups:
        found = search([group.id]) if group.id not in done else []
        if found:
            return found
    return []


def speaks_of(model: Model, condition: Condition | None) -> dict[str, None]:
    """The groups whose choice a condition depends on, in the order they are named; a sum depends on those that add to it."""
    return dict.fromkeys(_groups_of(model, condition)) if condition is not None else {}


def _groups_of(model: Model, part: Condition | Expression) -> Iterator[str]:
    match part:
        case And(parts=parts) | Or(parts=parts):
            for each in parts:
                yield from _groups_of(model, each)
        case Not(part=negated):
            yield from _groups_of(model, negated)
        case Compared(left=left, right=right) | Combined(left=left, right=right):
            yield from _groups_of(model, left)
            yield from _groups_of(model, right)
        case Listed(groups=groups):
            yield from groups
        case Chosen(group=group) | Count(group=group) | Attribute(group=group):
            yield from (group,) if group in model.by_id else ()
        case Sum(name=name, groups=groups):
            meant = model.sum_of(name)
            for group in groups or meant.groups or model.by_id:
                if group in model.by_id and any(meant.attribute in option.attributes for option in model.by_id[group].options):
                    yield group
