"""Bill of materials, list prices, and what makes a model fit for release."""

from __future__ import annotations

from fractions import Fraction

import pytest

from configurator.approval import approve
from configurator.bom import cost_of, explode, part_specs, weight_of
from configurator.engine.compiling import Budget, compile_constraints
from configurator.engine.constraints import Constraints
from configurator.engine.diagram import CannotCompile
from configurator.language import read_model_text
from configurator.language.fields import ModelError
from configurator.language.specification import Model
from configurator.pricing import list_difference, list_price, price_lines, resources
from fulfillment.kernel.money import Money
from tests.builders.machines import SHEET, line_of, make_group, make_model, make_option, make_rule

STORAGE = """
[[group]]
id = "drives"
name = { en = "Drives", zh = "硬盘" }
kind = "many"
option = [
  { id = "one", name = { en = "1 TB", zh = "1 TB" }, sku = "SSD-1", price = "60.00", cost = "40.00", weight_g = 10, supplier = "S-MEM", lead_days = 2 },
  { id = "pair", name = { en = "2 × 1 TB", zh = "2 × 1 TB" }, sku = "SSD-1", qty = 2, price = "110.00", cost = "40.00", weight_g = 10, supplier = "S-MEM", lead_days = 2 },
]
"""  # noqa: E501


def sheet_model() -> Model:
    return read_model_text(SHEET.replace("[[rule]]", f"{STORAGE}\n[[rule]]", 1), "test-box.toml")


CHOSEN = {"cpu": ("c16",), "memory": ("m32",), "extras": ("care", "none"), "drives": ("one", "pair")}


def test_bom_has_the_bare_machine_first_and_each_sku_once_per_group() -> None:
    bom = explode(sheet_model(), CHOSEN)
    assert [(line.group, line.sku, line.qty) for line in bom] == [
        ("base", "BSE-TEST", 1),
        ("cpu", "CPU-16", 1),
        ("memory", "DIMM-16", 2),
        ("extras", "CARE", 1),
        ("drives", "SSD-1", 3),
    ]
    assert [line.serialised for line in bom] == [True, True, True, False, True]
    assert bom[3].kind == "service"


def test_cost_and_weight_count_every_piece() -> None:
    bom = explode(sheet_model(), CHOSEN)
    assert cost_of(bom) == Money(20_000 + 18_000 + 2 * 3_000 + 4_000 + 3 * 4_000)
    assert weight_of(bom) == 5_000 + 20 + 2 * 40 + 3 * 10


def test_incomplete_configuration_has_no_bom() -> None:
    with pytest.raises(KeyError):
        explode(sheet_model(), {"cpu": ("c8",)})


def test_every_part_of_a_model_is_listed_once_under_its_own_name() -> None:
    specs = part_specs(sheet_model())
    assert [spec.sku for spec in specs] == ["BSE-TEST", "CPU-8", "CPU-16", "DIMM-16", "CARE", "SSD-1"]
    assert specs[3].name["en"] == "16 GB module"
    assert specs[5].name["en"] == "1 TB"


def test_list_price_is_the_base_and_every_chosen_option() -> None:
    model = sheet_model()
    assert list_price(model, CHOSEN) == Money(50_000 + 20_000 + 10_000 + 8_000 + 6_000 + 11_000)
    assert [line.option for line in price_lines(model, CHOSEN)] == ["c16", "m32", "care", "none", "one", "pair"]
    assert list_difference(model, CHOSEN, "cpu", "c8") == Money(-20_000)
    assert list_difference(model, CHOSEN, "cpu", "c16") == Money(0)
    assert list_difference(model, {**CHOSEN, "drives": ()}, "drives", "one") == Money(6_000)


def test_resources_are_added_up_exactly() -> None:
    assert resources(sheet_model(), CHOSEN) == {"power": Fraction(30 + 125 + 5)}


def test_sound_model_is_approved() -> None:
    assert approve(sheet_model()).model.id == "test-box"


def test_option_that_can_never_be_chosen_is_told_with_its_line_and_the_rule() -> None:
    sheet = SHEET.replace("sum(power) * 1.2 <= 195", "sum(power) * 1.2 <= 130")
    with pytest.raises(ModelError) as refused:
        approve(read_model_text(sheet, "test-box.toml"))
    (problem,) = refused.value.problems
    assert problem.line == line_of(sheet, '[[group.option]]\nid = "c16"')
    assert "the option 'c16' of 'cpu' can never be chosen because of 'power'" in problem.message


def test_rule_that_does_nothing_is_told() -> None:
    with pytest.raises(ModelError, match="the rule 'idle' can never be broken"):
        approve(make_model([make_group("g", make_option("a"))], [make_rule("idle", "g is a")]))


def test_rules_that_leave_no_machine_are_told() -> None:
    with pytest.raises(ModelError, match="no machine keeps these rules together: 'never'"):
        approve(make_model([make_group("g", make_option("a"))], [make_rule("never", "g is not a")]))


def test_rules_too_entangled_for_the_budget_are_refused_in_words() -> None:
    groups = [make_group(f"g{place}", *(make_option(f"o{n}", watts=7 * n * n + n * place) for n in range(6))) for place in range(6)]
    model = make_model(groups, [make_rule("power", "sum(watts) < 400")])
    nothing = Budget(states=40, seconds=0.01)
    with pytest.raises(CannotCompile, match=r"the rules are too entangled .* at g\d, 1 rules reach across .* the widest of them power"):
        compile_constraints(Constraints(model), nothing)
    assert compile_constraints(Constraints(model)).size[0] > 40
