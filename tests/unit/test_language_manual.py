"""Every example of the manual is run: models are read and compiled, mistakes are told in the words the manual prints."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from configurator.approval import approve
from configurator.checking import check
from configurator.language import read_model
from configurator.language.specification import Model
from fulfillment.kernel.money import Money

MANUAL = (Path(__file__).parents[2] / "configurator" / "LANGUAGE.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?([\w.-]*)\n(.*?)^```$", MANUAL, re.DOTALL | re.MULTILINE)
FILES = {name: text for language, name, text in BLOCKS if language == "toml" and name.endswith(".toml")}
PIECES = [text for language, name, text in BLOCKS if language == "toml" and not name]
MISTAKES = [
    (text, told)
    for (language, name, text), (_then, _name, told) in itertools.pairwise(BLOCKS)
    if (language, name) == ("toml", "wrong")
]


def model_with(folder: Path, piece: str, head: str = "") -> Path:
    path = folder / "wren.toml"
    path.write_text(f"{head}{FILES['wren.toml']}\n{piece}", encoding="utf-8")
    return path


def approved(path: Path) -> Model:
    return approve(read_model(path)).model


def test_the_manual_has_examples_of_every_kind() -> None:
    assert (set(FILES), len(PIECES), len(MISTAKES)) == ({"wren.toml", "family-desk.toml", "wren-family.toml"}, 7, 4)


def test_the_whole_model_is_checked_as_the_manual_prints(tmp_path: Path) -> None:
    printed = next(text for language, _name, text in BLOCKS if language == "console").splitlines()[1:]
    found = check(model_with(tmp_path, ""))
    lines = [re.sub(r"in [\d.]+ s", "in 0.001 s", line) for line in found.lines()]
    assert lines == printed


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: re.findall(r'id +?= "([\w-]+)"', piece)[0])
def test_a_piece_of_the_manual_can_be_put_behind_the_model(tmp_path: Path, piece: str) -> None:
    before = approved(model_with(tmp_path, ""))
    after = approved(model_with(tmp_path, piece))
    assert after.content_hash != before.content_hash
    assert {group.id for group in before.groups} <= {group.id for group in after.groups}


def test_all_pieces_of_the_manual_go_together(tmp_path: Path) -> None:
    whole = approved(model_with(tmp_path, "\n".join(piece for piece in PIECES if "[[table]]" not in piece)))
    assert [group.id for group in whole.groups if group.hidden] == ["fast-bundle", "burn-in"]
    assert whole.by_id["modules"].by_id["8"].price == Money(24_000)
    assert whole.defaults["fan"] == ("absent",)


def test_a_family_is_used_as_the_manual_shows(tmp_path: Path) -> None:
    (tmp_path / "family-desk.toml").write_text(FILES["family-desk.toml"], encoding="utf-8")
    include, _, piece = FILES["wren-family.toml"].partition("\n")
    mouse = approved(model_with(tmp_path, piece, f"{include}\n")).by_id["mouse"]
    assert ([option.id for option in mouse.options], mouse.default) == (["m0", "m1"], ("m0",))


@pytest.mark.parametrize(("piece", "told"), MISTAKES, ids=lambda text: text.split("\n")[1][:30])
def test_a_mistake_of_the_manual_is_told_in_its_words(tmp_path: Path, piece: str, told: str) -> None:
    lines = list(check(model_with(tmp_path, piece)).lines())
    assert any(re.match(rf"wren\.toml:\d+(:\d+)?: {re.escape(told.strip())}", line) for line in lines), lines
