"""The kinds of groups a product manager has, and the plain groups and rules they become."""

from __future__ import annotations

import datetime as dt

import pytest

from configurator.engine import answer, compile_model, count_machines
from configurator.language.conditions import parse_condition
from configurator.language.lowering import followed
from configurator.language.specification import EVERYONE, Visibility
from configurator.language.truth import holds, total_of
from fulfillment.kernel.money import Money
from tests.builders.sheets import BOTH, NAME, group, model, option, refusal, refusals, rule

CASE = group("case", option("tower", 80, "full = true"), option("small", 50))
PART = 'sku = "MEM-8", price = "30.00", cost = "20.00", weight_g = 40, supplier = "S-MEM", lead_days = 2'
PIECE = f"piece = {{ {PART}, gb = 8, name = {NAME} }}"


def quantity(numbers: str, default: int, piece: str = PIECE) -> str:
    return group("modules", keys=f'kind = "quantity"\n{numbers}\ndefault = {default}\n{piece}')


# ---------------------------------------------------------------- optional, quantity


def test_an_optional_group_may_be_left_empty() -> None:
    dock = model(group("dock", option("usb", 90), keys='kind = "optional"')).by_id["dock"]
    assert (dock.kind, dock.default, [each.id for each in dock.options]) == ("one", ("none",), ["none", "usb"])
    assert (dock.by_id["none"].price, dock.by_id["none"].pieces, dock.by_id["none"].name["zh"]) == (Money(0), 0, "无")


def test_the_empty_choice_can_have_a_name_and_an_option_can_be_the_default() -> None:
    keys = f'kind = "optional"\ndefault = "usb"\nnone = {NAME}'
    dock = model(group("dock", option("usb", 90), keys=keys)).by_id["dock"]
    assert (dock.default, dock.by_id["none"].name["en"]) == (("usb",), "A name")


def test_a_quantity_is_priced_weighed_and_summed_by_the_piece() -> None:
    box = model(quantity("to = 8\nstep = 2", 2), rule("enough", "sum(gb) >= 16 and count(modules) <= 8"))
    modules = box.by_id["modules"]
    assert (modules.counted, modules.kind) == (True, "one")
    assert [each.id for each in modules.options] == ["0", "2", "4", "6", "8"]
    assert [each.price for each in modules.options] == [Money(3_000) * count for count in (0, 2, 4, 6, 8)]
    four = modules.by_id["4"]
    assert (four.name["en"], four.parts[0].qty, four.parts[0].name["en"], four.pieces) == ("4 × A name", 4, "A name", 4)
    assert total_of(box, "gb", {"modules": ("6",)}) == 48
    opening = answer(compile_model(box), {})
    assert opening.configuration == {"modules": ("2",)}
    assert opening.price == Money(56_000)
    assert [each.option for each in opening.groups["modules"].options if not each.possible] == ["0"]


def test_one_piece_has_its_own_name() -> None:
    assert model(quantity("to = 1", 1)).by_id["modules"].by_id["1"].name["en"] == "A name"


@pytest.mark.parametrize(
    ("numbers", "default", "said"),
    [
        ("to = 7\nstep = 2", 2, "from 0 by steps of 2 one never comes to 7: make 'to' 6 or 8."),
        ("to = 8\nstep = 2", 3, "the default '3' is no option here: known are: 0, 2, 4, 6, 8."),
        ("to = 1000000", 0, "'modules' has 1,000,001 values, more than 20,000: take a larger step."),
        ("from = 4\nto = 2", 4, "'to' must be a whole number, 4 or more, not 2."),
        ("to = 99999999999", 0, "'to' must be 1,000,000,000 at most."),
    ],
)
def test_a_quantity_that_cannot_be_counted_is_refused(numbers: str, default: int, said: str) -> None:
    assert said in refusals(quantity(numbers, default))


