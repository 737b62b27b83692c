"""Foreign models on a small scale: what each format says, and that exactly its solutions are machines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from configurator.engine import compile_model, count_machines
from configurator.importers import Imported, import_any, read_any
from fulfillment.kernel.money import Money
from tests.builders.brute_force import look_at_everything, price_of

Solution = dict[str, str]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file; returns its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def solutions(imported: Imported) -> list[Solution]:
    """Every machine of a small model, in the file's words."""
    return [imported.solution(machine) for machine in look_at_everything(imported.model).machines]


def features(found: Iterable[Solution]) -> set[frozenset[str]]:
    return {frozenset(name for name, value in each.items() if value == "yes") for each in found}


def as_sets(*words: str) -> set[frozenset[str]]:
    return {frozenset(word.split()) for word in words}


def assert_one_to_one(imported: Imported, expected: int) -> None:
    """As many machines as different solutions, by brute force and by the engine."""
    found = solutions(imported)
    assert len(found) == len({tuple(each.items()) for each in found}) == expected
    assert count_machines(compile_model(imported.model), {}) == expected


SANDWICH = """\
namespace Lunch
include
\tBoolean.group-cardinality
features
\tSandwich {abstract}
\t\tmandatory
\t\t\tBread
\t\t\t\talternative
\t\t\t\t\t"Full Grain" {Price 1.99}
\t\t\t\t\tFlatbread {Price 2}
\t\t\t\t\t\talternative // a choice inside a choice
\t\t\t\t\t\t\tThick
\t\t\t\t\t\t\tThin {Price 0.5}
\t\toptional
\t\t\tCheese {Price 1, vegan false}
\t\t\t\toptional
\t\t\t\t\tGrilled
\t\t\tSauce
\t\t\t\tor
\t\t\t\t\tKetchup
\t\t\t\t\tMustard
constraints
\tKetchup => Cheese
\t!(Thick & Grilled)
"""


def sandwiches() -> set[frozenset[str]]:
    """Written out by hand, from what the words mean."""
    found = set()
    breads = [{"Full Grain"}, {"Flatbread", "Thick"}, {"Flatbread", "Thin"}]
    cheeses = [set[str](), {"Cheese"}, {"Cheese", "Grilled"}]
    sauces = [set[str](), {"Sauce", "Ketchup"}, {"Sauce", "Mustard"}, {"Sauce", "Ketchup", "Mustard"}]
    for bread, cheese, sauce in itertools.product(breads, cheeses, sauces):
        if ("Ketchup" in sauce and not cheese) or ("Thick" in bread and "Grilled" in cheese):
            continue
        found.add(frozenset({"Sandwich", "Bread"} | bread | cheese | sauce))
    return found


def test_uvl_tree_has_exactly_the_products_it_describes(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("sandwich.uvl", SANDWICH))
    assert features(solutions(imported)) == sandwiches()
    assert_one_to_one(imported, 26)
    assert len(imported.names) == 11
    assert imported.constraints == 2


def test_alternatives_inside_alternatives_are_one_group(file: Callable[[str, str], Path]) -> None:
    model = read_any(file("sandwich.uvl", SANDWICH))
    assert [option.id for option in model.groups[0].options] == ["Full Grain", "Thick", "Thin"]
    assert len(model.groups) == 6


def test_uvl_prices_are_those_of_the_file(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("sandwich.uvl", SANDWICH))
    prices = {
        frozenset(name for name, value in imported.solution(machine).items() if value == "yes"): price_of(imported.model, machine)
        for machine in look_at_everything(imported.model).machines
    }
    assert prices[frozenset({"Sandwich", "Bread", "Flatbread", "Thin", "Cheese"})] == 350
    assert min(prices.values()) == 199


def test_uvl_group_cardinality(file: Callable[[str, str], Path]) -> None:
    text = "features\n  R\n    [2..3]\n      A\n      B\n      C\n      D\n    [0..1]\n      X\n      Y\n"
    assert_one_to_one(import_any(file("some.uvl", text)), (6 + 4) * 3)


