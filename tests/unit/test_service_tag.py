"""Service tags and express service codes: the same number written twice."""

from __future__ import annotations

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.assembly.tag import ALPHABET, HIGHEST, LETTERS, NotATag, draw, express_code, read_tag, spoken, tag_of
from tests.conftest import SHARED


def test_a_tag_is_its_code_in_base_36() -> None:
    assert express_code("5RFDP01") == 12_542_331_601
    assert tag_of(12_542_331_601) == "5RFDP01"
    assert tag_of("125-423-316-01") == "5RFDP01"
    assert spoken(12_542_331_601) == "125-423-316-01"


@pytest.mark.shared
def test_the_pairs_met_on_real_machines_are_told_right_from_wrong() -> None:
    with (SHARED / "data" / "service_tags.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7
    for row in rows:
        holds = express_code(row["tag"]) == int(row["express_code"])
        assert holds is (row["verdict"] == "valid"), row


@given(st.integers(0, HIGHEST))
def test_every_code_has_a_tag_and_comes_back(code: int) -> None:
    tag = tag_of(code)
    assert len(tag) == 7
    assert express_code(tag) == code
    assert tag_of(spoken(code)) == tag


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=7, max_size=7))
def test_every_tag_has_a_code_and_comes_back(tag: str) -> None:
    assert tag_of(express_code(tag)) == tag


def test_leading_zeros_are_part_of_the_tag() -> None:
    assert tag_of(35) == "000000Z"
    assert express_code("000000Z") == 35


@pytest.mark.parametrize("typed", ["bx7k2m9", " BX7K2M9 ", "BX7-K2M9", "bx7 k2m9"])
def test_a_tag_is_read_as_people_type_it(typed: str) -> None:
    assert read_tag(typed) == "BX7K2M9"


@pytest.mark.parametrize("typed", ["", "BX7K2M", "BX7K2M99", "BX7K2M!", "ＢX7K2M9", "BX7K2M٣", "' OR 1=1"])
def test_what_is_no_tag_is_refused(typed: str) -> None:
    with pytest.raises(NotATag):
        read_tag(typed)


@pytest.mark.parametrize("typed", ["", "-1", "78364164096", "999999999999", "12a", "1.5"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(NotATag):
        tag_of(typed)


def test_our_own_tags_spell_no_words_and_are_never_taken_for_a_code() -> None:
    for _ in range(500):
        tag = draw()
        assert re.fullmatch(f"[{LETTERS}][{ALPHABET}]{{6}}", tag)
        assert not set(tag) & set("AEIOU01")


def test_tags_are_drawn_not_counted() -> None:
    assert len({draw() for _ in range(2_000)}) == 2_000
    assert draw(lambda letters: letters[0]) == "B222222"
