"""Each rule of the catalogue that comes from the table of real rules refuses a machine that no other rule refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configurator.engine import Compiled, answer
from configurator.language import read_model
from configurator.language.conditions import And, Condition, Not
from configurator.language.specification import Model, Rule
from configurator.language.truth import broken_rules
from configurator.seed import model_files


@pytest.mark.slow
@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
def test_row_in_the_catalogue_lets_one_machine_through_and_refuses_another_for_its_own_reason(path: Path) -> None:
    model = read_model(path)
    assert broken_rules(model, model.defaults) == []
    for rule in model.rules:
        if rule.source != "ours":
            wrong = answer(Compiled(replace(model, rules=breaking(model, rule))), {}).configuration
            assert broken_rules(model, wrong) == [rule], (rule.source, rule.id)


def breaking(model: Model, rule: Rule) -> tuple[Rule, ...]:
    """The rules of a machine that breaks this rule and no other."""
    broken: Condition = Not(rule.require) if rule.when is None else And((rule.when, Not(rule.require)))
    return (*(other for other in model.rules if other is not rule), replace(rule, when=None, require=broken))
