"""The model file: what is read, and every mistake told with its file, its line and what to do."""

from __future__ import annotations

import pathlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.language import ModelError, read_model, read_model_text
from configurator.language.conditions import (
    And,
    Chosen,
    Compared,
    ConditionError,
    Not,
    Or,
    parse_condition,
)
from configurator.language.positions import index_lines
from configurator.language.specification import SumOf
from configurator.language.truth import holds
from fulfillment.kernel.money import Money
from tests.builders.machines import SHEET, line_of

C8 = '[[group.option]]\nid = "c8"'


def problems_of(sheet: str) -> list[tuple[int, str]]:
    with pytest.raises(ModelError) as refused:
        read_model_text(sheet, "test-box.toml")
    assert all(problem.file == "test-box.toml" for problem in refused.value.problems)
    return [(problem.line, problem.message) for problem in refused.value.problems]


# ---------------------------------------------------------------- what is read


def test_sheet_becomes_a_model(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "test-box.toml"
    path.write_text(SHEET, encoding="utf-8")
    model = read_model(path)
    assert (model.id, model.family, model.base_price, model.build_days) == ("test-box", "desktop", Money(50_000), 2)
    assert model.base.sku == "BSE-TEST"
    assert model.base_attributes == {"watts": 30}
    assert model.sums == {"power": SumOf("watts")}
    assert [group.id for group in model.groups] == ["cpu", "memory", "extras"]
    assert [group.kind for group in model.groups] == ["one", "one", "many"]
    assert model.defaults == {"cpu": ("c8",), "memory": ("m32",), "extras": ("care",)}
    assert [rule.source for rule in model.rules] == ["D15", "ours"]


def test_option_has_its_part_its_price_and_its_attributes() -> None:
    model = read_model_text(SHEET, "x")
    memory = model.by_id["memory"].by_id["m32"]
    (part,) = memory.parts
    assert (part.sku, part.qty, part.cost, part.weight_g, part.serialised) == ("DIMM-16", 2, Money(3_000), 40, True)
    assert part.name["en"] == "16 GB module"
    assert memory.price == Money(10_000)
    assert memory.attributes == {"gb": 16, "qty": 2, "watts": Decimal("2.5")}
    care = model.by_id["extras"].by_id["care"].parts[0]
    assert (care.kind, care.serialised, care.weight_g) == ("service", False, 0)
    none = model.by_id["extras"].by_id["none"]
    assert (none.parts, none.price, none.attributes) == ((), Money(0), {"qty": 0})


def test_option_can_bring_more_parts() -> None:
    more = 'parts = [{ sku = "CABLE", cost = "2.00", weight_g = 30, supplier = "S-ACC", lead_days = 1, serialised = false, qty = 2 }]'
    model = read_model_text(SHEET.replace("gb = 16\n", f"gb = 16\n{more}\n", 1), "x")
    assert [(part.sku, part.qty) for part in model.by_id["memory"].options[0].parts] == [("DIMM-16", 2), ("CABLE", 2)]


def test_hash_is_of_the_content_not_of_the_layout() -> None:
    model = read_model_text(SHEET, "x")
    assert read_model_text(f"# a comment\n\n{SHEET}", "y").content_hash == model.content_hash
    assert read_model_text(SHEET.replace('"200.00"', '"200.01"'), "x").content_hash != model.content_hash


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("good", "bad", "where", "messages"),
    [
        ('family = "desktop"', 'family = "desktp"', 'family = "desktp"', ["'desktp'", "did you mean 'desktop'?"]),
        ('base_price = "500.00"', "base_price = 500.00", "base_price = 500.00", ["an amount in quotes", "not 500.00"]),
        ('price = "200.00"', 'price = "200.005"', 'price = "200.005"', ["an amount in quotes"]),
        ('base_cost = "200.00"', 'base_cost = "-200.00"', "base_cost", ["must not be negative"]),
        ("base_weight_g = 5000", "base_weight_g = 5.5", "base_weight_g", ["a whole number, 0 or more, not 5.5"]),
        ("build_days = 2", "build_days = true", "build_days", ["a whole number, 0 or more, not true"]),
        ("build_days = 2", "build_days = 99999999", "build_days", ["'build_days' must be 3,650 at most."]),
        ("lead_days = 4", "lead_days = 3651", "base_lead_days", ["'base_lead_days' must be 3,650 at most."]),
        ('unspsc = "43211507"', 'unspsc = ""', "unspsc", ["must be a text"]),
        ('picture = "test.svg"\n', "", "[model]", ["'picture' is missing in [model]"]),
        ('picture = "test.svg"', 'pictur = "test.svg"', "pictur =", ["'pictur' is unknown in [model]: did you mean 'picture'?"]),
        ('name = { en = "Memory", zh = "内存" }', 'name = { en = "Memory" }', 'name = { en = "Memory" }', ["no 'zh' translation"]),
        ('name = { en = "Memory", zh = "内存" }', 'name = "Memory"', 'name = "Memory"', ["in every language"]),
        ('name = { en = "Memory", zh', 'name = { en = "Memory", de = "x", zh', "de =", ["unknown language 'de'"]),
        ('value = { en = "Tower", zh = "塔式" }\n', "", "[[model.fact]]", ["'value' is missing in this fact"]),
        ('power = "sum of watts"', 'power = "watts"', "power =", ['must read "sum of watts"']),
        ('power = "sum of watts"', 'power = "sum of wats"', "power =", ["did you mean 'watts'?"]),
        ('power = "sum of watts"', 'power = "sum of watts in gpu"', "power =", ["no group 'gpu'"]),
        ('power = "sum of watts"', 'qty = "sum of watts"', "qty =", ["choose another name"]),
        ('kind = "one"', 'kind = "several"', 'kind = "several"', ["'kind' cannot be 'several'"]),
        ('default = "c8"', 'default = "c9"', 'default = "c9"', ["the default 'c9' is no option here: known are: c8, c16."]),
        ('default = "c8"\n', "", '[[group]]\nid = "cpu"', ["'default' is missing in this group"]),
        ('default = ["care"]', 'default = "care"', 'default = "care"', ["a list of option ids"]),
        ('default = ["care"]', 'default = ["care", "care"]', "default = [", ["names an option twice"]),
        ('id = "memory"', 'id = "cpu"', 'id = "cpu"\nname = { en = "Memory"', ["the group 'cpu' exists already in line 25"]),
        ('id = "c16"', 'id = "c8"', 'id = "c8"\nname = { en = "16', ["the option 'c8' exists already in line"]),
        ('id = "care-for-sixteen"', 'id = "power"', 'id = "power"\nsource = "ours"', ["the rule 'power' exists already"]),
        ('id = "memory"', 'id = "Memory 1"', 'id = "Memory 1"', ["only small letters"]),
        ('id = "memory"', 'id = "sum"', 'id = "sum"', ["a word of the rule language"]),
        ('cost = "90.00"\n', "", C8, ["'cost' is missing in this option"]),
        ('supplier = "S-SIL"\nlead_days = 4\n', "lead_days = 4\n", C8, ["'supplier' is missing"]),
        ('price = "0.00"\n', "", C8, ["'price' is missing in this option: add price = \"199.00\""]),
        ('{ id = "none",', '{ id = "none", cost = "3.00",', '{ id = "none"', ["has no sku"]),
        ('kind = "service", ', 'kind = "service", serialised = true, ', "serialised = true", ["cannot have serial numbers"]),
        ('kind = "service", ', 'kind = "servise", ', "servise", ["did you mean 'service'?"]),
        ("weight_g = 20\n", "weigth_g = 20\n", "weigth_g", ["looks like a misspelt 'weight_g'"]),
        ("weight_g = 20\n", "weigth_g = 20\n", C8, ["'weight_g' is missing"]),
        ("watts = 65", "watts = [65]", "watts = [65]", ["a number, a text, true or false, not a list"]),
        ("watts = 125", 'watts = "125"', 'watts = "125"', ["is a text here, but a number in another option"]),
        ('sku = "CPU-16"', 'sku = "CPU-8"', 'sku = "CPU-8"\nprice = "200', ["one part has one cost", "one part has one lead_days"]),
        ("qty = 2", "qty = 0", "qty = 0", ["a whole number, 1 or more, not 0"]),
        ('source = "D15"\n', "", '[[rule]]\nid = "power"', ["'source' is missing in this rule"]),
        ('require = "extras has care"\n', "", '[[rule]]\nid = "care-for-sixteen"', ["'require' is missing in this rule"]),
        ('zh = "该配置须含服务。"', 'zh = " "', 'zh = " "', ["'reason' has no 'zh' translation"]),
        ("cpu is c16 and", "cpu is and", "when =", ["column 8 of", "expected the id of an option, but found 'and'"]),
        ("cpu is c16 and", "cpu is c61 and", "when =", ["column 1", "'cpu' has no option 'c61': did you mean 'c16'?"]),
        ("cpu is c16 and", "cpuu is c16 and", "when =", ["there is no group 'cpuu': did you mean 'cpu'?"]),
        ("cpu is c16 and", "cpu has c16 and", "when =", ["kind 'one': write 'cpu is …'"]),
        ("extras has care", "extras is care", 'require = "extras', ["kind 'many': write 'extras has …'"]),
        ("cpu is c16 and", "cpu.socket > 'A' and", "when =", ["a text has no order"]),
        ("cpu is c16 and", "cpu.socket = 3 and", "when =", ["a text is compared with a number"]),
        ("cpu is c16 and", "cpu.wats = 3 and", "when =", ["no option of 'cpu' has the attribute 'wats': did you mean 'watts'?"]),
        ("cpu is c16 and", "extras.watts = 3 and", "when =", ["use sum(watts in extras)"]),
        ("cpu is c16 and", "base.gb = 3 and", "when =", ["the base has no attribute 'gb'"]),
        ("cpu is c16 and", "count(gpu) = 3 and", "when =", ["there is no group 'gpu'"]),
        ("sum(power)", "sum(socket)", 'require = "sum', ["is a text and cannot be added up"]),
        ("sum(power)", "sum(power in cpu, gpu)", 'require = "sum', ["there is no group 'gpu'"]),
        ("sum(power) * 1.2", "cpu.socket * 1.2", 'require = "cpu', ["only numbers can be combined by *"]),
        ("<= 195", "<= 100", "[[rule]]", ["the default configuration breaks the rule 'power'", "The power supply gives 195 W."]),
        ("[sums]", "[sumes]", "[sumes]", ["'sumes' is unknown in the file: did you mean 'sums'?"]),
        ("[sums]", "[[sums]]", "[[sums]]", ["[sums] must be a table"]),
        ("[model]\n", "[model\n", "[model", ["not valid TOML"]),
    ],
)
def test_mistake_is_told_with_its_line(good: str, bad: str, where: str, messages: list[str]) -> None:
    """`where` begins in the line that must be told."""
    assert good in SHEET
    sheet = SHEET.replace(good, bad, 1)
    found = problems_of(sheet)
    for message in messages:
        assert line_of(sheet, where) in [line for line, text in found if message in text], found


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_lines() -> None:
    sheet = SHEET.replace('family = "desktop"', 'family = "toaster"').replace("lead_days = 6", "lead_days = -6").replace("<= 195", "<= ")
    found = problems_of(sheet)
    assert [line for line, _ in found] == sorted(line_of(sheet, part) for part in ('family = "toaster"', "lead_days = -6", '<= "'))
    with pytest.raises(ModelError) as refused:
        read_model_text(sheet, "test-box.toml")
    assert str(refused.value).splitlines()[0].startswith("test-box.toml:3:1: 'family' cannot be 'toaster'")


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("", "[model] is missing"),
        ("model = 3", "[model] must be a table"),
        (SHEET[: SHEET.index("[[group]]")], "'group' is missing in the file"),
        (f"group = []\n{SHEET[: SHEET.index('[[group]]')]}", "the model has no groups"),
        (SHEET.replace('default = ["care"]\noption = [', "default = []\noption = []\nunused = ["), "has no options"),
    ],
)
def test_empty_model_is_refused(sheet: str, message: str) -> None:
    assert any(message in text for _, text in problems_of(sheet))


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b'[model]\nid = "\xff"\n')
    with pytest.raises(ModelError, match=r"bad.toml:2: the file is not UTF-8"):
        read_model(path)


