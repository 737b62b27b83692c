"""What is wrong in a foreign file: said with its place and what to do, never a crash, never a guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from configurator.importers import import_any
from configurator.language import ModelError
from tests.unit.test_importers import CLIB, FEATUREIDE, XCSP


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ModelError) as caught:
        import_any(path)
    return [str(problem) for problem in caught.value.problems]


def refused(tmp_path: Path, name: str, text: str) -> list[str]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [each.removeprefix(f"{name}:") for each in problems_of(path)]


# ---------------------------------------------------------------- any file


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("gone.uvl", "gone.xml", "gone.dimacs", "gone.json", "gone.toml", "gone"):
        (problem,) = problems_of(tmp_path / name)
        assert problem.startswith(f"{name}:1: the file cannot be read (No such file or directory): check its path, {tmp_path}")
    (problem,) = problems_of(tmp_path)
    assert "the file cannot be read (Is a directory)" in problem


@pytest.mark.parametrize("name", ["a.uvl", "a.dimacs", "a.json", "a.toml"])
def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"features\n\tM\xfcsli\n")
    assert problems_of(path) == [f"{name}:2: the file is not UTF-8 text: save it as UTF-8."]


def test_xml_in_another_encoding_is_read_if_it_says_so_and_refused_if_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    text = '<?xml version="1.0" encoding="{}"?>\n<featureModel><struct><and name="Müsli"><feature name="A"/></and></struct></featureModel>'
    path.write_bytes(text.format("ISO-8859-1").encode("latin-1"))
    assert list(import_any(path).names) == ["Müsli", "A"]
    path.write_bytes(text.format("UTF-8").encode("latin-1"))
    assert problems_of(path) == ["a.xml:2: not valid XML: not well-formed (invalid token)."]


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "letter.txt", "Dear Sirs,\n") == [
        "1: the format is not known: UVL, DIMACS, XCSP 2.1, FeatureIDE XML, CLib JSON and our TOML are read."
    ]
    assert refused(tmp_path, "nothing", "") == [
        "1: the format is not known: UVL, DIMACS, XCSP 2.1, FeatureIDE XML, CLib JSON and our TOML are read."
    ]


@pytest.mark.parametrize("name", ["a.uvl", "a.dimacs", "a.json", "a.xml", "a.toml"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    assert len(refused(tmp_path, name, "")) == 1


# ---------------------------------------------------------------- UVL

GROUPS = "mandatory, optional, or, alternative, [n..m]"
ABC = "features\n\tR\n\t\toptional\n\t\t\tA {Price 2}\n\t\t\tB\n\t\t\tC\nconstraints\n"


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("A => Bee", "8: there is no feature 'Bee': known are: R, A, B, C."),
        ("A & Big", "8: there is no feature 'Big': known are: R, A, B, C."),
        ("A &", "8: the constraint breaks off: name a feature at its end."),
        ("A & & B", "8: expected a feature, but found '&': remove it, or add what is missing before."),
        ("A B", "8: unexpected 'B': join features by &, |, => or <=>, and quote names with blanks."),
        ("A + 1", "8: 'A' stands where a number should: write an attribute of a feature, or sum(A)."),
        ("A.Price", "8: there is no feature 'A.Price': known are: R, A, B, C."),
        ("A.Prize > 1", "8: 'A' has no attribute 'Prize' that is a number: did you mean 'Price'?."),
        ("sum(Cost) > 1", "8: no feature has an attribute 'Cost' that is a number: known are: Price.."),
        ("avg(Price) > 1", "8: avg(…) is not supported: bound the sum, or list what is allowed."),
        ("sum(Price", "8: '(' is never closed: add ')'."),
        ("A.Price * A.Price > 1", "8: attributes are multiplied and divided only by numbers other than 0: state the constraint as sums."),
        ("A.Price / 0 > 1", "8: attributes are multiplied and divided only by numbers other than 0: state the constraint as sums."),
        ("'text' == A", "8: texts are not compared: state what it means for features."),
        ("(A & B) > 1", "8: a formula stands where a number should: compare attributes, and join comparisons by & or |."),
        ("3 & A", "8: a number stands where a feature should: compare it with something."),
        ("A ; B", "8: unexpected '; B': quote names that hold more than letters, digits and _."),
        ("A = B", "8: unexpected '= B': quote names that hold more than letters, digits and _."),
    ],
)
def test_uvl_constraints_that_cannot_be_read(tmp_path: Path, constraint: str, message: str) -> None:
    assert refused(tmp_path, "a.uvl", f"{ABC}\t{constraint}\n") == [message.replace("?.", "?").replace("..", ".")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("features\n\tR\n\t\tor\n\t\toptional\n\t\t\tA\n", "3: the group is empty: indent its features below it, or remove it."),
        ("features\n\tR\n\t\toptional\n\t\t\tA\n\t\tmandatory\n\t\t\tA\n",
         "6: the feature 'A' exists already in line 4: rename one of them."),
        ("features\n\tR\n\t\toptional\n\t\t\tA\n\t\t\t\tB\n",
         f"5: expected a group ({GROUPS}), but found 'B': features stand below a group, one step further in."),
        ("features\n\tR\n\t\t[2..1]\n\t\t\tA\n", "3: [2..1] is no cardinality: write [n], [n..m] with n not above m, or [n..*]."),
        ("features\n\tR\n\t\t[3..4]\n\t\t\tA\n\t\t\tB\n", "3: the group wants 3 of its features, but has only 2: lower the number."),
        ("features\n\tR\n\t\toptional\n\t\t\tA cardinality [1..5]\n", "4: 'A' may be there several times: write a feature for each copy."),
        ("features\n\tR\n\t\toptional\n\t\t\tInteger A\n",
         "4: 'A' is Integer, with endless values: list those that matter as an alternative group."),
        ("features\n\tR\n\t\toptional\n\t\t\tA {Price 1.999}\n", "4: the price of 'A' is finer than USD allows: round it."),
        ("features\n\tR\n\t\toptional\n\t\t\tBig one\n",
         "4: unexpected 'one' after 'Big': quote names that hold blanks or other characters."),
        ("features\n\tR\n\t\toptional\n\t\t\tA {Price 1\n", "4: '{' is never closed: add '}'."),
        ("features\n\tR)\n", "2: ')' closes nothing: remove it, or open it before."),
        ("features\n\tR\n\t\toptional\n\t\t\tA\n\t\t  B\n", "5: the indentation fits none of the lines above: align it with its siblings."),
        ("features\n\tR\n\tS\n", "3: a second root, 'S': put both below one feature."),
        ("feature\n\tR\n", "1: 'feature' is no section: did you mean 'features'? Indent what belongs to a section."),
        ("\tR\n", "1: the file begins with an indented line: begin with 'features'."),
        ("namespace N\n", "1: the file has no features: begin with a line 'features' and one root below it."),
        ("features\n\tR\n\t\tmandatory\n\t\t\tother.X\n",
         "4: nothing is imported as 'other': there is none. Or quote the name without dots."),
        ("imports\n\tother\nfeatures\n\tR\n\t\tmandatory\n\t\t\tother.X\n",
         "2: there is no file other.uvl beside a.uvl: correct the import."),
        ("include\n\tBolean\nfeatures\n\tR\n", "2: 'Bolean' is no language level: did you mean 'Boolean'?"),
    ],
)
def test_uvl_files_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, "a.uvl", text) == [message]


def test_uvl_tells_every_problem_at_once(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "a.uvl", f"{ABC}\tA => X\n\tB\n\tC & Y\n")) == 2


def test_a_name_misspelt_a_thousand_times_is_told_fifty_times(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "a.uvl", ABC + "\tA => X\n" * 1000)) == 50


def test_files_that_import_each_other_in_a_circle(tmp_path: Path) -> None:
    for own, other in ("ab", "bc", "ca"):
        tree = f"features\n\t{own.upper()}\n\t\toptional\n\t\t\t{other}.{other.upper()}\n"
        (tmp_path / f"{own}.uvl").write_text(f"imports\n\t{other}\n{tree}")
    assert problems_of(tmp_path / "a.uvl") == [
        "c.uvl:2: the files import each other in a circle: a.uvl → b.uvl → c.uvl → a.uvl. Take one import out."
    ]


def test_a_file_that_imports_itself(tmp_path: Path) -> None:
    text = "imports\n\ta as me\nfeatures\n\tA\n\t\toptional\n\t\t\tme.A\n"
    assert refused(tmp_path, "a.uvl", text) == ["2: the files import each other in a circle: a.uvl → a.uvl. Take one import out."]


def test_imports_that_double_again_and_again_stop_soon(tmp_path: Path) -> None:
    for level in range(30):
        text = f"imports\n\tf{level + 1} as a\n\tf{level + 1} as b\nfeatures\n\tF\n\t\toptional\n\t\t\ta.F\n\t\t\tb.F\n"
        (tmp_path / f"f{level}.uvl").write_text(text)
    (tmp_path / "f30.uvl").write_text("features\n\tF\n")
    begun = time.perf_counter()
    (problem,) = problems_of(tmp_path / "f0.uvl")
    assert problem.endswith("more than 500 files are imported, one inside the other: import each only once.")
    assert time.perf_counter() - begun < 10


def test_an_import_of_something_that_is_not_the_root(tmp_path: Path) -> None:
    (tmp_path / "sauce.uvl").write_text("features\n\tType\n\t\toptional\n\t\t\tKetchup\n")
    text = "imports\n\tsauce\nfeatures\n\tR\n\t\toptional\n\t\t\tsauce.Ketchup\n"
    assert refused(tmp_path, "a.uvl", text) == ["6: 'Ketchup' is not the root of sauce.uvl: refer to sauce.Type."]


# ---------------------------------------------------------------- DIMACS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p cnf 2 2\n1 2 0\n", "1: the header promises 2 clauses, but there are 1: was the file cut off?"),
        ("p cnf 2 1\n1 2 0\n-1 0\n", "1: the header promises 1 clauses, but there are 2: was the file cut off?"),
        ("p cnf 2 1\n1 3 0\n", "2: variable 3 is beyond the 2 of the header: correct one of them."),
        ("p cnf 2 1\n1 2\n", "2: the last clause is not closed: end it with 0."),
        ("p cnf 2 1\n1 x 0\n", "2: 'x' is no literal: a clause holds whole numbers, closed by 0."),
        ("p sat 2 1\n1 0\n", "1: 'p sat 2 1' is no header: write 'p cnf VARIABLES CLAUSES'."),
        ("p cnf 1 0\np cnf 1 0\n", "2: a second header; the first is in line 1: keep one."),
        ("1 0\n", "1: a clause stands before the header: begin with 'p cnf VARIABLES CLAUSES'."),
        ("c nothing\n", "1: the header is missing: write 'p cnf VARIABLES CLAUSES' before the clauses."),
        ("c 7 fan\np cnf 2 1\n1 0\n", "1: 'fan' is the name of variable 7, but the header has only 2."),
        ("c 1 fan\nc 1 fun\np cnf 1 1\n1 0\n", "2: variable 1 is named 'fun' here and 'fan' in line 1: keep one name."),
        ("p cnf 99999999 0\n", "1: 99999999 variables are more than 1,000,000, which nothing here can answer for."),
        ("p cnf 0 0\n", "1: the file has no variables: is it really DIMACS?"),
    ],
)
def test_dimacs_files_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, "a.dimacs", text) == [message]


# ---------------------------------------------------------------- XML


def test_an_xml_bomb_does_not_go_off(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY l{level} "' + f"&l{level - 1};" * 10 + '">' for level in range(1, 10))
    text = f'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>\n<instance>&l9;</instance>'
    assert refused(tmp_path, "a.xml", text) == ["2: the file declares entities of its own, which are not expanded: write the text out."]


def test_xml_cannot_read_other_files(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY own SYSTEM "file:///etc/passwd">]>\n<instance>&own;</instance>'
    assert refused(tmp_path, "a.xml", text) == ["2: the file declares entities of its own, which are not expanded: write the text out."]


def test_xml_a_hundred_thousand_levels_deep(tmp_path: Path) -> None:
    depth = 100_000
    text = "<featureModel><struct>" + '<and name="x">' * depth + "</and>" * depth + "</struct></featureModel>"
    assert refused(tmp_path, "a.xml", text) == ["1: the feature 'x' exists already in line 1: rename one of them."]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0..2</domain>", "0..2", "6: not valid XML: mismatched tag."),
        ("0..2", "0..999999", "4: domain 'D0' has 1,000,000 values, more than 20,000: divide it into ranges that matter."),
        ('nbValues="3">0..2', ">", "4: domain 'D0' is empty: give it at least one value."),
        ("0..2", "0..1", "4: domain 'D0' promises nbValues 3, but has 2: correct one of them."),
        ("0..2", "0 1 two", "4: 'two' in 'D0' is neither a whole number nor a range 1..9."),
        ('nbDomains="2"', 'nbDomains="3"', "3: <domains> promises 3, but there are 2: was the file cut off?"),
        ('"colour" domain="D0"', '"colour" domain="D7"', "8: there is no domain 'D7': known are: D0, D1."),
        ('name="roof"', 'name="engine"', "8: the variable 'engine' exists already in line 8: rename one of them."),
        ("|1 7", "|1 7 7", "11: relation 'R0' has arity '2', but a tuple reads '1 7 7'."),
        ('nbTuples="3"', 'nbTuples="4"', "11: relation 'R0' promises nbTuples 4, but has 3: correct one of them."),
        ('semantics="supports"', 'semantics="soft"', "11: relation 'R0' has semantics 'soft': 'supports' and 'conflicts' are read."),
        ('scope="engine roof"', 'scope="engine rof"', "21: constraint 'C0' names no variable 'rof': did you mean 'roof'?"),
        ('scope="engine roof"', 'scope="engine engine"', "21: constraint 'C0' names a variable twice: name each once."),
        ('scope="engine roof"', 'scope="engine"', "21: constraint 'C0' has 1 variables, but its relation 2: correct its scope."),
        ('reference="R0"', 'reference="R9"',
         "21: constraint 'C0' refers to 'R9', which is not there: known are: R0, R1, P0, global:allDifferent."),
        ("neg(a)", "negate(a)", "15: predicate 'P0': 'negate' is neither a parameter nor an operation."),
        ("neg(a)", "neg(a,b)", "15: predicate 'P0': neg takes 1, not 2."),
        ("mod(b, 2)))", "mod(b, 2))", "15: predicate 'P0': the expression is not complete."),
        ("mod(b, 2)))", "mod(b, 2))))", "15: predicate 'P0': ')' has no place here."),
        ("engine colour 1</par", "engine colour</par", "23: constraint 'C2' must give its predicate 3 variables of its scope or numbers."),
        ('format="XCSP 2.1"', 'format="XCSP3"', "1: the format is 'XCSP3'; only XCSP 2.1 is read: convert it."),
    ],
)
def test_xcsp_files_that_cannot_be_read(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refused(tmp_path, "a.xml", changed(XCSP, old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<var>Fan</var>", "<var>Van</var>", "17: the rule names no feature 'Van': did you mean 'Fan'?"),
        ('name="DVD"', 'name="Fan"', "12: the feature 'Fan' exists already in line 13: rename one of them."),
        ('<feature name="G1"', '<feature name=""', "9: a <feature> has no name: give it one."),
        ('value="841.9"', 'value="841.999"', "6: the price 841.999 is finer than EUR allows: round it."),
        ('value="841.9"', 'value="dear"', "6: the price 'dear' is no number: write it as 12.50."),
        ('value="841.9"', 'value="Infinity"', "6: the price 'Infinity' is no number: write it as 12.50."),
        ('unit="€" value="-4.0"', 'unit="$" value="-4.0"', "9: a price in USD among prices in EUR: use one currency."),
        ('unit="€" value="-4.0"', 'unit="?" value="-4.0"', "9: the currency '?' is not known: write one of CNY, EUR, GBP, JPY, KWD, USD."),
        ('<feature mandatory="true" name="DVD"/><feature name="Blu &amp; Ray"/>', "",
         "12: 'Drives' is an empty group: give it a feature, or make it a <feature>."),
        ("<atmost1>", "<atmost1></atmost1><atmost1>", "18: a <rule> holds one formula, not 2: join them by <conj>."),
        ("<eq><var>Fan</var><var>G1</var></eq>", "<eq><var>Fan</var></eq>",
         "19: <eq> with 1 parts is not known: conj, disj, not, imp, eq, atmost1 and var are."),
        ("<eq><var>Fan</var><var>G1</var></eq>", "<xor><var>Fan</var><var>G1</var></xor>",
         "19: <xor> with 2 parts is not known: conj, disj, not, imp, eq, atmost1 and var are."),
    ],
)
def test_featureide_files_that_cannot_be_read(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refused(tmp_path, "a.xml", changed(FEATUREIDE, old, new))


def test_xml_of_another_kind_is_no_feature_model(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.xml", "<html/>") == ["1: <struct> must hold one root feature, not 0: is it a FeatureIDE model?"]


# ---------------------------------------------------------------- CLib


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["fan", ["no", "yes"]]', '["fan", []]', '1: ["fan", []] is no variable: write [name, [values]], with a value at least.'),
        ('["fan", ["no", "yes"]]', '["cpu", ["no", "yes"]]', "1: variable 'cpu' or one of its values is there twice: rename one."),
        ('["lit", 2, [0]]', '["lit", 3, [0]]', """2: 'c1': ["lit", 3, [0]] names no variable with these values."""),
        ('["lit", 2, [0]]', '["lit", 2, [2]]', """2: 'c1': ["lit", 2, [2]] names no variable with these values."""),
        ('["not", ', '["nand", ', "2: 'c1': 'nand' of 1 is not known: use and, or, not, imp, iff, xor."),
        ('"table"', '"tables"', "3: 'c2': a 'tables' of this shape is not known: use expr, table, amo or lin."),
        ("[2, 1], [1, 1]", "[2, 1], [1, 5]", "3: 'c2': the tuple [1, 5] does not fit the scope."),
        ("[10, -20, 30]", "[10, -20]", "4: 'c3': a term of a sum is [variable, [a number for each of its values]]."),
        ('"<="', '"=<"', "4: 'c3': a 'lin' of this shape is not known: use expr, table, amo or lin."),
        ('"cons"', '"constraints"', '1: a CLib file is {"vars": [[name, [values]], …], "cons": [[name, kind, body], …]}.'),
        ("[[0, 1], [[0", "[[0, 1], [[0]]", "3: not valid JSON in column 28: Expecting ']' delimiter."),
    ],
)
def test_clib_files_that_cannot_be_read(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = refused(tmp_path, "a.json", changed(CLIB, old, new))
    assert message in found or ("not valid JSON" in message and "not valid JSON" in found[0])


def test_a_million_values_are_refused(tmp_path: Path) -> None:
    values = ", ".join(f'"{value}"' for value in range(1_000_000))
    message = "1: 'v' has 1,000,000 values, more than 20,000: divide it into two questions."
    assert refused(tmp_path, "a.json", f'{{"vars": [["v", [{values}]]], "cons": []}}') == [message]


def test_a_wide_predicate_is_not_tabulated(tmp_path: Path) -> None:
    text = changed(XCSP, 'nbValues="3">0..2', ">0..9999")
    found = refused(tmp_path, "a.xml", text)
    assert any("spans 100,000,000 combinations, more than 2,000,000: state it as a table, or in parts." in each for each in found)


@pytest.mark.parametrize("write", [str.upper, lambda text: text[: len(text) // 2], lambda text: text[1:], lambda text: "\0" + text])
def test_mangled_files_are_refused_and_nothing_else(tmp_path: Path, write: Callable[[str], str]) -> None:
    for name, text in {"a.xml": XCSP, "b.xml": FEATUREIDE, "c.json": CLIB}.items():
        assert refused(tmp_path, name, write(text))


# ---------------------------------------------------------------- numbers of absurd size


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.dimacs", "c a\np cnf {} 1\n1 0\n"),
        ("a.dimacs", "p cnf 2 1\n1 {} 0\n"),
        ("a.uvl", "features\n\tR {{Price {}}}\n"),
        ("a.xml", '<instance>\n<domains><domain name="D">1..{}</domain></domains></instance>'),
        ("a.json", '{{"vars":\n[["a", [{}]]], "cons": []}}'),
    ],
)
def test_a_number_of_ten_thousand_digits_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (problem,) = refused(tmp_path, name, text.format("9" * 10_000))
    assert problem == "2: a number has more than 1,000 digits: round it."


@pytest.mark.parametrize("price", ["1e999999999", "1E+12", "-99999999999999999999"])
def test_a_price_beyond_any_machine_is_refused(tmp_path: Path, price: str) -> None:
    assert refused(tmp_path, "a.xml", changed(FEATUREIDE, 'value="841.9"', f'value="{price}"')) == [
        f"6: the price {price[:20]} is beyond any machine: correct it."
    ]


def test_a_sum_of_numbers_of_absurd_size_is_refused(tmp_path: Path) -> None:
    message = "4: 'c3': a term of a sum is [variable, [a number for each of its values]]."
    assert refused(tmp_path, "a.json", changed(CLIB, "[10, -20, 30]", "[10, -20, 1e999999999]")) == [message]
    assert refused(tmp_path, "a.json", changed(CLIB, "[10, -20, 30]", '[10, -20, "30"]')) == [message]
    assert refused(tmp_path, "a.json", changed(CLIB, "[[0, 0], [0, 1]", "[7, [0, 1]")) == ["3: 'c2': the tuple 7 does not fit the scope."]
