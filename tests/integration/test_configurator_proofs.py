"""The engine against solvers that share nothing with it, in small; `tests/long` does the same at full size."""

from __future__ import annotations

import pytest

from tests.builders.proofs import SHOP, Subject, public, shop
from tests.builders.proving import (
    prove_counts,
    prove_domains,
    prove_explanations,
    prove_no_dead_end,
    prove_no_dead_end_within_bounds,
    prove_prices,
    prove_repairs,
    prove_replay,
)


@pytest.fixture(scope="module", params=["skein-14", "hearth-t"])
def ours(request: pytest.FixtureRequest) -> Subject:
    return shop(request.param)


@pytest.fixture(scope="module", params=["berkeleydb.uvl", "e-shop.uvl"])
def theirs(request: pytest.FixtureRequest) -> Subject:
    return public(request.param)


def test_our_domains_are_those_of_the_oracle(ours: Subject) -> None:
    prove_domains(ours, seed=1, clicks=30)


def test_our_machines_are_as_many_as_the_counter_finds(ours: Subject) -> None:
    prove_counts(ours, seed=2, clicks=4)


def test_our_explanations_are_minimal_conflicts(ours: Subject) -> None:
    assert prove_explanations(ours, seed=3, clicks=8, each=2) > 5


def test_our_repairs_are_the_least(ours: Subject) -> None:
    assert prove_repairs(ours, seed=4, clicks=8, each=2) > 5


def test_our_prices_are_those_of_the_best_machines(ours: Subject) -> None:
    prove_prices(ours, seed=5, clicks=3, each=2)


@pytest.mark.parametrize("name", SHOP)
def test_no_walk_ends_dead(name: str) -> None:
    prove_no_dead_end(shop(name), seed=6, walks=8)


def test_no_walk_within_a_budget_and_a_day_ends_dead(ours: Subject) -> None:
    assert prove_no_dead_end_within_bounds(ours, seed=7, walks=2) > 0


@pytest.mark.shared
def test_domains_of_public_models_are_those_of_the_oracle(theirs: Subject) -> None:
    prove_domains(theirs, seed=8, clicks=25)


@pytest.mark.shared
def test_replay_in_the_words_of_the_file_is_right(theirs: Subject) -> None:
    prove_replay(theirs, seed=12, clicks=25)


@pytest.mark.shared
def test_public_models_have_as_many_machines_as_the_counter_finds(theirs: Subject) -> None:
    prove_counts(theirs, seed=9, clicks=5)


@pytest.mark.shared
def test_explanations_in_public_models_are_minimal_conflicts(theirs: Subject) -> None:
    assert prove_explanations(theirs, seed=10, clicks=6, each=2) > 0


@pytest.mark.shared
def test_repairs_in_public_models_are_the_least(theirs: Subject) -> None:
    assert prove_repairs(theirs, seed=11, clicks=8, each=2) > 0
