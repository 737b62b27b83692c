"""Short rules, tables, starts, families and sums that grow too large: what they mean, and how a mistake in them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from configurator.engine import answer, compile_model, count_machines
from configurator.language import ModelError, put_together, read_model, read_model_text
from configurator.language.conditions import And, Chosen, Condition, Listed, Not, parse_condition
from configurator.language.specification import Model
from tests.builders.sheets import BOTH, HEAD, NAME, group, model, option, refusal, refusals, rule, sheet

CPU = group("cpu", option("c4", 0, "watts = 65"), option("c8", 90, "watts = 95"), option("c16", 300, "watts = 170"))
COOLER = group("cooler", option("low", 0), option("tower", 30), option("water", 90))


def machines(box: Model) -> int | None:
    return count_machines(compile_model(box), {})


# ---------------------------------------------------------------- short rules


@pytest.mark.parametrize(
    ("word", "require"),
    [
        ("requires", Chosen("cooler", ("tower", "water"), "is")),
        ("only_with", Chosen("cooler", ("tower", "water"), "is")),
        ("excludes", Not(Chosen("cooler", ("tower", "water"), "is"))),
    ],
)
def test_a_short_rule_begins_with_its_option(word: str, require: Condition) -> None:
    extra = f'{word} = {{ that = "cooler is tower or water", reason = {BOTH} }}'
    box = model(group("cpu", option("c4"), option("c16", 300, extra)), COOLER)
    (short,) = box.rules
    assert (short.id, short.source) == (f"cpu-c16-{word.replace('_', '-')}", "ours")
    assert (short.when, short.require, short.reason["zh"]) == (Chosen("cpu", ("c16",), "is"), require, "因为。")


def test_an_option_may_have_several_short_rules_with_names_and_sources() -> None:
    hot = f'{{ that = "cooler is water", reason = {BOTH}, id = "hot", source = "D13" }}'
    high = f'{{ that = "cooler is not low", reason = {BOTH} }}'
    box = model(group("cpu", option("c4"), option("c16", 300, f"requires = [{hot}, {high}]")), COOLER)
    assert [(each.id, each.source) for each in box.rules] == [("hot", "D13"), ("cpu-c16-requires-2", "ours")]


def test_a_short_rule_of_many_says_has() -> None:
    alone = f'excludes = {{ that = "extras has b", reason = {BOTH} }}'
    assert machines(model(group("extras", option("a", 1, alone), option("b", 1), keys='kind = "many"'))) == 3


def test_a_short_rule_with_an_unknown_option_is_told_with_its_column() -> None:
    text = sheet(group("cpu", option("c4"), option("c16", 300, f'requires = {{ that = "cooler is watr", reason = {BOTH} }}')), COOLER)
    with pytest.raises(ModelError) as refused:
        read_model_text(text, "box.toml")
    (problem,) = refused.value.problems
    assert problem.message == "in 'that', column 1: 'cooler' has no option 'watr': did you mean 'water'?"
    line = text.split("\n")[problem.line - 1]
    assert line[problem.column - 1 :].startswith("cooler is watr")


def test_a_rule_must_have_a_reason_in_both_languages() -> None:
    extra = 'requires = { that = "cooler is water", reason = { en = "Hot." } }'
    said = refusals(group("cpu", option("c4"), option("c16", 300, extra)), COOLER)
    assert "'reason' has no 'zh' translation: add zh = \"…\"." in said


# ---------------------------------------------------------------- tables


def table(rows: str, groups: str = '["cpu", "cooler"]', word: str = "rows") -> str:
    return f'[[table]]\nid = "heat"\ngroups = {groups}\n{word} = {rows}\nreason = {BOTH}\n'


def test_a_table_lists_what_goes_together() -> None:
    box = model(CPU, COOLER, table('[["c4", "*"], ["c8", ["tower", "water"]], ["c16", "water"]]'))
    (heat,) = box.rules
    assert isinstance(heat.require, Listed)
    assert len(heat.require.rows) == machines(box) == 6
    low = answer(compile_model(box), {"cpu": "c16"}).groups["cooler"].option("low")
    assert low.reason is not None
    assert [each.id for each in low.reason.rules] == ["heat"]


def test_a_table_may_list_what_never_goes_together() -> None:
    assert machines(model(CPU, COOLER, table('[["c16", "low"]]', word="never"))) == 8


def test_a_table_may_hold_under_a_condition_only() -> None:
    fan = group("fan", option("off"), option("on"))
    limited = table('[["c4", "low"]]').replace("[[table]]\n", '[[table]]\nwhen = "fan is on"\n')
    assert machines(model(CPU, COOLER, fan, limited)) == 9 + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (table('[["c4", "lo"]]'), "'cooler' has no option 'lo': did you mean 'low'?"),
        (table('[["c4"]]'), "a row of this table has 2 cells, one for each of its groups."),
        (table("[]"), "'rows' must be a list of rows, such as [[\"a\", \"b\"]]."),
        (table('[["c4", "low"]]', '["cpu", "coler"]'), "there is no group 'coler': did you mean 'cooler'?"),
        (table('[["c4", "c4"]]', '["cpu", "cpu"]'), "'cpu' is a column twice."),
        (
            table('[["c4", "a"]]', '["cpu", "extras"]'),
            "'extras' can have several options, so it cannot be a column: write a rule with 'has'.",
        ),
        (table('[["c4", "low"]]', '["cpu"]'), "'groups' must be a list of two groups or more, such as [\"cpu\", \"cooler\"]."),
    ],
)
def test_a_mistake_in_a_table_is_told(text: str, said: str) -> None:
    assert said in refusals(CPU, COOLER, group("extras", option("a"), keys='kind = "many"'), text)


# ---------------------------------------------------------------- starts


def test_a_start_chooses_where_to_begin() -> None:
    keys = f'kind = "quantity"\nto = 4\ndefault = 1\npiece = {{ name = {NAME}, gb = 8 }}'
    modules, extras = group("modules", keys=keys), group("extras", option("a"), option("b"), keys='kind = "many"')
    good = f'[[start]]\nid = "good"\nname = {NAME}\nchoices = {{ cpu = "c8", modules = 2, extras = ["a", "b"] }}\n'
    (start,) = model(CPU, modules, extras, good).starts
    assert start.choices == {"cpu": ("c8",), "modules": ("2",), "extras": ("a", "b")}


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ('cup = "c8"', "there is no group 'cup': did you mean 'cpu'?"),
        ('cpu = "c9"', "'cpu' has no option 'c9': known are: c4, c8, c16."),
        ('cpu = ["c4", "c8"]', "'cpu' takes exactly one option, not 2."),
    ],
)
def test_a_start_of_unknown_things_is_refused(choices: str, said: str) -> None:
    assert refusal(CPU, f'[[start]]\nid = "good"\nname = {NAME}\nchoices = {{ {choices} }}\n') == said


# ---------------------------------------------------------------- families

WARRANTY = group("warranty", option("y1", 10), option("y3", 90, "years = 3"), option("y5", 200))
FAMILY = WARRANTY + rule("warm", "warranty is not y5", "cpu is c16")
CIRCLE = "the files include each other in a circle: "
FOLDER = "'include' must be a list of files in the same folder, such as [\"family-laptop.toml\"]."


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / "box.toml"


def test_a_family_file_brings_groups_and_rules_and_the_whole_is_one_text(tmp_path: Path) -> None:
    box = written(tmp_path, box='include = ["family.toml"]\n' + sheet(CPU), family=FAMILY)
    whole = put_together(box)
    read = read_model(box)
    assert [each.id for each in read.groups] == ["cpu", "warranty"]
    assert [each.id for each in read.rules] == ["warm"]
    assert "include" not in [line.split()[0] for line in whole.text.split("\n") if line]
    alone = read_model_text(whole.text, "box.toml")
    assert (alone, alone.content_hash) == (read, read.content_hash)
    assert read.place(read.rules[0].line) == ("family.toml", FAMILY[: FAMILY.index("[[rule]]")].count("\n") + 1)


def test_a_group_of_a_family_stands_where_it_is_used_with_what_is_said_there(tmp_path: Path) -> None:
    use = f'[[group]]\nuse = "warranty"\ndefault = "y3"\nwithout = ["y1"]\noption = [{option("y9", 400)}]\n'
    read = read_model(written(tmp_path, box='include = ["family.toml"]\n' + sheet(use, CPU), family=FAMILY))
    assert [each.id for each in read.groups] == ["warranty", "cpu"]
    assert [each.id for each in read.by_id["warranty"].options] == ["y3", "y5", "y9"]
    assert read.defaults["warranty"] == ("y3",)


def test_a_group_may_be_used_twice_under_two_ids(tmp_path: Path) -> None:
    uses = '[[group]]\nuse = "bay"\nid = "bay1"\n\n[[group]]\nuse = "bay"\nid = "bay2"\n'
    read = read_model(written(tmp_path, box='include = ["family.toml"]\n' + sheet(uses), family=group("bay", option("ssd"), option("hdd"))))
    assert [(each.id, len(each.options)) for each in read.groups] == [("bay1", 2), ("bay2", 2)]


def test_a_mistake_in_a_family_is_told_with_its_own_file_and_line(tmp_path: Path) -> None:
    wrong = FAMILY.replace("warranty is not y5", "warranty is not y6")
    with pytest.raises(ModelError) as refused:
        read_model(written(tmp_path, box='include = ["family.toml"]\n' + sheet(CPU), family=wrong))
    (problem,) = refused.value.problems
    line = wrong[: wrong.index("require =")].count("\n") + 1
    assert str(problem).startswith(f"family.toml:{line}:12: in 'require', column 1: 'warranty' has no option 'y6'")


@pytest.mark.parametrize(
    ("box", "a", "said"),
    [
        ('include = ["a.toml"]\n', 'include = ["b.toml"]\n', f"b.toml:1:12: {CIRCLE}a.toml includes b.toml includes a.toml."),
        ('include = ["aa.toml"]\n', "", "box.toml:1:12: there is no file 'aa.toml' beside this one: did you mean 'a.toml'?"),
        ('include = ["../a.toml"]\n', "", f"box.toml:1:1: {FOLDER}"),
        ('include = ["a.toml"]\n', HEAD, "a.toml:1: a file that others include has no [model]: it is a family, not a machine."),
        ('include = ["a.toml"]\n', "group = []\n", "a.toml:1: [[group]] must be written with a header in a file that others include."),
        ('include = ["a.toml"]\n', "[[group]\n", "a.toml:1:8: not valid TOML: Expected ']]' at the end of an array declaration."),
        ('include = ["box.toml"]\n', "", f"box.toml:1:12: {CIRCLE}box.toml includes box.toml."),
    ],
)
def test_what_cannot_be_included_is_refused(tmp_path: Path, box: str, a: str, said: str) -> None:
    path = written(tmp_path, box=box + sheet(CPU), a=a, b='include = ["a.toml"]\n')
    with pytest.raises(ModelError) as refused:
        read_model(path)
    assert [str(problem) for problem in refused.value.problems] == [said]


def test_a_family_included_by_two_ways_is_taken_once(tmp_path: Path) -> None:
    path = written(tmp_path, box='include = ["a.toml", "b.toml"]\n' + sheet(CPU), a='include = ["b.toml"]\n', b=COOLER)
    assert [each.id for each in read_model(path).groups] == ["cpu", "cooler"]


def test_a_text_alone_cannot_include() -> None:
    with pytest.raises(ModelError, match="only a file can include others"):
        read_model_text('include = ["a.toml"]\n' + sheet(CPU), "box.toml")


# ---------------------------------------------------------------- numbers that are too large


@pytest.mark.parametrize(
    ("watts", "require", "said"),
    [
        ("9223372036854775807", "sum(watts) < 5", "this can come to 9,223,372,036,854,775,937, counted in units of 1/1"),
        ("900000000000000", "sum(watts) + 0.00001 < 5", "counted in units of 1/100000, more than 9,223,372,036,854,775,807"),
        ("99999999999999999999", "cpu is c4", "'watts' must be a number of at most 9,223,372,036,854,775,807"),
        ("1e99999999", "cpu is c4", "'watts' must be a number of at most"),
        ("1e-99999999", "cpu is c4", "with at most 9 digits behind the point"),
        ("nan", "cpu is c4", "'watts' must be a number"),
        ("1", f"sum(watts) < {'9' * 31}", "a number of more than 30 digits"),
        ("4000000000", "sum(watts) * sum(watts) < 5", "this can come to 16,000,001,"),
    ],
)
def test_a_sum_that_overflows_is_refused_with_its_place(watts: str, require: str, said: str) -> None:
    cpu = group("cpu", option("c4", 0, "watts = 65"), option("c8", 0, f"watts = {watts}"))
    fan = group("fan", option("big", 0, "watts = 125"), option("loud", 0, "watts = 120"))
    assert any(said in message for message in refusals(cpu, fan, rule("power", require)))


def test_prices_that_overflow_are_refused() -> None:
    said = refusal(group("cpu", option("c4"), option("c8", 10**17)))
    assert said.startswith("a machine can cost 10,000,000,000,000,050,000 cents, more than 9,223,372,036,854,775,807")


def test_a_number_of_thousands_of_digits_and_a_thousand_parentheses_are_told() -> None:
    assert refusal(CPU, f"[sums]\nx = {'9' * 5000}").startswith("the file cannot be read:")
    assert "too many parentheses inside each other" in refusal(CPU, rule("deep", "(" * 3000 + "cpu is c4" + ")" * 3000))


def test_conditions_of_both_kinds_can_be_joined() -> None:
    assert parse_condition("cpu is c4 and modules is 8") == And((Chosen("cpu", ("c4",), "is"), Chosen("modules", ("8",), "is")))
