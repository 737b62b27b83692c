"""The engine against brute force: every small model is also answered by looking at every machine there is."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from configurator import truth
from configurator.engine import (
    Answer,
    CannotCompile,
    Choices,
    Reason,
    UnknownChoice,
    answer,
    compile_model,
    count_machines,
    repair,
    warm_up,
    why_not,
)
from configurator.specification import Group, Model, Option, Value
from fulfillment.kernel.money import CurrencyMismatch, Money
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
        chosen = choices.get(group.id, group.default)
        preferred = {chosen} if isinstance(chosen, str) else set(chosen)
        if group.kind == "one":
            unlike += configuration[group.id][0] not in preferred
        else:
            unlike += len(preferred ^ set(configuration[group.id]))
    return lost, unlike, price_of(model, configuration)


def ready_on(model: Model, dates: Mapping[str, dt.date], configuration: Mapping[str, tuple[str, ...]]) -> dt.date:
    parts = [
        part.sku
        for group, chosen in configuration.items()
        for option in chosen
        for part in model.by_id[group].by_id[option].parts
        if part.kind == "hardware"
    ]
    return max(dates[sku] for sku in [model.base.sku, *parts])


# ---------------------------------------------------------------- random models


@st.composite
def options(draw: st.DrawFn, group: str, number: int) -> Option:
    sold = draw(st.booleans())
    attributes: dict[str, Value] = {"tag": draw(st.sampled_from(["a", "b"])), "cap": draw(st.integers(0, 8))}
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
def questions(draw: st.DrawFn) -> tuple[Model, Choices]:
    model = draw(models())
    choices: dict[str, str | tuple[str, ...]] = {}
    for group in model.groups:
        if draw(st.booleans()):
            ids = [option.id for option in group.options]
            if group.kind == "one":
                choices[group.id] = draw(st.sampled_from(ids))
            else:
                choices[group.id] = tuple(option for option in ids if draw(st.booleans()))
    return model, choices


lenient = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


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


# ---------------------------------------------------------------- the engine keeps its promises


@lenient
@given(models())
def test_model_compiles_exactly_if_it_has_a_machine(model: Model) -> None:
    if look_at_everything(model).machines:
        compile_model(model)
    else:
        with pytest.raises(CannotCompile, match="no machine keeps all rules"):
            compile_model(model)


@lenient
@given(questions())
def test_option_is_possible_exactly_if_a_machine_has_it(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    answered = answer(compile_model(everything.model), choices)
    for group in everything.model.groups:
        for option in group.options:
            own = own_elsewhere(everything.model, choices, group.id, option.id)
            exists = any(has(machine, [*own, (group.id, option.id)]) for machine in everything.machines)
            assert answered.groups[group.id].option(option.id).possible is exists


@lenient
@given(questions())
def test_completion_keeps_choices_then_defaults_then_price(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    own = pairs_of(choices)
    answered = answer(compile_model(model), choices)
    best = min(rank(model, choices, own, machine) for machine in everything.machines)
    configuration = dict(answered.configuration)
    assert configuration in everything.machines
    assert rank(model, choices, own, configuration) == best
    assert answered.price == Money(best[2])
    assert answered.valid is (best[0] == 0)
    assert set(answered.given_up) == {pair for pair in own if not has(configuration, [pair])}
    assert (answered.conflict is None) is answered.valid


@lenient
@given(questions())
def test_price_of_an_option_is_that_of_the_best_machine_with_it(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    answered = answer(compile_model(model), choices)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = own_elsewhere(model, choices, group.id, option.id)
            ranks = [rank(model, choices, own, machine) for machine in everything.machines if has(machine, [(group.id, option.id)])]
            if told.possible:
                assert told.price == Money(min(ranks)[2])
                assert told.difference == told.price - answered.price
                machine = after(model, answered, group.id, option.id)
                assert machine in everything.machines
                assert rank(model, choices, own, machine) == min(ranks)
            elif ranks:
                assert told.give_up is not None
                assert len(told.give_up) == min(ranks)[0] > 0
                assert told.difference is None
            else:
                assert told.give_up is None


def after(model: Model, answered: Answer, group: str, option: str) -> Configuration:
    """The machine an option's answer speaks of: the completed one, the option, and the changes told."""
    machine = {name: set(chosen) for name, chosen in answered.configuration.items()}
    if model.by_id[group].kind == "one":
        machine[group] = set()
    machine[group].add(option)
    for change in answered.groups[group].option(option).changes:
        assert set(change.lost) <= set(answered.configuration[change.group])
        machine[change.group] -= set(change.lost)
        machine[change.group] |= set(change.gained)
    return {one.id: tuple(other.id for other in one.options if other.id in machine[one.id]) for one in model.groups}