# ---------------------------------------------------------------- conditions


def test_is_not_a_or_b_means_none_of_them() -> None:
    assert parse_condition("gpu is not a or b") == Not(Chosen("gpu", ("a", "b"), "is"))


def test_or_ends_the_options_where_a_new_statement_begins() -> None:
    assert parse_condition("gpu is a or b or bay is none") == Or((Chosen("gpu", ("a", "b"), "is"), Chosen("bay", ("none",), "is")))
    first, second = parse_condition("gpu is a or cpu.watts > 3").parts  # type: ignore[union-attr]
    assert first == Chosen("gpu", ("a",), "is")
    assert isinstance(second, Compared)


def test_and_binds_more_tightly_than_or() -> None:
    parsed = parse_condition("a is x or b is x and c is x")
    assert isinstance(parsed, Or)
    assert isinstance(parsed.parts[1], And)


def test_option_ids_may_begin_with_digits() -> None:
    assert parse_condition("memory is 16 or 4x32 or 2-5in") == Chosen("memory", ("16", "4x32", "2-5in"), "is")


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("cpu is c16", False),
        ("cpu is not c16 or c8", False),
        ("not (cpu is c16)", True),
        ("cpu is c8 and (memory is m32 or extras has none)", True),
        ("extras has not none", True),
        ("cpu.watts = 65", True),
        ("cpu.ecc", False),
        ("cpu.ecc = false", True),
        ("cpu.socket != 'A'", False),
        ("sum(power) = 100", True),
        ("sum(watts in cpu, memory) = 70", True),
        ("sum(watts in base) >= 30.0", True),
        ("base.watts * 2 + 40 = sum(power)", True),
        ("(sum(power) - 40) * 1.5 ≤ 90", True),
        ("memory.gb × memory.qty ≥ 32", True),
        ("count(memory) = 2 and count(extras) = 1", True),
        ("-1 < cpu.watts", True),
        ("memory.watts * 3 = 7.5", True),
    ],
)
def test_condition_means_what_it_says(condition: str, truth: bool) -> None:
    model = read_model_text(SHEET, "x")
    assert holds(model, parse_condition(condition), model.defaults) is truth


