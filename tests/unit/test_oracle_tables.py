"""Two tables of real machines, written as models in our language; every cell of the tables must come out.

Memory an edition of an operating system can use, and how many graphics cards a server's power supplies carry.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache

import pytest

from configurator.engine import Compiled, answer, compile_model
from configurator.language import read_model_text
from tests.builders.machines import SHEET
from tests.conftest import SHARED

HEAD = SHEET[: SHEET.index("[sums]")]
"""The bare machine of the test sheet, without its groups."""


def group(name: str, *options: str) -> str:
    """A group as a file states it; an option is its id and attributes: "pro gb = 2048"."""
    lines = []
    for option in options:
        word, _, attributes = option.partition(" ")
        attributes = f"{attributes.replace(';', ',')}, " if attributes else ""
        lines.append(f'  {{ id = "{word}", {attributes}name = {{ en = "{word}", zh = "{word}。" }} }},')
    title = f'{{ en = "{name}", zh = "{name}。" }}'
    return "\n".join(
        ["[[group]]", f'id = "{name}"', f"name = {title}", f'default = "{options[0].split()[0]}"', "option = [", *lines, "]", ""]
    )


MEMORY_GB = (4, 8, 32, 64, 128, 256, 2048, 4096, 6144, 8192, 24576, 32768)
NO_SYSTEM = "none gb = 1000000"
SYSTEMS = (
    "home10 gb = 128", "home11 gb = 128", "pro10 gb = 2048", "pro11 gb = 2048", "education10 gb = 2048", "enterprise10 gb = 6144",
    "pro-workstations10 gb = 6144", "client32 gb = 4", "server2016 gb = 24576", "server2012 gb = 4096", "server2012-essentials gb = 64",
    "server2012-foundation gb = 32",
)  # fmt: skip
MEMORY_RULE = """
[[rule]]
id = "memory-of-system"
source = "O1"
require = "memory.gb <= os.gb"
reason = { en = "This edition does not use that much memory.", zh = "该版本用不了这么大的内存。" }
"""
NAMES = {
    "Windows 10 Home x64": "home10",
    "Windows 11 Home x64": "home11",
    "Windows 10 Pro x64": "pro10",
    "Windows 11 Pro x64": "pro11",
    "Windows 10 Education x64": "education10",
    "Windows 10 Enterprise x64": "enterprise10",
    "Windows 10 Pro for Workstations x64": "pro-workstations10",
    "Any Windows 10 client 32-bit": "client32",
    "Windows Server 2016 Standard/Datacenter": "server2016",
    "Windows Server 2012 Standard/Datacenter": "server2012",
    "Windows Server 2012 Essentials": "server2012-essentials",
    "Windows Server 2012 Foundation": "server2012-foundation",
}
"""A row's name in the table -> the option."""