@lenient
@given(questions())
def test_option_of_many_tells_what_leaving_it_out_saves(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    answered = answer(compile_model(model), choices)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = own_elsewhere(model, choices, group.id, option.id)
            without = [machine for machine in everything.machines if option.id not in machine[group.id]]
            ranks = [rank(model, choices, own, machine) for machine in without]
            if group.kind == "many" and ranks and min(ranks)[0] == 0:
                assert told.removal == Money(min(ranks)[2]) - answered.price
            else:
                assert told.removal is None


@lenient
@given(questions(), st.data())
def test_dates_are_those_of_the_machine_meant_and_of_the_quickest_one(question: tuple[Model, Choices], data: st.DataObject) -> None:
    everything, choices = asked(question)
    model = everything.model
    skus = [model.base.sku, *(part.sku for group in model.groups for option in group.options for part in option.parts)]
    dates = {sku: FIRST_DAY + dt.timedelta(days=data.draw(st.integers(0, 9))) for sku in skus}
    answered = answer(compile_model(model), choices, dates)
    keeping = [machine for machine in everything.machines if has(machine, pairs_of(choices))]
    assert answered.ready == ready_on(model, dates, answered.configuration)
    assert answered.earliest == min((ready_on(model, dates, machine) for machine in keeping), default=None)
    for group in model.groups:
        for option in group.options:
            told = answered.groups[group.id].option(option.id)
            own = [*own_elsewhere(model, choices, group.id, option.id), (group.id, option.id)]
            with_it = [ready_on(model, dates, machine) for machine in everything.machines if has(machine, own)]
            assert told.earliest == min(with_it, default=None)
            if told.possible:
                assert told.ready == ready_on(model, dates, after(model, answered, group.id, option.id))
            else:
                assert told.ready is None


@lenient
@given(questions())
def test_count_is_the_number_of_machines_that_keep_the_choices(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    keeping = [machine for machine in everything.machines if has(machine, pairs_of(choices))]
    assert count_machines(compile_model(everything.model), choices) == len(keeping)


@lenient
@given(questions(), st.booleans())
def test_reason_names_as_few_choices_and_rules_as_suffice(question: tuple[Model, Choices], warm: bool) -> None:
    everything, choices = asked(question)
    model = everything.model
    compiled = compile_model(model)
    if warm:
        warm_up(compiled)
    answered = answer(compiled, choices)
    every_rule = [rule.id for rule in model.rules]
    reasons: list[tuple[list[tuple[str, str]], Reason]] = [([], answered.conflict)] if answered.conflict else []
    for group in model.groups:
        for told in answered.groups[group.id].options:
            assert (told.reason is None) is told.possible
            assert told.reason == why_not(compiled, choices, (group.id, told.option))
            if told.reason:
                assert set(told.reason.choices) <= set(own_elsewhere(model, choices, group.id, told.option))
                reasons.append(([(group.id, told.option)], told.reason))
    for target, reason in reasons:
        guilty = list(reason.choices)
        rules = [rule.id for rule in reason.rules]
        assert not everything.some_obeys([*target, *guilty], rules)
        for choice in guilty:
            rest = [other for other in guilty if other != choice]
            assert everything.some_obeys([*target, *rest], every_rule)
        for rule in rules:
            assert everything.some_obeys([*target, *guilty], [other for other in rules if other != rule])


@lenient
@given(questions())
def test_repair_gives_up_the_fewest_choices(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model = everything.model
    for group in model.groups:
        for option in group.options:
            own = own_elsewhere(model, choices, group.id, option.id)
            with_it = [machine for machine in everything.machines if has(machine, [(group.id, option.id)])]
            found = repair(compile_model(model), choices, (group.id, option.id))
            if not with_it:
                assert found is None
                continue
            assert found is not None
            assert len(found.give_up) == min(rank(model, choices, own, machine)[0] for machine in with_it)
            assert dict(found.configuration) in with_it
            assert set(found.give_up) == {pair for pair in own if not has(found.configuration, [pair])}
            assert found.price == Money(price_of(model, found.configuration))


# ---------------------------------------------------------------- and in words


def desktop() -> Model:
    """A processor, a graphics card and a power supply: the big card needs the big supply and the big processor."""
    return make_model(
        [
            make_group(
                "cpu",
                make_option("c8", 0, sku="CPU-8", watts=65),
                make_option("c16", 20_000, sku="CPU-16", watts=125),
            ),
            make_group(
                "gpu",
                make_option("none"),
                make_option("small", 15_000, sku="GPU-S", watts=75),
                make_option("big", 60_000, sku="GPU-B", watts=300),
            ),
            make_group(
                "psu",
                make_option("p300", 0, sku="PSU-300", capacity=300),
                make_option("p500", 4_000, sku="PSU-500", capacity=500),
                make_option("p800", 9_000, sku="PSU-800", capacity=800),
            ),
            make_group("paint", make_option("black", 0, sku="PAINT-K"), make_option("red", 1_000, sku="PAINT-R")),
        ],
        [
            make_rule("power", "sum(watts) * 1.2 <= psu.capacity"),
            make_rule("big-needs-c16", "cpu is c16", when="gpu is big"),
        ],
        base={"watts": 40},
    )


def test_difference_is_what_the_change_really_costs() -> None:
    answered = answer(compile_model(desktop()), {})
    big = answered.groups["gpu"].option("big")
    assert answered.price == Money(50_000)
    assert big.difference == Money(60_000 + 20_000 + 9_000)
    assert [(change.group, change.lost, change.gained) for change in big.changes] == [
        ("cpu", ("c8",), ("c16",)),
        ("psu", ("p300",), ("p800",)),
    ]


def test_excluded_option_names_the_choice_and_the_rule_and_what_to_give_up() -> None:
    answered = answer(compile_model(desktop()), {"paint": "red", "psu": "p500", "cpu": "c16"})
    big = answered.groups["gpu"].option("big")
    assert not big.possible
    assert big.reason is not None
    assert big.reason.choices == (("psu", "p500"),)
    assert [rule.id for rule in big.reason.rules] == ["power", "big-needs-c16"]
    assert big.give_up == (("psu", "p500"),)
    assert answered.groups["gpu"].option("small").possible


def test_contradicting_choices_are_completed_as_well_as_possible_and_explained() -> None:
    answered = answer(compile_model(desktop()), {"gpu": "big", "cpu": "c8", "paint": "red"})
    assert not answered.valid
    assert answered.given_up == (("gpu", "big"),)
    assert answered.configuration["paint"] == ("red",)
    assert answered.conflict is not None
    assert set(answered.conflict.choices) == {("gpu", "big"), ("cpu", "c8")}
    assert [rule.id for rule in answered.conflict.rules] == ["big-needs-c16"]


def test_prices_of_a_customer_replace_the_list() -> None:
    model = desktop()

    def agreed(group: str, option: str) -> Money:
        if group == "base":
            return Money(40_000)
        return model.by_id[group].by_id[option].price.times(9, 10)

    answered = answer(compile_model(model), {}, price_of=agreed)
    assert answered.price == Money(40_000)
    assert answered.groups["gpu"].option("small").price == Money(40_000 + 13_500)
    assert answered.groups["gpu"].option("big").difference == Money(54_000 + 18_000 + 8_100)


def test_prices_in_two_currencies_are_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        answer(compile_model(desktop()), {}, price_of=lambda group, _: Money(100, "USD" if group == "base" else "EUR"))


def test_hardware_without_a_date_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="no date is known for BSE-TEST, CPU-16, CPU-8"):
        answer(compile_model(desktop()), {}, {"GPU-S": FIRST_DAY})


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"screen": "none"}, "no option group 'screen'"),
        ({"cpu": "c32"}, "no option 'c32'"),
        ({"cpu": ("c8", "c16")}, "takes exactly one option, not 2"),
        ({"cpu": ()}, "takes exactly one option, not 0"),
    ],
)
def test_choices_the_model_does_not_have_are_refused(choices: Choices, message: str) -> None:
    with pytest.raises(UnknownChoice, match=message):
        answer(compile_model(desktop()), choices)


