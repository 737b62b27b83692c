"""Two ways to compile, one meaning: layer by layer, and by way of a binary diagram; tables; what a refusal says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from configurator.engine import compile_model, count_machines, domains
from configurator.engine.binary import Planner, conjoin, task_of
from configurator.engine.clauses import Clauses
from configurator.engine.compiling import Budget, by_binary, compile_constraints
from configurator.engine.constraints import Constraints
from configurator.engine.deadlines import Deadline, OutOfTime
from configurator.engine.diagram import CannotCompile, Diagram
from configurator.engine.pruning import learn
from configurator.language.conditions import Listed, Not
from configurator.language.specification import Model, Rule
from tests.builders.brute_force import has, lenient, look_at_everything, models
from tests.builders.machines import make_group, make_model, make_option, make_rule, text

few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def models_with_tables(draw: st.DrawFn) -> Model:
    """A random model with one or two tables over groups with one choice; a group may stand in a table twice."""
    model = draw(models())
    ones = [group for group in model.groups if group.kind == "one"]
    assume(ones)
    rules = []
    for number in range(draw(st.integers(1, 2))):
        scope = draw(st.lists(st.sampled_from(ones), min_size=1, max_size=3))
        every = list(itertools.product(*([option.id for option in group.options] for group in scope)))
        table = Listed(tuple(group.id for group in scope), frozenset(draw(st.lists(st.sampled_from(every), min_size=1))))
        rules.append(Rule(f"t{number}", "ours", None, Not(table) if draw(st.booleans()) else table, text("a table")))
    return replace(model, rules=(*model.rules, *rules), content_hash=f"{model.content_hash}-tables")


def machines_of(diagram: Diagram) -> set[tuple[tuple[int, int], ...]]:
    """Every path: for each variable in the diagram its class."""
    paths: dict[int, list[tuple[tuple[int, int], ...]]] = {0: [()]}
    for place, variable in enumerate(diagram.order):
        begin, end = diagram.arc_starts[place : place + 2]
        below: dict[int, list[tuple[tuple[int, int], ...]]] = {}
        for source, target, number in zip(*(column[begin:end].tolist() for column in (diagram.src, diagram.dst, diagram.cls)), strict=True):
            below.setdefault(target, []).extend((*path, (variable, number)) for path in paths[source])
        paths = below
    return {tuple(sorted(path)) for ends in paths.values() for path in ends}


@lenient
@given(models_with_tables())
def test_table_allows_what_stands_in_it(model: Model) -> None:
    machines = look_at_everything(model).machines
    assume(machines)
    compiled = compile_model(model)
    assert count_machines(compiled, {}) == len(machines)
    possible = domains(compiled, {})
    for group in model.groups:
        ids = [option.id for option in group.options]
        assert possible[group.id] == {option for option in ids if any(has(machine, [(group.id, option)]) for machine in machines)}


@few
@given(models_with_tables(), st.booleans())
def test_both_ways_to_compile_find_the_same_machines(model: Model, in_parts: bool) -> None:
    assume(look_at_everything(model).machines)
    constraints = Constraints(model)
    clauses = Clauses(constraints)
    known = learn(clauses)
    assert known is not None
    planner = Planner(constraints, clauses, known)
    order = planner.orders()[0]
    plan = planner.split(order) if in_parts and planner.leaders else planner.whole(order)
    conjoined = conjoin(clauses.classes, plan, task_of(planner, plan, seconds=20, megabytes=50), 20)
    by_layers = compile_constraints(Constraints(model))
    assert machines_of(conjoined) == machines_of(by_layers)
    assert (conjoined.classes, conjoined.free) == (by_layers.classes, by_layers.free)


def test_contradictory_rules_are_named_and_no_others() -> None:
    groups = [make_group(name, make_option("a"), make_option("b"), make_option("c")) for name in "xyz"]
    rules = [
        make_rule("one", "x is a"),
        make_rule("harmless", "z is not c"),
        make_rule("two", "y is b", when="x is a"),
        make_rule("three", "y is c"),
    ]
    told = r"no machine keeps all rules: these contradict each other: one \(line 1\), two \(line 1\), three \(line 1\)$"
    with pytest.raises(CannotCompile, match=told):
        compile_model(make_model(groups, rules))
    with pytest.raises(CannotCompile, match=r"no machine keeps all rules: never \(line 1\) can never hold$"):
        compile_model(make_model(groups, [*rules[:3], make_rule("never", "x is a and x is b")]))


def test_what_takes_too_long_stops_and_says_what_made_it_large() -> None:
    groups = [make_group(f"g{place}", *(make_option(f"o{n}", watts=7 * n * n + n * place) for n in range(6))) for place in range(6)]
    constraints = Constraints(make_model(groups, [make_rule("power", "sum(watts) < 400")]))
    with pytest.raises(CannotCompile, match=r"1 rules reach across from the groups before .* the widest of them power"):
        compile_constraints(constraints, Budget(states=40, seconds=0.01))


def test_nothing_goes_on_after_the_deadline() -> None:
    groups = [make_group(name, make_option("a"), make_option("b"), make_option("c")) for name in "xyz"]
    constraints = Constraints(make_model(groups, [make_rule("one", "x is a or y is b")]))
    clauses, over = Clauses(constraints), Deadline(0)
    with pytest.raises(OutOfTime):
        learn(clauses, deadline=over)
    with pytest.raises(OutOfTime):
        Clauses(constraints, deadline=over)
    assert by_binary(constraints, Budget(), over) is None
    assert by_binary(constraints, Budget(), Deadline(60)) is not None


def test_sum_beyond_64_bits_is_refused_with_its_rule() -> None:
    groups = [make_group(name, make_option("a"), make_option("b", grains=1), make_option("c", grains=10**18)) for name in "xyz"]
    with pytest.raises(CannotCompile, match=r"the sum in the rule 'sand' \(line 1\) reaches 3,000,000,000,000,000,000, beyond what 64"):
        compile_model(make_model(groups, [make_rule("sand", "sum(grains) <= 7")]))


def test_bound_no_sum_can_reach_says_nothing() -> None:
    groups = [make_group(name, make_option("a", grains=1), make_option("b", grains=2)) for name in "xyz"]
    assert count_machines(compile_model(make_model(groups, [make_rule("sand", f"sum(grains) <= {10**29}")])), {}) == 8
    with pytest.raises(CannotCompile, match=r"sand .* can never hold"):
        compile_model(make_model(groups, [make_rule("sand", f"sum(grains) > {10**29}")]))
