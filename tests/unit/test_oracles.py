"""The oracles against brute force: what judges the engine is judged first."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings

from configurator.engine import Choices
from configurator.language.specification import Model
from tests.builders.brute_force import asked, has, lenient, look_at_everything, models, own_elsewhere, pairs_of, price_of, questions
from tests.builders.oracles import Clauses, Theory, all_of, any_of, implies, term, within
from tests.builders.oracles import has as is_
from tests.builders.oracles_costs import Cheapest, fewest_lost
from tests.builders.oracles_counting import Diagram, force, without_dead_values
from tests.builders.oracles_files import read_theory
from tests.builders.oracles_rules import meanings_of, oracle_of, rule_oracle_of, taken, theory_of

few = settings(lenient, max_examples=15)
TOY = Theory("toy", {"a": ("1", "2", "3"), "b": ("no", "yes")}, [("b needs a3", implies(is_("b", "yes"), is_("a", "3")))])


@lenient
@given(models())
def test_theory_of_a_model_holds_exactly_where_its_rules_do(model: Model) -> None:
    theory = theory_of(model)
    for configuration, broken in look_at_everything(model).broken:
        assignment = {}
        for group in model.groups:
            if group.kind == "one":
                assignment[group.id] = configuration[group.id][0]
            else:
                chosen = configuration[group.id]
                assignment |= {taken(group.id, option.id): "yes" if option.id in chosen else "no" for option in group.options}
        assert theory.obeys(assignment) is not bool(broken)
        assert theory.price(assignment) == price_of(model, configuration)


@few
@given(questions())
def test_oracles_agree_with_looking_at_every_machine(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    model, own = everything.model, pairs_of(choices)
    theory, meanings = theory_of(model), meanings_of(model)
    with oracle_of(model) as oracle:
        possible = oracle.possible(own)
    keeping = [machine for machine in everything.machines if has(machine, own)]
    for pair in meanings:
        others = own_elsewhere(model, choices, *pair)
        assert (pair in possible) is any(has(machine, [*others, pair]) for machine in everything.machines)
    assert Cheapest(theory, meanings).price(own) == min((price_of(model, machine) for machine in keeping), default=None)
    assert Diagram(theory).count({name: value for pair in own for name, value in meanings[pair].items()}) == len(keeping)
    fewest = min(sum(not has(machine, [pair]) for pair in own) for machine in everything.machines)
    assert fewest_lost(Clauses(theory), meanings, [], own) == fewest


@few
@given(questions())
def test_rules_can_be_left_out_one_by_one(question: tuple[Model, Choices]) -> None:
    everything, choices = asked(question)
    own = pairs_of(choices)
    with rule_oracle_of(everything.model) as oracle:
        for rules in [[rule.id for rule in everything.model.rules if rule.id != left_out.id] for left_out in everything.model.rules]:
            assert oracle.some_obeys(own, rules) is everything.some_obeys(own, rules)


def test_dead_values_leave_no_trace_in_formulas() -> None:
    theory = Theory("toy", TOY.domains, [*TOY.rules, ("not three", is_("a", "1", "2"))])
    left = without_dead_values(theory)
    assert left.domains == {"a": ("1", "2")}
    assert left.rules == []
    assert Diagram(left).count() == Diagram(theory).count() == 2


def test_count_is_exact_beyond_what_a_float_holds() -> None:
    theory = Theory("wide", {f"v{number}": ("a", "b", "c") for number in range(60)})
    assert Diagram(theory).count() == 3**60
    assert Diagram(theory).count({"v7": "b"}) == 3**59
    assert Diagram(TOY).count() == 4
    assert Diagram(TOY).count({"a": "1", "b": "yes"}) == 0
    assert Diagram(TOY, bit_a_value=True).count() == 4


@pytest.mark.parametrize(("lowest", "highest", "count"), [(2, 5, 4), (-inf, 1, 1), (6, inf, 1), (4, 4, 1), (7, 8, 0)])
def test_sum_is_between_its_bounds(lowest: float, highest: float, count: int) -> None:
    amounts = [term("a", {"1": 1, "2": 2, "3": 3}), term("b", {"no": 0, "yes": 3})]
    assert Diagram(Theory("sum", TOY.domains, [("bounds", within(amounts, lowest, highest))])).count() == count


def test_force_brings_together_what_shares_rules() -> None:
    order = force(["a", "x", "b", "y"], [{"a", "b"}, {"x", "y"}])
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset("ab"), frozenset("xy")}


def test_formula_without_parts_is_never_or_always() -> None:
    assert not Theory("never", {}, [("", any_of([]))]).obeys({})
    assert Theory("always", {}, [("", all_of([]))]).obeys({})


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "variables", "machines"),
    [
        ("axTLS.uvl", 96, 826_244_333_568),
        ("berkeleydb.uvl", 76, 4_080_389_785),
        ("clib-pc.json", 45, 2_729_160),
        ("e-shop.uvl", 173, 247_496_437_923_840),
    ],
)
def test_public_model_has_so_many_machines(name: str, variables: int, machines: int) -> None:
    theory = read_theory(name)
    assert len(theory.domains) == variables
    assert Diagram(theory).count() == machines