def table(name: str) -> list[dict[str, str]]:
    with (SHARED / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def systems() -> Compiled:
    text = HEAD + group("memory", *(f"m{gb} gb = {gb}" for gb in MEMORY_GB)) + group("os", NO_SYSTEM, *SYSTEMS) + MEMORY_RULE
    return compile_model(read_model_text(text, "systems.toml"))


@pytest.mark.shared
@pytest.mark.parametrize("place", range(12))
def test_system_uses_memory_up_to_its_limit_and_refuses_more_with_the_reason(place: int) -> None:
    row = table("os_memory_limits.csv")[place]
    limit = int(row["limit_gb"])
    answered = answer(systems(), {"os": NAMES[row["os"]]}).groups["memory"]

    assert [option.option for option in answered.options if option.possible] == [f"m{gb}" for gb in MEMORY_GB if gb <= limit]
    for option in answered.options:
        if not option.possible:
            assert option.reason is not None
            assert (option.reason.choices, [rule.id for rule in option.reason.rules]) == (
                (("os", NAMES[row["os"]]),),
                ["memory-of-system"],
            )


def test_every_row_of_the_memory_table_has_an_option() -> None:
    assert len(SYSTEMS) == len(NAMES) == len(set(NAMES.values()))
    assert {system.split()[0] for system in SYSTEMS} == set(NAMES.values())


CARDS = ("gpu70", "gpu160", "gpu300")
SUPPLIES = (
    "w750 single70 = 7; single160 = 3; single300 = 1; mixed = 3",
    "w1100 single70 = 8; single160 = 4; single300 = 2; mixed = 4",
    "w1800 single70 = 8; single160 = 7; single300 = 4; mixed = 7",
    "w2400 single70 = 8; single160 = 8; single300 = 4; mixed = 8",
    "one",
)
"""Pairs of power supplies, and one alone: the most cards of each size by themselves, and of both smaller sizes together."""
CARD_RULES = """
[[rule]]
id = "cards-of-one-size"
source = "S24"
require = "gpu70.n <= psu.single70 and gpu160.n <= psu.single160 and gpu300.n <= psu.single300"
reason = { en = "These power supplies do not carry so many cards.", zh = "电源带不动这么多显卡。" }

[[rule]]
id = "small-cards-mixed"
source = "S24"
when = "gpu70.n > 0 and gpu160.n > 0"
require = "gpu70.n + gpu160.n <= psu.mixed"
reason = { en = "These power supplies do not carry so many cards of two sizes.", zh = "电源带不动这么多两种显卡。" }

[[rule]]
id = "three-sizes"
source = "S24"
when = "gpu70.n > 0 and gpu160.n > 0"
require = "gpu300.n = 0"
reason = { en = "Cards come in two sizes at most.", zh = "显卡最多两种规格。" }

[[table]]
id = "large-with-70"
source = "S24"
groups = ["psu", "gpu70", "gpu300"]
rows = [
  ["*", "*", "c0"],
  ["*", "c0", "*"],
  [["w1800", "w2400"], ["c1", "c2", "c3", "c4"], ["c1", "c2"]],
]
reason = { en = "Large and 70 W cards need the two largest supplies.", zh = "大卡与 70 W 卡只能在两种最大的电源上混用。" }

[[table]]
id = "large-with-160"
source = "S24"
groups = ["psu", "gpu160", "gpu300"]
rows = [
  ["*", "*", "c0"],
  ["*", "c0", "*"],
  ["w1800", ["c1", "c2", "c3"], ["c1", "c2"]],
  ["w2400", ["c1", "c2", "c3", "c4"], ["c1", "c2"]],
]
reason = { en = "Large and 160 W cards need the two largest supplies.", zh = "大卡与 160 W 卡只能在两种最大的电源上混用。" }
"""


@cache
def server() -> Compiled:
    cards = "".join(group(card, *(f"c{n} n = {n}" for n in range(most + 1))) for card, most in zip(CARDS, (8, 8, 4), strict=True))
    return compile_model(read_model_text(HEAD + group("psu", *SUPPLIES) + cards + CARD_RULES, "server.toml"))


def allowed(row: dict[str, str], cards: tuple[int, int, int]) -> bool:
    """What the table says of so many cards of 70, 160 and 300 W; three sizes together it does not know."""
    small, middle, large = cards
    if small and middle and large:
        return False
    if small and middle:
        total = small + middle <= int(row["mix_70_160_total"])
        return total and small <= int(row["gpu70_max"]) and middle <= int(row["gpu160_max"])
    if large and (small or middle):
        most_other, most_large = map(int, re.findall(r"x(\d)", row["mix_70_300" if small else "mix_160_300"]))
        return (small or middle) <= most_other and large <= most_large
    return small <= int(row["gpu70_max"]) and middle <= int(row["gpu160_max"]) and large <= int(row["gpu300_max"])


def every_number() -> Iterator[tuple[int, int, int]]:
    yield from ((small, middle, large) for small in range(9) for middle in range(9) for large in range(5))


@pytest.mark.shared
@pytest.mark.parametrize("place", range(4))
def test_every_number_of_cards_is_possible_or_refused_as_the_table_says(place: int) -> None:
    row = table("st650v2_gpu_psu.csv")[place]
    assert row["psu_count"] == "2"
    psu = f"w{row['psu_w']}"
    possible = {
        (small, middle, large)
        for small in range(9)
        for middle in range(9)
        for large, option in enumerate(answer(server(), chosen(psu, small, middle)).groups["gpu300"].options)
        if option.possible and answer(server(), chosen(psu, small, middle)).valid
    }
    assert possible == {cards for cards in every_number() if allowed(row, cards)}


def chosen(psu: str, small: int, middle: int) -> dict[str, str]:
    return {"psu": psu, "gpu70": f"c{small}", "gpu160": f"c{middle}"}


@pytest.mark.parametrize(
    ("psu", "cards", "rule"),
    [
        ("w750", (0, 4, 0), "cards-of-one-size"),
        ("w1100", (3, 2, 0), "small-cards-mixed"),
        ("w1100", (1, 0, 1), "large-with-70"),
        ("w2400", (5, 0, 1), "large-with-70"),
        ("w1800", (0, 4, 2), "large-with-160"),
        ("w2400", (1, 1, 1), "three-sizes"),
        ("one", (1, 0, 0), "cards-of-one-size"),
    ],
)
def test_too_many_cards_are_refused_for_the_right_reason(psu: str, cards: tuple[int, int, int], rule: str) -> None:
    refused = answer(server(), {"psu": psu, **{card: f"c{n}" for card, n in zip(CARDS, cards, strict=True)}})
    assert not refused.valid
    assert refused.conflict is not None
    assert [each.id for each in refused.conflict.rules] == [rule]
