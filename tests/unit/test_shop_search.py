"""What the search of the shop finds, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.shop.search import LONGEST_QUESTION, Entry, score, search, words

SKEIN = Entry("machine", "skein-14", ((9, "Skein 14 云雀 Skein 14"), (4, "A light laptop 轻薄笔记本"), (1, "14.0 in, 2880 × 1800")))
ANVIL = Entry("machine", "anvil-w", ((9, "Anvil W"), (4, "A quiet workstation, lighter than it looks 工作站"), (1, "16 GB to 2 TB")))
MEMORY = Entry("option", "32 GB DDR5", ((2, "32 GB DDR5 32 GB 内存"), (1, "Memory 内存")))
DOCK = Entry("accessory", "ACC-DOCK", ((6, "Desk dock 扩展坞"), (2, "ACC-DOCK")))
EVERYTHING = [SKEIN, ANVIL, MEMORY, DOCK]


def keys(question: str) -> list[str]:
    return [entry.key for entry in search(question, EVERYTHING)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("skein", ["skein-14"]),
        ("SKE", ["skein-14"]),
        ("ｓｋｅｉｎ", ["skein-14"]),
        ("skein 14", ["skein-14"]),
        ("skein14", ["skein-14"]),
        ("32GB", ["32 GB DDR5"]),
        ("32 gb", ["32 GB DDR5"]),
        ("320 gb", []),
        ("3 gb", []),
        ("内存", ["32 GB DDR5"]),
        ("作站", ["anvil-w"]),
        ("扩展坞 desk", ["ACC-DOCK"]),
        ("acc-dock", ["ACC-DOCK"]),
        ("skein anvil", []),
        ("", []),
        ("  ×  ", []),
    ],
)
def test_a_question_finds(question: str, found: list[str]) -> None:
    assert keys(question) == found


def test_a_whole_word_counts_more_than_the_beginning_of_one() -> None:
    assert keys("light") == ["skein-14", "anvil-w"]
    assert (score(SKEIN, ["light"]), score(ANVIL, ["light"])) == (8, 4)


def test_a_name_counts_more_than_data() -> None:
    assert score(SKEIN, ["14"]) == 18


def test_fourteen_point_nought_is_fourteen() -> None:
    assert words("14.0 in, 2.5 in") == ("14", "in", "2.5", "in")


@given(st.text(max_size=300))
def test_any_question_is_answered(question: str) -> None:
    assert set(keys(question)) <= {entry.key for entry in EVERYTHING}


@given(st.text(alphabet="abc 12内存", min_size=1, max_size=40))
def test_one_more_word_never_finds_more(question: str) -> None:
    assert set(keys(f"{question} skein")) <= set(keys("skein"))


def test_a_question_is_read_only_so_far() -> None:
    assert keys("skein" + " " * LONGEST_QUESTION + "anvil") == ["skein-14"]