@pytest.mark.parametrize(
    ("condition", "column", "message"),
    [
        ("", 1, "expected a number"),
        ("cpu", 4, "expected 'is', 'has' or '.attribute'"),
        ("cpu is", 7, "expected the id of an option, but found the end"),
        ("cpu.watts", 0, ""),
        ("cpu.watts >", 12, "expected a number"),
        ("cpu.watts == 3", 11, "expected a single ="),
        ("cpu.watts / 2 > 3", 11, "division is not supported"),
        ("(cpu is a", 10, "expected ')'"),
        ("(cpu.watts + 3", 15, "expected"),
        ("cpu is a b", 10, "expected 'and', 'or' or the end, but found 'b'"),
        ("sum(watts", 10, "expected ')'"),
        ("sum(watts in )", 14, "expected the id of a group"),
        ("cpu is a & b", 10, "unexpected '&'"),
        ("cpu is a and or b is c", 14, "expected"),
        ("cpu.name = 'x", 12, 'unexpected "\'"'),
    ],
)
def test_unreadable_condition_is_told_with_its_column(condition: str, column: int, message: str) -> None:
    if not message:
        parse_condition(condition)
        return
    with pytest.raises(ConditionError) as refused:
        parse_condition(condition)
    assert refused.value.column == column
    assert message in refused.value.message


