"""What is wrong with a price, a repair or a finished machine of the engine, told by CP-SAT and MaxSAT; empty if nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from configurator.engine import answer, finish, repair
from configurator.language.specification import Model
from configurator.language.truth import broken_rules
from fulfillment.kernel.money import Money
from tests.builders.oracles import Pair
from tests.builders.oracles_costs import Cheapest, fewest_lost
from tests.builders.oracles_rules import meanings_of, taken, theory_of
from tests.builders.proofs import Subject

Configuration = Mapping[str, tuple[str, ...]]


def broken_machine(model: Model, configuration: Configuration, wanted: Iterable[Pair]) -> str:
    """What is wrong with a machine: it breaks a rule, has not one option of a group, or lacks what was wanted."""
    for group in model.groups:
        chosen = configuration[group.id]
        if not set(chosen) <= set(group.by_id) or (group.kind == "one" and len(chosen) != 1):
            return f"{group.id} has {chosen}"
    missing = [pair for pair in wanted if pair[1] not in configuration[pair[0]]]
    if missing:
        return f"it lacks {missing}"
    broken = broken_rules(model, configuration)
    return f"it breaks {broken[0].id}" if broken else ""


def broken_repair(subject: Subject, choices: Sequence[Pair], wanted: Pair) -> str:
    """What is wrong with the least to give up for an option."""
    found = repair(subject.compiled, subject.choices(choices), wanted)
    others = [pair for pair in choices if subject.decisions[pair] != subject.decisions[wanted]]
    least = fewest_lost(subject.clauses, subject.meanings, [wanted], others)
    if found is None or least is None:
        return "" if found is None and least is None else f"{found} where {least} suffice"
    if len(found.give_up) != least:
        return f"gives up {found.give_up}, where {least} suffice"
    if found.price != price_of(subject.model, found.configuration):
        return f"{found.price} is not what the machine costs"
    return broken_machine(subject.model, found.configuration, [wanted, *(pair for pair in others if pair not in found.give_up)])


def price_of(model: Model, configuration: Configuration) -> Money:
    """What the options of a machine add up to."""
    added = [model.by_id[group].by_id[option].price.minor for group, chosen in configuration.items() for option in chosen]
    return Money(model.base_price.minor + sum(added), model.base_price.currency)


class PriceJudge:
    """CP-SAT looking for the machine a click gives: as many defaults as possible kept, then the least price."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.theory = theory_of(model)
        self.meanings = meanings_of(model)
        self.cheapest = Cheapest(self.theory, self.meanings)
        self.unit = 1 + 2 * sum(abs(price) for price in self.theory.prices.values())

    def price(self, choices: Sequence[Pair], kept: Sequence[Pair]) -> int | None:
        """The price of the machine that keeps some options; None if there is none. In groups of choices these are preferred."""
        costs = dict(self.theory.prices)
        for group in self.model.groups:
            chosen = [option for other, option in choices if other == group.id]
            preferred = chosen or list(group.default)
            for option in group.options:
                if group.kind == "many":
                    variable, sign = taken(group.id, option.id), -1 if option.id in preferred else 1
                    costs[variable, "yes"] = costs.get((variable, "yes"), 0) + sign * self.unit
                elif option.id not in preferred:
                    costs[group.id, option.id] = costs.get((group.id, option.id), 0) + self.unit
        least = self.cheapest.price(kept, costs)
        if least is None:
            return None
        remainder = (least - self.theory.base_price) % self.unit
        return self.theory.base_price + (remainder if remainder <= self.unit // 2 else remainder - self.unit)


def broken_prices(subject: Subject, judge: PriceJudge, choices: Sequence[Pair], asked: Iterable[Pair]) -> str:
    """What is wrong with the price of the completed machine and with the differences of some possible options."""
    told = answer(subject.compiled, subject.choices(choices))
    best = judge.price(choices, choices)
    if told.price.minor != best:
        return f"the machine costs {told.price}, not {best}"
    for pair in asked:
        option = told.groups[pair[0]].option(pair[1])
        others = [other for other in choices if subject.decisions[other] != subject.decisions[pair]]
        price = judge.price(choices, [*others, pair])
        difference = None if price is None else price - best
        if (option.difference.minor if option.difference is not None else None) != difference:
            return f"{pair} costs {option.difference} more, not {difference}"
    return ""


def broken_finish(subject: Subject, choices: Sequence[Pair]) -> str:
    """What is wrong with the cheapest machine that keeps the choices."""
    found = finish(subject.compiled, subject.choices(choices), "cheapest")
    least = subject.cheapest.price(choices)
    if found is None or least is None:
        return "" if found is None and least is None else f"{found}, {least}"
    if subject.theory.prices and found.price.minor != least:
        return f"{found.price} where {least} is possible"
    return broken_machine(subject.model, found.configuration, choices)
