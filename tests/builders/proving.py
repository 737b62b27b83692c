"""The proofs, in whatever size: small ones run with the suite, those at full size in tests/long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from configurator.engine import Answer, answer, count_machines, domains, repair, why_not
from configurator.importers.clicks import Click, Replay
from fulfillment.kernel.money import Money
from tests.builders.oracles import Oracle, Pair
from tests.builders.oracles_counting import Diagram, without_dead_values
from tests.builders.proofs import Subject, broken_explanation, contradictory, impossible, walk
from tests.builders.proofs_costs import PriceJudge, broken_finish, broken_machine, broken_prices, broken_repair

FIRST_DAY = dt.date(2026, 1, 5)


def prove_domains(subject: Subject, seed: int, clicks: int) -> None:
    """After each click the engine says the same options are possible as the oracle."""
    for choices, possible in walk(subject, Random(seed), clicks):
        told = domains(subject.compiled, subject.choices(choices))
        here = {(group, option) for group, options in told.items() for option in options if (group, option) in subject.meanings}
        assert here == possible, f"{subject.name} {choices}: too many {here - possible}, too few {possible - here}"


def prove_replay(subject: Subject, seed: int, clicks: int) -> None:
    """Clicks in the file's own words, on values that are possible or not: the domains are the oracle's, what is not possible is refused."""
    assert subject.imported
    dice, choices = Random(seed), dict[str, str]()
    playing = Replay(subject.imported, subject.compiled)
    with Oracle(subject.theory) as oracle:
        possible = oracle.possible([])
        for _ in range(clicks):
            name = dice.choice(list(choices)) if choices and dice.randrange(6) == 0 else dice.choice(list(subject.theory.domains))
            value = dice.choice([None, *subject.theory.domains[name]])
            refused = playing.click(Click(name, value))
            assert bool(refused) is (value is not None and (name, value) not in possible), f"{subject.name} {choices} {name} {value}"
            if value is None:
                choices.pop(name, None)
            elif not refused:
                choices[name] = value
            possible = oracle.possible(list(choices.items()))
            told = {(each, value) for each, values in playing.domains.items() for value in values}
            assert told == possible, f"{subject.name} {choices}: too many {told - possible}, too few {possible - told}"


def prove_counts(subject: Subject, seed: int, clicks: int) -> int:
    """At the start and after each click the engine counts as many machines as the counter; the number at the start."""
    alive = without_dead_values(subject.theory)
    diagram = Diagram(alive)
    machines = diagram.count()
    assert count_machines(subject.compiled, {}) == machines
    for choices, _ in walk(subject, Random(seed), clicks):
        assignment = {name: value for name, value in subject.assignment(choices).items() if name in alive.domains}
        assert count_machines(subject.compiled, subject.choices(choices)) == diagram.count(assignment), f"{subject.name} {choices}"
    return machines


def prove_explanations(subject: Subject, seed: int, clicks: int, each: int) -> int:
    """Why options are out, and why choices contradict each other: conflicts from which nothing can be taken away."""
    dice, explained = Random(seed), 0
    for choices, possible in walk(subject, Random(seed), clicks):
        out, never = impossible(subject, possible), [pair for pair in subject.oracle.pairs if pair not in subject.ever_possible]
        for pair in [*dice.sample(out, min(each, len(out))), *dice.sample(never, min(1, len(never)))]:
            others = [other for other in choices if subject.decisions[other] != subject.decisions[pair]]
            reason = why_not(subject.compiled, subject.choices(choices), pair)
            assert reason is not None
            wrong = broken_explanation(subject.rule_oracle, others, pair, reason)
            assert not wrong, f"{subject.name} {choices} {pair}: {reason.choices} {[rule.id for rule in reason.rules]} {wrong}"
            assert pair in subject.ever_possible or not reason.choices
            explained += 1
    for number in range(each):
        choices = contradictory(subject, dice, 3 + number)
        told = answer(subject.compiled, subject.choices(choices))
        assert (told.conflict is None) is told.valid is bool(subject.oracle.machine(choices))
        if told.conflict is not None:
            wrong = broken_explanation(subject.rule_oracle, choices, None, told.conflict)
            assert not wrong, f"{subject.name} {choices}: {told.conflict.choices} {[rule.id for rule in told.conflict.rules]} {wrong}"
            explained += 1
    return explained


def prove_repairs(subject: Subject, seed: int, clicks: int, each: int) -> int:
    """The least to give up for an option: MaxSAT finds nothing less, and the machine told has what it says."""
    dice, repaired = Random(seed), 0
    for choices, possible in walk(subject, Random(seed), clicks):
        out = impossible(subject, possible)
        for pair in dice.sample(out, min(each, len(out))):
            wrong = broken_repair(subject, choices, pair)
            assert not wrong, f"{subject.name} {choices} {pair}: {wrong}"
            repaired += 1
    return repaired


def prove_prices(subject: Subject, seed: int, clicks: int, each: int) -> None:
    """Every price difference is that of the machine CP-SAT finds, and the cheapest machine costs what it finds."""
    dice, judge = Random(seed), PriceJudge(subject.model)
    for choices, possible in walk(subject, Random(seed), clicks):
        asked = dice.sample(sorted(possible), min(each, len(possible)))
        wrong = broken_prices(subject, judge, choices, asked) or broken_finish(subject, choices)
        assert not wrong, f"{subject.name} {choices}: {wrong}"


def prove_no_dead_end(subject: Subject, seed: int, walks: int) -> None:
    """Whoever chooses, group by group in any order, among what is said to be possible ends with a machine."""
    dice = Random(seed)
    for _ in range(walks):
        pairs = list(_to_the_end(subject, dice))
        told = answer(subject.compiled, subject.choices(pairs))
        assert told.valid, f"{subject.name} {pairs}"
        wrong = broken_machine(subject.model, told.configuration, pairs)
        assert not wrong, f"{subject.name} {pairs}: {wrong}"


def _to_the_end(subject: Subject, dice: Random) -> Iterator[Pair]:
    pairs: list[Pair] = []
    for group in dice.sample(subject.asked, len(subject.asked)):
        possible = sorted(domains(subject.compiled, subject.choices(pairs))[group.id])
        if group.kind == "one":
            assert possible, f"{subject.name} {pairs}: nothing is left in {group.id}"
            pairs.append((group.id, dice.choice(possible)))
        elif possible and dice.randrange(2):
            pairs.append((group.id, dice.choice(possible)))
    yield from pairs


@dataclass
class Bounds:
    """What a customer wants besides options."""

    dates: dict[str, dt.date]
    limit: Money | None
    by: dt.date | None

    def ask(self, subject: Subject, pairs: Sequence[Pair]) -> Answer:
        return answer(subject.compiled, subject.choices(pairs), self.dates, limit=self.limit, by=self.by)


def prove_no_dead_end_within_bounds(subject: Subject, seed: int, walks: int) -> int:
    """The same with a limit on the price and a day, and excluded options are got anyway on the way; how many of those."""
    dice, got = Random(seed), 0
    skus = {part.sku for group in subject.model.groups for option in group.options for part in option.parts}
    for _ in range(walks):
        dates = {sku: FIRST_DAY + dt.timedelta(dice.randrange(20)) for sku in sorted({subject.model.base.sku, *skus})}
        start = answer(subject.compiled, {}, dates)
        assert start.earliest is not None
        limit = start.price + Money(dice.randrange(0, 400_000), start.price.currency)
        got += _walk_within(subject, dice, Bounds(dates, limit, start.earliest + dt.timedelta(dice.randrange(12))))
    return got


def _walk_within(subject: Subject, dice: Random, bounds: Bounds) -> int:
    pairs: list[Pair] = []
    got = 0
    for group in dice.sample(subject.asked, len(subject.asked)):
        told = bounds.ask(subject, pairs)
        if not told.valid:
            assert not pairs, f"{subject.name} {pairs}: {bounds} cannot be kept any more"
            bounds = Bounds(bounds.dates, bounds.limit, None)
        options = bounds.ask(subject, pairs).groups[group.id].options
        possible, out = [each.option for each in options if each.possible], [each.option for each in options if not each.possible]
        if out and dice.randrange(4) == 0:
            pairs, bounds = _get_anyway(subject, pairs, bounds, (group.id, dice.choice(out)))
            got += 1
        else:
            assert possible or group.kind == "many", f"{subject.name} {pairs} {bounds}: nothing is left in {group.id}"
            pairs += [(group.id, dice.choice(possible))] if possible else []
    told = bounds.ask(subject, pairs)
    wrong = broken_machine(subject.model, told.configuration, pairs)
    assert told.valid, f"{subject.name} {pairs} {bounds}"
    assert not wrong, f"{subject.name} {pairs} {bounds}: {wrong}"
    assert bounds.limit is None or told.price <= bounds.limit
    assert told.ready is not None
    assert bounds.by is None or told.ready <= bounds.by
    return got


def _get_anyway(subject: Subject, pairs: list[Pair], bounds: Bounds, wanted: Pair) -> tuple[list[Pair], Bounds]:
    """Take an excluded option and give up what the engine says must go."""
    found = repair(subject.compiled, subject.choices(pairs), wanted, dates=bounds.dates, limit=bounds.limit, by=bounds.by)
    assert found is not None, f"{subject.name}: {wanted} is in no machine"
    limit = None if ("limit", "") in found.give_up else bounds.limit
    by = None if ("by", "") in found.give_up else bounds.by
    kept = [pair for pair in pairs if pair not in found.give_up and subject.decisions[pair] != subject.decisions[wanted]]
    assert limit is None or found.price <= limit
    assert by is None or (found.ready is not None and found.ready <= by)
    wrong = broken_machine(subject.model, found.configuration, [*kept, wanted])
    assert not wrong, f"{subject.name} {pairs} {wanted}: {wrong}"
    return [*kept, wanted], Bounds(bounds.dates, limit, by)