def test_same_content_is_compiled_once() -> None:
    model = desktop()
    assert compile_model(model) is compile_model(model)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_machines_under_several_sums_are_counted_exactly(data: st.DataObject) -> None:
    """Where states are merged by ranges of amounts, a range one too wide would count wrongly."""
    small = st.integers(0, 9)
    made = [
        make_group(
            f"g{place}",
            *(make_option(f"o{n}", watts=data.draw(small), slots=data.draw(small), cap=data.draw(st.integers(0, 40))) for n in range(3)),
        )
        for place in range(5)
    ]
    limits = data.draw(st.lists(st.integers(5, 35), min_size=4, max_size=4))
    rules = [
        make_rule("power", f"sum(watts) <= {limits[0]} or g1 is o1"),
        make_rule("least", f"sum(watts) * 2 + sum(slots) > {limits[1]}"),
        make_rule("slots", f"sum(slots) < {limits[2]} and sum(slots in g0, g2, g4) != {limits[3]}", when="g3 is not o0"),
        make_rule("supply", "sum(watts in g1, g2, g3) <= g4.cap"),
    ]
    everything = look_at_everything(make_model(made, rules[: data.draw(st.integers(1, 4))]))
    assume(everything.machines)
    assert count_machines(compile_model(everything.model), {}) == len(everything.machines)


def test_a_power_budget_over_many_groups_stays_small() -> None:
    watts = [3, 7, 11, 19, 26, 35, 44, 65]
    made = [
        make_group(f"g{place}", *(make_option(f"o{w}", 100 * w, sku=f"P{place}-{w}", watts=w + place) for w in watts))
        for place in range(20)
    ]
    supply = make_group("psu", *(make_option(f"p{size}", size, sku=f"PSU-{size}", capacity=size) for size in (400, 700, 1100)))
    compiled = compile_model(make_model([*made, supply], [make_rule("power", "sum(watts) * 1.1 <= psu.capacity")]))
    assert compiled.diagram.size[0] < 20_000
    answered = answer(compiled, {"psu": "p400", "g0": "o65"})
    assert not answered.groups["g2"].option("o65").possible
    assert answered.groups["g2"].option("o3").possible