def test_a_group_of_more_than_twenty_thousand_options_is_refused() -> None:
    many = group("case", *(f'{{ id = "c{n}", name = {NAME} }}' for n in range(20_001)))
    assert refusal(many) == "'case' has 20,001 options, more than 20,000: divide it into groups."


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("to = 4", "'to' belongs to a group of kind \"quantity\"; 'dock' is \"one\"."),
        (f"none = {NAME}", '\'none\' names the empty choice of an "optional" or a "quantity" group; \'dock\' is "one".'),
        ('kind = "optionl"', "'kind' cannot be 'optionl': did you mean 'optional'?"),
    ],
)
def test_a_key_of_another_kind_is_refused(keys: str, said: str) -> None:
    assert said in refusals(group("dock", option("usb"), keys=f'default = "usb"\n{keys}'))


def test_an_optional_group_with_its_own_none_is_refused() -> None:
    said = refusal(group("dock", option("none"), option("usb"), keys='kind = "optional"'))
    assert said == "an \"optional\" group has its option 'none' already: name it with none = { … }."


@pytest.mark.parametrize("kind", ["one", "optional", "many"])
def test_an_empty_group_is_refused(kind: str) -> None:
    said = refusals(group("dock", keys=f'kind = "{kind}"\noption = []'))
    assert "the group 'dock' has no options: add some, or remove the group." in said


# ---------------------------------------------------------------- conditional groups

ARM = group("arm", option("one", 60), option("two", 100), keys=f'when = "case is tower"\nreason = {BOTH}\ndefault = "one"')
RAIL = group("rail", option("short", 9), option("long", 5), keys=f'when = "case is small"\nreason = {BOTH}')


def test_a_conditional_group_is_asked_only_when_its_condition_holds() -> None:
    box = model(CASE, ARM, RAIL)
    assert box.defaults == {"case": ("tower",), "arm": ("one",), "rail": ("absent",)}
    compiled = compile_model(box)
    small = answer(compiled, {"case": "small"})
    assert small.configuration == {"case": ("small",), "arm": ("absent",), "rail": ("long",)}
    assert [each.option for each in small.groups["arm"].options if each.possible] == ["absent"]
    assert small.groups["arm"].option("two").reason.rules[0].reason["en"] == "Because."  # type: ignore[union-attr]
    assert count_machines(compiled, {}) == 4


def test_a_conditional_group_of_many_is_empty_when_it_is_not_asked() -> None:
    extras = group("extras", option("a", 1), option("b", 2), keys=f'kind = "many"\nwhen = "case is small"\nreason = {BOTH}')
    box = model(CASE, extras)
    assert box.defaults["extras"] == ()
    assert count_machines(compile_model(box), {}) == 1 + 4


def test_what_follows_is_worked_out_for_any_configuration() -> None:
    box = model(CASE, ARM, RAIL)
    small = {"case": ("small",), "arm": ("two",), "rail": ("absent",)}
    assert followed(box, small) == {"case": ("small",), "arm": ("absent",), "rail": ("short",)}


def test_conditions_in_a_circle_are_refused_and_named() -> None:
    first = group("a", option("x"), keys=f'when = "b is y"\nreason = {BOTH}')
    second = group("b", option("y"), keys=f'when = "c.watts > 1"\nreason = {BOTH}')
    third = group("c", option("z", 0, "watts = 2"), keys=f'when = "a is x"\nreason = {BOTH}')
    said = refusal(first, second, third)
    steps = ("'a' is asked depends on 'b'", "'b' is asked depends on 'c'", "'c' is asked depends on 'a'")
    assert said.startswith(f"conditions go round in a circle: {', '.join(f'whether {step}' for step in steps)}.")


def test_a_sum_over_the_group_itself_is_a_circle() -> None:
    said = refusal(CASE, group("fan", option("big", 0, "watts = 5"), keys=f'when = "sum(watts) > 3"\nreason = {BOTH}'))
    assert "whether 'fan' is asked depends on 'fan'" in said