def test_uvl_group_cardinality_below_an_optional_feature(file: Callable[[str, str], Path]) -> None:
    text = "features\n  R\n    optional\n      P\n        [2]\n          A\n          B\n          C\n"
    imported = import_any(file("some.uvl", text))
    assert features(solutions(imported)) == as_sets("R", "R P A B", "R P A C", "R P B C")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("A => B", 6),
        ("A <=> B", 4),
        ("!A | B & C", 5),
        ("(A | B) & !C", 3),
        ("A => B => C", 5),  # to the left: only not (A => B), or C
        ("A <=> B <=> C", 4),
        ("!!A", 4),
        ("A & true | false", 4),
        ("sum(Price) <= 5", 5),
        ("sum(Price) * 2 - 1 > 3.5 + 2.5", 5),
        ("A.Price + B.Price == 5 | C", 5),
        ("sum(A, Price) / 2 < 1", 4),
        ("floor(C.Price) != 4", 4),
        ("-A.Price < -1", 4),
        ("R", 8),
    ],
)
def test_uvl_constraints(file: Callable[[str, str], Path], constraint: str, expected: int) -> None:
    """Over three free features with prices of 2, 3 and 4."""
    text = f"features\n\tR\n\t\toptional\n\t\t\tA {{Price 2}}\n\t\t\tB {{Price 3}}\n\t\t\tC {{Price 4}}\nconstraints\n\t{constraint}\n"
    assert_one_to_one(import_any(file("abc.uvl", text)), expected)


def test_uvl_constraints_among_attributes(file: Callable[[str, str], Path]) -> None:
    text = "features\n\tR\n\t\toptional\n\t\t\tA {constraint B => A}\n\t\t\tB {constraints [!A | !B, A]}\n"
    assert features(solutions(import_any(file("some.uvl", text)))) == as_sets("R A")


def test_uvl_imports_are_put_in_their_place(file: Callable[[str, str], Path]) -> None:
    file("parts/Sauces.uvl", "features\n\tType\n\t\talternative\n\t\t\tKetchup\n\t\t\tMustard\nconstraints\n\t!Mustard\n")
    text = "imports\n\tparts.Sauces as S\nfeatures\n\tRoll\n\t\toptional\n\t\t\tS.Type\n\t\t\tCheese\nconstraints\n\tS.Ketchup => Cheese\n"
    imported = import_any(file("roll.uvl", text))
    assert features(solutions(imported)) == as_sets("Roll", "Roll Cheese", "Roll Cheese S.Type S.Ketchup")
    assert list(imported.names) == ["Roll", "S.Type", "S.Ketchup", "S.Mustard", "Cheese"]


def test_a_file_may_be_imported_under_two_names(file: Callable[[str, str], Path]) -> None:
    file("Disk.uvl", "features\n\tDisk\n\t\talternative\n\t\t\tSmall\n\t\t\tLarge\n")
    text = "imports\n\tDisk as first\n\tDisk as second\nfeatures\n\tPC\n\t\tmandatory\n\t\t\tfirst.Disk\n\t\toptional\n\t\t\tsecond.Disk\n"
    imported = import_any(file("pc.uvl", text))
    assert_one_to_one(imported, 6)
    assert "second.Small" in imported.names


def test_quoted_names_may_hold_anything(file: Callable[[str, str], Path]) -> None:
    tree = 'features\n\t"2.5 GHz"\n\t\toptional\n\t\t\t"or"\n\t\t\t"A & B // €" {Price 3}\n\t\t\tbase\n'
    text = tree + 'constraints\n\t"A & B // €".Price > 1 => "or"\n'
    imported = import_any(file("names.uvl", text))
    assert list(imported.names) == ["2.5 GHz", "or", "A & B // €", "base"]
    assert_one_to_one(imported, 6)


def test_dimacs_counts_every_variable(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("some.dimacs", "c 1 power supply\nc 3$ base\nc just a remark\np cnf 4 2\n1 -2\n0 2 3 0\n"))
    assert list(imported.names) == ["power supply", "2", "base", "4"]
    assert_one_to_one(imported, 2 * sum((one or not two) and (two or three) for one, two, three in itertools.product([0, 1], repeat=3)))


