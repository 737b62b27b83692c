"""What the engine and its rivals are asked: models dressed with prices and dates, and clicks on them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from configurator.engine import CannotCompile, Compiled, answer, domains, repair, why_not
from configurator.language.specification import Model, Option
from fulfillment.kernel.money import Money
from tests.builders.machines import make_part
from tests.builders.oracles import Pair
from tests.builders.proofs import SHOP, Subject, public, shop

FIRST_DAY = dt.date(2026, 1, 5)
DAYS = 12
CLICKS = 40
EXCLUDED = 2
"""Options explained and repaired at each click, if so many are excluded."""


@dataclass
class Bench:
    """A model under measurement: the same clicks for everyone."""

    subject: Subject
    dates: Mapping[str, dt.date]
    day_of: Mapping[Pair, int]
    price_of: Mapping[Pair, int]
    compile_s: float = 0
    clicks: list[list[Pair]] = field(default_factory=list)
    excluded: list[tuple[list[Pair], Pair]] = field(default_factory=list)
    """Choices, and an option that some machine has but none with them."""

    @property
    def compiled(self) -> Compiled:
        return self.subject.compiled


def bench_of(name: str) -> Bench:
    """A model with a price and a day for every option; for a public one that has none, both are made up."""
    subject = shop(name) if name in SHOP else public(name)
    dice = Random(name)
    made_up = not any(option.price.minor for group in subject.model.groups for option in group.options)
    subject.model = _dressed(subject.model, dice, made_up=made_up)
    skus = {part.sku for group in subject.model.groups for option in group.options for part in option.parts}
    dates = {sku: FIRST_DAY + dt.timedelta(dice.randrange(DAYS)) for sku in sorted({subject.model.base.sku, *skus})}
    options = {pair: subject.model.by_id[pair[0]].by_id[pair[1]] for pair in subject.meanings}
    day_of = {pair: max((dates[part.sku] for part in option.parts), default=FIRST_DAY).toordinal() for pair, option in options.items()}
    bench = Bench(subject, dates, day_of, {pair: option.price.minor for pair, option in options.items()})
    began = time.process_time()
    subject.compiled  # noqa: B018 - compiled when first asked for
    bench.compile_s = time.process_time() - began
    _click(bench, dice)
    return bench


def _dressed(model: Model, dice: Random, *, made_up: bool) -> Model:
    """The model with a part for every option that has none, and with prices if it has none."""

    def dress(option: Option, sku: str) -> Option:
        price = Money(dice.randrange(50_000), option.price.currency) if made_up else option.price
        return dataclasses.replace(option, price=price, parts=option.parts or (make_part(sku),))

    if not made_up and any(option.parts for group in model.groups for option in group.options):
        return model
    numbers = itertools.count()
    groups = [
        group if group.hidden else dataclasses.replace(group, options=tuple(dress(each, f"P-{next(numbers)}") for each in group.options))
        for group in model.groups
    ]
    return dataclasses.replace(model, groups=tuple(groups), content_hash=f"bench {model.content_hash}")


def _click(bench: Bench, dice: Random) -> None:
    """Walk by possible options, beginning anew after a dozen; note the excluded options on the way."""
    subject = bench.subject
    choices: list[Pair] = []
    ever = {(group, option) for group, options in domains(bench.compiled, {}).items() for option in options}
    for _ in range(CLICKS):
        told = domains(bench.compiled, subject.choices(choices))
        own = {group for group, _ in choices}
        still_open = [group.id for group in subject.asked if group.kind == "one" and group.id not in own and len(told[group.id]) > 1]
        if len(choices) >= 12 or not still_open:
            choices = []
            continue
        group = dice.choice(still_open)
        choices = [*choices, (group, dice.choice(sorted(told[group])))]
        bench.clicks.append(choices)
        now = domains(bench.compiled, subject.choices(choices))
        out = [pair for pair in subject.meanings if pair in ever and pair[1] not in now[pair[0]]]
        bench.excluded += [(choices, pair) for pair in dice.sample(out, min(EXCLUDED, len(out)))]


def everything(bench: Bench, choices: list[Pair]) -> int:
    """All answers of one click: what is possible, prices, differences, days, machines; how many options were told."""
    told = answer(bench.compiled, bench.subject.choices(choices), bench.dates)
    told.earliest, told.ready, told.machines  # noqa: B018 - worked out when asked for
    number = 0
    for group in told.groups.values():
        for option in group.options:
            if option.possible:
                option.price, option.difference, option.ready, option.earliest  # noqa: B018 - as above
            number += 1
    return number


def engine_times(bench: Bench) -> Iterator[tuple[str, float]]:
    """Milliseconds of CPU of the engine: all answers of every click (and on the clock), then explanations and repairs."""
    everything(bench, [])
    for choices in bench.clicks:
        clock, began = time.perf_counter(), time.process_time()
        everything(bench, choices)
        yield "click", (time.process_time() - began) * 1000
        yield "wall", (time.perf_counter() - clock) * 1000
    for choices, pair in bench.excluded:
        own = bench.subject.choices(choices)
        began = time.process_time()
        why_not(bench.compiled, own, pair)
        between = time.process_time()
        repair(bench.compiled, own, pair)
        yield "explain", (between - began) * 1000
        yield "repair", (time.process_time() - between) * 1000


__all__ = ["Bench", "CannotCompile", "bench_of", "engine_times", "everything"]