def test_a_default_that_does_nothing_and_one_that_is_missing_are_refused() -> None:
    idle = group("rail", option("short"), keys=f'when = "case is small"\nreason = {BOTH}\ndefault = "short"')
    missing = group("arm", option("one"), keys=f'when = "case is tower"\nreason = {BOTH}')
    assert refusals(CASE, idle, missing) == [
        "the default machine is not asked for 'rail', so its default does nothing: leave 'default' out.",
        "the default machine is asked for 'arm': give the group a default.",
    ]


# ---------------------------------------------------------------- what follows: bundles, lead times

BUNDLE = f'[[price_rule]]\nid = "studio"\nname = {NAME}\nwhen = "case is tower and arm is two"\namount = "-20.00"\n'
DELAY = f'[[lead_rule]]\nid = "paint"\nname = {NAME}\nwhen = "case is small"\ndays = 10\n'


def test_a_bundle_changes_the_price_exactly_when_it_applies() -> None:
    box = model(CASE, ARM, BUNDLE)
    studio = box.by_id["studio"]
    assert (studio.hidden, studio.default, [each.price for each in studio.options]) == (True, ("off",), [Money(0), Money(-2_000)])
    compiled = compile_model(box)
    assert answer(compiled, {"arm": "two"}).price == Money(50_000 + 8_000 + 10_000 - 2_000)
    assert answer(compiled, {"arm": "one"}).price == Money(50_000 + 8_000 + 6_000)
    assert count_machines(compiled, {}) == 3


def test_a_lead_rule_delays_exactly_the_machines_it_names() -> None:
    box = model(CASE, DELAY)
    assert box.by_id["paint"].by_id["on"].not_before_days == 10
    assert followed(box, {"case": ("small",), "paint": ("off",)})["paint"] == ("on",)
    assert followed(box, {"case": ("tower",), "paint": ("on",)})["paint"] == ("off",)


def test_what_follows_cannot_have_the_id_of_a_group() -> None:
    assert "'case' exists already in line 17: choose another id." in refusals(CASE, DELAY.replace('"paint"', '"case"'))


# ---------------------------------------------------------------- visibility, power


def test_an_option_can_be_for_some_and_for_a_while() -> None:
    extra = 'sold_from = 2026-12-01, sold_until = 2027-01-31, markets = ["CN", "DE"], customers = ["education"]'
    case = model(group("case", option("tower"), option("red", 5, extra))).by_id["case"]
    first, last = dt.date(2026, 12, 1), dt.date(2027, 1, 31)
    assert case.by_id["red"].visibility == Visibility(first, last, frozenset({"CN", "DE"}), frozenset({"education"}))
    assert case.by_id["tower"].visibility is EVERYONE
    assert set(case.by_id["red"].attributes) == {"qty"}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('markets = ["china"]', "'markets' must be a list such as [\"CN\", \"DE\"]."),
        ('sold_from = "2026-12-01"', "'sold_from' must be a day without quotes such as 2026-12-31, not \"2026-12-01\"."),
        (
            "sold_from = 2027-01-01, sold_until = 2026-01-01",
            "'sold_until' is before 'sold_from' (2027-01-01): nobody would ever see the option.",
        ),
        ("power = 2.5", "'power' says how much an option adds to speed: a whole number, 0 or more."),
        ('sold_form = "x"', "'sold_form' looks like a misspelt 'sold_from': correct it, or rename the attribute."),
    ],
)
def test_what_an_option_says_wrongly_is_refused(extra: str, said: str) -> None:
    assert said in refusals(group("case", option("tower"), option("red", 5, extra)))


def test_a_default_must_be_offered_to_everyone() -> None:
    said = refusal(group("case", option("red", 5, "sold_until = 2027-01-31"), option("tower")))
    assert said.startswith("'red' is the default of 'case', so it must be offered to everyone at any time")


def test_conditions_may_speak_of_what_nobody_wrote() -> None:
    box = model(CASE, RAIL, quantity("to = 4", 0), group("dock", option("usb"), keys='kind = "optional"'))
    for condition in ("dock is none", "modules is 0", "rail is absent", "count(modules) = 0", "sum(gb) = 0"):
        assert holds(box, parse_condition(condition), box.defaults), condition
