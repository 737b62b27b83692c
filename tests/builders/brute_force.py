"""Brute force: every machine of a small model, looked at one by one; and random small models to try it on."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from configurator.engine import (
    Choices,
)
from configurator.language import truth
from configurator.language.conditions import Listed
from configurator.language.specification import Group, Model, Option, Value
from tests.builders.machines import half, make_group, make_model, make_option, make_rule

FIRST_DAY = dt.date(2026, 1, 1)
Configuration = dict[str, tuple[str, ...]]


# ---------------------------------------------------------------- brute force


@dataclass
class Everything:
    """All configurations of a model, and which rules each one breaks."""

    model: Model
    broken: list[tuple[Configuration, frozenset[str]]]

    @property
    def machines(self) -> list[Configuration]:
        return [configuration for configuration, broken in self.broken if not broken]

    def some_obeys(self, fixed: Iterable[tuple[str, str]], rules: Iterable[str]) -> bool:
        named = set(rules)
        pairs = list(fixed)
        return any(has(configuration, pairs) and not broken & named for configuration, broken in self.broken)


def look_at_everything(model: Model) -> Everything:
    ways: list[list[tuple[str, ...]]] = []
    for group in model.groups:
        ids = [option.id for option in group.options]
        if group.kind == "one":
            ways.append([(option,) for option in ids])
        else:
            ways.append([some for size in range(len(ids) + 1) for some in itertools.combinations(ids, size)])
    names = [group.id for group in model.groups]
    every = [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*ways)]
    return Everything(model, [(one, frozenset(rule.id for rule in truth.broken_rules(model, one))) for one in every])


def has(configuration: Mapping[str, tuple[str, ...]], pairs: Iterable[tuple[str, str]]) -> bool:
    return all(option in configuration[group] for group, option in pairs)


def pairs_of(choices: Choices) -> list[tuple[str, str]]:
    return [(group, option) for group, chosen in choices.items() for option in ((chosen,) if isinstance(chosen, str) else chosen)]


def price_of(model: Model, configuration: Mapping[str, tuple[str, ...]]) -> int:
    return model.base_price.minor + sum(
        model.by_id[group].by_id[option].price.minor for group, chosen in configuration.items() for option in chosen
    )


def rank(model: Model, choices: Choices, own: Sequence[tuple[str, str]], configuration: Configuration) -> tuple[int, int, int]:
    """Own choices lost, preferred options lost, price: what the engine promises to keep low, in this order."""
    lost = sum(option not in configuration[group] for group, option in own)
    unlike = 0
    for group in model.groups:
        if group.hidden or any(group.by_id[option].absent for option in configuration[group.id]):
            continue
        chosen = choices.get(group.id, group.default)
        preferred = {chosen} if isinstance(chosen, str) else set(chosen)
        if group.kind == "one":
            unlike += configuration[group.id][0] not in preferred
        else:
            unlike += len(preferred ^ set(configuration[group.id]))
    return lost, unlike, price_of(model, configuration)


def ready_on(model: Model, dates: Mapping[str, dt.date], configuration: Mapping[str, tuple[str, ...]]) -> dt.date:
    options = [model.by_id[group].by_id[option] for group, chosen in configuration.items() for option in chosen]
    parts = [part.sku for option in options for part in option.parts if part.kind == "hardware"]
    waiting = [FIRST_DAY + dt.timedelta(days=option.not_before_days) for option in options]
    return max(*(dates[sku] for sku in [model.base.sku, *parts]), *waiting, FIRST_DAY)


# ---------------------------------------------------------------- random models


@st.composite
def options(draw: st.DrawFn, group: str, number: int) -> Option:
    sold = draw(st.booleans())
    attributes: dict[str, Value] = {"tag": draw(st.sampled_from(["a", "b"])), "cap": draw(st.integers(0, 8))}
    attributes["power"] = draw(st.integers(0, 3))
    if draw(st.booleans()):
        attributes["watts"] = draw(st.integers(0, 4)) if draw(st.booleans()) else half(draw(st.integers(0, 9)))
    return make_option(
        f"o{number}",
        draw(st.integers(-3, 12)) * 100,
        sku=f"{group}-{number}" if sold else None,
        qty=draw(st.integers(1, 2)),
        **attributes,
    )


@st.composite
def groups(draw: st.DrawFn, name: str) -> Group:
    many = draw(st.integers(0, 3)) == 0
    size = draw(st.integers(1, 2 if many else 4))
    chosen = [draw(options(name, number)) for number in range(size)]
    if many:
        return make_group(name, *chosen, many=True, default=[option.id for option in chosen if draw(st.booleans())])
    return make_group(name, *chosen, default=[draw(st.sampled_from(chosen)).id])


@st.composite
def conditions(draw: st.DrawFn, of: Sequence[Group], depth: int = 2) -> str:
    if depth and draw(st.integers(0, 2)) == 0:
        left, right = draw(conditions(of, depth - 1)), draw(conditions(of, depth - 1))
        return draw(st.sampled_from([f"({left}) and ({right})", f"({left}) or ({right})", f"not ({left})"]))
    group = draw(st.sampled_from(of))
    verb = "is" if group.kind == "one" else "has"
    some = draw(st.lists(st.sampled_from([option.id for option in group.options]), min_size=1, max_size=2, unique=True))
    chosen = f"{group.id} {verb} {draw(st.sampled_from(['', 'not ']))}{' or '.join(some)}"
    operator = draw(st.sampled_from(["<=", "<", ">", ">=", "=", "!="]))
    number = draw(st.integers(0, 9))
    kinds = [chosen, chosen, f"sum(watts) {operator} {number}", f"sum(watts) * 1.5 <= {number}", f"count({group.id}) {operator} 1"]
    ones = [one for one in of if one.kind == "one"]
    if ones:
        first, second = draw(st.sampled_from(ones)), draw(st.sampled_from(ones))
        kinds += [
            f"{first.id}.cap {operator} {second.id}.cap",
            f"{first.id}.tag {draw(st.sampled_from(['=', '!=']))} {second.id}.tag",
            f"{first.id}.tag = 'a'",
            f"sum(watts) {operator} {first.id}.cap",
            f"{first.id}.cap * {second.id}.cap {operator} {number * 3}",
            f"{first.id}.cap * sum(watts in base, {second.id}) - 2 {operator} {second.id}.cap * {number}",
        ]
    return draw(st.sampled_from(kinds))


@st.composite
def models(draw: st.DrawFn) -> Model:
    made = [draw(groups(f"g{number}")) for number in range(draw(st.integers(1, 4)))]
    rules = []
    for number in range(draw(st.integers(0, 4))):
        when = draw(conditions(made, 1)) if draw(st.booleans()) else None
        rules.append(make_rule(f"r{number}", draw(conditions(made)), when=when))
    return make_model(made, rules, base={"watts": draw(st.integers(0, 2))})


@st.composite
def questions(draw: st.DrawFn, of: st.SearchStrategy[Model] = models()) -> tuple[Model, Choices]:  # noqa: B008
    model = draw(of)
    choices: dict[str, str | tuple[str, ...]] = {}
    for group in model.groups:
        if not group.hidden and draw(st.booleans()):
            ids = [option.id for option in group.options]
            if group.kind == "one":
                choices[group.id] = draw(st.sampled_from(ids))
            else:
                choices[group.id] = tuple(option for option in ids if draw(st.booleans()))
    return model, choices


@st.composite
def bundled(draw: st.DrawFn) -> Model:
    """A model with a table, a group that is not always asked, and hidden groups: a price and a delay that follow from the others."""
    model = draw(models())
    made = list(model.groups)
    rules = list(model.rules)
    ones = [group for group in made if group.kind == "one"]
    if len(ones) > 1:
        scope = draw(st.lists(st.sampled_from(ones), min_size=2, max_size=3, unique_by=lambda group: group.id))
        rows = draw(st.sets(st.tuples(*(st.sampled_from([option.id for option in group.options]) for group in scope)), min_size=2))
        table = Listed(tuple(group.id for group in scope), frozenset(rows))
        rules.append(replace(make_rule("table", f"{scope[0].id} is o0"), require=table))
    absent = replace(make_option("none"), absent=True)
    made.append(make_group("asked", absent, make_option("x", 300, sku="X"), make_option("y", 100, sku="Y"), default=["x"]))
    asked = draw(conditions(ones or made[:1], 0))
    rules += [make_rule("asked", "asked is not none", when=asked), make_rule("unasked", "asked is none", when=f"not ({asked})")]
    for name in draw(st.sampled_from([(), ("bundle",), ("bundle", "delay")])):
        on = replace(make_option("on", draw(st.integers(-5, 5)) * 100), not_before_days=draw(st.integers(0, 5)))
        made.append(replace(make_group(name, make_option("off"), on), hidden=True))
        when = draw(conditions(model.groups, 1))
        rules += [make_rule(name, f"{name} is on", when=when), make_rule(f"no-{name}", f"{name} is off", when=f"not ({when})")]
    return make_model(made, rules, base=dict(model.base_attributes))


TIMES = int(os.environ.get("ENGINE_EXAMPLES_TIMES", "1"))
"""How many times as many models to try as in the normal run (see tests/long)."""

lenient = settings(max_examples=30 * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def own_elsewhere(model: Model, choices: Choices, group: str, option: str) -> list[tuple[str, str]]:
    """The own choices a question about an option leaves in place."""
    if model.by_id[group].kind == "one":
        return [pair for pair in pairs_of(choices) if pair[0] != group]
    return [pair for pair in pairs_of(choices) if pair != (group, option)]


def asked(question: tuple[Model, Choices]) -> tuple[Everything, Choices]:
    model, choices = question
    everything = look_at_everything(model)
    assume(everything.machines)
    return everything, choices
