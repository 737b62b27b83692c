"""The engine in worked examples: prices, reasons, refusals in words, and sums that must stay small."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from configurator.engine import (
    Choices,
    UnknownChoice,
    answer,
    compile_model,
    count_machines,
)
from configurator.language.specification import Model
from fulfillment.kernel.money import CurrencyMismatch, Money
from tests.builders.brute_force import (
    FIRST_DAY,
    look_at_everything,
)
from tests.builders.machines import make_group, make_model, make_option, make_rule


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