@given(st.text(alphabet="abc is not or and has sum().<=>'*+-1 2", max_size=40))
def test_any_text_is_a_condition_or_a_told_mistake(text: str) -> None:
    columns = []
    try:
        parse_condition(text)
    except ConditionError as error:
        columns.append(error.column)
    assert all(1 <= column <= len(text) + 1 for column in columns)


def test_numbers_are_exact() -> None:
    parsed = parse_condition("a.b = 0.1")
    assert isinstance(parsed, Compared)
    assert parsed.right.value == Fraction(1, 10)  # type: ignore[union-attr]


# ---------------------------------------------------------------- lines


def test_lines_are_found_in_every_form_of_toml() -> None:
    lines = index_lines(
        'a = 1\n"b.c".d = """\n[x]\n"""\n'
        "[t]\nlist = [\n  { k = '#', m = [1,\n   2] }, # c\n  3,\n]\n"
        "[[u.v]]\nw = 1979-05-27 07:32:00\n[[u.v]]\n[u.v.x]\ny = 1\n"
    )
    assert lines.of(("a",)) == 1
    assert lines.of(("b.c", "d")) == 2
    assert lines.of(("t",)) == 5
    assert lines.of(("t", "list", 0, "m", 1)) == 8
    assert lines.of(("t", "list", 1)) == 9
    assert lines.of(("u", "v", 0, "w")) == 12
    assert lines.of(("u", "v", 1)) == 13
    assert lines.of(("u", "v", 1, "x", "y")) == 15
    assert lines.of(("u", "v", 1, "missing")) == 13
    assert lines.of(("nothing",)) == 1
