"""`flask model check`: what people get wrong in a model, told with place and remedy; a model in words, and what a new one changes."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.checking import Report, check
from configurator.differences import differences
from configurator.engine import compilation, compile_model
from configurator.engine.compiling import Budget
from configurator.language import read_model
from configurator.language.conditions import And, Chosen, Compared, Condition, ConditionError, Not, Or, parse_condition
from configurator.language.wording import say
from configurator.open_quotes import what_changes
from configurator.seed import model_files
from configurator.showing import show
from fulfillment.kernel import clock
from tests.builders.sheets import BOTH, NAME, group, model, option, rule, sheet

CPU = group("cpu", option("c4", 0, "watts = 65"), option("c8", 90, "watts = 95"), option("c16", 300, "watts = 170"))
PSU = group("psu", option("p300", 0, "capacity = 300"), option("p500", 50, "capacity = 500"))
CASE = group("case", option("tower"), option("small"))


def report(tmp_path: Path, *parts: str) -> Report:
    path = tmp_path / "box.toml"
    path.write_text(sheet(*parts), encoding="utf-8")
    return check(path)


def errors(tmp_path: Path, *parts: str) -> list[str]:
    return [problem.message for problem in report(tmp_path, *parts).errors]


def warnings(tmp_path: Path, *parts: str) -> list[str]:
    found = report(tmp_path, *parts)
    assert found.errors == []
    return [problem.message for problem in found.warnings]


# ---------------------------------------------------------------- what is wrong


def test_a_sound_model_has_a_size_and_nothing_to_say(tmp_path: Path) -> None:
    found = report(tmp_path, CPU, PSU, rule("power", "cpu.watts * 2 <= psu.capacity"))
    assert (found.errors, found.warnings) == ([], [])
    assert (found.model, found.groups, found.options, found.rules, found.machines) == ("box", 2, 5, 1, 5)
    assert found.nodes > 0
    assert found.arcs > 0
    assert found.seconds > 0


def test_an_option_that_can_never_be_chosen_is_told_with_the_rules_to_blame(tmp_path: Path) -> None:
    small, large = rule("small", "cpu is not c16", "psu is p300"), rule("large", "cpu is not c16", "psu is p500")
    found = errors(tmp_path, CPU, PSU, small, large)
    assert found == ["the option 'c16' of 'cpu' can never be chosen because of 'small' and 'large': correct that, or remove the option."]


def test_rules_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    fine, other = rule("fine", "psu is p500", "cpu is c16"), rule("other", "case is tower")
    found = report(tmp_path, CPU, PSU, CASE, fine, rule("up", "psu.capacity > 400"), other, rule("down", "psu is p300"))
    (problem,) = found.errors
    named = re.findall(r"'(\w+)' \(line (\d+): Because\.\)", problem.message)
    assert problem.message.startswith("no machine keeps these rules together: 'up'")
    assert [name for name, _line in named] == ["up", "down"]
    assert str(problem.line) == named[1][1]
    assert found.machines is None


def test_a_default_that_conflicts_is_told_and_the_model_is_still_measured(tmp_path: Path) -> None:
    found = report(tmp_path, CPU, PSU, rule("strong", "psu is p500"))
    assert [problem.message for problem in found.errors] == [
        "the option 'p300' of 'psu' can never be chosen because of 'strong': correct that, or remove the option.",
        "the default configuration breaks the rule 'strong' (Because.): change the rule, or the default of one of its groups.",
    ]
    assert found.machines == 3


def test_a_start_that_conflicts_is_told(tmp_path: Path) -> None:
    start = f'[[start]]\nid = "best"\nname = {NAME}\nchoices = {{ cpu = "c16", psu = "p300" }}\n'
    found = errors(tmp_path, CPU, PSU, rule("power", "cpu.watts * 2 <= psu.capacity"), start)
    assert found == ["the start 'best' breaks rules ('power': Because.): change its choices."]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("cpu.watts > 1", "the condition of 'arm' always holds: leave 'when' and 'reason' out."),
        ("cpu.watts > 500", "'arm' is never asked, because its condition never holds: correct 'when'."),
    ],
)
def test_a_condition_that_does_nothing_is_told(tmp_path: Path, when: str, said: str) -> None:
    default = 'default = "one"' if "1" in when.split() else ""
    assert said in errors(tmp_path, CPU, group("arm", option("one"), option("two"), keys=f'when = "{when}"\nreason = {BOTH}\n{default}'))


@pytest.mark.parametrize(("when", "said"), [("cpu.watts > 1", "always"), ("cpu.watts > 500", "never")])
def test_a_bundle_that_does_nothing_is_told(tmp_path: Path, when: str, said: str) -> None:
    bundle = f'[[price_rule]]\nid = "deal"\nname = {NAME}\nwhen = "{when}"\namount = "-5.00"\n'
    assert f"'deal' {said} applies, whatever is chosen: correct 'when', or remove it." in errors(tmp_path, CPU, bundle)


def test_a_rule_that_cannot_be_broken_is_told(tmp_path: Path) -> None:
    assert errors(tmp_path, CPU, rule("idle", "cpu.watts < 500")) == [
        "the rule 'idle' can never be broken: it does nothing. Correct it, or remove it."
    ]


def test_a_file_that_cannot_be_read_has_errors_and_no_size(tmp_path: Path) -> None:
    found = report(tmp_path, CPU, rule("wrong", "cpu is c5"))
    assert [problem.message for problem in found.errors] == ["in 'require', column 1: 'cpu' has no option 'c5': known are: c4, c8, c16."]
    assert (found.model, found.machines) == ("", None)


# ---------------------------------------------------------------- what is doubtful


def test_a_rule_that_the_others_imply_never_bites(tmp_path: Path) -> None:
    first, second = rule("first", "psu is p500", "cpu is c8 or c16"), rule("second", "psu is p500", "cpu is c16")
    assert warnings(tmp_path, CPU, PSU, first, second) == [
        "the rule 'second' never bites, because it follows from 'first': remove it, or correct what it should add."
    ]


def test_a_group_with_one_value_left_is_no_question(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, CPU, group("case", option("tower")))
    assert said == "'case' has one value left, 'tower': there is nothing to choose. Add options, or put it into the machine."


def test_a_reason_that_was_never_translated_is_told(tmp_path: Path) -> None:
    untranslated = rule("power", "psu is p500", "cpu is c16").replace(BOTH, '{ en = "Too weak.", zh = "Too weak." }')
    assert warnings(tmp_path, CPU, PSU, untranslated) == ["the reason of 'power' is the same in both languages: translate it."]


def test_an_option_whose_time_is_over_is_told(tmp_path: Path) -> None:
    case = group("case", option("tower"), option("old", 0, "sold_until = 2027-03-31"), option("new"))
    with clock.frozen(dt.datetime(2027, 3, 31, 12, tzinfo=dt.UTC)):
        assert warnings(tmp_path, CPU, case) == []
    with clock.frozen(dt.datetime(2027, 4, 1, 12, tzinfo=dt.UTC)):
        assert warnings(tmp_path, CPU, case) == ["the option 'old' of 'case' has not been offered since 2027-03-31: remove it."]


def test_a_model_too_large_for_a_diagram_is_told_and_still_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "BUDGET", Budget(states=1, seconds=0, megabytes=1, arcs=0))
    bays = [group(f"bay{n}", option("a", 0, f"watts = {n + 2}"), option("b", 0, f"watts = {3 * n}")) for n in range(5)]
    said = warnings(tmp_path, *bays, rule("power", "sum(watts) <= 25"), rule("pair", "bay2.watts * bay3.watts <= bay4.watts * 6"))
    assert said[0].startswith("the model is answered for by a solver, more slowly, and its machines are not counted: ")


def test_a_report_is_told_to_people_and_to_programs(tmp_path: Path) -> None:
    found = report(tmp_path, CPU, group("case", option("tower")))
    lines = list(found.lines())
    assert lines[0] == "box.toml: box, 2 groups, 4 options, 0 rules"
    assert lines[1] == "  3 machines can be built"
    assert re.fullmatch(r"box\.toml:\d+: warning: 'case' has one value left.*", lines[3])
    told = json.loads(json.dumps(found.as_json()))
    assert (told["machines"], told["errors"], told["warnings"][0]["file"]) == ("3", [], "box.toml")


# ---------------------------------------------------------------- in words


@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_on_paper_names_everything(path: Path, language: str) -> None:
    read = read_model(path)
    text = "\n".join(show(read, language))
    for each in read.groups:
        assert each.name[language] in text
        for choice in each.options:
            assert choice.absent or each.hidden or choice.name[language] in text
    for each_rule in read.rules:
        assert each_rule.reason[language] in text
    for start in read.starts:
        assert start.name[language] in text


NAMES = st.sampled_from(["cpu", "psu", "case"])
OPTIONS = st.lists(st.sampled_from(["a", "b", "4"]), min_size=1, max_size=3).map(tuple)
CHOSEN = st.builds(Chosen, NAMES, OPTIONS, st.sampled_from(["is", "has"]))
COMPARISONS = (
    *("cpu.watts * 2 + 1 <= psu.capacity", "sum(watts in cpu, psu) - 3 > 0.25", "cpu.ecc"),
    *("count(psu) != 3", "(1 + cpu.a) * psu.b = 'x'", "-1 < cpu.a"),
)
COMPARED = st.sampled_from(COMPARISONS).map(parse_condition)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(CHOSEN, COMPARED),
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.lists(parts, min_size=2, max_size=3).map(lambda some: And(tuple(some))),
        st.lists(parts, min_size=2, max_size=3).map(lambda some: Or(tuple(some))),
    ),
    max_leaves=8,
)


@given(CONDITIONS)
def test_a_condition_said_back_is_the_same_condition(condition: Condition) -> None:
    try:
        assert parse_condition(say(condition)) == condition
    except ConditionError as error:
        raise AssertionError(f"{say(condition)!r} cannot be read: {error.message}") from error


def test_a_condition_is_said_as_its_author_would() -> None:
    for text in ("cpu is not c4 or c8", "sum(watts) * 1.2 <= psu.capacity", "not (case is tower and cpu.ecc)", "cpu.socket = 'K2'"):
        assert say(parse_condition(text)) == text
    assert isinstance(parse_condition("cpu.ecc"), Compared)


# ---------------------------------------------------------------- what a new release changes


def test_the_same_content_has_no_differences() -> None:
    assert differences(model(CPU, PSU), model(CPU, f"# moved\n{PSU}")) == []


def test_what_changes_is_told_in_words() -> None:
    old = model(CPU, PSU, rule("power", "cpu.watts * 2 <= psu.capacity"), rule("gone", "psu is p500", "cpu is c16"))
    cpu = group("cpu", option("c4", 0, "watts = 65"), option("c8", 95, "watts = 95"), option("c32", 900, "watts = 240"))
    strong = rule("power", "cpu.watts * 1.5 <= psu.capacity")
    bundle = f'[[price_rule]]\nid = "deal"\nname = {NAME}\nwhen = "cpu is c32"\namount = "-5.00"\n'
    new = model(cpu, group("psu", option("p500", 50, "capacity = 500"), option("p300", 0, "capacity = 300")), CASE, strong, bundle)
    assert differences(old, new) == [
        "the machine as it stands costs 550.00 USD instead of 500.00 USD",
        "in 'cpu' (Cpu) the option 'c16' (C16) is removed",
        "in 'cpu' (Cpu) 'c8' (C8) costs 95.00 USD instead of 90.00 USD",
        "in 'cpu' (Cpu) the option 'c32' (C32) is new, for 900.00 USD",
        "in 'psu' (Psu) the default is 'p500' instead of 'p300'",
        "the group 'case' (Case) is new, with 2 options",
        "'deal' (A name) is new: -5.00 USD",
        "the rule 'gone' is removed (Because.)",
        "the rule 'power' says 'cpu.watts * 1.5 <= psu.capacity' instead of 'cpu.watts * 2 <= psu.capacity'",
    ]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((CPU, PSU), ""),
        ((CPU, PSU, CASE), ""),
        ((group("cpu", option("c4")), PSU), "could no longer be built: C16 (cpu c16) is no longer offered"),
        ((CPU, PSU, rule("no", "cpu is not c16")), "could no longer be built: Because."),
        ((CPU.replace("300.00", "310.00"), PSU), "would cost 860.00 USD instead of 850.00 USD"),
        ((CPU,), "would cost 800.00 USD instead of 850.00 USD"),
    ],
)
def test_a_quoted_machine_is_judged_by_the_new_model(parts: tuple[str, ...], said: str) -> None:
    old = model(CPU, PSU)
    assert what_changes(old, compile_model(model(*parts)), {"cpu": ("c16",), "psu": ("p500",)}) == said