def test_dimacs_variables_of_one_name_stay_apart(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("some.cnf", "c 1 fan\nc 2 fan\np cnf 2 1\n1 2 0\n"))
    assert list(imported.names) == ["fan", "fan (2)"]
    assert_one_to_one(imported, 3)


XCSP = """\
<instance>
 <presentation format="XCSP 2.1" type="CSP"/>
 <domains nbDomains="2">
  <domain name="D0" nbValues="3">0..2</domain>
  <domain name="D1" nbValues="2" optional="-1">-1 7</domain>
 </domains>
 <variables nbVariables="3">
  <variable name="engine" domain="D0"/><variable name="roof" domain="D1"/><variable name="colour" domain="D0"/>
 </variables>
 <relations nbRelations="2">
  <relation name="R0" arity="2" nbTuples="3" semantics="supports">0 -1|1 7 |2 7</relation>
  <relation name="R1" arity="1" nbTuples="1" semantics="conflicts">1</relation>
 </relations>
 <predicates nbPredicates="1">
  <predicate name="P0">
   <parameters>int a int b int c</parameters>
   <expression><functional>or(ge(sub(a,b),c), eq(abs(neg(a)), mod(b, 2)))</functional></expression>
  </predicate>
 </predicates>
 <constraints nbConstraints="4">
  <constraint name="C0" arity="2" scope="engine roof" reference="R0"/>
  <constraint name="C1" arity="1" scope="colour" reference="R1"/>
  <constraint name="C2" arity="2" scope="engine colour" reference="P0"><parameters>engine colour 1</parameters></constraint>
  <constraint name="C3" arity="2" scope="engine colour" reference="global:allDifferent"/>
 </constraints>
</instance>
"""


def test_xcsp_tables_predicates_and_jokers(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("car.xml", XCSP))
    expected = {
        (engine, roof, colour)
        for engine, roof, colour in itertools.product([0, 1, 2], [-1, 7], [0, 1, 2])
        if (engine, roof) in {(0, -1), (1, 7), (2, 7)} and colour != 1
        and (engine - colour >= 1 or engine == colour % 2) and engine != colour
    }
    found = {(int(each["engine"]), int(each["roof"]), int(each["colour"])) for each in solutions(imported)}
    assert found == expected
    assert_one_to_one(imported, len(expected))
    assert imported.constraints == 4
    assert list(imported.names["roof"].values) == ["-1", "7"]


FEATUREIDE = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<extendedFeatureModel>
 <properties/>
 <struct>
  <and abstract="true" mandatory="true" name="PC">
   <attribute name="Price" recursive="true" type="double" unit="€" value="841.9"/>
   <alt mandatory="true" name="Processor">
    <description>What works</description>
    <alt name="Slow"><feature name="G1"><attribute name="Price" unit="€" value="-4.0"/></feature><feature name="G2"/></alt>
    <feature name="Fast"><attribute name="Price" unit="€" value="89.99"/></feature>
   </alt>
   <or name="Drives"><feature mandatory="true" name="DVD"/><feature name="Blu &amp; Ray"/></or>
   <feature name="Fan"/>
  </and>
 </struct>
 <constraints>
  <rule><description>Heat</description><imp><var>Fast</var><disj><var>Fan</var></disj></imp></rule>
  <rule><atmost1><var>DVD</var><var>Blu &amp; Ray</var></atmost1></rule>
  <rule><not><conj><var>G1</var><var>Fan</var><not><eq><var>Fan</var><var>G1</var></eq></not></conj></not></rule>
 </constraints>
 <featureOrder userDefined="false"/>
