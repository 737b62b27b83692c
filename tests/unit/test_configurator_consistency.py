"""Which rules contradict, follow from others or do nothing: as looking at every machine says, and no rule named in vain."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from hypothesis import given

from configurator.engine.consistency import Consistency
from configurator.language.specification import Model
from tests.builders.brute_force import Everything, lenient, look_at_everything, models
from tests.builders.machines import make_group, make_model, make_option, make_rule


def keeps(every: Everything, kept: Collection[str], broken: str | None = None) -> bool:
    """Some machine that can be imagined keeps these rules, and breaks that one."""
    return any(not faults & set(kept) and (broken is None or broken in faults) for _machine, faults in every.broken)


def smaller(rules: list[str]) -> list[tuple[str, ...]]:
    return list(itertools.combinations(rules, len(rules) - 1)) if rules else []


@given(models())
@lenient
def test_rules_are_judged_as_every_machine_says(model: Model) -> None:
    every, judge = look_at_everything(model), Consistency(model)
    rules = [rule.id for rule in model.rules]
    guilty = judge.contradiction()
    assert (guilty is None) == keeps(every, rules)
    if guilty is not None:
        assert not keeps(every, guilty)
        assert all(keeps(every, some) for some in smaller(guilty))
    for rule in rules:
        others = [other for other in rules if other != rule]
        assert judge.is_breakable(rule) == keeps(every, (), rule)
        implied = judge.implied_by(rule)
        assert (implied is None) == keeps(every, others, rule)
        if implied is not None:
            assert not keeps(every, implied, rule)
            assert all(keeps(every, some, rule) for some in smaller(implied))


def test_of_many_rules_only_those_at_fault_are_named() -> None:
    cpu, psu = make_group("cpu", *(make_option(f"c{n}") for n in range(5))), make_group("psu", make_option("a"), make_option("b"))
    rules = [
        make_rule("one", "psu is a", when="cpu is c1"),
        make_rule("two", "cpu is c1"),
        make_rule("three", "psu is b"),
        make_rule("far", "psu is a", when="cpu is c2"),
    ]
    judge = Consistency(make_model([cpu, psu], rules))
    assert judge.contradiction() == ["one", "two", "three"]
    assert judge.implied_by("far") == ["two"]
