"""Public models nobody here wrote: they compile within their budget to these counts, or a SAT solver answers for them."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from configurator.engine import Compiled, answer, count_machines, domains, repair, why_not
from configurator.engine.compilation import by_solver, compiled_within
from configurator.engine.compiling import Budget
from configurator.importers import read_any

MODELS = Path(__file__).parent.parent.parent.parent / "shared" / "models"
pytestmark = [pytest.mark.slow, pytest.mark.shared, pytest.mark.timeout(600)]

COUNTS = {
    "axTLS.uvl": "826244333568",
    "berkeleydb.uvl": "4080389785",
    "e-shop.uvl": "247496437923840",
    "clib-pc.json": "2729160",
    "renault-medium.xcsp21.xml": "278744",
    "pc-richmond.dimacs": "3326549945784326553600",
    "pc-richmond.featureide-prices.xml": "3326549945784326553600",
    "uClinux-base.uvl": "26161747473967066644480",
    "financial-2018-05.uvl": "97451212554676",
    "fiasco.dimacs": "358108536766464",
    "busybox-2010-05.uvl": "3599239755983329331332100508562451780508192148493160801718199944973008026807"
    "919208513108710328389951098075842967611059200000000000000000000000",
}


@pytest.mark.parametrize("name", COUNTS)
def test_public_model_compiles_to_its_count(name: str) -> None:
    compiled = compiled_within(read_any(MODELS / name), Budget(seconds=240))
    assert not compiled.too_large
    assert str(count_machines(compiled, {})) == COUNTS[name]


@pytest.mark.parametrize("name", ["pc-richmond.dimacs", "renault-medium.xcsp21.xml", "clib-pc.json"])
def test_both_engines_find_the_same_domains_at_every_click(name: str) -> None:
    model = read_any(MODELS / name)
    diagram, solver = compiled_within(model, Budget()), by_solver(model, "tried")
    dice = random.Random(name)
    choices: dict[str, str] = {}
    for _ in range(20):
        possible = domains(diagram, choices)
        assert domains(solver, choices) == possible
        group = dice.choice([group.id for group in model.groups if group.kind == "one"])
        choices[group] = dice.choice(sorted(possible[group]))
    assert_alike(diagram, solver, choices)


def assert_alike(diagram: Compiled, solver: Compiled, choices: dict[str, str]) -> None:
    """Prices of the completion and of one option, and the least to give up for one that is out."""
    one, other = answer(diagram, choices), answer(solver, choices)
    assert (one.price, one.valid) == (other.price, other.valid)
    out = [(group.group, option.option) for group in one.groups.values() for option in group.options if not option.possible]
    for wanted in out[:5]:
        mended, again = repair(diagram, choices, wanted), repair(solver, choices, wanted)
        assert (mended is None) is (again is None)
        assert mended is None or again is None or (len(mended.give_up), mended.price) == (len(again.give_up), again.price)


def test_model_that_does_not_compile_stops_in_time_and_is_answered_for() -> None:
    begun = time.monotonic()
    compiled = compiled_within(read_any(MODELS / "automotive01.uvl"), Budget(seconds=3))
    assert time.monotonic() - begun < 15
    assert "rules reach across from the groups before to the groups after it" in compiled.too_large
    possible = domains(compiled, {})
    every = ((group.id, option.id) for group in compiled.model.groups for option in group.options)
    dead = next((group, option) for group, option in every if option not in possible[group])
    reason = why_not(compiled, {}, dead)
    assert reason is not None
    assert not reason.choices
    assert reason.rules
    assert count_machines(compiled, {}) is None