</extendedFeatureModel>
"""


def test_featureide_with_prices(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("pc.xml", FEATUREIDE))
    assert_one_to_one(imported, (2 * 2 + 1) * 3)
    assert (len(imported.names), imported.constraints) == (10, 3)
    machines = look_at_everything(imported.model).machines
    assert min(price_of(imported.model, machine) for machine in machines) == 83_790
    assert max(price_of(imported.model, machine) for machine in machines) == 93_189
    assert imported.model.base_price == Money(0, "EUR")


CLIB = """{"name": "pc", "vars": [["cpu", ["a", "b", "c"]], ["slots", ["1", "2"]], ["fan", ["no", "yes"]]], "cons": [
 ["c1", "expr", ["or", ["lit", 0, [0, 1]], ["and", ["lit", 1, [1]], ["not", ["lit", 2, [0]]]]]],
 ["c2", "table", [[0, 1], [[0, 0], [0, 1], [2, 1], [1, 1]]]],
 ["c3", "lin", [[[0, [10, -20, 30]], [2, [0, 5]]], "<=", 35]],
 ["c4", "amo", [["lit", 0, [0]], ["lit", 1, [0]], ["lit", 2, [1]]]]
]}"""


def test_clib_expressions_tables_sums_and_at_most_one(file: Callable[[str, str], Path]) -> None:
    imported = import_any(file("pc.json", CLIB))
    expected = [
        (cpu, slots, fan)
        for cpu, slots, fan in itertools.product("abc", "12", ["no", "yes"])
        if (cpu in "ab" or (slots == "2" and fan == "yes"))
        and cpu + slots in {"a1", "a2", "c2", "b2"}
        and {"a": 10, "b": -20, "c": 30}[cpu] + 5 * (fan == "yes") <= 35
        and (cpu == "a") + (slots == "1") + (fan == "yes") <= 1
    ]
    assert sorted(tuple(each.values()) for each in solutions(imported)) == sorted(expected)
    assert_one_to_one(imported, len(expected))


def test_the_format_is_known_by_what_the_file_holds(file: Callable[[str, str], Path]) -> None:
    texts = {"XCSP 2.1": XCSP, "FeatureIDE": FEATUREIDE, "CLib": CLIB, "UVL": SANDWICH, "DIMACS": "c hello\np cnf 1 0\n"}
    assert {form: import_any(file(f"{form} file", text)).form for form, text in texts.items()} == {form: form for form in texts}


def test_deep_nesting_is_read_and_stays_shallow(file: Callable[[str, str], Path]) -> None:
    """Three thousand levels of features, and two of parentheses for each of five hundred: they come to nothing but A."""
    depth = 3000
    lines = [f"{' ' * 2 * level}F{level}\n{' ' * (2 * level + 1)}mandatory\n" for level in range(1, depth)]
    tree = "features\n" + "".join(lines) + f"{' ' * 2 * depth}L\n{' ' * (2 * depth + 1)}optional\n"
    tree += "".join(f"{' ' * (2 * depth + 2)}{name}\n" for name in "AB")
    nested = "(A & (B | " * 500 + "A" + "))" * 500
    imported = import_any(file("deep.uvl", f"{tree}constraints\n {nested}\n"))
    assert len(imported.names) == depth + 2
    assert count_machines(compile_model(imported.model), {}) == 2


@pytest.mark.parametrize("constraint", ["(A & B | C) <=> (B | C & A)", "(A <=> B) <=> (C <=> (A | B & C))"])
def test_a_formula_with_a_name_changes_no_count(file: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, constraint: str) -> None:
    text = f"features\n\tR\n\t\toptional\n\t\t\tA\n\t\t\tB\n\t\t\tC\nconstraints\n\t{constraint}\n"
    plain = import_any(file("abc.uvl", text))
    monkeypatch.setattr("configurator.importers.logic.LARGEST_TWICE", 3)
    monkeypatch.setattr("configurator.importers.logic.DEEPEST", 3)
    named = import_any(file("again.uvl", text))
    assert sum(group.hidden for group in plain.model.groups) == 0
    assert sum(group.hidden for group in named.model.groups) > 0
    assert features(solutions(plain)) == features(solutions(named))
    assert_one_to_one(named, len(solutions(plain)))
