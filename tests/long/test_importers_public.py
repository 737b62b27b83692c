"""The public models in their own words, at full size: the largest files read, and clicks beside a SAT solver."""

from __future__ import annotations

import random
import time

import pytest

from configurator.engine import compile_model
from configurator.importers import import_any
from configurator.importers.clicks import Click, Replay
from tests.builders.oracles_files import MODELS, read_theory
from tests.unit.test_importers_public import SIZES, click_beside_a_solver

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_largest_file_has_the_variables_and_values_of_another_reader() -> None:
    imported = import_any(MODELS / "erp-system.uvl")
    theory = read_theory("erp-system.uvl")
    assert {variable: tuple(original.values) for variable, original in imported.names.items()} == dict(theory.domains)


def test_a_megabyte_of_uvl_is_read_in_seconds() -> None:
    begun = time.perf_counter()
    imported = import_any(MODELS / "erp-system.uvl")
    assert time.perf_counter() - begun < 30  # two here, on a quiet machine
    assert (imported.form, len(imported.names), imported.constraints, len(imported.model.groups)) == SIZES["erp-system.uvl"]


def test_two_files_of_one_computer_answer_alike() -> None:
    """Conversions lie, but not this one: the same features, as many computers, and the same domains click after click."""
    clauses, tree = (import_any(MODELS / f"pc-richmond.{kind}") for kind in ("dimacs", "featureide-prices.xml"))
    assert set(clauses.names) == set(tree.names)
    one, other = (Replay(imported, compile_model(imported.model)) for imported in (clauses, tree))
    dice = random.Random(7)
    for _ in range(20):
        name = dice.choice(sorted(tree.names))
        click = Click(name, dice.choice(one.domains[name]))
        assert one.click(click) == other.click(click) == ""
        state = one.state()
        assert state == other.state()
    assert 0 < int(state["machines"]) < 3_326_549_945_784_326_553_600


@pytest.mark.parametrize("name", ["e-shop.uvl", "renault-medium.xcsp21.xml", "financial-2018-05.uvl", "uClinux-base.uvl", "clib-pc.json"])
def test_domains_after_clicks_in_the_files_own_words_are_those_of_a_sat_solver(name: str) -> None:
    click_beside_a_solver(name, clicks=100, seed=12)
