"""The public models, read: their sizes, their own names, and clicks in their own words against a SAT solver."""

from __future__ import annotations

import random

import pytest

from configurator.engine import compile_model, finish
from configurator.importers import import_any
from configurator.importers.clicks import Click, Replay
from fulfillment.kernel.money import Money
from tests.builders.oracles import Oracle
from tests.builders.oracles_files import MODELS, read_theory

pytestmark = pytest.mark.shared

SIZES = {
    # file: format, variables, constraints, groups of our model
    "automotive01.uvl": ("UVL", 2513, 2833, 812),
    "axTLS.uvl": ("UVL", 96, 14, 49),
    "berkeleydb.uvl": ("UVL", 76, 20, 61),
    "busybox-2010-05.uvl": ("UVL", 631, 681, 631),
    "clib-pc.json": ("CLib", 45, 37, 45),
    "e-shop.uvl": ("UVL", 173, 0, 57),
    "ecos-aki3068net.dimacs": ("DIMACS", 1207, 3080, 1207),
    "erp-system.uvl": ("UVL", 1920, 59044, 1625),
    "fiasco.dimacs": ("DIMACS", 1638, 5228, 1638),
    "financial-2018-05.uvl": ("UVL", 771, 1080, 65),
    "pc-richmond.dimacs": ("DIMACS", 377, 1356, 377),
    "pc-richmond.featureide-prices.xml": ("FeatureIDE", 377, 12, 23),
    "renault-medium.xcsp21.xml": ("XCSP 2.1", 148, 174, 148),
    "uClinux-base.uvl": ("UVL", 380, 3455, 37),
}


def test_every_public_file_has_its_sizes_here() -> None:
    assert sorted(path.name for path in MODELS.iterdir()) == sorted(SIZES)


@pytest.mark.parametrize("name", [name for name in SIZES if name != "erp-system.uvl"])
def test_variables_and_values_are_those_of_another_reader(name: str) -> None:
    imported = import_any(MODELS / name)
    assert (imported.form, len(imported.names), imported.constraints, len(imported.model.groups)) == SIZES[name]
    theory = read_theory(name)
    assert {variable: tuple(original.values) for variable, original in imported.names.items()} == dict(theory.domains)


def test_the_computer_costs_what_others_found() -> None:
    """841.90 to 15,282.70 euros, said with the file."""
    model = import_any(MODELS / "pc-richmond.featureide-prices.xml").model
    compiled = compile_model(model)
    cheapest = finish(compiled, {}, "cheapest")
    assert cheapest is not None
    assert cheapest.price == Money(84_190, "EUR")

    def taken_off(group: str, option: str) -> Money:
        return Money(0, "EUR") if group == "base" else -model.by_id[group].by_id[option].price

    dearest = finish(compiled, {}, "cheapest", price_of=taken_off)
    assert dearest is not None
    assert dearest.price == Money(-1_528_270, "EUR")


@pytest.mark.parametrize("name", ["axTLS.uvl", "pc-richmond.featureide-prices.xml"])
def test_domains_after_clicks_in_the_files_own_words_are_those_of_a_sat_solver(name: str) -> None:
    click_beside_a_solver(name, clicks=30, seed=11)


def click_beside_a_solver(name: str, clicks: int, seed: int) -> None:
    """Click at random, refused clicks too; after each, every domain is what the solver finds."""
    imported = import_any(MODELS / name)
    replay, judge, dice = Replay(imported, compile_model(imported.model)), Oracle(read_theory(name)), random.Random(seed)
    chosen: dict[str, str] = {}
    for _ in range(clicks):
        variable = dice.choice(list(imported.names))
        value = dice.choice([*imported.names[variable].values, None])
        possible = value is None or value in replay.domains[variable]
        assert (replay.click(Click(variable, value)) == "") is possible
        if value is None:
            chosen.pop(variable, None)
        elif possible:
            chosen[variable] = value
        assert replay.chosen == chosen
        domains = {(name, value) for name, values in replay.domains.items() for value in values}
        assert domains == judge.possible(list(chosen.items()))
